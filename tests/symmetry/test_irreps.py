import re
from collections import Counter

import numpy as np
import pytest
from geometries import GEOMETRIES
from molsym import Molecule, Symtext

import nullmode as nm

# molsym 1.3 finds another group, or none, for these as they lie.
NOT_MOLSYM = {"chiral T", "CH3F", "CHFCl2", "trans MA4B2", "fac MA3B3"}
FINITE = [
    name
    for name, (vectors, _, group) in GEOMETRIES.items()
    if group is not None and "∞" not in group and len(vectors) < 13
]
MASSES = {"H": 1.0, "O": 16.0, "F": 19.0, "Cl": 35.5, "Br": 80.0}


def everything(env):
    n = len(env)
    return np.eye(3 * n).reshape(3 * n, n, 3)


def environment(name):
    vectors, species, _ = GEOMETRIES[name]
    return nm.Environment.from_vectors(vectors, species)


def decomposed(env):
    return dict(Counter(name for name, _ in nm.symmetry_adapted(nm.point_group(env), everything(env))))


def of_molsym(name):
    """Group and irreps of the neighbours' displacements, from molsym's own operations and character table."""
    vectors, species, _ = GEOMETRIES[name]
    symbols = [species] * len(vectors) if isinstance(species, str) else species
    # A heavy atom holds the centre of mass where the centre is.
    molecule = Molecule(
        np.array(["U", *symbols]),
        np.vstack([np.zeros(3), vectors]),
        np.array([1e12, *(MASSES[symbol] for symbol in symbols)]),
    )
    molecule.tol = 1e-4
    text = Symtext.from_molecule(molecule)
    neighbours = range(1, len(symbols) + 1)
    characters = np.array(
        [
            np.trace(operation.rrep) * sum(text.atom_map[atom, k] == atom for atom in neighbours)
            for k, operation in enumerate(text.symels)
        ]
    )
    sizes = np.array(text.class_orders)
    reducible = np.array([characters[np.array(text.symel_to_class_map) == c].mean() for c in range(len(sizes))])
    counts = (np.conj(text.character_table) * reducible * sizes).sum(axis=1).real / text.order
    return str(text.pg), {irrep.symbol: round(count) for irrep, count in zip(text.irreps, counts, strict=True)}


def in_our_names(counts, group):
    """Drop underscores; halves of complex pairs become one; D2's A_1 is A."""
    result = {}
    for name, count in counts.items():
        plain = re.sub(r"\(\d\)", "", name.replace("_", ""))
        if group in ("D2", "D2h"):
            plain = plain.replace("A1", "A")
        if count:
            result[plain] = count
    return result


def up_to_axes(counts):
    """Forget which B is which: that follows the choice of axes."""
    others = {name: count for name, count in counts.items() if not name.startswith("B")}
    bees = sorted((name.lstrip("B123"), count) for name, count in counts.items() if name.startswith("B"))
    return others, bees


@pytest.mark.law(cases=6, slow=["icosahedron", "cuboctahedron", "cube", "octahedron"])
@pytest.mark.parametrize("name", sorted(set(FINITE) - NOT_MOLSYM))
def test_groups_and_irreps_are_molsyms(name):
    env = environment(name)
    group, counts = of_molsym(name)
    assert nm.point_group(env).name == group
    assert up_to_axes(decomposed(env)) == up_to_axes(in_our_names(counts, group))


TEXTBOOK = {
    "tetrahedron": {"A1": 1, "E": 1, "T1": 1, "T2": 2},
    "octahedron": {"A1g": 1, "Eg": 1, "T1g": 1, "T1u": 2, "T2g": 1, "T2u": 1},
    "ring 5": {"A1'": 1, "A2'": 1, "A2''": 1, "E1'": 2, "E1''": 1, "E2'": 2, "E2''": 1},
    "icosahedron": {"Ag": 1, "Gg": 1, "Gu": 1, "Hg": 2, "Hu": 1, "T1g": 1, "T1u": 2, "T2u": 1},
    "CH3F": {"A1": 3, "A2": 1, "E": 4},
    "CHFCl2": {"A'": 7, "A''": 5},
    "chiral T": {"A": 3, "E": 3, "T": 9},
    "line": {"Σg+": 1, "Σu+": 1, "Πg": 1, "Πu": 1},
    "line off centre": {"Σ+": 2, "Π": 2},
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_irreps_are_those_of_the_textbook(name):
    assert decomposed(environment(name)) == TEXTBOOK[name]


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_subspaces_are_orthonormal_invariant_and_irreducible(name):
    env = environment(name)
    group = nm.point_group(env)
    parts = nm.symmetry_adapted(group, everything(env))
    basis = np.concatenate([modes.reshape(len(modes), -1) for _, modes in parts])
    np.testing.assert_allclose(basis @ basis.T, np.eye(3 * len(env)), atol=1e-10)
    moved = np.einsum("gab,kjb->gkja", group.operations, np.concatenate([modes for _, modes in parts]))
    start = 0
    for _, modes in parts:
        images = moved[:, start : start + len(modes)]
        placed = np.empty_like(images)
        for g, permutation in enumerate(group.permutations):
            placed[g][:, permutation] = images[g]
        matrices = np.einsum("kja,glja->gkl", modes, placed)
        np.testing.assert_allclose(
            matrices @ np.swapaxes(matrices, 1, 2), np.eye(len(modes))[None].repeat(len(group), 0), atol=1e-8
        )
        norm = (np.trace(matrices, axis1=1, axis2=2) ** 2).mean()
        # 1 for an irrep that is real, 2 for a pair of complex ones.
        assert norm == pytest.approx(1, abs=1e-6) or (norm == pytest.approx(2, abs=1e-6) and len(modes) == 2)
        start += len(modes)


def test_null_modes_of_methane_break_the_symmetry():
    env = environment("tetrahedron")
    soap = nm.PowerSpectrum()
    result = nm.sensitivity(soap.compute_with_jacobian(env)[1], env)
    parts = nm.symmetry_adapted(nm.point_group(env), result.modes[result.rank :])
    assert [name for name, _ in parts] == ["E", "T2", "T2"]


def test_a_space_that_the_group_mixes_is_refused():
    env = environment("tetrahedron")
    with pytest.raises(nm.InputError, match=r"`modes` must span a space that the group Td does not change"):
        nm.symmetry_adapted(nm.point_group(env), everything(env)[:2])


def test_no_modes_have_no_irreps():
    env = environment("tetrahedron")
    assert nm.symmetry_adapted(nm.point_group(env), everything(env)[:0]) == []
