"""Analyse one family with one descriptor at the truncations of one job."""

from typing import TYPE_CHECKING

from nullmode import study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        structures = tables.read(snakemake.input.structures, "structures")
        cell = snakemake.params.cell
        files = zip(cell["references"], snakemake.input.references, strict=True)
        references = {name: tables.read(path, "structures") for name, path in files}
        frame = study.run_cell(structures, cell, references, threads=snakemake.threads)
        provenance = {**cell, "code": snakemake.params.code}
        tables.write(frame, snakemake.output[0], "sensitivity", provenance)
