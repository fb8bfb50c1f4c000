"""Parquet tables: columns, provenance, many files as one."""
