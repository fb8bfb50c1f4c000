"""Find the species and the most neighbours that a whole family has within a cutoff."""

import json
from typing import TYPE_CHECKING

from nullmode import fingerprint, study, tables
from nullmode.files import written
from nullmode.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        fingerprint.check_unchanged(snakemake.params.code)
        structures = tables.read(snakemake.input[0], "structures")
        layout = study.layout(structures, snakemake.wildcards.scope, float(snakemake.wildcards.cutoff))
        with written(snakemake.output[0]) as temporary:
            temporary.write_text(json.dumps(layout), encoding="utf-8")
