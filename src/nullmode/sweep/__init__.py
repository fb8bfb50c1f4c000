"""The configuration as jobs, and what each job does: what Snakemake calls."""
