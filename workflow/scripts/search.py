"""Search from every environment of one family."""

from typing import TYPE_CHECKING

from nullmode import searching, study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        structures = tables.read(snakemake.input.structures, "structures")
        cell = snakemake.params.cell
        files = zip(cell["references"], snakemake.input.references, strict=True)
        references = {name: tables.read(path, "structures") for name, path in files}
        found, steps = searching.run_search(structures, cell, references, threads=snakemake.threads)
        provenance = {**cell, "code": snakemake.params.code}
        tables.write(found, snakemake.output.found, "search", provenance)
        tables.write(steps, snakemake.output.steps, "search_steps", provenance)
