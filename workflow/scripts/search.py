"""Search from every environment of one family."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.kernels import compile_kernels
from nullmode.sweep.search import write_search
from nullmode.sweep.tasks import SearchTask

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        compile_kernels(snakemake.params.kind)
        write_search(
            SearchTask(**snakemake.params.task),
            snakemake.input.structures[0],
            snakemake.input.references,
            snakemake.output.found,
            snakemake.output.steps,
            snakemake.params.code,
            snakemake.threads,
        )
