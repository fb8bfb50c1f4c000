"""What a view's job does: rows of the sensitivity table and structures to a page."""

from collections.abc import Sequence

from nullmode._support.types import JSON
from nullmode.analysis.explanations._cases import descriptor_of
from nullmode.tables import parquet
from nullmode.views.view import chosen, write_rows


def write_page(
    view: JSON, name: str, kind: str, table: str, structures: Sequence[str], output: str, code: JSON
) -> None:
    """Do a job: choose environments of a run's families, and write the page that shows them.

    `view` is the configuration's entry, `kind` that of its descriptor, `structures` are files of its families, and
    `code`, the origin of this code, is kept.
    """
    files = dict(zip(view["families"], structures, strict=True))
    wanted = [("family", "in", view["families"]), ("descriptor", "==", view["descriptor"])]
    rows = parquet.read(table, "sensitivity", filters=wanted)
    # Families may hold other species, and then channels.
    made = {text: descriptor_of(each, {view["descriptor"]: kind}) for text, each in rows.groupby("parameters")}
    cutoff = next(iter(made.values())).cutoff
    frames = {family: parquet.read(path, "structures") for family, path in files.items()}
    shown, environments = chosen(rows, frames, cutoff, view["most"])
    descriptors = [made[text] for text in shown["parameters"]]
    inputs = parquet.inputs({"sensitivity": table, **files})
    write_rows(shown, environments, descriptors, output, name, {"view": name, **view, **code, "inputs": inputs})
