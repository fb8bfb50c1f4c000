"""Generate one family of configurations."""

from typing import TYPE_CHECKING

from nullmode import structures, study, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        family, name = snakemake.params.family, snakemake.wildcards.family
        frame = structures.make_structures(family["kind"], family["parameters"], name)
        provenance = {"family": name, **family, "code": snakemake.params.code}
        tables.write(frame, snakemake.output[0], "structures", provenance)
