"""Analyse one family with one descriptor at the truncations of one job."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nullmode import fingerprint, study, tables
from nullmode.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        fingerprint.check_unchanged(snakemake.params.code)
        cell = snakemake.params.cell
        files = dict(zip(cell["references"], snakemake.input.references, strict=True))
        references = {name: tables.read(path, "structures") for name, path in files.items()}
        files[cell["family"]] = snakemake.input.structures
        structures = study.read_part(snakemake.input.structures, cell)
        wholes = zip(cell["layouts"], snakemake.input.layouts, strict=True)
        layouts = {cutoff: json.loads(Path(path).read_text(encoding="utf-8")) for cutoff, path in wholes}
        frame = study.run_cell(structures, cell, references, layouts, threads=snakemake.threads)
        provenance = {**cell, **snakemake.params.code, "inputs": tables.inputs(files)}
        tables.write(frame, snakemake.output[0], "sensitivity", provenance)
