"""Generate one family of configurations."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.structures import write_structures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        write_structures(
            snakemake.params.family,
            snakemake.wildcards.family,
            snakemake.input,
            snakemake.output[0],
            snakemake.params.code,
        )
