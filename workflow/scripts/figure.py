"""Draw one figure from the tables that it asks for, and write its caption."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.views.figure_job import write_figure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        write_figure(
            snakemake.params.figure,
            snakemake.wildcards.figure,
            snakemake.params.tables,
            snakemake.input,
            snakemake.params.caption,
            snakemake.output.png,
            snakemake.output.caption,
            snakemake.params.code,
        )
