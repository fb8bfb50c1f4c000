"""Put the jobs' tables into one, and summarise it."""

from typing import TYPE_CHECKING

from nullmode import agreement, dataset, fingerprint, study, tables
from nullmode.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        fingerprint.check_unchanged(snakemake.params.code)
        provenance = agreement.merged(snakemake.input, snakemake.params.code)
        frame = study.united([dataset.load(snakemake.input, "sensitivity")], snakemake.params.order)
        tables.write(frame, snakemake.output.sensitivity, "sensitivity", provenance)
        tables.write(study.summarize(frame), snakemake.output.summary, "summary", provenance)
