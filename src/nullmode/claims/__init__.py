"""Expected numbers held against what a run measured."""
