"""Draw one figure from the sensitivity table or a search, and from what else it asks for."""

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
        parameters = entry["parameters"]
        if families := snakemake.params.families:
            files = zip(families, snakemake.input.structures, strict=True)
            parameters |= {"structures": {family: tables.read(path, "structures") for family, path in files}}
        if kinds := snakemake.params.kinds:
            parameters |= {"kinds": kinds}
        if searches := snakemake.params.searches:
            files = iter(snakemake.input.searches)
            both = [(tables.read(next(files), "search"), tables.read(next(files), "search_steps")) for _ in searches]
            figure = draw(searches=dict(zip(searches, both, strict=True)), **parameters)
        else:
            figure = draw(tables.read(snakemake.input.table, "sensitivity"), **parameters)
        save(figure, snakemake.output.png.removesuffix(".png"))
