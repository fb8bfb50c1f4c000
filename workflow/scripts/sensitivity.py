"""Analyse one family with one descriptor at the truncations of one job."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.sweep import sensitivity
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        cell = snakemake.params.cell
        files = dict(zip(cell["references"], snakemake.input.references, strict=True))
        references = {name: parquet.read(path, "structures") for name, path in files.items()}
        files[cell["family"]] = snakemake.input.structures
        structures = sensitivity.read_part(snakemake.input.structures, cell)
        wholes = zip(cell["layouts"], snakemake.input.layouts, strict=True)
        layouts = {cutoff: json.loads(Path(path).read_text(encoding="utf-8")) for cutoff, path in wholes}
        frame = sensitivity.run_cell(structures, cell, references, layouts, threads=snakemake.threads)
        provenance = {**cell, **snakemake.params.code, "inputs": parquet.inputs(files)}
        parquet.write(frame, snakemake.output[0], "sensitivity", provenance)
