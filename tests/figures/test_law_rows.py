"""Every figure and view is drawn whatever rows there are: without neighbours, with one, skipped, not finite."""

import functools
from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from configs import CHECKOUT
from drawn import PARAMETERS, explained, real
from tasks import sensitivities

from nullmode import InputError
from nullmode.figures import FIGURES, merging
from nullmode.figures._base import Drawing
from nullmode.figures._figure import load_figure
from nullmode.sweep.structures import make_structures
from nullmode.sweep.summary import united
from nullmode.tables import columns, parquet
from nullmode.views import captions, view_job

KIND = str(CHECKOUT / "tests/helpers/nasty.py:structures")
COORDINATES = {
    **{"path": "twist", "t": 1.0, "sign": 1, "u": 0.9, "v": 0.0, "length": 0.0, "four_body_energy": 1.0},
    **{"mode": "softest", "amplitude": 0.1, "psi": 0.0},
}
OF_TABLES = [kind for kind in FIGURES if set(load_figure(kind).given) <= {"table", "explanations"}]
# Figures of laws refuse what has too few points; so says their documentation.
NEED_POINTS = {"merging": "`families` must be one with a coordinate", "crossing": "with others near"}
NEED_POINTS["scopes"] = NEED_POINTS["merging"]
WHICH = {"among others": None, "alone": None, "one pair of atoms": ("two",)}
KINDS = {"soap": "power-spectrum", "radial": "radial-spectrum"}


@functools.cache
def nasty(names=None):
    return make_structures(KIND, {"names": names and list(names), "coordinates": COORDINATES}, "nasty", "skip")


@functools.cache
def measured(kind, scope, names=None):
    """Rows of the family, and one whose Jacobian is not finite."""
    task = {"family": "nasty", "descriptor": "d", "kind": kind, "scope": scope, "points": [{"n_max": 2, "cutoff": 3.0}]}
    rows = sensitivities(nasty(names), task, threads=1)
    broken = rows[rows["n_dof"] > 0].tail(1).copy()
    lost = [*(column.name for column in columns.ATTRIBUTION), "condition_number", "inverse_condition_number"]
    broken[[*lost, "rotation_floor"]] = None
    broken["status"], broken["name"] = "not_finite", "broken"
    broken["singular_values"] = [np.full(int(n), np.nan) for n in broken["n_dof"]]
    return pd.concat([rows, broken], ignore_index=True)


def put_in(table, names, alone):
    """Give every family of a table the nasty rows too, or these alone, at each of its truncations."""
    where = [column.name for column in columns.WHERE]
    frames = [] if alone else [table]
    for key, group in table.groupby(where, dropna=False, sort=False):
        kind = "radial-spectrum" if group["l_max"].isna().all() else "power-spectrum"
        rows = measured(kind, group["scope"].iloc[0], names).copy()
        rows[where] = [key] * len(rows)
        frames.append(rows)
    return pd.concat(frames, ignore_index=True)


@functools.cache
def explained_table(which):
    """One family of these structures, among others those of a figure, and its rows under two descriptors."""
    structures = nasty(WHICH[which])
    if which == "among others":
        others = make_structures("point_groups", {"names": ["Td", "D2d", "X"]}, "groups")
        structures = pd.concat([structures, others], ignore_index=True)
    structures["structure"] = range(len(structures))
    rows = []
    for name, kind in KINDS.items():
        task = {"family": "groups", "descriptor": name, "kind": kind, "points": [{"n_max": 2}]}
        rows.append(
            sensitivities(
                structures, task | ({"points": [{"n_max": 2, "l_max": 2}]} if name == "soap" else {}), threads=1
            )
        )
    return structures, pd.concat(rows, ignore_index=True)


@pytest.mark.law(cases=16)
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("kind", OF_TABLES)
def test_figures_are_drawn_whatever_rows_there_are(kind, which, tmp_path):
    asked = PARAMETERS[kind] | ({"names": None} if "names" in PARAMETERS[kind] else {})
    figure = load_figure(kind)
    families = asked.get("families", [asked.get("family")])
    if figure.explanation:
        structures, chosen = explained_table(which)
    else:
        chosen = put_in(real(), WHICH[which], which != "among others")
    chosen = chosen[chosen["family"].isin(families)]
    parquet.write(united([chosen], list(chosen["descriptor"].unique())), tmp_path / "t", "sensitivity", {})
    given = {"table": parquet.read(tmp_path / "t")}
    if figure.explanation:
        rows = explained(kind, given["table"], dict.fromkeys(families, structures), KINDS, asked)
        parquet.write(rows, tmp_path / "e", "explanations", {})
        given["explanations"] = parquet.read(tmp_path / "e")
    refused = NEED_POINTS.get(kind) if which != "among others" else None
    with pytest.raises(InputError, match=refused) if refused else nullcontext():
        drawn = figure.draw(**{name: given[name] for name in figure.given}, **asked)
    if refused:
        return
    assert isinstance(drawn, Drawing)
    drawn.figure.draw_without_rendering()
    assert "nan" not in drawn.result.lower().split()
    entry = {"claim": "", "drawn": "Bars.", "families": families, "descriptors": {}, "parameters": {}, "searches": {}}
    setting = captions.caption(entry, [given["table"]], drawn.result)[1]
    assert ("without values" in setting) == (which != "one pair of atoms")


def test_exponents_that_no_number_holds_are_drawn():
    rows = real()[real()["family"] == "distortions"].assign(path="noise", t=-400.0)
    load_figure("paths").draw(table=rows, **PARAMETERS["paths"]).figure.draw_without_rendering()


@pytest.mark.parametrize("members", [(1, -1), (1,)])
def test_members_that_are_null_aside_are_not_divided(members):
    values = {
        "u": 1 - np.array([0, 2e-4, 4e-4, 6e-4, merging._ASIDE]),
        "rank": [2, 3, 3, 3, 2],
        "n_dof": 3,
        "rtol": 1e-9,
    }
    values["inverse_condition_number"] = [0, 1e-3, 2e-3, 3e-3, 0]
    rows = pd.concat([pd.DataFrame(values | {"sign": member}) for member in members], ignore_index=True)
    _, ax = plt.subplots()
    text = merging._opening(ax, rows, "k", 2)
    plt.close("all")
    assert "singular again at" in text
    assert "differ" not in text


def test_views_show_families_of_different_species(tmp_path):
    names = {"some": ("alone", "bad", "two", "round"), "others": ("line", "bent", "generic", "far")}
    point = [{"n_max": 2, "l_max": 2, "cutoff": 3.0}]
    rows = []
    for family, own in names.items():
        made = make_structures(KIND, {"names": list(own), "coordinates": {"number": 7}}, family, "skip")
        parquet.write(made, tmp_path / family, "structures", {})
        task = {"family": family, "descriptor": "soap", "kind": "power-spectrum", "scope": "environment"}
        rows.append(sensitivities(made, task | {"points": point}, threads=1))
    broken = rows[1]["name"] == "generic"
    rows[1]["singular_values"] = rows[1]["singular_values"].mask(broken, pd.Series([np.full(6, np.nan)] * len(broken)))
    parquet.write(united(rows, ["soap"]), tmp_path / "table", "sensitivity", {})
    view = {"families": list(names), "descriptor": "soap", "most": 9}
    files = [str(tmp_path / family) for family in names]
    view_job.write_page(view, "v", "power-spectrum", str(tmp_path / "table"), files, str(tmp_path / "v.html"), {})
    assert (tmp_path / "v.html").stat().st_size > 1e5
