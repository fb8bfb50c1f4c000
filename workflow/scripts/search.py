"""Search from every environment of one family."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.sweep import search
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
        structures = parquet.read(files[cell["family"]], "structures")
        found, steps = search.run_search(structures, cell, references, threads=snakemake.threads)
        provenance = {**cell, **snakemake.params.code, "inputs": parquet.inputs(files)}
        parquet.write(found, snakemake.output.found, "search", provenance)
        parquet.write(steps, snakemake.output.steps, "search_steps", provenance)
