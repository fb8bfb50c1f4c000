"""Merge the tables of all sensitivity jobs, and summarise them."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.summary import write_summary

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        write_summary(
            snakemake.input,
            snakemake.params.order,
            snakemake.output.sensitivity,
            snakemake.output.summary,
            snakemake.params.code,
        )
