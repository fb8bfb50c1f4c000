"""What the figures over point groups, bases, orbits and whole sets draw and say, against the table."""

import numpy as np
import pytest
from cases import rng
from drawn import drawing, drawn
from matplotlib.colors import to_hex

import nullmode as nm
from nullmode import InputError
from nullmode.figures._base import CAUSES, ROUNDING, number, spectra
from nullmode.figures.bases import _generic_rank


def of(table, family, descriptor):
    return table[(table["family"] == family) & (table["descriptor"] == descriptor)]


def dots(ax):
    """Colours and values of single markers."""
    lines = [line for line in ax.get_lines() if line.get_marker() == "o"]
    return [to_hex(line.get_color()) for line in lines], np.concatenate([line.get_ydata() for line in lines])


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.0316, "0.032"), (3.8e-5, "3.8e-5"), (1234.5, "1234")])
def test_numbers_have_two_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize("descriptor", ["soap", "radial"])
def test_spectra_show_each_value_once_in_the_colour_of_its_cause(table, descriptor):
    mine = of(table, "groups", descriptor)
    colours, values = dots(drawn("spectra", table, descriptors=[descriptor]).axes[0])
    for cause, colour in CAUSES.items():
        assert colours.count(colour) == mine[f"null_{cause}"].sum(), cause
    assert len(colours) - sum(map(colours.count, CAUSES.values())) == mine["rank"].sum() > 0
    expected = np.sort(spectra(mine), axis=None)
    assert np.allclose(np.sort(values)[expected > ROUNDING], expected[expected > ROUNDING])
    assert (np.sort(values)[expected <= ROUNDING] < ROUNDING).all()


def test_spectra_stand_in_the_order_of_their_groups(table):
    texts = [label.get_text() for label in drawn("spectra", table).axes[-1].get_xticklabels()]
    assert texts == ["Td\nTd\n24", "D2d\nD2d\n8", "planar\nCs\n2", "C1\nC1\n1", "X\nC1\n1"]


def test_spectra_tell_the_counts_and_the_gap(table):
    result = drawing("spectra", table, descriptors=["soap"]).result
    mine = of(table, "groups", "soap")
    symmetry, body_order = (mine[f"null_{cause}"].sum() for cause in ("symmetry", "incompleteness"))
    said = f"soap {symmetry} null by symmetry and {body_order} null by body order. "
    assert result.startswith(f"Of 45 values of 5 structures: {said}")
    seen = min(values[:rank].min() for values, rank in zip(spectra(mine), mine["rank"], strict=True))
    assert result.endswith(f"others at least {number(seen)} s_1.")


@pytest.mark.parametrize("n", [2, 4])
def test_generic_ranks_are_measured(n):
    for n_max in (1, 2, 3, 5):
        for l_max in range(4):
            soap = nm.PowerSpectrum(n_max=n_max, l_max=l_max, radial_basis="dvr", width=0.5)
            env = nm.Environment.from_vectors(rng(n).normal(size=(n, 3)))
            measured = nm.sensitivity(soap.compute_with_jacobian(env)[1], env, rtol=1e-9)
            law = _generic_rank(np.array([n_max]), np.array([l_max]), n, 3 * n - 3)
            assert measured.rank == law.item(), (n_max, l_max)


def test_bases_draw_medians_and_percentiles(table):
    mine = of(table, "pairs", "bases")
    figure = drawn("bases", table)
    ranks, *ratios = figure.axes
    assert len(ratios) == 2
    for ax, density in zip(ratios, ("delta", "gaussian"), strict=True):
        assert ax.get_ylabel().startswith(f"{density} density")
        for line, band, basis in zip(ax.get_lines(), ax.collections, ("dvr", "gto"), strict=True):
            groups = mine[(mine["density"] == density) & (mine["radial_basis"] == basis)].groupby("l_max")
            low, median, high = (groups["inverse_condition_number"].quantile(q) for q in (0.05, 0.5, 0.95))
            resolved = (median > 1e-9).to_numpy()
            assert resolved.any()
            assert np.allclose(line.get_ydata()[resolved], median[resolved])
            assert (line.get_ydata()[~resolved] < 1e-9).all()
            corners = band.get_paths()[0].vertices[:, 1]
            assert np.isclose(corners.max(), high.max())
            assert np.isclose(corners.min(), low.where(low > 1e-9, 2e-10).min())
    assert len(ranks.get_lines()) == 5
    assert list(ranks.get_lines()[-1].get_ydata()) == [3, 9, 9]


def test_bases_of_one_density_have_one_row(table):
    mine = table["density"].isna() | (table["density"] == "gaussian")
    _, ratios = drawn("bases", table[mine]).axes
    assert ratios.get_ylabel() == "$s_d / s_1$"
    assert len(ratios.get_lines()) == 2


def test_bases_count_generic_ranks(table):
    mine = of(table, "pairs", "bases")
    generic = (mine["rank"] == mine["l_max"].map({0: 3, 1: 9, 5: 9})).sum()
    assert 0 < generic < len(mine)
    assert f"equals that of generic environments in {generic} of {len(mine)} cases" in drawing("bases", table).result


def test_bases_do_not_mix_truncations(table):
    with pytest.raises(InputError, match="must be swept along l_max alone, got 'swept' over n_max too"):
        drawn("bases", table, descriptor="swept")


def test_four_body_draws_the_orbits(table):
    mine = of(table, "orbit", "fine")
    figure, result = drawing("four_body", table)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["start t = 1", "start t = 0.5"]
    columns = np.repeat(["inverse_condition_number", "pair_distance", "four_body_energy"], 2)
    for ax, column, t in zip(figure.axes, columns, [1.0, 0.5] * 3, strict=True):
        orbit = mine[mine["t"] == t].sort_values("length")
        (line,) = ax.get_lines()
        moved = line.get_xdata() > 0
        assert moved.sum() == len(orbit) - 1 > 0
        assert np.allclose(line.get_ydata()[moved], orbit[column].to_numpy()[moved])
    for t in (1.0, 0.5):
        low, median, high = np.percentile(mine.loc[mine["t"] == t, "inverse_condition_number"], (0, 50, 100))
        assert f"t = {t:g} {number(low)}/{number(median)}/{number(high)}" in result


def test_distributions_count_every_environment(table):
    descriptors = ["soap", "radial"]
    figure, result = drawing("distributions", table)
    shares = [text.get_text() for text in figure.axes[0].texts]
    expected = [(of(table, "groups", name)["rank"] < 9).mean() for name in descriptors]
    assert shares == [*(f"{share:.0%}" for share in expected), "singular"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [r"soap, $\nu$ = 2", r"radial, $\nu$ = 1"]
    # Only C1 is seen as a whole by either.
    (alone,) = of(table, "groups", "soap").query("rank == n_dof")["inverse_condition_number"]
    assert f"soap {number(alone)} (80% singular)" in result
    assert "radial 100% singular" in result


def test_distributions_compare_what_neither_finds_singular(table):
    table.loc[table["family"] == "groups", "rank"] = 9
    values = rng(1).uniform(0.01, 0.5, size=(2, 5))
    for name, each in zip(("soap", "radial"), values, strict=True):
        mine = (table["family"] == "groups") & (table["descriptor"] == name)
        table.loc[mine, "inverse_condition_number"] = each
    figure, result = drawing("distributions", table)
    (points,) = figure.axes[1].collections
    assert np.allclose(points.get_offsets(), np.log10(values).T)
    above, correlation = (values[1] > values[0]).mean(), np.corrcoef(np.log10(values))[0, 1]
    assert f"above soap for {above:.1%} of the environments" in result
    assert f"correlation of their logarithms is {correlation:.2f}" in result


def test_distributions_compare_what_they_draw(table):
    with pytest.raises(InputError, match="`compared` must name descriptors of the figure, got 'soup'"):
        drawn("distributions", table, compared=["soap", "soup"])


def test_labels_name_families_and_descriptors(table):
    ax = drawn("distributions", table, labels={"groups": "five", "soap": "SOAP"}).axes[0]
    assert ax.get_title(loc="left") == "five, n = 5"
    assert ax.get_yticklabels()[0].get_text() == "SOAP"


def test_maps_tell_equal_features_from_others(table):
    result = drawing("pair_map", table).result
    mine = of(table, "pairs", "soap")
    partner = mine[mine["sign"] == 1]
    assert (partner["pair_distance"] <= 1e-13).equals(partner["v"] == 0)
    assert "equal at 2 of 2 points with v = 0 and at 0 of 4 others" in result
    ratios = mine["inverse_condition_number"]
    assert (
        f"below 0.001 at {(ratios < 1e-3).mean():.1%} of 12 points, and at least {number(ratios.min())}, at X" in result
    )
