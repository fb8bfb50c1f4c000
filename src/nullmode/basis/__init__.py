"""Basis functions as kernels: every value comes with its derivative."""
