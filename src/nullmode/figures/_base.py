"""What all figures share: one style, one way to save without dates, and the choice of rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nullmode._support.files import written
from nullmode._support.output import check_output
from nullmode._support.types import JSON, Floats, InputError
from nullmode.tables import stamp

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

FORMATS = ("pdf", "svg", "png")
# Exact zeros are drawn here where a logarithm shows everything else.
FLOOR = 1e-18
OPEN: dict[str, Any] = {"linestyle": "none", "marker": "o", "mfc": "white", "mew": 0.6}
"""Circles for such values."""
ROUNDING = 1e-13
"""Relative distances of features, and ratios of singular values, below this are rounding."""
# Where such values are drawn, and the band that sets them apart.
ZERO, BAND = ROUNDING / 100, (ROUNDING / 1000, ROUNDING / 10)
TEXTS = ("name", "path", "mode")
"""Coordinates that may be texts; from others, figures compute."""
# Differences of larger coordinates, and with them the ticks of an axis, may be beyond what a number holds.
_LARGEST = 1e300
# Columns along which a table is swept, for messages and titles.
SWEPT = ("n_max", "l_max", "cutoff", "cutoff_width", "width", "parameters")

# Width of the longest entry of a legend, in inches.
_LEGEND_ENTRY = 1.75
CAUSES = {
    "symmetry": "#4477aa",
    "incompleteness": "#cc3311",
    "truncation": "#ee9933",
    "cutoff": "#66ccee",
    "width": "#999933",
    "unresolved": "#aa88bb",
}
"""Colours of the causes of null values."""
_IN_WORDS = {"incompleteness": "body order", "width": "width of the density", "unresolved": "unresolved cause"}

_STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "image.cmap": "viridis",
    "savefig.dpi": 200,
    "svg.hashsalt": "nullmode",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


class Drawing(NamedTuple):
    """A figure, and what it shows: a few sentences for its caption, with numbers computed from what is drawn."""

    figure: "Figure"
    result: str


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's style."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def save(figure: "Figure", stem: str | Path, provenance: JSON | None = None, caption: str = "") -> list[Path]:
    """Write a figure as PDF, SVG and PNG at `stem` with these endings; the same figure gives the same bytes.

    Each file keeps the provenance, with nullmode's version, and the caption where its format has a place for it.

    Raises
    ------
    InputError
        If a file cannot be written, or is none of nullmode's figures.
    """
    paths = [Path(f"{stem}.{ending}") for ending in FORMATS]
    for path in paths:
        check_output(path, (path.suffix,), stamp.is_stamped, argument="stem")
    for path in paths:
        save_as(figure, path, provenance, caption)
        # The layout is found once: it takes as long as drawing.
        figure.set_layout_engine("none")
    return paths


def save_as(figure: "Figure", path: Path, provenance: JSON | None = None, caption: str = "") -> None:
    """Write a figure in the format that a path ends in, as :func:`save` does, without a check of the path."""
    ending = path.suffix[1:].lower()
    # Fonts, resolution and the salt of SVG's ids count when a figure is written, not when it is drawn.
    with written(path) as temporary, style():
        figure.savefig(temporary, format=ending, metadata=stamp.metadata(provenance or {}, caption)[ending])


def panels(rows: int, columns: int, size: tuple[float, float], **shared: Any) -> "tuple[Figure, Any]":
    """Make a figure and its axes, an array (rows, columns); it belongs to no window, so that none has to be closed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def key(**marks: Any) -> "Line2D":
    """Make the handle of a line or of markers for a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **marks)


def patches(colours: dict[str, str], **properties: Any) -> "list[Rectangle]":
    """Make the handles of a legend of colours."""
    from matplotlib.patches import Rectangle as Patch

    return [Patch((0, 0), 1, 1, color=colour, **properties) for colour in colours.values()]


def legend_above(figure: "Figure", handles: list[Any], labels: list[str]) -> None:
    """Put a legend above the panels, in as many rows as the figure's width asks for."""
    columns = max(1, min(len(labels), int(figure.get_figwidth() / _LEGEND_ENTRY)))
    figure.legend(handles, labels, loc="outside upper center", ncols=columns)


def select(
    table: "pd.DataFrame", family: str, descriptor: str, *coordinates: str, single: bool = True
) -> "pd.DataFrame":
    """Rows of one family and one descriptor that hold singular values; `single` demands one truncation.

    Environments without neighbours, skipped structures and Jacobians that are not finite are left out. Where all values
    are null, the inverse condition number is 0.

    Raises
    ------
    InputError
        If there are none, if a coordinate is missing, or for several truncations where one is drawn.
    """
    rows = table[(table["family"] == family) & (table["descriptor"] == descriptor)]
    if rows.empty:
        raise InputError(
            f"`descriptor` must have been run on the family, got {descriptor!r} on {family!r} without rows."
        )
    for name in coordinates:
        if name not in rows or rows[name].isna().all():
            raise InputError(f"`family` must have a coordinate `{name}`, got {family!r}, which has none. Draw another.")
        if not is_fit(rows, name):
            raise InputError(
                f"`family` must have a coordinate `{name}` of numbers, got {family!r}, where one is "
                f"{_unfit(rows, name)}. Draw another."
            )
    rows = rows[[len(values) > 0 and bool(np.isfinite(values).all()) for values in rows["singular_values"]]]
    if rows.empty:
        raise InputError(f"`family` must hold an environment that was analysed, got {family!r}, where none could be.")
    rows = rows.assign(inverse_condition_number=rows["inverse_condition_number"].astype(float).fillna(0.0))
    varied = [name for name in SWEPT if rows[name].nunique(dropna=False) > 1]
    if single and varied:
        raise InputError(
            f"`descriptor` must have one truncation for this figure, got {descriptor!r} swept over {', '.join(varied)}."
        )
    return rows


def explained(explanations: "pd.DataFrame", family: str, descriptor: str) -> "pd.DataFrame":
    """Rows of an explanations table of one family and one descriptor; there may be none."""
    return explanations[(explanations["family"] == family) & (explanations["descriptor"] == descriptor)]


def having(rows: "dict[str, pd.DataFrame]", coordinate: str) -> list[str]:
    """Names of the families whose rows all have a coordinate, of numbers unless it may be a text."""
    held = {family: own for family, own in rows.items() if coordinate in own and own[coordinate].notna().all()}
    return [family for family, own in held.items() if is_fit(own, coordinate)]


def is_fit(rows: "pd.DataFrame", coordinate: str) -> bool:
    """Whether a figure can use a coordinate: it holds numbers that an axis can show, or may be a text."""
    return coordinate in TEXTS or _unfit(rows, coordinate) is None


def _unfit(rows: "pd.DataFrame", coordinate: str) -> str | None:
    """Write the first value of a coordinate that no axis can show: no number, or too large a one; None for none."""
    shown: Any = rows[coordinate].dropna()
    fit = [not isinstance(each, bool) and isinstance(each, Real) and abs(float(each)) <= _LARGEST for each in shown]
    return next((repr(each) for each, is_shown in zip(shown, fit, strict=True) if not is_shown), None)


def order(rows: "pd.DataFrame") -> str:
    """Write the correlation order of a descriptor as a label; empty where that has no meaning."""
    orders = rows["correlation_order"]
    return rf"$\nu$ = {int(orders.iloc[0])}" if orders.notna().all() else ""


def title(rows: "pd.DataFrame") -> str:
    """Name a descriptor and its truncation, in up to three lines: kind and nu, (n_max, l_max), lengths."""
    first = rows.iloc[0]
    sizes = [f"{name} = {int(first[name])}" for name in ("n_max", "l_max") if rows[name].nunique() == 1]
    lengths = [f"{name} {first[name]:g} Å" for name in ("width", "cutoff") if rows[name].nunique() == 1]
    names = [str(first["descriptor"]), *filter(None, [order(rows)])]
    return "\n".join(", ".join(line) for line in (names, sizes, lengths) if line)


_SCOPES = {"environment": [], "structure": ["structures"], "potential": ["potentials"]}


def label(rows: "pd.DataFrame") -> str:
    """Name a descriptor in one line: what it is called, nu, and its scope unless that is environments."""
    first = rows.iloc[0]
    return ", ".join(filter(None, [str(first["descriptor"]), order(rows), *_SCOPES[first["scope"]]]))


def plain(text: str) -> str:
    """Write a label of a figure as plain text."""
    return text.replace("$", "").replace(r"\nu", "ν").replace(r"\sigma", "σ")


def literal(text: object) -> str:
    """Write a value of a coordinate as a label that shows it as it is: two dollars enclose no formula there."""
    return str(text).replace("$", r"\$")


def number(value: float) -> str:
    """Write a number with two digits, for a sentence."""
    if not np.isfinite(value):
        return "not known"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits}e{int(power)}"


def listing(phrases: list[str]) -> str:
    """Join phrases by commas and a last "and"."""
    return ", ".join(phrases[:-1]) + " and " * (len(phrases) > 1) + phrases[-1] if phrases else ""


def by_cause(cause: str) -> str:
    """Name a cause of null values in a sentence: null by ..."""
    return _IN_WORDS.get(cause, cause)


def null_colours(causes: Iterable[str]) -> dict[str, str]:
    """Entries of a legend, and their colours, for the causes that a figure shows."""
    shown = set(causes)
    return {f"null: {by_cause(cause)}": colour for cause, colour in CAUSES.items() if cause in shown}


def logarithmic(ax: "Axes", zero: float, band: tuple[float, float], top: float, null: str = "0") -> None:
    """Give an axis of ratios of singular values its scale, with a band in which null values are drawn, at `zero`."""
    ax.axhspan(*band, color="0.92", linewidth=0, zorder=-1)
    ax.set_yscale("log")
    ax.set_ylim(band[0], top)
    powers = [p for p in range(0, -18, -3) if 10.0**p > band[1]]
    ax.set_yticks([*(10.0**p for p in powers), zero], [*(f"$10^{{{p}}}$" for p in powers), null])


def log_scale(ax: "Axes") -> None:
    """Give the lines of an axis a logarithmic scale, where they have a positive value at all."""
    if any((np.asarray(line.get_ydata(), dtype=float) > 0).any() for line in ax.get_lines()):
        ax.set_yscale("log")


def null_band(ax: "Axes", rtol: float) -> float:
    """Do the same for values that are null up to `rtol`; returns where they are drawn."""
    logarithmic(ax, 0.1 * rtol, (0.02 * rtol, 0.5 * rtol), 2)
    ax.yaxis.minorticks_off()
    return 0.1 * rtol


def spectra(rows: "pd.DataFrame") -> Floats:
    """Singular values over the largest, one row each, at least ``ROUNDING``; shape (n, d).

    NaN stands beyond the values of a row that has fewer than others; where all are null, the ratios are the least.
    """
    ratios = np.full((len(rows), int(rows["n_dof"].max()) if len(rows) else 0), np.nan)
    for row, values, rank in zip(ratios, rows["singular_values"], rows["rank"], strict=True):
        row[: len(values)] = np.maximum(np.asarray(values) / values[0], ROUNDING) if rank else ROUNDING
    return ratios
