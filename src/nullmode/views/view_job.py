"""What a view's job does: rows of the sensitivity table and structures to a page."""

from collections.abc import Sequence

from nullmode._support.types import JSON
from nullmode.analysis.explanations._cases import descriptor_of
from nullmode.tables import parquet
from nullmode.views.view import chosen, displayed, write_rows


def write_page(
    view: JSON, name: str, descriptor: JSON, table: str, structures: Sequence[str], output: str, code: JSON
) -> None:
    """Do a job: choose rows of a run's families, and write the page that shows what they are about.

    `view` is the configuration's entry, `descriptor` that of its descriptor (kind, scope, centers and
    feature_tolerance), `structures` are files of its families, and `code`, the origin of this code, is kept.
    """
    files = dict(zip(view["families"], structures, strict=True))
    wanted = [("family", "in", view["families"]), ("descriptor", "==", view["descriptor"])]
    rows = parquet.read(table, "sensitivity", filters=wanted)
    # Families may hold other species, and then channels.
    kinds = {view["descriptor"]: descriptor["kind"]}
    made = {text: descriptor_of(each, kinds) for text, each in rows.groupby("parameters")}
    frames = {family: parquet.read(path, "structures") for family, path in files.items()}
    selected, about = chosen(rows, frames, view["most"])
    question = {key: descriptor[key] for key in ("scope", "centers", "feature_tolerance")}
    shown = [
        displayed(*each, center, made[text], **question)
        for each, center, text in zip(about, selected["center"], selected["parameters"], strict=True)
    ]
    inputs = parquet.inputs({"sensitivity": table, **files})
    write_rows(selected, shown, output, name, {"view": name, **view, **code, "inputs": inputs})
