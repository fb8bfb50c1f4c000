"""Views: pages that show environments with their null modes as arrows, and the spectrum and cause of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nullmode._support.arguments import listed
from nullmode._support.output import check_output, files_behind
from nullmode._support.types import JSON
from nullmode.analysis.analyze import analyze
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors._selected import whole_of
from nullmode.geometry.cut import environments_of
from nullmode.geometry.environment import Environment
from nullmode.tables import stamp
from nullmode.tables.structures import atoms_of, sound
from nullmode.views import chemiscope_page
from nullmode.views.chemiscope_dataset import COLOURS, make_dataset
from nullmode.views.chemiscope_page import library, write_page


def write_view(
    environments: Environment | Sequence[Environment],
    descriptor: Descriptor,
    path: str | Path,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
    *,
    name: str = "Null modes",
    progress: bool = False,
    force: bool = False,
) -> None:
    """Write an HTML page that shows environments with their null modes as arrows; it needs no network.

    Parameters
    ----------
    environments, descriptor, rtol, tolerance
        As in :func:`nullmode.attribute`.
    path
        The HTML file to write; its folder is made, and an older view is replaced.
    name
        Heading of the page.
    progress
        Show a progress bar on stderr.
    force
        Replace a file that is no view, too.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`, if chemiscope is missing, and before any work for a path that cannot be written,
        that is read, or that holds something else.
    """
    check_output(path, (".html", ".htm"), is_view, inputs=files_behind(whole_of(descriptor)), force=force)
    library()  # if it is missing, say so before anything is computed
    shown: list[Environment] = listed(environments)
    rows = analyze(shown, descriptor, rtol, attribution=True, tolerance=tolerance, progress=progress)
    rows = rows.assign(rtol=rtol)
    write_rows(rows, shown, [with_layout_of(descriptor, shown)] * len(shown), path, name)


def is_view(path: Path) -> bool:
    """Whether a file is a page that :func:`write_view` or the workflow wrote."""
    return stamp.is_page(path, chemiscope_page.__name__)


def write_rows(
    rows: pd.DataFrame,
    environments: Sequence[Environment],
    descriptors: Sequence[Descriptor],
    path: str | Path,
    name: str,
    provenance: JSON | None = None,
) -> None:
    """Write such a page from rows of a table; for the arguments see :func:`make_dataset` and :func:`write_page`."""
    write_page(make_dataset(rows, environments, descriptors, name), COLOURS, path, provenance)


def chosen(
    table: pd.DataFrame, structures: Mapping[str, pd.DataFrame], cutoff: float, most: int
) -> tuple[pd.DataFrame, list[Environment]]:
    """Choose rows of every family, evenly spaced and at most `most`, and cut their environments out of the structures.

    Structures that were skipped are left out.

    Parameters
    ----------
    table
        Rows of the sensitivity table, of one descriptor at one truncation.
    structures
        Rows of the structures tables, by family.
    cutoff
        Radius of the environments, Å.

    Returns
    -------
    rows, environments
        As many environments as rows, in the order of the families.
    """
    chosen_rows: list[pd.DataFrame] = []
    environments: list[Environment] = []
    for family, known in structures.items():
        rows = table[(table["family"] == family) & (table["status"] != "bad_structure")]
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]
        kept = sound(known)
        atoms = dict(zip(kept["structure"], atoms_of(kept)[0], strict=True))
        for structure, center in zip(rows["structure"], rows["center"], strict=True):
            environments += environments_of(atoms[structure], structure, cutoff, np.array([center]))
        chosen_rows.append(rows)
    return pd.concat(chosen_rows, ignore_index=True), environments
