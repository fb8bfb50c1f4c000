"""Fit a model to some families, and predict for all."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.sweep import regression
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        cell = snakemake.params.cell
        files = dict(zip(cell["families"], snakemake.input.structures, strict=True))
        fitted = dict(zip(cell["references"], snakemake.input.references, strict=True))
        structures, references = (
            {name: parquet.read(path, "structures") for name, path in group.items()} for group in (files, fitted)
        )
        rows = regression.run_regression(structures, cell, references)
        provenance = {**cell, **snakemake.params.code, "inputs": parquet.inputs(files | fitted)}
        parquet.write(rows, snakemake.output[0], "regression", provenance)
