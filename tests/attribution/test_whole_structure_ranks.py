"""The ranks that geometry allows for whole structures, against bases that are large enough to reach them."""

import numpy as np
import pytest
from cases import rng
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from wholes import WHOLES

import nullmode as nm
from nullmode.attribution.completeness import MOST_OF_STRUCTURE
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.geometry.cut import checked_structures
from nullmode.spectrum.whole_structure import whole_structures

CUTOFF = 3.2
SETTING = {"cutoff": CUTOFF, "cutoff_width": 0.5}
SCOPES = ("structure", "potential")
# Large enough that every value above the threshold belongs to what a complete basis sees: they are 1e-4 or more.
CONVERGED = {
    "nu = 1": nm.RadialSpectrum(n_max=40, width=0.12, radial_basis="laplacian-eigenstates", **SETTING),
    "nu = 2": nm.PowerSpectrum(n_max=12, l_max=10, width=0.25, **SETTING),
    "nu = 3": nm.Bispectrum(n_max=5, l_max=6, width=0.3, **SETTING),
    "nu = 3, SO(3)": nm.Bispectrum(n_max=5, l_max=6, width=0.3, parity="SO3", **SETTING),
}
# Some positions are published to 1e-8 Å.
RTOL = 1e-7
SMALL = nm.PowerSpectrum(n_max=2, l_max=2, width=0.3, **SETTING)
MOST_NEIGHBOURS = 60


def geometry(atoms, centers, scope):
    return StructureRanks(whole_structures(*checked_structures([atoms], CUTOFF, centers))[0], scope)


COUNTS = {name: sum(map(len, nm.environments(atoms, CUTOFF, centers))) for name, (atoms, centers) in WHOLES.items()}
ALL = [(n, k) for k in CONVERGED for n in WHOLES if not k.startswith("nu = 3") or COUNTS[n] <= MOST_NEIGHBOURS]
EVERY = [pytest.param(n, k, id=f"{n}-{k}") for n, k in ALL]
SLOW = [f"{n}-{k}" for n, k in ALL if k.startswith("nu = 3") and COUNTS[n] > 8]


@pytest.mark.law(cases=6, slow=SLOW)
@pytest.mark.parametrize(("where", "kind"), EVERY)
def test_a_converged_basis_sees_what_theory_says(where, kind):
    (atoms, centers), descriptor = WHOLES[where], CONVERGED[kind]
    ranks = {}
    for scope in SCOPES:
        counted, symmetric = geometry(atoms, centers, scope).counts(
            descriptor.correlation_order, descriptor.parity, 1e-6
        )
        result = nm.structure_sensitivity(atoms, descriptor, RTOL, centers, scope=scope)
        assert counted == result.rank <= symmetric <= result.n_dof
        ranks[scope] = counted
    assert ranks["structure"] <= ranks["potential"]


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("where", WHOLES)
def test_ranks_are_in_order_and_causes_add_up(where):
    atoms, centers = WHOLES[where]
    linear, potential = (
        nm.analyze(atoms, SMALL, RTOL, scope=scope, centers=centers, attribution=True).iloc[0] for scope in SCOPES
    )
    assert linear["rank"] <= potential["rank"] <= potential["rank_symmetric"] == linear["rank_symmetric"]
    for row in (linear, potential):
        assert row["diagnostic"] == ""
        assert row["rank"] <= row["rank_complete"] <= row["rank_symmetric"]
        causes = [row[f"null_{c}"] for c in ("symmetry", "incompleteness", "truncation", "cutoff", "unresolved")]
        assert min(causes) >= 0
        assert row["n_dof"] == row["rank"] + sum(causes)


@settings(deadline=None, max_examples=10)
@given(st.sampled_from(sorted(WHOLES)), st.sampled_from(SCOPES), st.integers(0, 2**32 - 1))
def test_frame_order_and_cell_change_no_count(where, scope, seed):
    (atoms, centers), generator = WHOLES[where], rng(seed)
    order = generator.permutation(len(atoms))
    other = atoms[order]
    other.positions += generator.integers(-2, 3, size=(len(atoms), 3)) * atoms.pbc @ atoms.cell.array
    cell = atoms.cell.array.copy()
    if atoms.pbc[:2].all():
        cell[0] -= cell[1]
    turn = Rotation.random(rng=generator).as_matrix()
    other.positions, other.cell = other.positions @ turn.T + generator.normal(size=3), cell @ turn.T
    chosen = centers
    if centers and not isinstance(centers, str) and isinstance(centers[0], int):
        chosen = np.flatnonzero(np.isin(order, centers)).tolist()
    first, second = geometry(atoms, centers, scope), geometry(other, chosen, scope)
    for nu in (1, 2):
        assert first.counts(nu, "O3", 1e-6) == second.counts(nu, "O3", 1e-6)
        assert first.beyond_cutoff(nu, "O3", 1e-6) == second.beyond_cutoff(nu, "O3", 1e-6)


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("where", ["polymer, noisy", "graphene, noisy", "rock salt", "wurtzite, noisy"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_supercell_has_the_ranks_of_its_cell(where, scope):
    atoms, centers = WHOLES[where]
    many = atoms * np.where(atoms.pbc, [1, 2, 2], 1)
    for nu in (1, 2):
        one, other = (geometry(each, centers, scope).counts(nu, "O3", 1e-6) for each in (atoms, many))
        assert one == other


# Structure, by what cutoff and body order hide of it at nu = 2, and the rank of a potential.
UNLINKED = {
    "water in a box": (3, 0, 3),
    "water in a box, oxygen": (3, 0, 3),
    "water and ammonia far apart": (6, 0, 9),
    "two equal waters far apart": (9, 0, 3),
    "an atom far from a water": (3, 0, 3),
    "methane in a box": (0, 0, 1),
    "both members, far apart": (6, 0, 18),
    "X(pi, 0), carbon": (0, 1, 8),
    "X(pi, 0)": (0, 0, 9),
    "C2H4": (0, 0, 3),
}


@pytest.mark.parametrize(("where", "expected"), UNLINKED.items(), ids=UNLINKED)
def test_what_no_environment_links_is_the_cutoffs(where, expected):
    atoms, centers = WHOLES[where]
    row = nm.analyze(atoms, CONVERGED["nu = 2"], RTOL, scope="potential", centers=centers, attribution=True).iloc[0]
    assert (row["null_cutoff"], row["null_incompleteness"], row["rank"]) == expected
    assert row["null_truncation"] == row["null_unresolved"] == 0


def test_too_many_tuples_are_said():
    atoms, centers = WHOLES["copper"]
    crystal = atoms * (4, 4, 4)
    crystal.positions += rng(0).normal(scale=0.05, size=crystal.positions.shape)
    ranks = geometry(crystal, centers, "potential")
    assert ranks.counts(4, "O3", 1e-6)[0] is None
    assert str(MOST_OF_STRUCTURE) in ranks.too_large_for(4)
    # What is all that symmetry allows needs no tuples.
    n_dof = ranks.n_dof(1e-6)
    assert ranks.having(n_dof).counts(4, "O3", 1e-6) == (n_dof, n_dof)
