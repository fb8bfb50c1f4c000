"""What the report says of figures, as far as the configuration knows it; light, as the settings are."""

import inspect
import re

from nullmode._support.types import JSON
from nullmode.figures._figure import NAMING, load_figure, named
from nullmode.sweep.schema import Settings


def caption(settings: Settings, figure: str) -> JSON:
    """Collect what the configuration says for a figure's caption.

    Returns
    -------
    dict
        ``claim``; ``drawn``: the first line of the docstring of the figure's function; ``families`` and ``searches``:
        kinds, by name; ``descriptors``: ``kind``, the parameters ``named``, and ``centers`` if chosen, by name;
        ``parameters``: those that name none of these.
    """
    entry = settings.figures[figure]
    names = named(entry.parameters)
    for search in (settings.searches[name] for name in names["searches"]):
        names["families"].append(search.family)
        names["descriptors"].append(search.descriptor)
    for regression in (settings.regressions[name] for name in names["regressions"]):
        names["families"].extend((*regression.training, *regression.test))
        names["descriptors"].append(regression.descriptor)
    text = inspect.getdoc(load_figure(entry.kind).draw) or ""
    descriptors = {name: settings.descriptors[name] for name in names["descriptors"]}
    naming = {*NAMING, *NAMING.values()}
    return {
        "claim": entry.claim,
        "drawn": text.partition("\n")[0],
        "families": {name: settings.families[name].kind for name in names["families"]},
        "searches": {name: settings.searches[name].kind for name in names["searches"]},
        "descriptors": {
            name: {"kind": d.kind, "named": [*d.parameters, *d.grid]} | ({"centers": d.centers} if d.centers else {})
            for name, d in descriptors.items()
        },
        "parameters": {name: value for name, value in entry.parameters.items() if name not in naming},
    }


def labels(settings: Settings, figure: str) -> dict[str, str]:
    """Label a figure for the report: the numbers that its claim begins with, such as ``R1, R3:``, and its name."""
    number = re.match(r"[A-Z]\d[A-Z\d, ]*(?=[.:])", settings.figures[figure].claim)
    return {"claim": number[0] if number else "", "figure": figure}
