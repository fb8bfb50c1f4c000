"""Put the jobs' tables into one, and summarise it."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.sweep import sensitivity
from nullmode.sweep.joblog import job_log
from nullmode.tables import agreement, dataset, parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        provenance = agreement.merged(snakemake.input, snakemake.params.code)
        frame = sensitivity.united([dataset.load(snakemake.input, "sensitivity")], snakemake.params.order)
        parquet.write(frame, snakemake.output.sensitivity, "sensitivity", provenance)
        parquet.write(sensitivity.summarize(frame), snakemake.output.summary, "summary", provenance)
