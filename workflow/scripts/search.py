"""Search from every environment of one family."""

from typing import TYPE_CHECKING

from nullmode import fingerprint, searching, tables
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
        structures = tables.read(files[cell["family"]], "structures")
        found, steps = searching.run_search(structures, cell, references, threads=snakemake.threads)
        provenance = {**cell, **snakemake.params.code, "inputs": tables.inputs(files)}
        tables.write(found, snakemake.output.found, "search", provenance)
        tables.write(steps, snakemake.output.steps, "search_steps", provenance)
