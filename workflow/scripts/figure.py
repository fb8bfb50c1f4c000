"""Draw one figure from the sensitivity table or a search, and from what else it asks for; write its caption."""

from typing import TYPE_CHECKING

from nullmode import captions, fingerprint, tables
from nullmode._plugins import load
from nullmode.figures import FIGURES
from nullmode.figures._base import Drawing, save
from nullmode.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        fingerprint.check_unchanged(snakemake.params.code)
        entry = snakemake.params.figure
        draw = load(entry["kind"], FIGURES, "figure")
        parameters = entry["parameters"]
        if families := snakemake.params.families:
            drawn = dict(zip(families, snakemake.input.structures, strict=True))
            parameters = parameters | {"structures": {name: tables.read(drawn[name], "structures") for name in drawn}}
        if kinds := snakemake.params.kinds:
            parameters = parameters | {"kinds": kinds}
        if searches := snakemake.params.searches:
            files = iter(snakemake.input.searches)
            both = [(tables.read(next(files), "search"), tables.read(next(files), "search_steps")) for _ in searches]
            drawn = draw(searches=dict(zip(searches, both, strict=True)), **parameters)
            sources = {str(path): path for path in snakemake.input.searches}
            frames = [frame for pair in both for frame in pair]
        else:
            frames = [tables.read(snakemake.input.table, "sensitivity")]
            drawn = draw(*frames, **parameters)
            sources = {"sensitivity": snakemake.input.table}
        figure, result = drawn if isinstance(drawn, Drawing) else (drawn, "")
        caption = captions.caption(snakemake.params.caption, frames, result)
        inputs = {"inputs": tables.inputs(sources)}
        provenance = {"figure": snakemake.wildcards.figure, **entry, **snakemake.params.code, **inputs}
        save(figure, snakemake.output.png.removesuffix(".png"), provenance, "\n\n".join(caption))
        captions.write(caption, snakemake.output.caption)
