"""What a view's job does: rows of the sensitivity table and structures to a page."""

from collections.abc import Sequence

from nullmode._support.types import JSON
from nullmode.analysis.explanations._cases import descriptor_of
from nullmode.tables import parquet
from nullmode.views.view import chosen, write_rows


def write_view(
    view: JSON, name: str, kind: str, table: str, structures: Sequence[str], output: str, code: JSON
) -> None:
    """Do a job: choose environments of a run's families, and write the page that shows them.

    Parameters
    ----------
    view
        Entry of the configuration: ``families``, ``descriptor``, ``most``.
    kind
        Of the descriptor.
    table, structures
        Files: the sensitivity table, and the structures of each family.
    output
        The HTML file.
    code
        Origin of this code, kept in the file.
    """
    files = dict(zip(view["families"], structures, strict=True))
    wanted = [("family", "in", view["families"]), ("descriptor", "==", view["descriptor"])]
    rows = parquet.read(table, "sensitivity", filters=wanted)
    descriptor = descriptor_of(rows, {view["descriptor"]: kind})
    frames = {family: parquet.read(path, "structures") for family, path in files.items()}
    shown, environments = chosen(rows, frames, descriptor.cutoff, view["most"])
    inputs = parquet.inputs({"sensitivity": table, **files})
    write_rows(shown, environments, descriptor, output, name, {"view": name, **view, **code, "inputs": inputs})
