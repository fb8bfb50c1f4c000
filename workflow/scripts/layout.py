"""Find the layout that features of a whole family have within a cutoff."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.sensitivity import write_layout

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        write_layout(
            snakemake.wildcards.family,
            snakemake.input[0],
            snakemake.wildcards.scope,
            float(snakemake.wildcards.cutoff),
            snakemake.output[0],
            snakemake.params.code,
        )
