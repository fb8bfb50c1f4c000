"""Draw one figure from the tables that it asks for, and write its caption."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode.figures._base import Drawing, arranged, save
from nullmode.figures._figure import load_figure
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet
from nullmode.views import captions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        entry = snakemake.params.figure
        frames, sources = [], {}
        for (given, name, kind, file), path in zip(snakemake.params.tables, snakemake.input, strict=True):
            frames.append((given, name, parquet.read(path, kind)))
            sources[file] = path
        drawn = load_figure(entry["kind"]).draw(**arranged(frames), **entry["parameters"])
        figure, result = drawn if isinstance(drawn, Drawing) else (drawn, "")
        caption = captions.caption(snakemake.params.caption, [frame for *_, frame in frames], result)
        inputs = {"inputs": parquet.inputs(sources)}
        provenance = {"figure": snakemake.wildcards.figure, **entry, **snakemake.params.code, **inputs}
        save(figure, snakemake.output.png.removesuffix(".png"), provenance, "\n\n".join(caption))
        captions.write(caption, snakemake.output.caption)
