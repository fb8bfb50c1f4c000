import cases
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.neighborlist import neighbor_list

import nullmode as nm
from nullmode.geometry import cut
from nullmode.geometry.environment import within

CH4 = molecule("CH4")
AL = bulk("Al", a=4.05, cubic=True) * (2, 2, 2)
NAN_POSITION = CH4.copy()
NAN_POSITION.positions[2, 1] = np.nan
FAR_POSITION = CH4.copy()
FAR_POSITION.positions[1, 0] = -1e300
FLAT_CELL = Atoms("Cu2", positions=[[0, 0, 0], [1, 0, 0]], cell=[[3, 0, 0], [6, 0, 0], [0, 0, 3]], pbc=True)


def with_array(name, values):
    """Methane with an array that ASE does not check."""
    atoms = CH4.copy()
    atoms.arrays[name] = np.asarray(values)
    return atoms


BAD_VECTORS = {
    "shape": (([[1, 2]],), r"`vectors` must have shape \(n, 3\), got \(1, 2\)"),
    "nan": (([[0, 0, np.nan]],), r"`vectors` must be finite, got nan in row 0, component z"),
    "inf": (([[0, 0, 1], [np.inf, 0, 1]],), r"`vectors` must be finite, got inf in row 1, component x"),
    "on the centre": (([[0, 0, 0]],), r"`vectors` must lie off the centre, got a length of 0.0e\+00 Å in row 0"),
    "coincident": (([[1, 0, 0], [0, 1, 0], [1, 0, 0]],), r"`vectors` must be distinct, got rows 0 and 2"),
    "element": (([[1, 0, 0]], "Qq"), r"`species` must be chemical symbols or atomic numbers, got 'Qq'"),
    "number": (([[1, 0, 0]], [0]), r"`species` must be chemical symbols or atomic numbers, got 0"),
    "too many": (([[1, 0, 0]], ["H", "C"]), r"`species` must name each of the 1 neighbours, got 2 entries"),
    "centre": (([[1, 0, 0]], "H", "Zz"), r"`center_species` must be chemical symbols .* got 'Zz'"),
    "centre, list": (([[1, 0, 0]], "H", ["C"]), r"`center_species` must be .* got \['C'\]"),
    "species, float": (([[1, 0, 0]], [1.7]), r"`species` must be chemical symbols or atomic numbers, got 1.7"),
    "species, float alone": (([[1, 0, 0]], 8.0), r"`species` must be chemical symbols or atomic numbers, got 8.0"),
    "species, none": (([[1, 0, 0]], [None]), r"`species` must be chemical symbols or atomic numbers, got None"),
    "species, truth": (([[1, 0, 0]], [True]), r"`species` must be chemical symbols or atomic numbers, got True"),
    "species, truth alone": (([[1, 0, 0]], True), r"`species` must be chemical symbols or atomic numbers, got True"),
    "species, float and no neighbour": (([], 1.5), r"`species` must be chemical symbols .* got 1.5"),
    "texts": (([["a", "b", "c"]],), r"`vectors` must hold real numbers, got texts"),
    "numbers as texts": (([["1", "2", "3"]],), r"`vectors` must hold real numbers, got texts"),
    "complex": (([[1, 0, 1j]],), r"`vectors` must hold real numbers, got complex numbers"),
    "truth": (([[True, False, False]],), r"`vectors` must hold real numbers, got truth values"),
    "nothing": ((None,), r"`vectors` must hold real numbers, got objects"),
    "ragged": (([[1, 0, 0], [1, 0]],), r"`vectors` must be an array with rows of one length, got a value that is none"),
    "flat": (([1.0, 0, 0],), r"`vectors` must have shape \(n, 3\), got \(3,\)"),
    "empty rows": (([[], []],), r"`vectors` must have shape \(n, 3\), got \(2, 0\)"),
    "far": (([[1, 0, 0], [0, 1e300, 0]],), r"`vectors` must be at most 1e\+06 Å, got 1e\+300 in row 1, component y"),
}

BAD_STRUCTURES = {
    "none": (([],), r"`atoms` must hold at least one structure, got none"),
    "type": (([CH4, "CH4"],), r"`atoms` must be ase.Atoms, got str at index 1"),
    "nan": (([CH4, NAN_POSITION],), r"`atoms\[1\].positions` must be finite, got nan in row 2, component y"),
    "coincident": (
        (Atoms("H3", positions=[[0, 0, 0], [1, 0, 0], [0, 0, 0]]),),
        r"`atoms\[0\].positions` must be distinct, got atoms 0 and 2 at the same place",
    ),
    "ghost": (
        (Atoms("HX", positions=[[0, 0, 0], [1, 0, 0]]),),
        r"`atoms\[0\].numbers` must be chemical symbols .* got the placeholder X \(0\) at index 1",
    ),
    "complex": (
        (with_array("positions", CH4.positions + 0j),),
        r"`atoms\[0\].positions` must hold real numbers, got comp",
    ),
    "objects": (
        (with_array("positions", CH4.positions.astype(object)),),
        r"\.positions` must hold real numbers, got obj",
    ),
    "flat": ((with_array("positions", CH4.positions[:, :2]),), r"`atoms\[0\].positions` must have shape \(n, 3\), got"),
    "fewer": (
        (with_array("positions", CH4.positions[:4]),),
        r"`atoms\[0\].numbers` must be one .* the 4 positions, got",
    ),
    "half": ((with_array("numbers", [6, 1, 1, 1.5, 1]),), r"`atoms\[0\].numbers` must be whole numbers, got 1.5"),
    "symbols": ((with_array("numbers", list("CHHHH")),), r"`atoms\[0\].numbers` must hold real numbers, got texts"),
    "cell": ((FLAT_CELL,), r"`atoms\[0\].cell` must have independent vectors"),
    "cutoff": ((CH4, 0.0), r"`cutoff` must be a positive length in Å, got 0.0"),
    "cutoff nan": ((CH4, np.nan), r"`cutoff` must be a positive length in Å, got nan"),
    "cutoff text": ((CH4, "4"), r"`cutoff` must be a positive length in Å, got '4'"),
    "cutoff none": ((CH4, None), r"`cutoff` must be a positive length in Å, got None"),
    "cutoff truth": ((CH4, True), r"`cutoff` must be a positive length in Å, got True"),
    "cutoff list": ((CH4, [4.0]), r"`cutoff` must be a positive length in Å, got \[4.0\]"),
    "cutoff complex": ((CH4, 4 + 0j), r"`cutoff` must be a positive length in Å, got \(4\+0j\)"),
    "cutoff large": ((CH4, 10**400), r"`cutoff` must be a positive length in Å, got 10"),
    "no structure": ((None,), r"`atoms` must be ase.Atoms, got NoneType at index 0"),
    "number": ((5,), r"`atoms` must be ase.Atoms, got int at index 0"),
    "file": (("methane.xyz",), r"`atoms` must be ase.Atoms, got str at index 0"),
    "far": ((FAR_POSITION,), r"`atoms\[0\].positions` must be at most 1e\+06 Å, got -1e\+300 in row 1, component x"),
    "lonely": ((Atoms("He"),), r"`cutoff` must reach a neighbour, got 4.0 Å"),
    "absent centre": ((CH4, 4.0, "N"), r"`centers` must occur in the structures, got 'N'"),
    "unknown centre": ((CH4, 4.0, "Qq"), r"`centers` must be chemical symbols or atom indices, got 'Qq'"),
    "centre, float": ((CH4, 4.0, 1.5), r"`centers` must be chemical symbols or atom indices, got 1.5"),
    "centre, floats": ((CH4, 4.0, [0.7]), r"`centers` must be chemical symbols or atom indices, got 0.7"),
    "centre, none": ((CH4, 4.0, [None]), r"`centers` must be chemical symbols or atom indices, got None"),
    "mask": ((CH4, 4.0, [True, False]), r"`centers` must be .* got True. Turn a mask .* numpy.flatnonzero"),
    "mask array": ((CH4, 4.0, CH4.numbers == 6), r"`centers` must be .* Turn a mask .* numpy.flatnonzero"),
    "negative": ((CH4, 4.0, -1), r"`centers` must be atom indices of structure 0 \(0 to 4\), got -1"),
    "index": ((CH4, 4.0, [0, 5]), r"`centers` must be atom indices of structure 0 \(0 to 4\), got 5"),
    "no centre": ((CH4, 4.0, []), r"`centers` must name at least one species or index, got none"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_VECTORS.values(), ids=BAD_VECTORS.keys())
def test_bad_vectors_are_refused(arguments, message):
    with pytest.raises(nm.InputError, match=message):
        nm.Environment.from_vectors(*arguments)


@pytest.mark.parametrize(("arguments", "message"), BAD_STRUCTURES.values(), ids=BAD_STRUCTURES.keys())
def test_bad_structures_are_refused(arguments, message):
    with pytest.raises(nm.InputError, match=message):
        nm.environments(*arguments)


SLAB = bulk("Cu", cubic=True) * (1, 1, 2)
SLAB.pbc = (True, True, False)
STRUCTURES = cases.STRUCTURES | {"slab": SLAB, "skewed": bulk("NaCl", "rocksalt", 5.64)}


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("cutoff", [3.0, 4.5])
def test_neighbours_are_those_of_ase(name, cutoff):
    atoms = STRUCTURES[name]
    i, j, d = neighbor_list("ijD", atoms, cutoff)
    for environment in nm.environments(atoms, cutoff):
        mine = i == environment.center
        got = np.column_stack([environment.atoms, environment.vectors])
        expected = np.column_stack([j[mine], d[mine]])
        assert len(got) == len(expected)
        np.testing.assert_allclose(
            got[np.lexsort(got.round(6).T)], expected[np.lexsort(expected.round(6).T)], rtol=0, atol=1e-12
        )
        np.testing.assert_array_equal(environment.species, atoms.numbers[environment.atoms])
        assert environment.center_species == atoms.numbers[environment.center]


MANY = [molecule(name) for name in ("CH4", "H2O", "CH3OH", "C6H6", "CH4")] + [*STRUCTURES.values(), Atoms("H"), Atoms()]
MANY.append(with_array("positions", np.asfortranarray(CH4.positions + 1e4)))
MANY.append(Atoms("CH2", positions=[[0, 0, 0], [0, 0, 4.0], [4.0, 0, 0]]))


def fields_of(environment):
    return {name: getattr(environment, name) for name in environment.__dataclass_fields__}


@pytest.mark.parametrize("centers", [None, ["C", "Cu"], [2, 0, 2]], ids=str)
@pytest.mark.parametrize("cutoff", [1.5, 4.0])
@pytest.mark.parametrize("atoms_at_once", [1, 8, 1 << 13])
def test_many_structures_in_one_pass_give_what_each_gives_alone(monkeypatch, centers, cutoff, atoms_at_once):
    monkeypatch.setattr(cut, "_ATOMS_AT_ONCE", atoms_at_once)
    structures = [each for each in MANY if centers != [2, 0, 2] or len(each) > 2]
    together = nm.environments(structures, cutoff, centers)
    alone = [
        each
        for index, structure in enumerate(structures)
        for each in cut.environments_of(structure, index, cutoff, cut.centers_of(structure, centers))
    ]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_equal(fields_of(one), fields_of(other))


FAULTS = {
    "nan": (lambda atoms: atoms.positions.__setitem__((2, 1), np.nan), "positions` must be finite, got nan in row 2"),
    "coincident": (lambda atoms: atoms.positions.__setitem__(3, atoms.positions[1]), "distinct, got atoms 1 and 3"),
    "ghost": (lambda atoms: atoms.numbers.__setitem__(4, 0), r"numbers` must be .* \(0\) at index 4"),
    "cell": (lambda atoms: atoms.set_pbc(True), "cell` must have a vector along each periodic direction"),
    "disorder": (lambda atoms: atoms.set_array("occupancy", np.full(5, 0.5)), "must have fully occupied sites"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("other", FAULTS)
def test_the_first_of_many_faulty_structures_is_named(fault, other):
    structures = [CH4.copy() for _ in range(6)]
    FAULTS[fault][0](structures[2])
    FAULTS[other][0](structures[4])
    with pytest.raises(nm.InputError, match=rf"`atoms\[2\].*{FAULTS[fault][1]}"):
        nm.environments(structures)


def test_centers_by_symbol_and_index_agree():
    ethanol = molecule("CH3CH2OH")
    carbons = np.flatnonzero(ethanol.numbers == 6).tolist()
    by_symbol = nm.environments(ethanol, centers="C")
    by_index = nm.environments(ethanol, centers=carbons)
    assert [e.center for e in by_symbol] == [e.center for e in by_index] == carbons
    assert len(nm.environments(ethanol, centers=["C", "O"])) == 3
    assert len(nm.environments(ethanol)) == len(ethanol)
    assert [e.center for e in nm.environments(ethanol, centers=np.flatnonzero(ethanol.numbers == 6))] == carbons
    assert [e.center for e in nm.environments(ethanol, np.float32(4), centers=np.int64(2))] == [2]


def test_structures_without_the_species_contribute_nothing_and_order_is_kept():
    result = nm.environments([molecule("H2O"), molecule("CH4"), molecule("CH3OH")], centers="C")
    assert [(e.structure, e.center) for e in result] == [(1, 0), (2, 0)]


def test_an_atom_alone_in_a_set_has_an_empty_environment():
    result = nm.environments([CH4, Atoms("He")], 3.0)
    assert [len(e) for e in result] == [4, 4, 4, 4, 4, 0]


def test_images_of_one_atom_share_its_index():
    environment = nm.environments(bulk("NaCl", "rocksalt", 5.64), 4.0, centers=0)[0]
    assert len(environment) == 18
    assert (environment.atoms == 1).sum() == 6
    assert (environment.atoms == environment.center).sum() == 12


def test_arrays_of_an_environment_are_final():
    vectors = np.eye(3)
    environment = nm.Environment.from_vectors(vectors)
    vectors[0] = 7
    assert environment.vectors[0, 0] == 1
    for array in (environment.vectors, environment.species, nm.environments(CH4)[0].vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_defaults_and_numbers():
    environment = nm.Environment.from_vectors(np.eye(3))
    assert repr(environment) == "Environment(C | H3)"
    assert environment.center == -1
    assert nm.Environment.from_vectors(np.eye(3), [1, "O", 8], "Si").species.tolist() == [1, 8, 8]
    assert nm.Environment.from_vectors(np.eye(3), np.int64(8), np.int32(6)).species.tolist() == [8, 8, 8]
    assert nm.Environment.from_vectors(np.eye(3), np.array([1, 8, 8])).species.tolist() == [1, 8, 8]
    assert nm.Environment.from_vectors(np.eye(3, dtype=np.float32)).vectors.dtype == np.float64
    assert len(nm.Environment.from_vectors([])) == len(nm.Environment.from_vectors(np.empty((0, 3)))) == 0


# How a crystal whose second shell lies at the cutoff is given: by rounding, that shell is in, out or in part.
def turned(atoms, seed):
    result = atoms.copy()
    result.rotate(77.0 * (seed + 1), np.random.default_rng(seed).normal(size=3), rotate_cell=True)
    return result


def rounded(atoms):
    result = atoms.copy()
    result.positions = np.round(result.positions, 8)
    result.cell[:] = np.round(np.array(result.cell), 8)
    return result


AT_CUTOFF = {
    "as it lies": AL,
    "one atom": bulk("Al", a=4.05),
    **{f"turned {seed}": turned(AL, seed) for seed in range(4)},
    "turned, in a file": rounded(turned(AL, 5)),
    "away from the origin": Atoms(AL.numbers, AL.positions + 100 / 3, cell=AL.cell, pbc=True),
}


@pytest.mark.parametrize("name", AT_CUTOFF)
def test_a_shell_at_the_cutoff_is_out_whatever_the_rounding(name):
    direct = nm.environments(AT_CUTOFF[name], cutoff=4.05)
    wide = nm.environments(AT_CUTOFF[name], cutoff=5.0)
    narrow = [within(each, 4.05) for each in wide]
    held = nm.EnvironmentSet.from_environments(wide).within(4.05)
    for envs in (direct, narrow, list(held), [within(each, 4.05) for each in direct]):
        assert {(len(each), each.at_cutoff, each.cutoff) for each in envs} == {(12, 6, 4.05)}
        assert nm.point_group(envs[0], 1e-5).name == "Oh"
    soap = nm.PowerSpectrum(n_max=2, l_max=2, cutoff=4.05)
    table = nm.analyze(AT_CUTOFF[name], soap, rtol=1e-6, centers=[0], attribution=True, tolerance=1e-5)
    counts = table[["n_neighbours", "n_at_cutoff", "rank", "n_dof", "null_truncation"]]
    assert counts.drop_duplicates().values.tolist() == [[12, 6, 1, 33, 0]]


@pytest.mark.parametrize(("below", "count"), [(0.0, 3), (4e-8, 3), (6e-8, 4), (1e-7, 4), (-4e-8, 3), (-1e-3, 3)])
def test_an_atom_is_at_the_cutoff_within_a_stated_length(below, count):
    vectors = np.array([[1, 0.1, 0], [0, 1.2, 0], [0.2, 0, 1.3], [0, 0.6, -0.8]])
    vectors[3] *= 4.0 - below
    env = within(nm.Environment.from_vectors(vectors), 4.0)
    assert (len(env), env.at_cutoff) == (count, int(abs(below) < 5e-8))
    assert within(env, 4.0) is env
    assert (len(within(env, 1.25)), within(env, 1.25).at_cutoff) == (2, 0)
    for descriptor in (nm.PowerSpectrum(n_max=4, l_max=3, cutoff_width=0.0), nm.FromCallable(ours, cutoff=4.0)):
        row = nm.analyze([nm.Environment.from_vectors(vectors)], descriptor).iloc[0]
        assert (row["n_neighbours"], row["n_at_cutoff"]) == (count, env.at_cutoff)


def ours(vectors):
    return nm.PowerSpectrum(n_max=4, l_max=3, cutoff_width=0.0).compute(nm.Environment.from_vectors(vectors))


@pytest.mark.parametrize("kind", ["float32", "float16", "longdouble", ">f8", "<f8"])
@pytest.mark.parametrize("structure", [CH4, bulk("C", "diamond", 3.57)], ids=["molecule", "crystal"])
def test_any_real_numbers_are_positions(structure, kind):
    given = structure.copy()
    given.arrays["positions"] = given.positions.astype(kind)
    given.arrays["numbers"] = given.numbers.astype("float32")
    kept = given.arrays["positions"]
    expected = structure.copy()
    expected.positions[:] = kept.astype(float)
    for one, other in zip(nm.environments(given, 3.0), nm.environments(expected, 3.0), strict=True):
        assert one.vectors.dtype == np.dtype("=f8")
        np.testing.assert_array_equal(one.vectors, other.vectors)
        np.testing.assert_array_equal(one.species, other.species)
    assert given.arrays["positions"] is kept
