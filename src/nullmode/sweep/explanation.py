"""What the job of a figure's explanations does: rows of the sensitivity table and structures to what explains them."""

from collections.abc import Sequence

from nullmode._support.types import JSON
from nullmode._support.variants import load
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.tables import parquet


def write_explanation(
    explanation: JSON, figure: str, table: str, structures: Sequence[str], output: str, code: JSON
) -> None:
    """Do a job: read what a figure draws from, and write what explains it.

    `explanation` is as :func:`nullmode.sweep.settings.explanation` gives it, `structures` are files of its families,
    and `code`, the origin of this code, is kept.
    """
    files = dict(zip(explanation["families"], structures, strict=True))
    wanted = [("family", "in", explanation["families"]), ("descriptor", "in", list(explanation["kinds"]))]
    sensitivities = parquet.read(table, "sensitivity", filters=wanted)
    frames = {family: parquet.read(path, "structures") for family, path in files.items()}
    explain = load(explanation["kind"], EXPLANATIONS, "explanation")
    rows = explain(sensitivities, frames, explanation["kinds"], **explanation["parameters"])
    inputs = parquet.inputs({"sensitivity": table, **files})
    parquet.write(rows, output, "explanations", {"figure": figure, **explanation, **code, "inputs": inputs})
