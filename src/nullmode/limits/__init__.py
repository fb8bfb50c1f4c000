"""What a descriptor's complete radial and angular basis would see, and the share of it that the descriptor keeps."""
