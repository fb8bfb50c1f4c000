"""Positions to environments: the gate that validates them, sets of them, files."""
