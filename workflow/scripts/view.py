"""Write a page to look at environments of families, with their null modes as arrows."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.analysis.explanations._cases import descriptor_of
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet
from nullmode.views import view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        entry = snakemake.params.view
        files = dict(zip(entry["families"], snakemake.input.structures, strict=True))
        of = [("family", "in", entry["families"]), ("descriptor", "==", entry["descriptor"])]
        table = parquet.read(snakemake.input.table, "sensitivity", filters=of)
        structures = {family: parquet.read(path, "structures") for family, path in files.items()}
        descriptor = descriptor_of(table, {entry["descriptor"]: snakemake.params.kind})
        rows, environments = view.chosen(table, structures, descriptor.cutoff, entry["most"])
        inputs = parquet.inputs({"sensitivity": snakemake.input.table, **files})
        provenance = {"view": snakemake.wildcards.view, **entry, **snakemake.params.code, "inputs": inputs}
        view.write_rows(rows, environments, descriptor, snakemake.output[0], snakemake.wildcards.view, provenance)
