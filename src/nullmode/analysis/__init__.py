"""Structures and descriptors to tables."""
