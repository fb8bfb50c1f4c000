"""A verdict as a page: what it says, distributions, and the worst centres in three dimensions, in one HTML file."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.code_hash import origin
from nullmode._support.files import written
from nullmode._support.output import check_output, files_behind
from nullmode._support.types import JSON, InputError, Scope
from nullmode.analysis.recommendation.recommend import check_asked
from nullmode.analysis.verdict import figure
from nullmode.analysis.verdict.judge import verdict
from nullmode.analysis.verdict.record import ENOUGH, Verdict
from nullmode.attribution.near_null import SOFT
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._selected import whole_of
from nullmode.figures._base import Drawing, style
from nullmode.geometry.cut import environments_of
from nullmode.geometry.environment import Centers
from nullmode.tables import stamp
from nullmode.tables.page import render
from nullmode.views.chemiscope_dataset import make_dataset
from nullmode.views.chemiscope_page import filled, library
from nullmode.views.view import analyzed

if TYPE_CHECKING:
    from ase import Atoms

ENDINGS = (".html",)


def write_report(
    structures: "Atoms | Sequence[Atoms]",
    descriptor: Descriptor,
    path: str | Path,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    soft: float = SOFT,
    tolerance: float = 1e-6,
    name: str = "structures",
    frames: Sequence[int] | None = None,
    threads: int | None = None,
    progress: bool = False,
    force: bool = False,
) -> Verdict:
    """Write the verdict about a set of structures as an HTML page to send to a colleague; it needs no network.

    It has all that the verdict says, distributions of the softest values and of resolutions, null values by cause, and
    the ten worst centres: a click on one shows it in three dimensions, with its null and soft modes as arrows.

    Parameters
    ----------
    structures, descriptor, rtol, centers, soft, tolerance, frames, threads, progress
        As in :func:`nullmode.verdict`.
    path
        The HTML file to write; its folder is made, and an older report is replaced.
    name
        What the structures are called in the heading, such as the name of their file.
    force
        Replace a file that is no report, too.

    Returns
    -------
    Verdict
        What the page shows.

    Raises
    ------
    InputError
        As :func:`nullmode.verdict`, if chemiscope is missing, and before any work for a path that cannot be written,
        that is read, or that holds something else.
    """
    from ase import Atoms

    check_output(path, ENDINGS, is_report, inputs=files_behind(whole_of(descriptor)), force=force)
    library()  # if it is missing, say so before anything is computed
    listed = [structures] if isinstance(structures, Atoms) else list(structures)
    options: Any = {"centers": centers, "tolerance": tolerance, "progress": progress}
    result = verdict(listed, descriptor, rtol, soft=soft, frames=frames, threads=threads, **options)
    numbered = dict(zip(range(len(listed)) if frames is None else frames, listed, strict=True))
    write_verdict(result, numbered, descriptor, path, rtol, name=name, **options)
    return result


def is_report(path: Path) -> bool:
    """Whether a file is a page that :func:`write_report` or the command wrote."""
    return stamp.is_page(path, __name__)


def write_verdict(
    found: Verdict,
    structures: "Mapping[int, Atoms]",
    descriptor: Descriptor,
    path: str | Path,
    rtol: float,
    *,
    scope: Scope = "environment",
    centers: Centers = None,
    tolerance: float,
    name: str,
    ran: Mapping[str, str] | None = None,
    recommend: str = "nm.recommend(structures, descriptor)",
    provenance: JSON | None = None,
    progress: bool = False,
) -> None:
    """Write the page of a verdict.

    Parameters
    ----------
    found, descriptor, rtol, scope, centers, tolerance
        The verdict, and what it was made with.
    structures
        By their frames' numbers, those of the worst centres (structures) at least.
    path, name, progress
        As in :func:`write_report`.
    ran
        What else the page says about what was run.
    recommend
        What runs :func:`nullmode.recommend` on the same; left out where that is not possible.
    provenance
        What the page follows from, kept in it.
    """
    kept = {**origin(__name__), **(provenance or {})}
    shown: JSON = {"entries": "", "legend": {}}
    if len(found.worst):
        numbers = [int(number) for number in found.worst["frame"]]
        what: list[Any] = [structures[number] for number in numbers]
        options: Any = {"centers": centers}
        if scope == "environment":
            atoms = [np.array([atom]) for atom in found.worst["atom"]]
            what = [environments_of(each, k, descriptor.cutoff, atoms[k])[0] for k, each in enumerate(what)]
            options = {}
        rows, displayed = analyzed(
            what, descriptor, rtol, tolerance, scope, frames=numbers, soft=found.soft, progress=progress, **options
        )
        shown = filled(*make_dataset(rows, displayed, name, progress))
    page = render(
        __name__,
        f"What the descriptor does not see: {name}",
        kept,
        verdict=found,
        sections=found.sections(),
        figures=[(_inlined(each), each.result) for each in figure.draw(found)],
        command=recommend if _is_searched(descriptor) else "",
        ran={**(ran or {}), **_ran(found, scope, rtol, tolerance), "versions": _versions(kept)},
        **shown,
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _ran(found: Verdict, scope: Scope, rtol: float, tolerance: float) -> dict[str, str]:
    """Say what the verdict was made with."""
    frames = ", ".join(map(str, found.sampled))
    return {
        "descriptor": found.descriptor,
        "scope": scope,
        "rows": ", ".join(f"{count} {status}" for status, count in found.statuses.items()),
        **({"frames looked at closely": frames} if frames else {}),
        "null": f"singular values up to {rtol:g} of the largest",
        "soft": f"seen, but below {found.soft:g} of the largest",
        "symmetry": f"within {tolerance:g} Å",
    }


def _versions(provenance: JSON) -> str:
    from nullmode import __version__

    return ", ".join(f"{name} {number}" for name, number in {"nullmode": __version__, **provenance["versions"]}.items())


def _is_searched(descriptor: Descriptor) -> bool:
    try:
        check_asked(descriptor, ENOUGH, 0.0, 0)
    except InputError:
        return False
    return True


def _inlined(drawing: Drawing) -> str:
    """Give a figure as the address of an image that holds it."""
    import matplotlib as mpl

    content = io.BytesIO()
    # Texts as outlines: the reader may have other fonts.
    with style(), mpl.rc_context({"svg.fonttype": "path"}):
        drawing.figure.savefig(content, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode()}"
