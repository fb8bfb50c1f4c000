"""Find the species and the most neighbours that a whole family has within a cutoff."""

import json
from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode._support.files import written
from nullmode.sweep import sensitivity
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        structures = parquet.read(snakemake.input[0], "structures")
        layout = sensitivity.layout_of(structures, snakemake.wildcards.scope, float(snakemake.wildcards.cutoff))
        with written(snakemake.output[0]) as temporary:
            temporary.write_text(json.dumps(layout), encoding="utf-8")
