"""The figure of what models learn: what it draws and says is what they predicted."""

import numpy as np
import pytest
from drawn import drawing, drawn, predicted

from nullmode import InputError


def errors_of(rows):
    return np.sqrt(np.mean((rows["predicted"] - rows["target"]) ** 2))


def test_learning_draws_what_was_predicted(table):
    figure = drawn("learning", table, orbits=[1.5])
    titles = [ax.get_title() for ax in figure.axes[:2]]
    assert titles == [r"$\nu$ = 2, ridge", r"$\nu$ = 3, ridge"]
    along, errors, pairs = figure.axes[0], figure.axes[2], figure.axes[4]
    _, without, _, with_orbit = (line.get_ydata() for line in along.get_lines())
    for name, seen in (("ridge", without), ("with orbit", with_orbit)):
        rows = predicted()[name].query("family == 'orbits' and t == 1.5")
        np.testing.assert_array_equal(seen, rows["predicted"])
        np.testing.assert_array_equal(along.get_lines()[0].get_ydata(), rows["target"])
    heights = [bar.get_height() for bar in errors.patches]
    groups = "family == 'more'", "family == 'orbits' and t == 0.5", "family == 'orbits' and t == 1.5"
    expected = [errors_of(predicted()[name].query(group)) for name in ("ridge", "with orbit") for group in groups]
    expected.append(errors_of(predicted()["pairs"].query("family == 'pairs' and v != 0")))
    np.testing.assert_allclose(heights, expected)
    rows = predicted()["pairs"].query("family == 'pairs' and v == 0")
    true, seen, mean = (np.sort(line.get_ydata()) for line in pairs.get_lines())
    np.testing.assert_array_equal(true, np.sort(rows["target"]))
    np.testing.assert_array_equal(seen, np.sort(rows["predicted"]))
    np.testing.assert_allclose(mean, np.repeat(np.sort(rows.groupby("pair")["target"].mean()), 2))
    assert pairs.get_title() == f"RMS error {errors_of(rows):.2g}"


def test_learning_says_its_errors_and_the_bound():
    said = drawing("learning", None, orbits=[1.5]).result
    groups = "family == 'more'", "family == 'orbits' and t == 0.5", "family == 'orbits' and t == 1.5"
    one, two, three = (
        [f"{errors_of(predicted()[name].query(group)):.2g}" for group in groups]
        for name in ("ridge", "with orbit", "nu 3")
    )
    assert said.startswith(
        "RMS errors of models fitted to (noise) and to (noise, orbit); ν = 2, ridge: "
        f"more {one[0]} and {two[0]}, orbit t=0.5 {one[1]} and {two[1]}, orbit t=1.5 {one[2]} and {two[2]}. "
    )
    assert f"fitted to (noise); ν = 3, ridge: more {three[0]}, orbit t=0.5 {three[1]}, orbit t=1.5 {three[2]}. " in said
    rows = predicted()["pairs"].query("family == 'pairs' and v == 0")
    half = rows.groupby("pair")["target"].agg(lambda both: np.ptp(both) / 2)
    assert said.endswith(
        f"ridge: {errors_of(rows):.3g}; {np.sqrt(np.mean(half**2)):.3g} is the smallest possible error of a model "
        "whose features are equal for both members."
    )


def test_regressions_that_a_legend_cannot_tell_apart(table):
    with pytest.raises(InputError, match=r"`regressions` must differ in .*, got pairs and twin"):
        drawn("learning", table, regressions=["pairs", "twin"])


def test_orbits_that_were_not_tested_on(table):
    with pytest.raises(InputError, match=r"`orbits` must be among those tested on, got 1\.0\. Known: \[0\.5, 1\.5\]"):
        drawn("learning", table, orbits=[1.0])
