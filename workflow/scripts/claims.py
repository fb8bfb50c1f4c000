"""Hold the tables of a run against its claims."""

from typing import TYPE_CHECKING

from nullmode.claims.job import write_ledger
from nullmode.claims.sql import VIEWS
from nullmode.sweep.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output, snakemake.params.code):
        write_ledger(
            snakemake.input.claims,
            {table: snakemake.input.get(table, []) for table in VIEWS},
            snakemake.output.table,
            snakemake.output.page,
            snakemake.params.code,
        )
