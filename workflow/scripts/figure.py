"""Draw one figure from the sensitivity table."""

from typing import TYPE_CHECKING

from nullmode import study, tables
from nullmode._plugins import load
from nullmode.figures import FIGURES
from nullmode.figures._base import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with study.job_log(snakemake.log[0]):
        entry = snakemake.params.figure
        draw = load(entry["kind"], FIGURES, "figure")
        table = tables.read(snakemake.input[0], "sensitivity")
        save(draw(table, **entry["parameters"]), snakemake.output.png.removesuffix(".png"))
