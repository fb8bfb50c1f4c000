"""Put the jobs' tables into one, and summarise it."""

from typing import TYPE_CHECKING

from nullmode import study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        frame = study.united((tables.read(path, "sensitivity") for path in snakemake.input), snakemake.params.order)
        provenance = {
            "parts": [tables.provenance(path) for path in snakemake.input],
            "code": snakemake.params.code,
        }
        tables.write(frame, snakemake.output.sensitivity, "sensitivity", provenance)
        tables.write(study.summarize(frame), snakemake.output.summary, "summary", provenance)
