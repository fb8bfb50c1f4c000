"""Views: pages that show environments or structures with their modes as arrows, and the spectrum and causes of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.output import check_output, files_behind
from nullmode._support.types import JSON, Scope, WholeScope
from nullmode.analysis.analyze import analyze, checked_options, listed_environments
from nullmode.attribution.near_null import SOFT
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors._selected import whole_of
from nullmode.geometry.cut import centers_of_many, checked_structures, environments_of
from nullmode.geometry.environment import Centers, Environment
from nullmode.spectrum.potential import EQUAL
from nullmode.spectrum.whole_structure import whole_structures
from nullmode.tables import stamp
from nullmode.tables.structures import atoms_of, sound
from nullmode.views import chemiscope_page
from nullmode.views.chemiscope_dataset import make_dataset
from nullmode.views.chemiscope_page import library, write_page
from nullmode.views.displayed import Displayed, DisplayedEnvironment, DisplayedStructure

if TYPE_CHECKING:
    from ase import Atoms


def write_view(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment]",
    descriptor: Descriptor,
    path: str | Path,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
    *,
    scope: Scope = "environment",
    centers: Centers = None,
    feature_tolerance: float = EQUAL,
    name: str = "Null modes",
    frames: Sequence[int] | None = None,
    progress: bool = False,
    force: bool = False,
) -> int:
    """Write an HTML page that shows environments or structures with their modes as arrows; it needs no network.

    Null modes are shown, and soft ones; where there is neither, the softest mode.

    Parameters
    ----------
    what, descriptor, rtol, tolerance, scope, centers, feature_tolerance
        As in :func:`nullmode.analyze`, with causes. Of scope ``structure`` or ``potential``, the page shows whole
        structures, with their cells if they are periodic.
    path
        The HTML file to write; its folder is made, and an older view is replaced.
    name
        Heading of the page.
    frames
        What each structure is called: its number in the file that it is from. By default, its index.
    progress
        Show progress bars on stderr.
    force
        Replace a file that is no view, too.

    Returns
    -------
    int
        How many environments or structures the page shows.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`, if chemiscope is missing, and before any work for a path that cannot be written,
        that is read, or that holds something else.
    """
    check_output(path, (".html", ".htm"), is_view, inputs=files_behind(whole_of(descriptor)), force=force)
    library()  # if it is missing, say so before anything is computed
    checked_options(descriptor, rtol, "neighbours", True, False, tolerance, None, scope, feature_tolerance)
    options: Any = {"centers": centers, "feature_tolerance": feature_tolerance, "frames": frames, "progress": progress}
    rows, shown = analyzed(what, descriptor, rtol, tolerance, scope, **options)
    write_rows(rows, shown, path, name, progress=progress)
    return len(shown)


def analyzed(
    what: Any,
    descriptor: Descriptor,
    rtol: float,
    tolerance: float,
    scope: Scope,
    *,
    centers: Centers = None,
    feature_tolerance: float = EQUAL,
    frames: Sequence[int] | None = None,
    soft: float = SOFT,
    progress: bool = False,
) -> tuple[pd.DataFrame, Sequence[Displayed]]:
    """Analyse environments or structures for :func:`make_dataset`; for the arguments see :func:`write_view`."""
    shown: Sequence[Displayed]
    options: Any = {"tolerance": tolerance, "progress": progress}
    if scope == "environment":
        environments, descriptor = listed_environments(what, descriptor, centers)
        rows = analyze(environments, descriptor, rtol, attribution=True, **options)
        shown = [DisplayedEnvironment(each, descriptor, soft) for each in environments]
    else:
        options |= {"scope": scope, "centers": centers, "feature_tolerance": feature_tolerance}
        rows = analyze(what, descriptor, rtol, attribution=True, **options)
        structures = whole_structures(*checked_structures(what, descriptor.cutoff, centers))
        descriptor = with_layout_of(descriptor, [item for each in structures for item in each.environments])
        shown = [DisplayedStructure(each, descriptor, scope, feature_tolerance, soft) for each in structures]
    rows = rows.assign(rtol=rtol)
    if frames is not None:
        rows = rows.assign(frame=np.asarray(frames)[rows["structure"]])
    return rows, shown


def is_view(path: Path) -> bool:
    """Whether a file is a page that :func:`write_view` or the workflow wrote."""
    return stamp.is_page(path, chemiscope_page.__name__)


def write_rows(
    rows: pd.DataFrame,
    shown: Sequence[Displayed],
    path: str | Path,
    name: str,
    provenance: JSON | None = None,
    *,
    progress: bool = False,
) -> None:
    """Write such a page from rows of a table; for the arguments see :func:`make_dataset` and :func:`write_page`."""
    write_page(*make_dataset(rows, shown, name, progress), path, provenance)


def chosen(
    table: pd.DataFrame, structures: Mapping[str, pd.DataFrame], most: int
) -> tuple[pd.DataFrame, "list[tuple[Atoms, int]]"]:
    """Choose rows of every family, evenly spaced and at most `most`, with the structures that they are about.

    Structures that were skipped are left out.

    Parameters
    ----------
    table
        Rows of the sensitivity table, of one descriptor at one truncation.
    structures
        Rows of the structures tables, by family.

    Returns
    -------
    rows, structures
        As many structures, each with its number, as rows, in the order of the families.
    """
    chosen_rows: list[pd.DataFrame] = []
    about: list[tuple[Atoms, int]] = []
    for family, known in structures.items():
        rows = table[(table["family"] == family) & (table["status"] != "bad_structure")]
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]
        kept = sound(known)
        atoms = dict(zip(kept["structure"], atoms_of(kept)[0], strict=True))
        about += [(atoms[structure], structure) for structure in rows["structure"]]
        chosen_rows.append(rows)
    return pd.concat(chosen_rows, ignore_index=True), about


def displayed(
    atoms: "Atoms",
    structure: int,
    center: int,
    descriptor: Descriptor,
    scope: Scope,
    centers: Centers = None,
    feature_tolerance: float = EQUAL,
) -> Displayed:
    """Take from a structure what a row of the sensitivity table is about.

    Of scope ``environment``, that is the environment of `center`; otherwise the whole with its `centers`.
    """
    if scope == "environment":
        return DisplayedEnvironment(
            environments_of(atoms, structure, descriptor.cutoff, np.array([center]))[0], descriptor
        )
    whole: WholeScope = scope
    chosen_centers = centers_of_many([atoms], centers, [structure])
    return DisplayedStructure(
        whole_structures([atoms], descriptor.cutoff, chosen_centers, structure)[0], descriptor, whole, feature_tolerance
    )
