"""Generate one family of configurations."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.sweep import structures
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code = snakemake.params.code
        code_hash.check_unchanged(code)
        family, name = snakemake.params.family, snakemake.wildcards.family
        frame = structures.make_structures(family["kind"], family["parameters"], name)
        parameters = structures.complete(family["kind"], family["parameters"], name)
        files = {path: {"sha256": code_hash.digest(path)} for path in snakemake.input}
        provenance = {"family": name, "kind": family["kind"], "parameters": parameters, "inputs": files, **code}
        parquet.write(frame, snakemake.output[0], "structures", provenance)
