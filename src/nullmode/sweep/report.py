"""What the report says of figures, as far as the configuration knows it; light, as the settings are."""

import inspect
import re

from nullmode._support.types import JSON
from nullmode._support.variants import load
from nullmode.figures import FIGURES, NAMED
from nullmode.sweep.schema import Settings


def caption(settings: Settings, figure: str) -> JSON:
    """Say what a figure's caption needs of the configuration.

    Returns
    -------
    dict
        ``claim``; ``drawn``: the first line of its function's text; ``families`` and ``searches``: kinds, by name;
        ``descriptors``: ``kind`` and the parameters ``named``, by name; ``parameters``: those that name none of these.
    """
    entry = settings.figures[figure]
    named = {
        plural: [*([entry.parameters[key]] if key in entry.parameters else []), *entry.parameters.get(plural, [])]
        for key, plural, _ in NAMED
    }
    for search in (settings.searches[name] for name in named["searches"]):
        named["families"].append(search.family)
        named["descriptors"].append(search.descriptor)
    for regression in (settings.regressions[name] for name in named["regressions"]):
        named["families"].extend((*regression.training, *regression.test))
        named["descriptors"].append(regression.descriptor)
    own = [key for key, plural, _ in NAMED for key in (key, plural)]
    text = inspect.getdoc(load(entry.kind, FIGURES, "figure")) or ""
    descriptors = {name: settings.descriptors[name] for name in named["descriptors"]}
    return {
        "claim": entry.claim,
        "drawn": text.partition("\n")[0],
        "families": {name: settings.families[name].kind for name in named["families"]},
        "searches": {name: settings.searches[name].kind for name in named["searches"]},
        "descriptors": {name: {"kind": d.kind, "named": [*d.parameters, *d.grid]} for name, d in descriptors.items()},
        "parameters": {name: value for name, value in entry.parameters.items() if name not in own},
    }


def labels(settings: Settings, figure: str) -> dict[str, str]:
    """Sort a figure into the report: the numbers with which its claim begins, such as ``S2 (R3):``, and its name."""
    number = re.match(r"[A-Z]\d[A-Z\d, ()]*(?=[.:])", settings.figures[figure].claim)
    return {"claim": number[0] if number else "", "figure": figure}
