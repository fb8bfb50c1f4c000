"""Compile a descriptor's kernels into the cache that all jobs share."""

from typing import TYPE_CHECKING

from nullmode.sweep import sensitivity
from nullmode.sweep.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        sensitivity.warm_kernels(snakemake.wildcards.kind)
