import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from cases import COMPLETE, RANKS, RING_PAIRS, SERIES, SETTING, TD, pair, rings, rng
from geometries import GEOMETRIES

import nullmode as nm
from nullmode.attribution.causes import explain_rank
from nullmode.attribution.completeness import rank_complete
from nullmode.attribution.geometry_ranks import EnvironmentRanks

NU_1 = nm.RadialSpectrum(n_max=8, **SETTING)
NU_2 = nm.PowerSpectrum(n_max=8, l_max=12, **SETTING)
SMALL = nm.PowerSpectrum(n_max=2, l_max=2, **SETTING)


CAUSES = ("symmetry", "incompleteness", "cutoff", "truncation", "width", "unresolved")


def environment(name):
    vectors, species, _ = GEOMETRIES[name]
    return nm.Environment.from_vectors(vectors, species)


@pytest.mark.parametrize("name", COMPLETE)
def test_rank_complete_is_that_of_the_table(name):
    env = nm.Environment.from_vectors(RANKS[name][0])
    got = [nm.rank_complete(env, order) for order in (1, 2, 3)] + [nm.rank_complete(env, 3, "SO3")]
    assert tuple(got) == COMPLETE[name]


@pytest.mark.parametrize(("phi", "psi", "ranks"), RING_PAIRS.values(), ids=RING_PAIRS.keys())
def test_rank_complete_of_the_bispectrum_pair(phi, psi, ranks):
    env = nm.Environment.from_vectors(rings(phi, psi))
    got = nm.rank_complete(env, 2), nm.rank_complete(env, 3), nm.rank_complete(env, 3, "SO3")
    assert got == ranks
    # Four neighbours at once tell the pair apart; what remains is symmetry.
    assert nm.rank_complete(env, 4) == nm.rank_symmetric(env)


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("descriptor", [NU_1, NU_2], ids=["nu 1", "nu 2"])
def test_a_converged_basis_reaches_rank_complete(name, descriptor):
    result = nm.attribute(environment(name), descriptor)
    assert result.rank == result.rank_complete
    assert result.null_truncation == result.null_width == result.null_unresolved == 0
    assert not result.ambiguous
    assert result.diagnostic == ""


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_counts_are_ordered_and_add_up(name):
    env = environment(name)
    orders = [nm.rank_complete(env, order) for order in ((1, 2, 3, 4) if len(env) < 8 else (1, 2))]
    assert orders == sorted(orders)
    assert orders[-1] <= nm.rank_symmetric(env) <= nm.rank_symmetric(env, "SO3")
    for descriptor in (NU_1, NU_2, SMALL):
        r = nm.attribute(env, descriptor)
        assert r.rank <= r.rank_complete <= r.rank_symmetric <= r.n_dof
        assert r.n_dof == r.rank + sum(getattr(r, f"null_{cause}") for cause in CAUSES)


@pytest.mark.parametrize(("vectors", "ranks"), SERIES.values(), ids=SERIES.keys())
def test_a_small_basis_is_called_truncation(vectors, ranks):
    env = nm.Environment.from_vectors(vectors)
    complete = nm.rank_complete(env, 2)
    assert ranks[-1] == complete
    for l_max, rank in enumerate(ranks):
        result = nm.attribute(env, nm.PowerSpectrum(n_max=8, l_max=l_max, **SETTING))
        assert result.null_truncation == complete - rank
        assert not result.ambiguous


def test_every_random_methane_is_blind_at_2_2():
    for seed in range(20):
        result = nm.attribute(nm.Environment.from_vectors(rng(seed).uniform(-2, 2, size=(4, 3))), SMALL)
        assert (result.rank, result.null_truncation, result.null_symmetry) == (8, 1, 0)


NOISE = rng(3).normal(size=(4, 3))
NOISE /= np.linalg.norm(NOISE)
# Near Td four values are about .1 a and four between .014 a² and .2 a² (first and second order); near X(pi, 0) and F2
# one value is about .1 a and .3 a. A value counts above rtol = 1e-9. Counts from geometry change where the tolerance
# passes the distortion; that matters where values are null and a lies between 1e-9 and 9.5e-4 Å.
# From 1e-5 to 1e-8 the tolerance becomes a/10, between the steps of these dot products (.099 a and .20 a, as lengths):
# one length (A) and its product with one other (B) stand apart, the rest is merged. That leaves six sums, A², B², A·B,
# C² + D², A·C + A·D and the products without A, of which five are independent, as the neighbours of Td add up to zero.
# base -> {a: (rank, rank_complete, rank_symmetric, ambiguous)}
SPURIOUS = {
    **{10.0**-k: (9, 9, 9, False) for k in range(3, 9)},
    **{10.0**-k: (8, 8, 9, False) for k in (9, 10)},
}
DISTORTIONS = {
    "Td": {
        1e-3: (9, 9, 9, False),
        1e-4: (7, 9, 9, True),
        **{10.0**-k: (5, 5, 9, True) for k in (5, 6, 7, 8)},
        1e-9: (1, 1, 1, False),
        1e-10: (1, 1, 1, False),
    },
    "X(pi, 0)": SPURIOUS,
    "F2": SPURIOUS,
}
BASES = {"Td": TD, "X(pi, 0)": pair(1.0, 0.0), "F2": GEOMETRIES["F2"][0]}


@pytest.mark.law(cases=8)
@pytest.mark.parametrize(("base", "amplitude"), [(b, a) for b, table in DISTORTIONS.items() for a in table])
def test_distortions_are_resolved_or_called_ambiguous(base, amplitude):
    env = nm.Environment.from_vectors(BASES[base] + amplitude * NOISE)
    rank, complete, symmetric, ambiguous = DISTORTIONS[base][amplitude]
    result = nm.attribute(env, nm.PowerSpectrum(n_max=8, l_max=8, **SETTING))
    found = result.rank, result.rank_complete, result.rank_symmetric, result.ambiguous
    assert found == (rank, complete, symmetric, ambiguous)
    # A converged basis: nothing may be blamed on truncation without a question mark.
    assert result.null_truncation == 0 or result.ambiguous
    assert result.diagnostic == ""
    if ambiguous:
        assert 0.05 * amplitude < result.nearest_tolerance < 2 * amplitude


@pytest.mark.parametrize("amplitude", [1e-7, 1e-5, 1e-3])
def test_the_tolerance_is_a_length(amplitude):
    env = nm.Environment.from_vectors(TD + amplitude * NOISE)
    assert [rank_complete(env, 2, tolerance=factor * amplitude) for factor in (10, 1e-3)] == [1, 9]


def test_values_that_open_with_the_third_power_may_be_null_beyond_the_range_of_tolerances():
    # A limit that why-is-it-null.md states.
    vectors, species, _ = GEOMETRIES["dodecahedron"]
    env = nm.Environment.from_vectors(vectors + 5e-3 * rng(1).normal(size=vectors.shape), species)
    small, large = (nm.attribute(env, nm.PowerSpectrum(n_max=n, l_max=l, **SETTING)) for n, l in ((8, 8), (10, 12)))
    assert (small.n_dof, small.null_truncation, small.ambiguous, large.rank) == (57, 4, False, 57)


class NoTheory(nm.Descriptor):
    cutoff = 4.0

    def feature_labels(self, environments=None):  # noqa: ARG002
        return SMALL.feature_labels()

    def compute_batch(self, environments):
        return SMALL.compute_batch(environments)

    def compute_batch_with_jacobian(self, environments):
        return SMALL.compute_batch_with_jacobian(environments)


def test_without_an_order_the_rest_is_unresolved():
    result = nm.attribute(environment("generic"), NoTheory())
    assert result.rank_complete is None
    assert (result.null_symmetry, result.null_incompleteness, result.null_truncation) == (0, 0, 0)
    assert result.null_unresolved == result.n_dof - result.rank > 0


def test_neighbours_beyond_the_cutoff_are_left_out():
    far = np.vstack([TD, [[0.3, 4.2, 0.1]]])
    result = nm.attribute(nm.Environment.from_vectors(far), NU_2)
    assert (result.point_group, result.n_dof) == ("Td", 9)


@pytest.mark.parametrize("distance", [1e-5, 1e-6])
def test_neighbours_at_the_cutoff_are_told_from_a_small_basis(distance):
    vectors = np.array([[1.0, 0.1, 0.2], [-0.3, 0.9, 0.5], [0.2, -0.4, 0.3]])
    vectors[2] *= (4.0 - distance) / np.linalg.norm(vectors[2])
    result = nm.attribute(nm.Environment.from_vectors(vectors), nm.PowerSpectrum(n_max=8, l_max=8, **SETTING))
    assert (result.null_truncation, result.null_unresolved) == (0, 0)
    assert result.null_cutoff == result.n_dof - result.rank > 0
    env = nm.Environment.from_vectors(vectors)
    assert {part.cause for part in nm.split_null_modes(env, nm.PowerSpectrum(n_max=8, l_max=8, **SETTING))} == {
        "cutoff"
    }
    assert nm.attribute(environment("generic"), SMALL).null_cutoff == 0


def foreign(part):
    soap = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
    return lambda vectors: soap.compute_with_jacobian(nm.Environment.from_vectors(vectors))[part]


FOREIGN = nm.FromCallable(foreign(0), foreign(1), cutoff=4.0, correlation_order=2, parity="O3")


@pytest.mark.parametrize(("descriptor", "cause"), [(nm.ACSF(cutoff=4.0), "cutoff"), (FOREIGN, "unresolved")])
def test_neighbours_at_a_cutoff_without_a_width_are_not_blamed_on_the_truncation(descriptor, cause):
    directions = rng(7).normal(size=(4, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    inside, edge = (nm.Environment.from_vectors(directions * [[r], [1.5], [1.9], [2.3]]) for r in (2.1, 4.0 - 1e-7))
    found = nm.attribute(edge, descriptor, rtol=1e-6)
    assert nm.attribute(inside, descriptor, rtol=1e-6).rank == 9
    assert (found.n_dof - found.rank, found.null_truncation, getattr(found, f"null_{cause}")) == (3, 0, 3)
    assert {part.cause for part in nm.split_null_modes(edge, descriptor, rtol=1e-6)} == {cause}


class Unsearchable(EnvironmentRanks):
    """No group is found at small tolerances, as by spglib in some crystals."""

    def counts(self, order, parity, tolerance):
        if tolerance < 1e-7:
            raise nm.InputError("`tolerance` must let spglib find the space group")
        return super().counts(order, parity, tolerance)


def test_a_row_keeps_its_causes_where_smaller_tolerances_cannot_be_tried():
    env, whole = environment("generic"), nm.attribute(environment("generic"), SMALL)
    found = explain_rank(Unsearchable(env), whole.rank, SMALL, 1e-9, 1e-6)
    assert "not known" in found.diagnostic
    assert (found.null_truncation, found.point_group) == (whole.null_truncation, whole.point_group)


def at_radii(radii, seed=0):
    directions = rng(seed).normal(size=(len(radii), 3))
    return np.array(radii)[:, None] * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_a_value_that_either_a_cutoff_or_a_truncation_brings_back_counts_once():
    env = nm.Environment.from_vectors(at_radii([*(2 + 0.022 * np.arange(6)), 4 - 7.9e-4]))
    found = nm.attribute(env, nm.RadialSpectrum(n_max=6, cutoff=4.0, cutoff_width=0.5, width=0.6), rtol=3e-5)
    assert (found.rank, found.rank_complete) == (4, 7)
    assert (found.null_cutoff, found.null_truncation, found.null_width, found.null_unresolved) == (1, 0, 2, 0)


CLOSE = at_radii(2.0 + 0.005 * np.arange(6))
SPREAD = at_radii(rng(4).uniform(1.8, 2.2, size=20))
LAPLACIAN = {"radial_basis": "laplacian-eigenstates"}
# Vectors, descriptor; null values due to the truncation, and to the width.
WIDTHS = {
    "width hides one": (CLOSE, nm.RadialSpectrum(n_max=8, width=0.5, **LAPLACIAN), (0, 1)),
    "at the largest truncation": (CLOSE, nm.RadialSpectrum(n_max=50, width=0.5, **LAPLACIAN), (0, 1)),
    "and few functions another": (CLOSE, nm.RadialSpectrum(n_max=4, width=0.5, **LAPLACIAN), (1, 1)),
    "a narrow one hides nothing": (CLOSE, nm.RadialSpectrum(n_max=4, width=0.1, **LAPLACIAN), (2, 0)),
    "none": (CLOSE, nm.RadialSpectrum(n_max=4, density="delta", **LAPLACIAN), (2, 0)),
    "of twenty neighbours": (SPREAD, nm.PowerSpectrum(n_max=8, l_max=8, width=2.0), (4, 22)),
    "few harmonics": (rng(5).normal(size=(4, 3)), nm.PowerSpectrum(n_max=2, l_max=2), (1, 0)),
}


@pytest.mark.law(cases=3, slow=["a narrow one hides nothing"])
@pytest.mark.parametrize(("vectors", "descriptor", "counts"), WIDTHS.values(), ids=WIDTHS.keys())
def test_truncation_is_blamed_only_where_a_larger_one_sees_more(vectors, descriptor, counts):
    env = nm.Environment.from_vectors(vectors)
    result = nm.attribute(env, descriptor)
    assert (result.null_truncation, result.null_width, result.null_unresolved) == (*counts, 0)
    if descriptor.density == "gaussian":
        assert result.null_width == result.rank_complete - nm.limit(env, descriptor).rank


@pytest.mark.parametrize("rtol", [1e-6, 1e-4, 1e-3])
def test_a_small_truncation_is_not_ambiguous_at_any_rtol(rtol):
    for seed in range(4):
        result = nm.attribute(nm.Environment.from_vectors(rng(seed).uniform(-2, 2, size=(4, 3))), SMALL, rtol)
        assert (result.null_truncation, result.ambiguous) == (1, False)


@pytest.mark.law(cases=6)
@pytest.mark.parametrize("digits", [3, 4, 6, 8])
@pytest.mark.parametrize("base", ["Td", "octahedron", "NH3", "planar"])
def test_rows_that_are_nearly_symmetric_say_how_near_whatever_their_rank(base, digits):
    turned = RANKS[base][0] @ np.linalg.qr(rng(3).normal(size=(3, 3)))[0]
    vectors = np.round(turned, digits)
    row = nm.analyze(nm.Environment.from_vectors(vectors), NU_2, attribution=True, tolerance=1e-12).iloc[0]
    error = np.linalg.norm(vectors - turned, axis=1).max()
    assert 0.01 * error < row.group_grows_at < 10 * error
    assert np.isnan(nm.attribute(environment("generic"), NU_2).group_grows_at)


def test_what_needs_no_theory_is_known_of_many_neighbours():
    vectors = at_radii(rng(1).uniform(1, 3.9, size=216))
    chiral = nm.Bispectrum(n_max=1, l_max=1, **SETTING)
    result = nm.attribute(nm.Environment.from_vectors(vectors), chiral)
    assert (result.point_group, result.rank_complete, result.rank_symmetric) == ("C1", None, 645)
    assert result.null_unresolved == 645 - result.rank > 0
    assert "10077696 tuples, of at most 10000000" in result.diagnostic


BENT = np.array([[0, 0, 1.06], [2e-4, 1e-4, -1.15]])


@pytest.mark.parametrize(
    ("rtol", "tolerance", "expected"),
    [(1e-3, 3e-4, ("C∞v", 4, 2, 2)), (1e-9, 3e-4, ("Cs", 3, 3, 0)), (1e-3, 1e-6, ("Cs", 3, 2, 0))],
)
def test_a_line_is_one_decision(rtol, tolerance, expected):
    env = nm.Environment.from_vectors(BENT, ["H", "N"])
    row = nm.analyze(env, NU_2, rtol, attribution=True, tolerance=tolerance).iloc[0]
    assert (row.point_group, row.n_dof, row["rank"], row.null_symmetry) == expected
    assert len(row.singular_values) == row.n_dof
    assert row.diagnostic == ""
    single = nm.attribute(env, NU_2, rtol, tolerance)
    assert (single.point_group, single.n_dof, single.rank, single.null_symmetry) == expected
    atoms = Atoms("CHN", np.vstack([np.zeros(3), BENT]))
    whole = nm.analyze(atoms, NU_2, rtol, attribution=True, tolerance=tolerance, scope="structure").iloc[0]
    assert (whole.point_group, whole.n_dof, whole["rank"], whole.null_symmetry) == expected


@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
def test_a_large_rtol_is_taken(rtol):
    result = nm.attribute(nm.Environment.from_vectors(TD), NU_2, rtol=rtol)
    assert (result.rank, result.rank_symmetric) == (1, 1)


def test_an_environment_beyond_theory_leaves_the_others_alone():
    close = nm.Environment.from_vectors([[1.0, 0, 0], [1.0, 2e-6, 0], [0, 1.1, 0.2]])
    table = nm.analyze([environment("generic"), close, environment("cube")], NU_1, attribution=True)
    assert table["diagnostic"].str.contains("`tolerance` must be at most a quarter").tolist() == [False, True, False]
    assert table["null_symmetry"].isna().tolist() == [False, True, False]


@pytest.mark.slow
def test_analyze_gives_the_same_split():
    envs = [environment(name) for name in GEOMETRIES]
    table = nm.analyze(envs, NU_2, attribution=True)
    for row, env in zip(table.to_dict("records"), envs, strict=True):
        single = nm.attribute(env, NU_2)
        for column in ("rank", "n_dof", "rank_complete", "rank_symmetric", "null_symmetry", "point_group", "ambiguous"):
            assert row[column] == getattr(single, column)


def test_rows_without_an_answer_have_no_attribution():
    table = nm.analyze([environment("generic"), nm.Environment.from_vectors([])], NU_2, attribution=True)
    assert table["status"].tolist() == ["ok", "no_neighbours"]
    assert table["null_symmetry"].isna().tolist() == [False, True]


BAD = {
    "order": ((0,), r"`correlation_order` must be 1, 2, 3 or 4, got 0"),
    "high order": ((5,), r"`correlation_order` must be 1, 2, 3 or 4, got 5"),
    "parity": ((2, "even"), r"`parity` must be 'O3' or 'SO3', got 'even'"),
    "parity of nu 4": ((4, "SO3"), r"`parity` must be 'O3' for correlation_order=4, got 'SO3'"),
    "tolerance": ((2, "O3", -1.0), r"`tolerance` must be a length of at least 1e-12 Å, got -1.0"),
    "order as text": (("2",), r"`correlation_order` must be 1, 2, 3 or 4, got '2'"),
    "order as truth": ((True,), r"`correlation_order` must be 1, 2, 3 or 4, got True"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(nm.InputError, match=message):
        nm.rank_complete(environment("generic"), *arguments)


def test_too_many_tuples_are_refused():
    env = nm.Environment.from_vectors(rng().normal(size=(60, 3)))
    with pytest.raises(nm.InputError, match=r"`correlation_order` must leave at most 10000000 tuples, got 60\^4"):
        nm.rank_complete(env, 4)


class Plain(nm.Descriptor):
    """Smoothed, but no dataclass: its cutoff cannot be raised."""

    cutoff, cutoff_width = 4.0, 0.5
    soap = nm.PowerSpectrum(n_max=1, l_max=0, **SETTING)

    def feature_labels(self, environments=None):
        return self.soap.feature_labels(environments)

    def compute_batch(self, environments):
        return self.soap.compute_batch(environments)

    def compute_batch_with_jacobian(self, environments):
        return self.soap.compute_batch_with_jacobian(environments)


def test_a_descriptor_that_is_no_dataclass_is_explained():
    env = nm.Environment.from_vectors([[3.7, 0.1, 0.2], [0.2, -3.8, 0.4], [0.8, 0.3, 0.9]])
    found = nm.attribute(env, Plain())
    assert (found.rank, found.null_cutoff, found.diagnostic) == (1, 0, "")


HYDROGEN = nm.PowerSpectrum(n_max=8, l_max=8, species="H", **SETTING)
SPARSE = range(0, 324, 60)
NEAR_CUTOFF = [[3.99999, 0, 0.0], [0.1, 1.0, 0], [0.3, -0.5, 0.9]]
# Vectors, whole descriptor, features, null values: body order, cutoff, truncation, unresolved.
SELECTED = {
    "few": (rng(5).normal(size=(4, 3)), HYDROGEN, [0, 1, 50], (0, 0, 6, 0)),
    "few of a low body order": (pair(1.0, 0.0), HYDROGEN, SPARSE, (1, 0, 2, 0)),
    "few of a small basis": (rng(5).normal(size=(4, 3)), nm.PowerSpectrum(n_max=2, l_max=2, species="H"), [0, 1, 2, 3],
                             (0, 0, 6, 0)),
    "near the cutoff": (NEAR_CUTOFF, HYDROGEN, range(0, 324, 2), (0, 2, 0, 0)),
    "of no order": (rng(5).normal(size=(4, 3)), nm.OverlapMatrix(orbitals="s", n_neighbours_max=4), [0, 1, 2],
                    (0, 0, 2, 4)),
    "of a function": (rng(5).normal(size=(4, 3)), nm.FromCallable(lambda v: 1 / np.linalg.norm(v, axis=1), cutoff=4.0),
                      [0, 2], (0, 0, 2, 5)),
    "of a selection": (rng(5).normal(size=(4, 3)), nm.Selected(HYDROGEN, range(0, 324, 9)), [0, 5, 30], (0, 0, 6, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("vectors", "whole", "features", "counts"), SELECTED.values(), ids=SELECTED.keys())
def test_what_all_features_see_is_missing_for_want_of_features(vectors, whole, features, counts):
    env = nm.Environment.from_vectors(vectors)
    every, some = (nm.attribute(env, each) for each in (whole, nm.Selected(whole, features)))
    causes = ("incompleteness", "cutoff", "truncation", "unresolved")
    assert tuple(getattr(some, f"null_{cause}") for cause in causes) == counts
    # Whatever else is null has the same cause for all features.
    lost = every.rank - some.rank
    assert lost > 0 or counts[1]
    assert some.null_truncation == every.null_truncation + lost
    for name in ("n_dof", "rank_complete", "rank_symmetric", "null_incompleteness", "null_cutoff", "null_unresolved"):
        assert getattr(some, name) == getattr(every, name)


def test_features_of_whole_structures_that_are_not_selected():
    atoms = molecule("CH3OH")
    atoms.rattle(0.05, seed=1)
    whole = nm.PowerSpectrum(n_max=4, l_max=4, species=("H", "C", "O"), **SETTING)
    every, some = (
        nm.analyze(atoms, each, scope="structure", attribution=True).iloc[0]
        for each in (whole, nm.Selected(whole, [0, 7, 50]))
    )
    assert some["rank"] < every["rank"] == every["n_dof"]
    assert some["null_truncation"] == every["rank"] - some["rank"]
