"""Fit models to the features of one descriptor, and predict for all families."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.kernels import compile_kernels
from nullmode.sweep.regression import write_regressions
from nullmode.sweep.tasks import RegressionTask

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        compile_kernels(snakemake.params.kind)
        write_regressions(
            [RegressionTask(**task) for task in snakemake.params.tasks],
            snakemake.input.structures,
            snakemake.input.references,
            snakemake.output[0],
            snakemake.params.code,
        )
