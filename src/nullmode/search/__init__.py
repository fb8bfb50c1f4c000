"""Searches: singular points, orbits along soft modes, degenerate partners."""
