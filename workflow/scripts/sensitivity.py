"""Analyse one family with one descriptor at the truncations of one job."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nullmode import study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        cell = snakemake.params.cell
        structures = study.read_part(snakemake.input.structures, cell)
        files = zip(cell["references"], snakemake.input.references, strict=True)
        references = {name: tables.read(path, "structures") for name, path in files}
        files = zip(cell["layouts"], snakemake.input.layouts, strict=True)
        layouts = {cutoff: json.loads(Path(path).read_text(encoding="utf-8")) for cutoff, path in files}
        frame = study.run_cell(structures, cell, references, layouts, threads=snakemake.threads)
        provenance = {**cell, "code": snakemake.params.code}
        tables.write(frame, snakemake.output[0], "sensitivity", provenance)
