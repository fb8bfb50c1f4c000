"""Figures of laws near singular environments: what is drawn, and said of it, is in the table."""

import numpy as np
import pytest
from drawn import GROUPS, drawing, drawn

from nullmode import InputError
from nullmode.figures._base import spectra


def lines_of(ax):
    """Drawn lines by their label up to a colon."""
    return {line.get_label().split(":")[0]: line for line in ax.get_lines() if not line.get_label().startswith("_")}


def test_merging_draws_both_members_and_fits_what_opens(table):
    figure, result = drawing("merging", table)
    opening, apart, along = figure.axes
    mine = table[(table["family"] == "merging") & (table["descriptor"] == "soap") & (table["u"] < 1)]
    for sign, label in ((1, "X+"), (-1, "X−")):
        line = lines_of(opening)[rf"$\nu$ = 2, {label}"]
        expected = mine[mine["sign"] == sign].sort_values("u", ascending=False)
        assert np.allclose(line.get_xdata(), np.pi * (1 - expected["u"]))
        assert np.array_equal(line.get_ydata(), expected["inverse_condition_number"])
        slope = np.polyfit(np.log(line.get_xdata()[:3]), np.log(line.get_ydata()[:3]), 1)[0]
        assert line.get_label().endswith(f"^{{{slope:.2f}}}$")
        assert abs(slope - 1) < 0.01
    assert (lines_of(apart)[r"$\nu$ = 2"].get_ydata() < 1e-13).all()
    assert (lines_of(apart)[r"$\nu$ = 3"].get_ydata() > 1e-5).all()
    exponents = {name: float(line.get_label()[-6:-2]) for name, line in lines_of(along).items()}
    assert exponents == {
        **{r"$\nu$ = 2, stiffest": 1, r"$\nu$ = 2, softest": 2},
        **{r"$\nu$ = 3, stiffest": 1, r"$\nu$ = 3, softest": 1},
    }
    assert "ν = 2 has rank 8 of 9 where the two merge; beside it" in result
    assert "ν = 3 has no rank below 9 of 9, and no s_d/s_1 below" in result


def test_merging_tells_of_other_singular_points(table):
    assert "singular again" not in drawing("merging", table).result
    other = (table["family"] == "merging") & (table["descriptor"] == "soap") & (table["u"] == 0.9808)
    table.loc[other & (table["sign"] == -1), "rank"] = 8
    figure, result = drawing("merging", table)
    assert "it is singular again at |π − u| = 0.0603 (X−): at 0.01 π the two" in result
    near = table[(table["family"] == "merging") & (table["descriptor"] == "soap") & (table["u"] == 0.99)]
    ratio = near.set_index("sign")["inverse_condition_number"]
    assert f"the two differ {ratio[1] / ratio[-1]:.2f} times" in result
    (circle,) = (
        line for line in figure.axes[0].get_lines() if line.get_linestyle() == "None" and len(line.get_xdata())
    )
    assert np.allclose(circle.get_xdata(), np.pi * 0.0192)


def test_laws_need_points_to_fit_to(table):
    few = table[(table["u"] != 0.9997) | (table["family"] != "merging")]
    with pytest.raises(InputError, match=r"must hold at least 3 points up to 0\.004 to fit a law to, got 2"):
        drawn("merging", few)


@pytest.mark.parametrize("families", [["merging"], ["merging", "pairs"], ["displaced", "displaced"]])
def test_merging_needs_a_pair_and_displacements(table, families):
    with pytest.raises(InputError, match="`families` must be one with a coordinate `u` and one with `mode`, got"):
        drawn("merging", table[table["descriptor"] != "three"], families=families)


def test_crossings_show_what_is_lost_there_alone(table):
    figure, result = drawing("crossing", table)
    for ax, name, here, lost in zip(figure.axes, ("soap", "three"), (11, 17), (6, 1), strict=True):
        mine = table[(table["family"] == "rings") & (table["descriptor"] == name) & (table["sign"] == 1)]
        mine = mine[mine["psi"] < 30].sort_values("psi")
        curves = [line for line in ax.get_lines() if len(line.get_xdata()) == len(mine)]
        ratios = spectra(mine).T
        assert np.allclose(
            sorted(line.get_ydata().tolist() for line in curves if not np.isnan(line.get_ydata()).any()),
            sorted(values.tolist() for values in ratios if (values > 1e-9).all()),
        )
        red = [line for line in curves if line.get_color() == "#cc3311"]
        assert len(red) == lost
        assert all(np.isnan(line.get_ydata()).tolist() == [False, False, True, False, False] for line in red)
        assert ax.get_title().endswith(f"rank {18 - (name == 'soap')} | {here} | {18 - (name == 'soap')} of 18")
    assert result == "Ranks at rings, ψ = 0°, and in brackets beside it, of at most 18: soap 11 (17); three 17 (18)."
    assert figure.axes[0].get_title().startswith("rings, ψ = 0°\n")


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({}, "`at` must name crossings of the families"),
        ({"ring": {"psi": [0]}}, "`at` must name crossings of the families"),
        ({"rings": {"phi": [0]}}, "`at` must name coordinates of the families, got 'phi'"),
        ({"rings": {"u": [0]}}, "`at` must name coordinates of the families, got 'u'"),
        ({"rings": {"psi": [5]}}, "`at` must be values of the families, with others near on both sides, got psi = 5"),
        ({"rings": {"psi": [30]}}, "`at` must be values of the families, with others near on both sides, got psi = 30"),
    ],
)
def test_crossings_that_are_not_there(table, at, message):
    with pytest.raises(InputError, match=message):
        drawn("crossing", table, at=at)


def test_scopes_are_drawn_side_by_side(table):
    figure, result = drawing("scopes", table)
    bars, line, points, forces = figure.axes
    seen = [part for part in bars.containers if part[0].get_facecolor()[:3] == (0.88,) * 3]
    for part, name, side in zip(seen, ("soap", "whole", "potential"), (-1, 0, 1), strict=True):
        mine = table[(table["family"] == "groups") & (table["descriptor"] == name)].set_index("name")
        assert [bar.get_height() for bar in part] == mine.loc[GROUPS[1]["names"], "rank"].tolist()
        centres = [bar.get_x() + bar.get_width() / 2 - place for place, bar in enumerate(part)]
        assert np.allclose(centres, 0.28 * side)
    one, null, whole, _, potential, _ = line.get_lines()
    assert np.isnan(one.get_ydata()).tolist() == [False] * 5 + [True]
    assert null.get_xdata().tolist() == [1.0]
    for drawn_there, name in ((whole, "whole"), (potential, "potential")):
        mine = table[(table["family"] == "merging") & (table["descriptor"] == name) & (table["sign"] == 1)]
        assert drawn_there.get_ydata().tolist() == mine.sort_values("u")["inverse_condition_number"].tolist()
    assert [len(drawn_there.get_xdata()) for drawn_there in points.get_lines()] == [0, 2, 2, 0, 2, 0]
    for drawn_there, name in zip(forces.get_lines(), ("carbon", "whole", "potential"), strict=True):
        mine = table[(table["family"] == "groups") & (table["descriptor"] == name)].set_index("name")
        shares = mine.loc[GROUPS[1]["names"], "unseen_share"]
        # The four-body energy has no force at Td, nor in a plane.
        assert shares.isna().tolist() == [True, False, True, False, False]
        np.testing.assert_array_equal(drawn_there.get_ydata(), shares)
    assert "linear models of all centres see more than one centre does for X (8 to 9), and any potential more" in result
    assert "than linear models for no structure; potentials see as many as symmetry allows for 5 of 5" in result
    assert "Of the forces of 3 of these structures, at most this share is not seen: by one centre 0.79 (X), " in result
    assert "s_d/s_1 of one centre is null at u = 1 π" in result
    assert "At 2 other points" in result


def test_scopes_without_forces_have_no_panel_of_them(table):
    figure, result = drawing("scopes", table.assign(unseen_share=np.nan))
    assert len(figure.axes) == 3
    assert "force" not in result
    figure, result = drawing("scopes", table, descriptors=["soap", "whole", "potential"])
    assert [len(ax.get_lines()) for ax in figure.axes] == [0, 6, 6, 2]
    assert "not seen: by linear models" in result


def test_scopes_say_that_no_other_point_is_singular(table):
    _, result = drawing("scopes", table.assign(null_incompleteness=0))
    assert "At no other point is one centre singular for its body order." in result


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"descriptors": ["soap", "whole"]}, "must be one of scope environment, one of structure and one of potential"),
        ({"descriptors": ["whole", "soap", "potential"]}, "of scopes structure, environment, potential"),
        ({"families": ["groups", "points"]}, "`families` must be one with a coordinate `u`, got 0 of them"),
        ({"families": ["merging", "points"]}, "`families` must be one with a coordinate `name`, got 0 of them"),
    ],
)
def test_scopes_need_all_three(table, parameters, message):
    with pytest.raises(InputError, match=message):
        drawn("scopes", table, **parameters)
