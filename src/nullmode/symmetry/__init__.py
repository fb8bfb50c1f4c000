"""Point and space groups, their irreducible representations, superposition of environments."""
