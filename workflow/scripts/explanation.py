"""Compute what explains one figure."""

from typing import TYPE_CHECKING

from nullmode.sweep.explanation import write_explanation
from nullmode.sweep.joblog import job_log
from nullmode.sweep.kernels import compile_kernels

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        compile_kernels(*snakemake.params.explanation["kinds"].values())
        write_explanation(
            snakemake.params.explanation,
            snakemake.wildcards.figure,
            snakemake.input.table,
            snakemake.input.structures,
            snakemake.output[0],
            snakemake.params.code,
        )
