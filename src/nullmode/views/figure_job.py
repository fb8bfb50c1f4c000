"""What a figure's job does: tables to a figure and its caption."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from nullmode._support.types import JSON, InputError
from nullmode.figures._base import save
from nullmode.figures._figure import load_figure
from nullmode.tables import parquet
from nullmode.tables.identity import identified
from nullmode.views import captions


def write_figure(
    figure: JSON,
    name: str,
    tables: Sequence[tuple[str, str, str, str]],
    paths: Sequence[str],
    caption: JSON,
    png: str,
    caption_file: str,
    code: JSON,
) -> None:
    """Do a job: draw a figure from the tables that it asks for, and write it in all formats, and its caption.

    `figure` is the configuration's entry, `tables` and `caption` are as :func:`nullmode.sweep.settings.figure_tables`
    and :func:`nullmode.sweep.report.caption` give them, and `code`, the origin of this code, is kept. Other formats
    stand beside the PNG file.
    """
    frames: list[pd.DataFrame] = []
    given: dict[str, Any] = {}
    for (parameter, of, kind, _), path in zip(tables, paths, strict=True):
        # A file holds all regressions with one descriptor.
        frame = parquet.read(path, kind, filters=[("regression", "==", of)] if kind == "regression" else None)
        frames.append(frame)
        if not of:
            given[parameter] = frame
        elif parameter == "searches":
            named = given.setdefault(parameter, {})
            named[of] = (*named.get(of, ()), frame)
        else:
            given.setdefault(parameter, {})[of] = frame
    # A user's function may draw with pyplot, which would look for a display.
    matplotlib.use("Agg")
    drawn = load_figure(figure["kind"]).draw(**given, **figure["parameters"])
    drawing, result = drawn if isinstance(drawn, tuple) and len(drawn) == 2 else (drawn, "")
    if not isinstance(drawing, Figure) or not isinstance(result, str):
        raise InputError(
            f"`figures.{name}.kind` must name a function that returns a figure of Matplotlib, or a Drawing of one and "
            f"a text, got {type(drawn).__name__} from {figure['kind']}. Return the figure, not its axes."
        )
    text = captions.caption(caption, frames, result)
    inputs = parquet.inputs({file: path for (*_, file), path in zip(tables, paths, strict=True)})
    provenance = identified({"figure": name, **figure, "caption": caption, **code, "inputs": inputs})
    save(drawing, png.removesuffix(".png"), provenance, "\n\n".join(text))
    captions.write(text, caption_file, provenance["identity"])
