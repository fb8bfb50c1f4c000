"""Every figure and view is drawn whatever rows there are: without neighbours, with one, skipped, not finite."""

import functools
import json
from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from configs import CHECKOUT
from drawn import PARAMETERS, explained, predicted, real
from tasks import searched, sensitivities
from view_pages import unpacked

from nullmode import InputError
from nullmode.figures import FIGURES, merging
from nullmode.figures._base import Drawing
from nullmode.figures._figure import load_figure
from nullmode.search import SEARCHES
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
OF_SEARCHES = [
    (kind, search)
    for kind in FIGURES
    for search in SEARCHES
    if "searches" in load_figure(kind).given and load_figure(kind).search in ("", search)
]
QUICK = {"singular": {"attempts": 1}, "orbit": {"length": 0.02}, "partners": {"n_starts": 2}}
# Columns that say nothing of a descriptor such as the Coulomb matrix.
EXPANDED = ("correlation_order", "n_max", "l_max", "cutoff_width", "width", "density", "radial_basis")
SWEPT = {"truncation": "must have n_max and l_max", "bases": "must have l_max, n_max, radial_basis for this"}


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


@pytest.mark.law(cases=8)
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


@functools.cache
def found(search):
    task = {
        **{"search": search, "search_kind": search, "search_parameters": QUICK[search], "family": "nasty"},
        **{"descriptor": "d", "kind": "power-spectrum", "parameters": {"n_max": 2, "l_max": 2, "cutoff": 3.0}},
    }
    return searched(nasty(), task, threads=1)


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize(("kind", "search"), OF_SEARCHES)
def test_figures_of_searches_are_drawn_whatever_the_starts(kind, search, refused, tmp_path):
    rows, steps = found(search)
    if refused:
        rows, steps = rows[rows["status"] == "refused"], steps[:0]
    parquet.write(rows, tmp_path / "found", "search", {})
    parquet.write(steps, tmp_path / "steps", "search_steps", {})
    given = parquet.read(tmp_path / "found"), parquet.read(tmp_path / "steps")
    drawn = load_figure(kind).draw(searches={search: given}, search=search)
    drawn.figure.draw_without_rendering()
    assert "nan" not in drawn.result.lower().split()
    entry = {"claim": "", "drawn": "x.", "families": [], "descriptors": {}, "parameters": {}, "searches": {search: ""}}
    assert f"{rows['structure'].nunique()} environments of nasty" in captions.caption(entry, given, "")[1]


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("kind", [kind for kind in OF_TABLES if not load_figure(kind).explanation])
def test_figures_are_drawn_of_descriptors_without_an_order_or_a_width(kind):
    rows = real().astype(dict.fromkeys(EXPANDED, object)).assign(**dict.fromkeys(EXPANDED))
    rows["parameters"] = "{}"
    for each in ("bases", "swept"):
        rows = rows[(rows["descriptor"] != each) | ~rows.duplicated(["family", "descriptor", "structure"])]
    with pytest.raises(InputError, match=SWEPT[kind]) if kind in SWEPT else nullcontext():
        drawn = load_figure(kind).draw(table=rows, **PARAMETERS[kind])
        drawn.figure.draw_without_rendering()
        assert not {"nan", "none", "<na>"} & set(drawn.result.lower().split())


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("column", ["t", "sign", "v"])
def test_learning_is_drawn_where_coordinates_are_texts(column):
    rows = {name: each.assign(**({column: "high"} if column in each else {})) for name, each in predicted().items()}
    load_figure("learning").draw(predictions=rows, **PARAMETERS["learning"]).figure.draw_without_rendering()


def test_errors_that_are_not_finite_are_not_known():
    rows = {name: each.assign(predicted=np.nan) for name, each in predicted().items()}
    drawn = load_figure("learning").draw(predictions=rows, **PARAMETERS["learning"])
    drawn.figure.draw_without_rendering()
    assert "more not known and not known" in drawn.result
    assert "nan" not in drawn.result


def test_every_orbit_of_many_is_drawn():
    rows = real()[real()["descriptor"] == "fine"]
    names = [f"orbit {k}" for k in range(7)]
    table = pd.concat([rows.assign(family=name) for name in names], ignore_index=True)
    figure = load_figure("four_body").draw(table=table, families=names, descriptors=["fine"] * len(names)).figure
    assert {len(ax.get_lines()) for ax in figure.axes} == {len(names)}


def test_names_of_coordinates_are_no_formulas():
    rows = real().rename(columns={"psi": r"$\frac$"})
    asked = PARAMETERS["crossing"] | {"at": {"rings": {r"$\frac$": [0]}}}
    load_figure("crossing").draw(table=rows, **asked).figure.draw_without_rendering()


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
    text = merging._opening(ax, rows, "k", "two")
    plt.close("all")
    assert "singular again at" in text
    assert "differ" not in text


@pytest.mark.parametrize("scope", ["environment", "structure", "potential"])
def test_views_show_families_of_different_species(tmp_path, scope):
    names = {"some": ("alone", "bad", "two", "round"), "others": ("line", "bent", "generic", "far")}
    point = [{"n_max": 2, "l_max": 2, "cutoff": 3.0}]
    rows = []
    for family, own in names.items():
        made = make_structures(KIND, {"names": list(own), "coordinates": {"number": 7}}, family, "skip")
        parquet.write(made, tmp_path / family, "structures", {})
        task = {"family": family, "descriptor": "soap", "kind": "power-spectrum", "scope": scope}
        rows.append(sensitivities(made, task | {"points": point}, threads=1))
    broken = rows[1]["name"] == "generic"
    rows[1]["singular_values"] = rows[1]["singular_values"].mask(broken, pd.Series([np.full(6, np.nan)] * len(broken)))
    parquet.write(united(rows, ["soap"]), tmp_path / "table", "sensitivity", {})
    view = {"families": list(names), "descriptor": "soap", "most": 9}
    files = [str(tmp_path / family) for family in names]
    entry = {"kind": "power-spectrum", "scope": scope, "centers": None, "feature_tolerance": 1e-6}
    view_job.write_page(view, "v", entry, str(tmp_path / "table"), files, str(tmp_path / "v.html"), {})
    entries = json.loads(unpacked((tmp_path / "v.html").read_text(encoding="utf-8"), "entries"))
    kept = rows[0].query("status != 'bad_structure'"), rows[1]
    assert len(entries) == sum(map(len, kept))
    seen = [
        f"{rank} of {n} displacements seen"
        for each in kept
        for rank, n in zip(each["rank"], each["n_dof"], strict=True)
    ]
    assert [entry["seen"].split(",")[0] for entry in entries] == seen
