"""Plots of records and tables in Python."""

import matplotlib as mpl
import numpy as np
import pytest
from cases import TD, environment, pair
from drawn import PARAMETERS, real

import nullmode as nm

mpl.use("Agg")
SOAP = nm.PowerSpectrum(n_max=8, l_max=8)


def test_a_record_draws_its_values_and_which_are_null():
    env = nm.Environment.from_vectors(TD)
    result = nm.sensitivity(SOAP.compute_with_jacobian(env)[1], env)
    ax = result.plot()
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in ax.get_lines()}
    assert {name: len(values) for name, values in drawn.items()} == {"seen": 1, "null": 8, "rtol": 2}
    assert drawn["seen"][0] == 1
    kept = nm.resolution(environment("mixed"), SOAP)
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in kept.plot().get_lines()}
    np.testing.assert_array_equal(lines["seen"], kept.values)


def test_modes_are_one_panel_each():
    env = nm.Environment.from_vectors(pair(1.0, 0.0))
    (part,) = nm.split_null_modes(env, SOAP)
    figure = nm.plot.modes(env, part.modes, titles=[part.irrep])
    assert [ax.get_title() for ax in figure.axes] == ["A"]
    assert len(nm.plot.modes(env, np.repeat(part.modes, 3, axis=0)).axes) == 3
    assert len(nm.plot.modes(env, part.modes[0]).axes) == 1


def test_every_figure_of_the_workflow_is_one_of_a_table():
    assert set(PARAMETERS) < set(dir(nm.plot))
    figure = nm.plot.spectra(real(), **PARAMETERS["spectra"])
    assert isinstance(figure, mpl.figure.Figure)


def test_what_cannot_be_drawn_is_refused():
    env = nm.Environment.from_vectors(TD)
    for call, message in (
        (lambda: nm.plot.spectrum(nm.attribute(env, SOAP)), "got Attribution"),
        (lambda: nm.plot.modes(env, np.zeros((2, 3, 3))), r"shape \(k, 4, 3\), got \(2, 3, 3\)"),
    ):
        with pytest.raises(nm.InputError, match=message):
            call()
    with pytest.raises(AttributeError, match="has no figure 'nothing'"):
        nm.plot.nothing  # noqa: B018
