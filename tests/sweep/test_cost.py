import math
from itertools import pairwise

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from cases import DESCRIPTORS, environment
from family_cases import REALISTIC
from variant_cases import FAMILIES as SMALL_FAMILIES

from nullmode._support.variants import load, validated
from nullmode.descriptors import DESCRIPTORS as KINDS
from nullmode.descriptors._layout import with_layout_of
from nullmode.families import FAMILIES
from nullmode.families._base import FamilySize
from nullmode.sweep import cost

METHANE = FamilySize(structures=1, atoms=5, centers=1, species=1)
FAMILY_PARAMETERS = {
    "methane_distortion": [{}, {"paths": ["noise", "twist"], "samples": 3, "noise": [-3, -2]}],
    "degenerate_pair": [{}, {"u": [0.7, 0.8], "v": [0.0], "signs": [1]}],
    "mode_displacement": [{}, {"modes": ["softest"], "amplitudes": [-3, -2]}],
    "twofold_pair": [{}, {"gamma": [100, 120], "phi": [10, 20, 30], "signs": [1]}],
    "twofold_point": [{}, {"theta": [40, 50], "r_c": [1.0, 1.1, 1.2]}],
    "cone_point": [{}, {"theta": [60], "phi_2": [70, 80]}],
    "integer_pair": [{}, {"c": [1], "scale": [0.25, 0.5], "signs": [1]}],
    "homometric_set": [{}, {"a": [30, 40], "members": [0, 1]}],
    "ring_pair": [{}, {"psi": [10, 20], "shift": [0, 5, 6], "azimuths": [0, 50, 115, 212], "signs": [-1]}],
    "point_groups": [{}, {"names": ["Td", "X"]}],
    "cutoff_approach": [{}, {"distances": [0.1, 0.01], "n_structures": 3}],
    "random_methane": [{}, {"n_structures": 7}],
    "file": [
        {"path": "all.extxyz"},
        {"path": "all.extxyz", "index": "1:3"},
        {"path": "all.extxyz", "index": "-1"},
        {"path": "all.extxyz", "centers": "H"},
        {"path": "all.extxyz", "centers": [0]},
        {"path": "plain.xyz", "centers": ["C", 1]},
    ],
}
kind_of = {load(kind, KINDS, "descriptor"): kind for kind in KINDS}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    molecules = [molecule(name) for name in ("CH4", "H2O", "C6H6", "CH3OH")]
    ase.io.write("all.extxyz", molecules)
    ase.io.write("plain.xyz", molecules, format="xyz")
    return molecules


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (kind, parameters)
        for kind in FAMILIES
        # Realistic sets are tested with larger cases; the others need not state their size.
        if kind not in REALISTIC and hasattr(load(kind, FAMILIES, "family"), "size")
        for parameters in FAMILY_PARAMETERS.get(kind, [SMALL_FAMILIES.get(kind, {})])
    ],
)
def test_families_tell_what_they_hold(kind, parameters):
    target = load(kind, FAMILIES, "family")
    size = target.size(**validated(target, parameters, kind))
    structures = list(target(**validated(target, parameters, kind)))
    assert size.structures == len(structures)
    if parameters.get("index", ":") == ":":  # of a selection, the means of the whole file are taken
        assert size.atoms == pytest.approx(np.mean([len(atoms) for atoms in structures]))
        assert size.centers == pytest.approx(np.mean([len(atoms.info["centers"]) for atoms in structures]))


def test_long_files_are_estimated_from_their_beginning(tmp_path):
    ase.io.write(tmp_path / "long.xyz", [molecule("CH3CH2OH")] * 5000)
    target = load("file", FAMILIES, "family")
    size = target.size(path=tmp_path / "long.xyz", centers="C", index=":")
    assert (tmp_path / "long.xyz").stat().st_size > 1.5 * 2**20
    assert size.structures == pytest.approx(5000, rel=1e-3)
    assert size[1:] == FamilySize(structures=0, atoms=9, centers=2, species=3)[1:]


def test_crystals_have_the_neighbours_of_their_density(tmp_path):
    ase.io.write(tmp_path / "salt.extxyz", bulk("NaCl", "rocksalt", 5.64))
    size = load("file", FAMILIES, "family").size(path=tmp_path / "salt.extxyz", centers=None, index=":")
    assert size.periodic
    assert size.neighbours(4.0) == pytest.approx(8 / 5.64**3 * 4 / 3 * math.pi * 64)


@pytest.mark.parametrize(
    "text", ["", "\n", "no number\n", "3\nshort\nH 0 0 0\n", '1\nLattice="1 2"\nH 0 0 0\n', "-1\nx\n"]
)
def test_what_is_no_file_of_structures_tells_nothing(tmp_path, text):
    (tmp_path / "bad.xyz").write_text(text)
    assert load("file", FAMILIES, "family").size(path=tmp_path / "bad.xyz", centers=None, index=":") is None


@pytest.mark.parametrize("suffix", ["cif", "vasp", "db"])
def test_other_formats_tell_nothing(tmp_path, suffix):
    ase.io.write(tmp_path / f"one.{suffix}", Atoms("H", cell=[3, 3, 3], pbc=True))
    assert load("file", FAMILIES, "family").size(path=tmp_path / f"one.{suffix}", centers=None, index=":") is None


# The model leaves out the centre's own channel, which a descriptor has by its weight.
NEIGHBOURS_ALONE = [name for name in DESCRIPTORS if not getattr(DESCRIPTORS[name], "center_weight", 0.0)]


@pytest.mark.parametrize("name", NEIGHBOURS_ALONE)
@pytest.mark.parametrize("where", ["methane", "mixed", "crowded"])
def test_features_are_counted(name, where):
    env = environment(where)
    near = np.linalg.norm(env.vectors, axis=1) < DESCRIPTORS[name].cutoff
    inside, species = int(near.sum()), len(set(env.species[near]))
    descriptor = with_layout_of(DESCRIPTORS[name], [env])
    count = cost._features(kind_of[type(descriptor)], descriptor, inside, species)
    assert count == len(descriptor.compute(env))


def test_every_kind_has_its_figures():
    names = {"environment", "symmetry", "completeness", "tuples", "rows", "factor", "values", "row"}
    table = cost.measured()
    assert table["seconds"].keys() == names | KINDS.keys()
    assert table["bytes"].keys() == {"job", "row"}
    assert all(value >= 0 for part in table.values() for value in part.values())
    assert all(table["seconds"][kind] > 0 and cost.known(kind) for kind in KINDS)
    assert not cost.known("docs/examples/my_descriptor.py:InverseMoments")


def total(kind, size=METHANE, points=1, scope="environment", **parameters):
    descriptor = load(kind, KINDS, "descriptor")(**parameters)
    counts = cost.count(kind, cost.Block(descriptor, descriptor, points, points), size, scope)
    assert all(value >= 0 for part in counts[:2] for value in part.values())
    # What theory takes may fall with more features: less of what is null is asked about.
    return np.array([cost.seconds(counts.each), counts.kept + counts.working])


BASES = ("radial-spectrum", "power-spectrum", "bispectrum", "trispectrum")
MORE = {
    **{
        f"neighbours of {kind}": (kind, [{"size": METHANE._replace(atoms=n + 1)} for n in (2, 4, 8, 16)])
        for kind in KINDS
    },
    **{f"n_max of {kind}": (kind, [{"n_max": n} for n in (1, 2, 4)]) for kind in BASES},
    **{f"l_max of {kind}": (kind, [{"l_max": l} for l in (0, 1, 2, 4)]) for kind in BASES[1:]},
    **{
        f"species of {kind}": (kind, [{"size": METHANE._replace(species=s)} for s in (1, 2, 3)])
        for kind in (*BASES, "acsf")
    },
    **{f"centres of {kind}": (kind, [{"size": METHANE._replace(centers=c)} for c in (1, 2, 5)]) for kind in KINDS},
    **{f"truncations of {kind}": (kind, [{"points": p} for p in (1, 2, 10)]) for kind in BASES},
    **{
        f"atoms of a whole structure, {kind}": (
            kind,
            [{"size": METHANE._replace(atoms=n, centers=n), "scope": "structure"} for n in (2, 4, 8, 16)],
        )
        for kind in KINDS
    },
    "cutoff in a crystal": (
        "power-spectrum",
        [{"size": METHANE._replace(periodic=True), "cutoff": c} for c in (2.0, 3.0, 4.0)],
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_more_work_takes_more(name):
    kind, steps = MORE[name]
    for less, more in pairwise([total(kind, **step) for step in steps]):
        assert more[0] > less[0]
        assert more[1] >= less[1]


def test_null_values_ask_more_of_theory():
    small, large = (load("power-spectrum", KINDS, "descriptor")(n_max=n, l_max=n) for n in (1, 4))
    deficient, full = (cost.count("power-spectrum", cost.Block(large, d, 2, 2), METHANE).once for d in (small, large))
    assert cost.seconds(deficient) > cost.seconds(full)


def test_theory_grows_with_neighbours_and_order():
    taken = {
        (kind, n): cost.seconds(cost._theory(load(kind, KINDS, "descriptor")(), n, deficient=True))
        for kind in BASES
        for n in (4, 8, 16, 30)
    }
    assert all(taken[kind, n] < taken[kind, m] for kind in BASES for n, m in pairwise((4, 8, 16, 30)))
    assert all(taken[less, n] < taken[more, n] for less, more in pairwise(BASES) for n in (4, 8, 16, 30))
    # Where tuples would not fit into memory, there is no theory.
    assert cost.seconds(cost._theory(load("trispectrum", KINDS, "descriptor")(), 40, deficient=True)) < 1


def test_truncations_cost_less_together_than_alone():
    assert total("power-spectrum", points=10)[0] < 10 * total("power-spectrum", points=1)[0]
