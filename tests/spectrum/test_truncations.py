from dataclasses import replace

import numpy as np
import pytest
from cases import ENVIRONMENTS, SETTING, TD, environment, pair, rng

import nullmode as nm
from nullmode.spectrum import truncations

# Descriptors at the largest truncation, and the axes they are swept over.
SWEPT = {
    "radial": (nm.RadialSpectrum(n_max=5, **SETTING), {"n_max": [1, 3, 5]}),
    "power": (nm.PowerSpectrum(n_max=4, l_max=3, **SETTING), {"n_max": [1, 2, 4], "l_max": [0, 1, 3]}),
    "power in l": (nm.PowerSpectrum(n_max=3, l_max=4, **SETTING), {"l_max": [4, 0, 2]}),
    "bispectrum": (nm.Bispectrum(n_max=2, l_max=3, **SETTING), {"n_max": [2, 1], "l_max": [1, 2, 3]}),
    "chiral": (nm.Bispectrum(n_max=2, l_max=2, parity="SO3", **SETTING), {"n_max": [1, 2], "l_max": [0, 1, 2]}),
    "radial, nesting": (
        nm.RadialSpectrum(n_max=4, radial_basis="laplacian-eigenstates", **SETTING),
        {"n_max": [4, 1, 2]},
    ),
    "chiral, nesting": (
        nm.Bispectrum(n_max=2, l_max=3, parity="SO3", radial_basis="laplacian-eigenstates", **SETTING),
        {"n_max": [2, 1], "l_max": [3, 1]},
    ),
}
NUMBERS = ["rank", "n_dof", "n_neighbours", "status", "structure"]


def one_by_one(environments, descriptor, axes, **keywords):
    for n in axes.get("n_max", [getattr(descriptor, "n_max", None)]):
        for l in axes.get("l_max", [None]):
            parameters = {"n_max": n} | ({} if l is None else {"l_max": l})
            yield parameters, nm.analyze(environments, replace(descriptor, **parameters), **keywords)


@pytest.mark.law(cases=6, slow=["chiral"])
@pytest.mark.parametrize(("descriptor", "axes"), SWEPT.values(), ids=SWEPT.keys())
def test_a_sweep_equals_one_analysis_after_the_other(descriptor, axes):
    envs = [environment(name) for name in ENVIRONMENTS] + [
        nm.Environment.from_vectors(TD),
        nm.Environment.from_vectors([]),
    ]
    descriptor = replace(descriptor, species=("H", "C", "N", "O", "Li"))
    swept = nm.truncation_sweep(envs, descriptor, rtol=1e-7, **axes)
    start = 0
    for parameters, expected in one_by_one(envs, descriptor, axes, rtol=1e-7):
        part = swept.iloc[start : start + len(envs)].reset_index(drop=True)
        start += len(envs)
        for name, value in parameters.items():
            if name in axes:
                assert set(part[name]) == {value}
        assert part[NUMBERS].equals(expected[NUMBERS])
        for got, values in zip(part["singular_values"], expected["singular_values"], strict=True):
            np.testing.assert_allclose(got, values, rtol=0, atol=1e-13 * max(values, default=0.0))
        seen = expected["status"] == "ok"
        assert (part["rotation_floor"][seen] < 1e-13).all()
    assert start == len(swept)


@pytest.mark.law(cases=2)
@pytest.mark.parametrize(("descriptor", "axes"), SWEPT.values(), ids=SWEPT.keys())
def test_features_of_a_truncation_are_a_part_of_the_largest_ones(descriptor, axes):
    envs = [environment("mixed")]
    points = [parameters for parameters, _ in one_by_one(envs, descriptor, {"l_max": axes.get("l_max", [None])})]
    points = [point for point in points if "l_max" in point] or [{"n_max": descriptor.n_max}]
    descriptors = [replace(descriptor, **{**point, "n_max": descriptor.n_max}) for point in points]
    (sweep,) = truncations.sweeps(descriptors)
    largest = sweep.descriptor.compute(envs[0])
    layout = truncations.plan(sweep, nm.EnvironmentSet.from_environments(envs), len(largest))
    for index, n, l in sweep.points:
        part = descriptors[index].compute(envs[0])
        np.testing.assert_allclose(largest[layout.kept(n, l)], part, rtol=0, atol=1e-13 * np.abs(largest).max())


@pytest.mark.parametrize("seed", range(20))
def test_a_displacement_that_few_features_see_is_not_lost(seed):
    generator = rng(seed)
    n_n, n_l, columns = generator.integers([1, 1, 3], [4, 4, 8])
    cell = np.sort(generator.integers(n_n * n_l, size=generator.integers(1, 20)))
    jacobian = generator.normal(size=(len(cell), columns)) * (generator.random(columns) < 0.6)
    jacobian *= generator.random(jacobian.shape) < 0.7
    first = np.searchsorted(cell, np.arange(n_n * n_l + 1))
    layout = truncations.Plan(np.arange(len(cell)), first, cell, int(n_n), int(n_l))
    reduced = truncations.factors(jacobian.ravel(), len(cell), np.eye(columns)[None], 1, layout)
    values, response = reduced.singular_values(), reduced.response
    for n, l in np.ndindex(n_n, n_l):
        part = jacobian[layout.kept(n, l)]
        expected = np.zeros(columns - 1)
        found = np.linalg.svd(part[:, 1:], compute_uv=False)
        expected[: len(found)] = found
        np.testing.assert_allclose(values[0, n, l], expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(response[0, n, l], np.linalg.norm(part[:, 0]), rtol=0, atol=1e-13)


def test_a_sweep_is_gathered_from_what_differs_in_truncation_only():
    soap = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING)
    others = [replace(soap, l_max=5), replace(soap, width=0.4), nm.Bispectrum(n_max=3, l_max=2, **SETTING)]
    gathered = truncations.sweeps([soap, *others])
    assert [[index for index, _, _ in sweep.points] for sweep in gathered] == [[0, 1], [2], [3]]
    assert gathered[0].descriptor == others[0]


@pytest.mark.parametrize("attribution", [False, True])
def test_columns_are_those_of_an_analysis(attribution):
    envs = [nm.Environment.from_vectors(pair(1.0, 0.0)), nm.Environment.from_vectors(TD)]
    soap = nm.PowerSpectrum(n_max=8, **SETTING)
    swept = nm.truncation_sweep(envs, soap, l_max=[1, 8], attribution=attribution)
    columns = nm.analyze(envs, soap, attribution=attribution).columns
    assert list(swept.columns) == ["n_max", "l_max", *columns]
    assert swept["l_max"].tolist() == [1, 1, 8, 8]
    assert swept["rank"].tolist() == [3, 1, 8, 1]
    if attribution:
        assert swept["null_truncation"].tolist() == [5, 0, 0, 0]
        assert swept["null_incompleteness"].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("threads", [1, 2])
def test_order_is_that_of_the_input_whatever_the_chunks(threads, monkeypatch):
    monkeypatch.setattr("nullmode.analysis.rows._MOST", 3)
    envs = [nm.Environment.from_vectors(rng(k).normal(size=(1 + k % 4, 3))) for k in range(11)]
    swept = nm.truncation_sweep(envs, nm.PowerSpectrum(n_max=2, **SETTING), l_max=[0, 2], threads=threads)
    assert swept["structure"].tolist() == 2 * list(range(11))
    assert swept["n_neighbours"].tolist() == 2 * [1 + k % 4 for k in range(11)]
    assert swept["l_max"].tolist() == 11 * [0] + 11 * [2]


def test_environments_without_neighbours_are_told_so_at_every_truncation():
    envs = [nm.Environment.from_vectors([]), nm.Environment.from_vectors([[5.0, 0.0, 0.0]])]
    swept = nm.truncation_sweep(envs, nm.PowerSpectrum(**SETTING), n_max=[1, 2], l_max=[0, 1])
    assert swept["status"].tolist() == 8 * ["no_neighbours"]


def test_images_of_an_atom_move_together():
    from ase.build import bulk

    crystal = bulk("NaCl", "rocksalt", 5.6)
    soap = nm.PowerSpectrum(n_max=3, cutoff=4.5)
    swept = nm.truncation_sweep(crystal, soap, l_max=[1, 4], degrees_of_freedom="atoms")
    expected = nm.analyze(crystal, replace(soap, l_max=4), degrees_of_freedom="atoms")
    assert swept["n_dof"].tolist() == 2 * expected["n_dof"].tolist() == [3, 3, 3, 3]
    np.testing.assert_allclose(
        np.stack(swept["singular_values"][2:]), np.stack(expected["singular_values"]), atol=1e-14
    )


BAD = {
    "no l_max": (nm.RadialSpectrum(), {"l_max": [1]}, r"`l_max` must be None for a descriptor without it, got \[1\]"),
    "none": (nm.PowerSpectrum(), {"l_max": []}, r"`l_max` must be distinct whole numbers, at least one, got \[\]"),
    "twice": (nm.PowerSpectrum(), {"n_max": [1, 1]}, r"`n_max` must be distinct whole numbers, .*got \[1, 1\]"),
    "fraction": (nm.PowerSpectrum(), {"n_max": 1.5}, r"`n_max` must be distinct whole numbers, .*got 1.5"),
    "out of range": (
        nm.PowerSpectrum(),
        {"n_max": [0]},
        r"`PowerSpectrum.n_max` must be greater than or equal to 1, got 0",
    ),
    "no descriptor": (3, {"n_max": [1]}, r"`descriptor` must be a nullmode.Descriptor, got 3"),
}


@pytest.mark.parametrize(("descriptor", "axes", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_swept_is_refused(descriptor, axes, message):
    with pytest.raises(nm.InputError, match=message):
        nm.truncation_sweep(nm.Environment.from_vectors(TD), descriptor, **axes)


def law(n_max, l_max):
    """Rank of random CH4 at nu = 2 (docs/theory.md, Power spectrum): what each l can add, until all 9 are seen."""
    rank = min(n_max, 4)
    for l in range(1, l_max + 1):
        k = min(n_max, 2 * l + 1)
        rank += n_max * k - k * (k - 1) // 2
    return min(9, rank)


def test_rank_of_random_methane_obeys_the_law_on_an_8_by_9_grid():
    from nullmode.families import random_methane

    atoms = list(random_methane.structures(n_structures=20, seed=5))
    swept = nm.truncation_sweep(
        atoms, nm.PowerSpectrum(**SETTING), n_max=range(1, 9), l_max=range(9), rtol=1e-11, centers="C"
    )
    assert len(swept) == 20 * 72
    for (n, l), part in swept.groupby(["n_max", "l_max"]):
        assert set(part["rank"]) == {law(n, l)}, (n, l)


def test_the_smallest_basis_makes_every_methane_singular():
    from nullmode.families import random_methane

    atoms = list(random_methane.structures(n_structures=200, seed=6))
    small = nm.analyze(atoms, nm.PowerSpectrum(n_max=2, l_max=2, **SETTING), centers="C", attribution=True)
    assert set(small["rank"]) == {8}
    assert set(small["null_truncation"]) == {1}
