"""Compute the modes that one figure draws."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode._support.variants import load
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        asked = snakemake.params.explanation
        files = dict(zip(asked["families"], snakemake.input.structures, strict=True))
        wanted = [("family", "in", asked["families"]), ("descriptor", "in", list(asked["kinds"]))]
        table = parquet.read(snakemake.input.table, "sensitivity", filters=wanted)
        structures = {family: parquet.read(path, "structures") for family, path in files.items()}
        explain = load(asked["kind"], EXPLANATIONS, "explanation")
        rows = explain(table, structures, asked["kinds"], **asked["parameters"])
        inputs = parquet.inputs({"sensitivity": snakemake.input.table, **files})
        provenance = {"figure": snakemake.wildcards.figure, **asked, **snakemake.params.code, "inputs": inputs}
        parquet.write(rows, snakemake.output[0], "explanations", provenance)
