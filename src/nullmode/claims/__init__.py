"""Claims: expected numbers, the numbers that a run measured, and a verdict on each."""
