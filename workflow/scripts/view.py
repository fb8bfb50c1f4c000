"""Write a page to look at environments or structures of families, with their modes as arrows."""

from typing import TYPE_CHECKING

from nullmode.sweep.joblog import job_log
from nullmode.sweep.kernels import compile_kernels
from nullmode.views.view_job import write_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        compile_kernels(snakemake.params.descriptor["kind"])
        write_page(
            snakemake.params.view,
            snakemake.wildcards.view,
            snakemake.params.descriptor,
            snakemake.input.table,
            snakemake.input.structures,
            snakemake.output[0],
            snakemake.params.code,
        )
