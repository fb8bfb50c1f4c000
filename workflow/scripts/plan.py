"""Write which files a configuration makes."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.tables import manifest

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        manifest.write(snakemake.output[0], **snakemake.params.plan)
