"""Find the species and the most neighbours that a whole family has within a cutoff."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nullmode import study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        structures = tables.read(snakemake.input[0], "structures")
        layout = study.layout(structures, snakemake.wildcards.scope, float(snakemake.wildcards.cutoff))
        Path(snakemake.output[0]).write_text(json.dumps(layout), encoding="utf-8")
