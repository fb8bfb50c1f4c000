"""What a density of some width shows in a complete radial and angular basis: features that no basis exceeds."""
