import re
from functools import partial
from inspect import signature

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import GROUPS, PARAMETERS, drawing, drawn, explained, groups, real
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tasks import sensitivities

import nullmode as nm
from nullmode import InputError
from nullmode._support.variants import load
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.figures import FIGURES
from nullmode.figures._base import FLOOR, ROUNDING, by_cause, save, select, spectra, style, title
from nullmode.figures._figure import GIVEN, NAMING, Figure, load_figure
from nullmode.sweep import structures

each_figure = pytest.mark.parametrize("kind", FIGURES)


@pytest.mark.law(cases=3)
@each_figure
def test_figures_follow_from_their_tables_alone(kind, table):
    # Panels keep the order of the table, so only rows within a group are turned around.
    turned = table.iloc[::-1].sort_values(["family", "path"], key=lambda c: c.map(first(c)), kind="stable")
    settings = plt.rcParams.copy()
    drawings = [drawing(kind, rows) for rows in (table, turned)]
    with style():
        np.testing.assert_array_equal(*(pixels(each.figure) for each in drawings))
    # Nothing is left open or changed.
    assert not plt.get_fignums()
    assert plt.rcParams["font.size"] == settings["font.size"]
    pd.testing.assert_frame_equal(table, real())
    # The result is a sentence with numbers.
    assert re.fullmatch(r"[^\n]*\d[^\n]*\.", drawings[0].result)
    assert "nan" not in drawings[0].result.split()


@pytest.mark.law(cases=1)
@each_figure
def test_figures_are_saved_without_a_date(kind, table, tmp_path):
    files = save(drawn(kind, table), tmp_path / "figure")
    assert [path.suffix for path in files] == [".pdf", ".svg", ".png"]
    assert all(path.stat().st_size > 1000 for path in files)
    assert not re.search(rb"CreationDate|<dc:date>", b"".join(path.read_bytes() for path in files))
    assert sorted(tmp_path.iterdir()) == sorted(files)


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@each_figure
def test_record_and_function_agree(kind):
    figure = load_figure(kind)
    assert isinstance(figure, Figure)
    assert bool(figure.explanation) == ("explanations" in figure.given)
    assert figure.given, "drawn from no table"
    assert any(name in PARAMETERS[kind] for pair in NAMING.items() for name in pair), "names nothing"


@each_figure
def test_explanations_take_parameters_of_their_figure(kind):
    figure = load_figure(kind)
    if figure.explanation:
        of_figure = signature(figure.draw).parameters
        taken = signature(load(figure.explanation, EXPLANATIONS, "explanation")).parameters
        assert list(taken)[:3] == ["table", "structures", "kinds"]
        assert list(taken)[3:] == [name for name in of_figure if name in taken and name not in GIVEN]


def first(column):
    order = list(dict.fromkeys(real()[column.name]))
    return lambda value: -1 if value != value else order.index(value)  # noqa: PLR0124


def test_paths_draw_the_singular_values(table):
    figure = drawn("paths", table)
    twist = table[(table["descriptor"] == "soap") & (table["path"] == "twist")]
    seen = [line for line in figure.axes[0].get_lines() if line.get_label().startswith("k = ")]
    expected = spectra(twist).T
    assert np.allclose(
        [line.get_ydata() for line in seen], np.where(expected > ROUNDING, expected, np.nan), equal_nan=True
    )
    assert all(list(line.get_xdata()) == [0, 9] for line in seen)


def test_paths_set_exact_zeros_apart(table):
    figure = drawn("paths", table)
    radial = table[(table["descriptor"] == "radial") & (table["path"] == "twist")]
    ax = figure.axes[2]
    circles = [line for line in ax.get_lines() if line.get_linestyle() == "None"]
    drawn_there = np.array([line.get_ydata() for line in circles])
    # Three features cannot have nine singular values: six are exact zeros.
    assert (~np.isnan(drawn_there)).tolist() == (spectra(radial).T <= ROUNDING).tolist()
    (below,) = np.unique(drawn_there[~np.isnan(drawn_there)])
    assert below < ROUNDING
    places = {text.get_text(): tick for tick, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    assert places["0"] == below


def test_paths_explain_what_they_draw(table):
    figure = drawn("paths", table)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][-3:] == ["k = 9", "rtol", "rounding (below 1e-13)"]
    labels = [ax.get_xlabel() for ax in figure.axes[-2:]]
    assert labels == ["twist t / °", "noise amplitude / Å\nmedian of 10"]


def test_maps_explain_their_circles(table):
    table["rank"] = table["n_dof"]
    assert not any(ax.get_legend() for ax in drawn("pair_map", table).axes)
    table.loc[table["u"] == 0.75, "rank"] = 3
    for ax in drawn("pair_map", table).axes[:2]:
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rank < d"]


def test_maps_are_named_with_a_minus_sign(table):
    assert [ax.get_title() for ax in drawn("pair_map", table).axes[:3]] == ["X−", "X+", "X− against X+"]


def test_titles_of_families_are_chosen(table):
    figure = drawn("truncation", table, labels={"pairs": "twelve environments"})
    assert figure.axes[0].get_title(loc="left").startswith("twelve environments (d = 9)")
    assert drawn("truncation", table).axes[0].get_title(loc="left").startswith("pairs (d = 9)")


@pytest.mark.law(cases=1)
@pytest.mark.parametrize(
    ("structures_drawn", "label"), [(12, "rank\nmedian of environments"), (1, "rank")], ids=["several", "one"]
)
def test_medians_are_called_medians(table, structures_drawn, label):
    some = table[(table["descriptor"] == "swept") & (table["structure"] < structures_drawn)]
    assert drawn("truncation", some).axes[2].get_ylabel() == label


def test_bars_are_the_counts(table):
    figure = drawn("null_causes", table)
    names = GROUPS[1]["names"]
    for ax, descriptor in zip(figure.axes, ["soap", "radial"], strict=True):
        mine = table[(table["descriptor"] == descriptor) & (table["family"] == "groups")].set_index("name").loc[names]
        heights = [[bar.get_height() for bar in bars] for bars in ax.containers]
        columns = ["rank", "null_truncation", "null_unresolved", "null_incompleteness", "null_symmetry"]
        assert heights == [mine[column].tolist() for column in columns if mine[column].any()]
        assert np.array_equal(np.sum(heights, axis=0), mine["n_dof"])
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == names
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["seen", "null: symmetry", "null: body order"]


def test_bars_say_where_they_are_unsure(table):
    mine = (table["family"] == "groups") & (table["name"] == "D2d")
    table.loc[mine, "ambiguous"] = True
    table.loc[(table["family"] == "groups") & (table["name"] == "X"), "null_symmetry"] = None
    texts = [text.get_text() for text in drawn("null_causes", table).axes[0].texts][-5:]
    assert texts == ["", "?", "", "", "not\nknown"]


def test_null_modes_have_a_panel_each_named_by_irrep(table):
    figure = drawn("null_modes", table)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    # Of nine modes, soap sees 2 of D2d, 8 of X, all of C1; the radial spectrum 1, 1 and 4.
    assert titles == [
        "B1",
        "B2",
        "B2",
        "E",
        "E",
        "E",
        "E",
        "A",
        *["B1", "B2", "B2", "E", "E", "E", "E", "A1"],
        *["A"] * 13,
    ]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["null: symmetry", "null: body order"]


@pytest.mark.parametrize(("tolerance", "cause"), [(1e-6, "symmetry"), (1e-9, "unresolved")])
@pytest.mark.parametrize("kind", ["null_modes", "selection_rules"])
def test_causes_are_those_of_the_table_at_its_tolerance(kind, tolerance, cause):
    rough = structures.make_structures("point_groups", {"names": ["Td"]}, "groups")
    noise = np.random.default_rng(3).normal(scale=1e-8, size=15)
    rough["positions"] = [np.add(positions, noise) for positions in rough["positions"]]
    task = {"family": "groups", "descriptor": "soap", "kind": "power-spectrum", "scope": "environment", "points": [{}]}
    table = sensitivities(rough, task | {"rtol": 1e-6, "tolerance": tolerance}, threads=1)
    # At the smaller length the distortion breaks the symmetry, and why values are null is a question.
    assert table["null_symmetry"].tolist() == [8 if cause == "symmetry" else 0]
    parameters = {"family": "groups", "descriptors": ["soap"]}
    explanations = explained(kind, table, {"groups": rough}, {"soap": "power-spectrum"}, parameters)
    figure = load_figure(kind).draw(explanations, **parameters).figure
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {label for label in labels if label.startswith("null: ")} == {f"null: {by_cause(cause)}"}


def test_arrows_are_the_null_mode(table):
    figure = drawn("null_modes", table, descriptors=["soap"], names=["planar"])
    positions = np.reshape(groups().set_index("name").loc["planar", "positions"], (5, 3))
    planar = nm.Environment.from_vectors(positions[1:])
    (part,) = nm.split_null_modes(planar, nm.PowerSpectrum())
    for ax, mode in zip(figure.axes, part.modes, strict=True):
        (arrows,) = ax.collections
        seen = np.stack([arrows.U, arrows.V], axis=1)
        # Out of the plane, all move along one line in any view, and enough of it shows.
        normal = mode[:, 2] / np.linalg.norm(mode)
        assert np.allclose(np.outer(normal, normal @ seen), seen, atol=1e-6)
        assert np.abs(seen).max() > 0.2


@pytest.mark.parametrize("kind", ["null_causes", "null_modes", "selection_rules"])
def test_legends_fit_narrow_figures(table, kind):
    table = table[table["name"].isna() | (table["name"] == "X")]
    parameters = {} if kind == "null_causes" else {"names": ["X"]}
    figure = drawn(kind, table, descriptors=["soap"], **parameters)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_no_null_modes_are_said_to_be_none(table):
    figure = drawn("null_modes", table, descriptors=["soap"], names=["C1"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["no null modes"]


def test_selection_rules_are_right_where_symmetry_is_and_wrong_where_it_is_not(table):
    for ax, rank, symmetric in zip(drawn("selection_rules", table).axes, (2, 8), (True, False), strict=True):
        true, *models = (line.get_ydata() for line in ax.get_lines()[1:])
        assert np.abs(models)[:, rank:].max() < 1e-9
        assert np.abs(models)[:, :rank].max() > 0.1
        assert (np.abs(true[rank:]).max() < 1e-9) == symmetric
    assert ax.get_title().endswith("true 4.4,\nmodels $< 10^{-9}$")


@pytest.mark.parametrize("kind", ["null_modes", "selection_rules"])
def test_names_that_the_family_does_not_hold(table, kind):
    with pytest.raises(InputError, match=r"`names` must be those of the family, got 'Oh'\. Known: Td, D2d, planar"):
        drawn(kind, table, names=["Oh"])


def test_family_without_names_is_refused(table):
    unnamed = {"pairs": structures.make_structures("degenerate_pair", {"u": [0.8], "v": [0]}, "pairs")}
    parameters = {"family": "pairs", "descriptors": ["soap"]}
    with pytest.raises(InputError, match="`family` must have a coordinate `name`"):
        explained("null_modes", table, unnamed, {"soap": "power-spectrum"}, parameters)


def test_maps_draw_the_ratio_and_the_distance(table):
    figure = drawn("pair_map", table)
    mine = table[(table["family"] == "pairs") & (table["descriptor"] == "soap")]
    meshes = [ax.collections[0].get_array() for ax in figure.axes if ax.get_title().startswith("X")]
    for mesh, sign, column in zip(
        meshes, (-1, 1, 1), [*["inverse_condition_number"] * 2, "pair_distance"], strict=True
    ):
        grid = mine[mine["sign"] == sign].pivot_table(index="v", columns="u", values=column)
        assert np.allclose(np.reshape(mesh, grid.shape), np.log10(np.maximum(grid, FLOOR)))


def test_truncation_writes_the_median_ranks(table):
    figure = drawn("truncation", table)
    mine = table[table["descriptor"] == "swept"].groupby(["l_max", "n_max"])["rank"].median()
    assert [text.get_text() for text in figure.axes[0].texts] == [f"{rank:.0f}" for rank in mine]


@pytest.mark.parametrize(("family", "descriptor"), [("pairs", "soup"), ("pair", "soap"), ("distortions", "swept")])
def test_rows_that_are_not_there_are_named(table, family, descriptor):
    with pytest.raises(InputError, match=f"got '{descriptor}' on '{family}' without rows"):
        select(table, family, descriptor, single=False)


def test_several_truncations_where_one_is_drawn(table):
    assert len(select(table, "pairs", "swept", single=False)) == 4 * 12
    with pytest.raises(
        InputError, match="must have one truncation for this figure, got 'swept' swept over n_max, l_max"
    ):
        select(table, "pairs", "swept", single=True)


def test_title_names_what_is_fixed(table):
    fixed, swept = (select(table, "pairs", descriptor, single=False) for descriptor in ("soap", "swept"))
    assert title(fixed).split("\n") == [r"soap, $\nu$ = 2", "n_max = 3, l_max = 2", "width 0.3 Å, cutoff 4 Å"]
    assert title(swept).split("\n") == [r"swept, $\nu$ = 2", "width 0.3 Å, cutoff 4 Å"]


def test_spectra_are_relative_and_above_the_floor():
    values = [[4.0, 2.0, 0.0], [1.0, 1e-30, 0.0], [1e-17, 0.0, 0.0], [3.0, 1.5]]
    ratios = spectra(pd.DataFrame({"n_dof": [3, 3, 3, 2], "rank": [2, 1, 0, 2], "singular_values": values}))
    expected = [[1, 0.5, ROUNDING], [1, ROUNDING, ROUNDING], [ROUNDING, ROUNDING, ROUNDING], [1, 0.5, np.nan]]
    np.testing.assert_array_equal(ratios, expected)


def test_failed_save_leaves_the_old_file_alone(table, tmp_path, monkeypatch):
    figure = drawn("truncation", table)
    before = {path: path.read_bytes() for path in save(figure, tmp_path / "a")}

    def fail(path, **_):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save(figure, tmp_path / "a")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("kind", ["null_causes", "spectra", "scopes"])
def test_names_are_shown_whatever_they_are(kind, table):
    numbers = {"Td": 7, "D2d": 3.5, "planar": "a$_{$b$", "C1": True}
    table["name"] = [numbers.get(name, name) for name in table["name"]]
    shown = drawing(kind, table).figure
    shown.draw_without_rendering()
    texts = {label.get_text().partition("\n")[0] for ax in shown.axes for label in ax.get_xticklabels()}
    assert {"7", "3.5", r"a\$_{\$b\$", "True"} <= texts


_UNFIT = {
    "text": str,
    "truth value": bool,
    "infinite": partial(np.copysign, np.inf),
    "huge": partial(np.copysign, 1.7e308),
}


@pytest.mark.parametrize(
    ("kind", "coordinate", "message"),
    [
        ("paths", "t", "`family` must have a coordinate `t` of numbers, got 'distortions'"),
        ("pair_map", "u", "`family` must have a coordinate `u` of numbers, got 'pairs'"),
        ("crossing", "psi", "`at` must name coordinates of the families, got 'psi', .* as finite numbers"),
        ("merging", "u", "`families` must be one with a coordinate `u` and"),
    ],
)
@pytest.mark.parametrize("made", _UNFIT.values(), ids=_UNFIT)
def test_numbers_are_not_taken_from_texts_or_where_no_axis_shows_them(kind, coordinate, message, made, table):
    table[coordinate] = table[coordinate].map(made, na_action="ignore").astype(object)
    with pytest.raises(InputError, match=message):
        drawn(kind, table)


def test_descriptors_are_compared_whatever_coordinates_there_are(table):
    expected = drawing("distributions", table).result
    table["inverse_condition_number_other"] = 2.0
    assert drawing("distributions", table).result == expected
