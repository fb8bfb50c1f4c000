"""What models learn: along orbits of nearly equal features, off them, and for pairs of equal features."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import InputError
from nullmode.figures._base import Drawing, is_fit, key, legend_above, panels, plain
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    Columns = dict[str, dict[str, pd.DataFrame]]

_SERIES = ("#ee7733", "#0077bb", "#009988", "#aa3377")
_TRUE: dict[str, Any] = {"color": "0.75", "linewidth": 3.0, "zorder": 0}
_MEAN: dict[str, Any] = {"color": "0.3", "linewidth": 0.8, "linestyle": "--"}


@figure()
def draw(predictions: "dict[str, pd.DataFrame]", regressions: list[str], orbits: list[float] | None = None) -> Drawing:
    """Energies along orbits and of degenerate pairs, true and predicted; errors on and off orbits; a column per model.

    Parameters
    ----------
    regressions
        Tested on families with coordinates ``t`` and ``length`` as orbits have, with ``sign``, ``u``, ``v`` = 0 and
        ``pair`` as degenerate pairs have, or on any others.
    orbits
        Values of ``t`` to draw energies of; None for all.

    Raises
    ------
    InputError
        For an orbit that is not among those tested on, or regressions of one order, model and training set.
    """
    columns, series = _columns({name: predictions[name] for name in regressions})
    seen = {float(t) for column in columns.values() for rows in column.values() for t in _orbits(rows)}
    drawn = sorted(seen) if orbits is None else orbits
    for t in drawn:
        if t not in seen:
            raise InputError(f"`orbits` must be among those tested on, got {t}. Known: {sorted(seen)}.")
    errors = any(len(_others(rows)) for column in columns.values() for rows in column.values())
    pairs = any(len(_pairs(rows)) for column in columns.values() for rows in column.values())
    shown = [
        *(("orbit", t) for t in drawn),
        *([("error", 0.0)] if errors else []),
        *([("pair", 0.0)] if pairs else []),
    ]
    size = (2.2 * len(columns) + 0.6, 1.6 * len(shown) + 0.8)
    figure, axes = panels(len(shown), len(columns), size, sharey="row")
    for index, (title, column) in enumerate(columns.items()):
        axes[0, index].set_title(title, fontweight="bold")
        for ax, (what, t) in zip(axes[:, index], shown, strict=True):
            if what == "orbit":
                _draw_orbit(ax, column, series, t)
            elif what == "error":
                _draw_errors(ax, column, series)
            else:
                _draw_pairs(ax, column, series)
    for ax, (what, t) in zip(axes[:, 0], shown, strict=True):
        names = {"orbit": f"energy\norbit t = {t:g}", "error": "RMS error", "pair": "energy\nX−, X+"}
        ax.set_ylabel(names[what])
    lines = [key(**_TRUE), *(key(color=colour) for colour in series.values())]
    labels = ["true", *(f"fitted to {name}".replace("_", " ") for name in series)]
    if pairs:
        lines.append(key(**_MEAN))
        labels.append("mean of the pair")
    if errors:
        lines.append(key(color="black", marker="_", markersize=8, linestyle="none"))
        labels.append("standard deviation")
    legend_above(figure, lines, labels)
    return Drawing(figure, _result(columns))


def _columns(predictions: "dict[str, pd.DataFrame]") -> "tuple[Columns, dict[str, str]]":
    """Sort regressions by order and model, then training set, as they come; and colours of training sets."""
    import pandas as pd

    tested = pd.concat([rows[rows["role"] == "test"] for rows in predictions.values()], ignore_index=True)
    sets = list(tested["training"].unique())
    titles = [
        model if pd.isna(order) else rf"$\nu$ = {order:.0f}, {model}"
        for order, model in zip(tested["correlation_order"], tested["model"], strict=True)
    ]
    tested["title"] = titles
    for names in tested.groupby(["title", "training"], sort=False)["regression"].unique():
        if len(names) > 1:
            raise InputError(
                f"`regressions` must differ in correlation order, model or training set, got {' and '.join(names)}. "
                "Draw them in two figures."
            )
    columns: Columns = {}
    for title, rows in tested.groupby("title", sort=False):
        columns[str(title)] = {name: chosen for name in sets if len(chosen := rows[rows["training"] == name])}
    return columns, {name: _SERIES[k % len(_SERIES)] for k, name in enumerate(sets)}


def _orbits(rows: "pd.DataFrame") -> "dict[Any, pd.DataFrame]":
    """Give the points of each orbit, in order."""
    if not all(name in rows and is_fit(rows, name) for name in ("t", "length")):
        return {}
    return {t: orbit.sort_values("structure") for t, orbit in rows[rows["length"].notna()].groupby("t")}


def _pairs(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Give the members of degenerate pairs."""
    having = all(name in rows and is_fit(rows, name) for name in ("sign", "u", "v", "pair"))
    return rows[rows["sign"].notna() & (rows["v"] == 0)] if having else rows[:0]


def _others(rows: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Group the rows that belong to no pair: by family, or by orbit."""
    rest = rows.drop(_pairs(rows).index)
    along = {f"orbit t={t:g}": orbit for t, orbit in _orbits(rest).items()}
    off = rest.drop([index for orbit in along.values() for index in orbit.index])
    return {**{str(name).replace("_", " "): group for name, group in off.groupby("family", sort=False)}, **along}


def _error(rows: "pd.DataFrame") -> float:
    return float(np.sqrt(np.mean((rows["predicted"] - rows["target"]) ** 2)))


def _written(error: float, digits: int = 2) -> str:
    return f"{error:.{digits}g}" if np.isfinite(error) else "not known"


def _draw_orbit(ax: "Axes", column: "dict[str, pd.DataFrame]", series: dict[str, str], t: float) -> None:
    """Draw energies along one orbit."""
    for training, rows in column.items():
        orbit = _orbits(rows).get(t)
        if orbit is not None:
            ax.plot(orbit["length"], orbit["target"], **_TRUE)
            ax.plot(orbit["length"], orbit["predicted"], color=series[training])
    ax.set_xlabel("length / Å")


def _draw_errors(ax: "Axes", column: "dict[str, pd.DataFrame]", series: dict[str, str]) -> None:
    """Draw a bar for each training set and family or orbit."""
    groups = {training: tested for training, rows in column.items() if (tested := _others(rows))}
    names = list(dict.fromkeys(name for tested in groups.values() for name in tested))
    width = 0.8 / max(1, len(groups))
    for k, (training, tested) in enumerate(groups.items()):
        for name, group in tested.items():
            x = names.index(name) + (k - (len(groups) - 1) / 2) * width
            ax.bar(x, _error(group), width, color=series[training])
            ax.plot(x, group["target"].std(ddof=0), color="black", marker="_", markersize=8)
    ax.set(yscale="log")
    ax.set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names])


def _draw_pairs(ax: "Axes", column: "dict[str, pd.DataFrame]", series: dict[str, str]) -> None:
    """Draw energies of both members of all pairs: one curve through the point where they merge."""
    for training, rows in column.items():
        pairs = _pairs(rows)
        if len(pairs):
            pairs = pairs.assign(azimuth=pairs["u"].where(pairs["sign"] > 0, 2 - pairs["u"])).sort_values("azimuth")
            ax.plot(pairs["azimuth"], pairs["target"], **_TRUE)
            ax.plot(pairs["azimuth"], pairs["predicted"], color=series[training])
            ax.plot(pairs["azimuth"], pairs.groupby("pair")["target"].transform("mean"), **_MEAN)
            ax.set_title(f"RMS error {_written(_error(pairs))}")
    ax.set_xlabel(r"azimuth of C$\pm$ / $\pi$")


def _result(columns: "Columns") -> str:
    """Say what the errors are."""
    entries: dict[str, list[str]] = {}
    on_pairs: list[str] = []
    least = 0.0
    for title, column in columns.items():
        model = plain(title)
        # Training sets that were tested alike are compared.
        alike: dict[tuple[str, ...], dict[str, list[float]]] = {}
        for training, rows in column.items():
            errors = {name: _error(group) for name, group in _others(rows).items()}
            if errors:
                alike.setdefault(tuple(errors), {})[training.replace("_", " ")] = list(errors.values())
            if len(pairs := _pairs(rows)):
                on_pairs.append(f"{model}: {_written(_error(pairs), 3)}")
                means = pairs.groupby("pair")["target"].transform("mean")
                least = max(least, _error(pairs.assign(predicted=means)))
        for tested, by_training in alike.items():
            texts = [" and ".join(map(_written, each)) for each in zip(*by_training.values(), strict=True)]
            entry = ", ".join(map("{} {}".format, tested, texts))
            entries.setdefault(" and to ".join(f"({sets})" for sets in by_training), []).append(f"{model}: {entry}")
    sentences = [f"RMS errors of models fitted to {sets}; {'; '.join(texts)}." for sets, texts in entries.items()]
    if on_pairs:
        sentences.append(
            f"RMS errors on the pairs: {'; '.join(on_pairs)}; {_written(least, 3)} is the smallest possible error of a "
            "model whose features are equal for both members."
        )
    return " ".join(sentences)
