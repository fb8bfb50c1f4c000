"""Views of whole structures: arrows are modes of the structure's Jacobian, and atoms stand in its cell."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, graphene, molecule
from cases import rattled
from view_pages import arrows, unpacked
from wholes import POLYMER, WHOLES, in_box

import nullmode as nm
from nullmode._support.types import InputError
from nullmode.geometry.cut import centers_of
from nullmode.views.displayed import bonds

SOAP = nm.PowerSpectrum(n_max=4, l_max=3, cutoff=3.5)
RADIAL = nm.RadialSpectrum(n_max=4, cutoff=3.5)
HANDED = nm.Bispectrum(n_max=2, l_max=2, cutoff=3.5, parity="SO3")
# Structure, scope, descriptor: null values of every cause.
CASES = {
    **{
        f"{name}, {scope}": (*WHOLES[name], scope, SOAP)
        for name in ("CH4", "H2O, noisy", "polymer", "graphene", "rock salt, magnesium", "diamond")
        for scope in ("structure", "potential")
    },
    "a supercell": (bulk("Cu", cubic=True), None, "structure", SOAP),
    "body order": (molecule("H2O"), "O", "structure", nm.RadialSpectrum(n_max=4, cutoff=3.5)),
    "body order, noisy": (*WHOLES["CH3OH, noisy"], "structure", RADIAL),
    "truncation": (WHOLES["CH3OH, noisy"][0], "C", "structure", nm.PowerSpectrum(n_max=1, l_max=0, cutoff=3.5)),
    "handed": (molecule("H2O2"), None, "structure", HANDED),
    "planar and handed": (molecule("H2CO"), None, "structure", HANDED),
}


@pytest.fixture
def seen(tmp_path):
    """Write a view, and read dataset and entries back."""

    def write_and_read(structures, descriptor=SOAP, **options):
        nm.write_view(structures, descriptor, tmp_path / "view.html", **options)
        page = (tmp_path / "view.html").read_text(encoding="utf-8")
        return [json.loads(unpacked(page, name)) for name in ("dataset", "entries")]

    return write_and_read


def full_jacobian(atoms, descriptor, centers, scope):
    """Jacobian (F, 3 N) of sums of features over the centres of one species, or of those with equal features."""
    groups = [centers]
    if scope == "potential":
        labels, indices = nm.feature_classes(atoms, descriptor, centers).labels, centers_of(atoms, centers)
        groups = [indices[labels == label].tolist() for label in np.unique(labels)]
        descriptor = replace(descriptor, species=tuple(sorted(set(atoms.get_chemical_symbols()))))
    jacobians = [nm.structure_jacobian(atoms, descriptor, group)[1] for group in groups]
    return np.concatenate([jacobian.reshape(len(jacobian), -1) for jacobian in jacobians])


@pytest.mark.parametrize("name", CASES)
def test_arrows_are_null_and_as_many_as_the_table_counts_by_cause(seen, name):
    atoms, centers, scope, descriptor = CASES[name]
    data, [entry] = seen(atoms, descriptor, scope=scope, centers=centers)
    row = nm.analyze(atoms, descriptor, scope=scope, centers=centers, attribution=True).iloc[0]
    jacobian = full_jacobian(atoms, descriptor, centers, scope)
    scale = row["singular_values"][0] if row["rank"] else 1.0
    listed = Counter()
    for mode in entry["modes"]:
        [vectors], _ = arrows(data, mode["shape"])
        flat = np.nan_to_num(vectors).ravel()
        flat /= np.linalg.norm(flat)
        response = np.linalg.norm(jacobian @ flat) / scale
        if mode["shape"].startswith("null_"):
            # Arrows are rounded, and small ones left out.
            assert response < 0.03
            listed[mode["label"]] += 1
        else:
            assert response == pytest.approx(float(mode["ratio"]), rel=0.1, abs=0.03)
    counted = {
        {"incompleteness": "body order"}.get(cause, cause): row[f"null_{cause}"]
        for cause in ("symmetry", "incompleteness", "truncation", "cutoff", "width", "unresolved")
        if row[f"null_{cause}"]
    }
    assert entry["further"] == max(0, row["n_dof"] - row["rank"] - 12)
    if not entry["further"] and len(set(counted) - {"symmetry"}) < 2 and not row["ambiguous"]:
        assert listed == counted


def test_cases_have_null_values_of_several_causes():
    causes = set()
    for atoms, centers, scope, descriptor in CASES.values():
        row = nm.analyze(atoms, descriptor, scope=scope, centers=centers, attribution=True).iloc[0]
        causes |= {cause for cause in ("symmetry", "incompleteness", "truncation") if row[f"null_{cause}"]}
    assert causes == {"symmetry", "incompleteness", "truncation"}


def test_modes_by_symmetry_change_under_it_and_others_do_not(seen):
    # Of water, the oxygen sees how far the hydrogens are: the sum of both. Their difference is null by symmetry, the
    # angle by body order.
    water = molecule("H2O")
    data, [entry] = seen(water, RADIAL, scope="structure", centers="O")
    labels = {mode["label"]: mode["shape"] for mode in entry["modes"]}
    assert set(labels) >= {"symmetry", "body order"}
    turn = np.diag([-1.0, -1.0, 1.0])  # about z, which takes one hydrogen to the other
    for cause, sign in {"symmetry": -1, "body order": 1}.items():
        [vectors], _ = arrows(data, labels[cause])
        vectors = np.nan_to_num(vectors)
        image = vectors[[0, 2, 1]] @ turn.T
        assert np.allclose(image, sign * vectors, atol=0.03)


def test_periodic_structures_stand_in_their_cell(seen):
    crystal, slab, rod = rattled(bulk("MgO", "rocksalt", a=4.21), 0.05), fcc111("Cu", (1, 1, 3), vacuum=9.0), POLYMER
    data, _ = seen([crystal, slab, rod, graphene(), molecule("H2O")], scope="structure")
    shown = data["structures"]
    positions = [np.stack([each["x"], each["y"], each["z"]], axis=1) for each in shown]
    cells = [np.reshape(each["cell"], (3, 3)) if "cell" in each else None for each in shown]
    assert np.allclose(positions[0], crystal.positions)
    assert np.allclose(cells[0], crystal.cell)
    for atoms, moved, cell in zip([slab, rod, graphene()], positions[1:4], cells[1:4], strict=True):
        assert np.allclose(cell[atoms.pbc], atoms.cell[atoms.pbc])
        shift = moved - atoms.positions
        assert np.allclose(shift, shift[0], atol=1e-10)
        # The box ends where the atoms do.
        scaled = (moved @ np.linalg.inv(cell))[:, ~atoms.pbc]
        assert np.allclose(scaled.min(axis=0), 0, atol=1e-9)
        assert (scaled.max(axis=0) < 1 + 1e-9).all()
        extent = np.ptp(atoms.positions[:, 2])
        if atoms is slab:
            assert np.linalg.norm(cell[2]) == pytest.approx(extent)
    assert cells[4] is None
    assert np.allclose(positions[4], molecule("H2O").positions)


def test_bonds_are_those_of_molecules():
    def pairs(atoms):
        return {frozenset(pair[:2]) for pair in bonds(atoms.positions, atoms.numbers)}

    ethanol = molecule("CH3CH2OH")
    lengths = ethanol.get_all_distances()
    expected = {frozenset((int(i), int(j))) for i, j in np.argwhere(np.triu((lengths > 0) & (lengths < 1.6)))}
    close = {pair for pair in expected if set(ethanol.numbers[list(pair)]) != {1}}
    assert pairs(ethanol) == close
    assert len(close) == 8
    assert pairs(bulk("Cu", cubic=True) * 2) == set()
    assert pairs(bulk("MgO", "rocksalt", a=4.21, cubic=True)) == set()
    # On a surface, the molecule keeps its bonds.
    slab = fcc111("Cu", (2, 2, 2), vacuum=6.0)
    both = slab + Atoms("OH", [[1, 1, 11.5], [1, 1, 12.47]])
    assert pairs(both) == {frozenset((8, 9))}


@pytest.mark.parametrize("scope", ["structure", "potential"])
def test_page_says_who_sees_the_structures(seen, scope):
    frames = [rattled(molecule("H2O"), 0.05, seed) for seed in range(3)]
    data, entries = seen(frames, scope=scope, frames=[4, 6, 8])
    who = {"structure": "linear models on the features of", "potential": "any potential on"}[scope]
    assert data["meta"]["description"].startswith(f"Whole structures as {who} PowerSpectrum(")
    assert [entry["where"] for entry in entries] == ["frame 4", "frame 6", "frame 8"]
    assert data["properties"]["frame"]["values"] == [4, 6, 8]
    assert "centre" not in data["shapes"]
    assert "center_species" not in data["properties"]


def test_forces_of_the_structures_are_shown(seen):
    from ase.calculators.emt import EMT

    atoms = rattled(molecule("CH3OH"), 0.05)
    atoms.calc = EMT()
    atoms.get_forces()
    row = nm.analyze(atoms, SOAP, scope="potential").iloc[0]
    data, _ = seen(atoms, scope="potential")
    for name in ("force_rms", "unseen_force"):
        assert data["properties"][name]["values"] == [pytest.approx(row[name])]


def test_environments_can_be_given_as_structures(seen):
    atoms = rattled(bulk("Cu", cubic=True) * 2, 0.05)
    data, entries = seen(atoms, centers=[3, 5])
    direct, _ = seen(nm.environments(atoms, 3.5, [3, 5]))
    assert data["structures"] == direct["structures"]
    assert [entry["where"] for entry in entries] == ["structure 0, atom 3 (Cu)", "structure 0, atom 5 (Cu)"]
    assert all(structure["bonds"] == [] for structure in data["structures"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "structures"}, "`scope` must be one of environment, structure, potential"),
        ({"scope": "potential", "feature_tolerance": 2.0}, "`feature_tolerance` must be between 0 and 1"),
        ({"scope": "structure", "centers": "Ar"}, "`centers` must occur"),
        ({"scope": "structure", "rtol": 0.0}, "`rtol` must be between 0 and 1"),
        ({"scope": "structure", "tolerance": -1.0}, "`tolerance`"),
    ],
)
def test_bad_questions_are_refused(seen, options, message):
    with pytest.raises(InputError, match=message):
        seen(in_box(molecule("H2O")), **options)
