"""Analyse families with descriptors of one kind."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.kernels import compile_kernels
from nullmode.sweep.sensitivity import write_sensitivity
from nullmode.sweep.tasks import SensitivityTask

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        compile_kernels(snakemake.params.kind)
        write_sensitivity(
            [SensitivityTask(**task) for task in snakemake.params.tasks],
            snakemake.input.structures,
            snakemake.input.references,
            snakemake.input.layouts,
            snakemake.output[0],
            snakemake.params.code,
            snakemake.threads,
        )
