"""Measurements of claims that SQL cannot compute: functions of the database with the tables of a run."""
