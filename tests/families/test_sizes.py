from importlib import import_module

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from variant_cases import FAMILIES, made

from nullmode import families
from nullmode._support.variants import load, validated
from nullmode.families._base import FamilySize

# Corrected steps are shortened where an orbit bends, so its size is exact for fixed ones alone.
FIXED = {"t": [1.0, 0.5], "n_max": 4, "l_max": 4, "scheme": "fixed_step", "length": 0.1, "every": 3}
CASES = [
    *(FAMILIES | {"quasi_constant_orbit": FIXED}).items(),
    ("methane_distortion", {"paths": ["noise", "twist"], "samples": 3, "noise": [-3, -2]}),
    ("degenerate_pair", {"u": [0.7, 0.8], "v": [0.0], "signs": [1]}),
    ("mode_displacement", {"modes": ["softest"], "n_max": 4, "l_max": 4, "amplitudes": [-3, -2]}),
    ("twofold_pair", {"gamma": [100, 120], "phi": [10, 20, 30], "signs": [1]}),
    ("twofold_point", {"theta": [40, 50], "r_c": [1.0, 1.1, 1.2]}),
    ("cone_point", {"theta": [60], "phi_2": [70, 80]}),
    ("integer_pair", {"c": [1], "scale": [0.25, 0.5], "signs": [1]}),
    ("homometric_set", {"a": [30, 40], "members": [0, 1]}),
    ("ring_pair", {"psi": [10, 20], "shift": [0, 5, 6], "azimuths": [0, 50, 115, 212], "signs": [-1]}),
    ("point_groups", {"names": ["Td", "X"]}),
    ("cutoff_approach", {"distances": [0.1, 0.01], "n_structures": 3}),
    ("thermal_crystal", {"crystals": ["Si", "NaCl"], "temperatures": [100, 300], "samples": 2, "n_centers": 5}),
    ("file", {"path": "all.extxyz"}),
    ("file", {"path": "all.extxyz", "index": "1:3"}),
    ("file", {"path": "all.extxyz", "index": "-1"}),
    ("file", {"path": "all.extxyz", "centers": "H"}),
    ("file", {"path": "all.extxyz", "centers": [0]}),
    ("file", {"path": "plain.xyz", "centers": ["C", 1]}),
]


def size_of(kind, **parameters):
    target = load(kind, families.FAMILIES, "family")
    return target.size(**validated(target, parameters, kind))


def structures_of(kind, **parameters):
    return made(kind, **validated(load(kind, families.FAMILIES, "family"), parameters, kind))


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_families_tell_what_they_hold(kind, parameters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    molecules = [molecule(name) for name in ("CH4", "H2O", "C6H6", "CH3OH")]
    ase.io.write("all.extxyz", molecules)
    ase.io.write("plain.xyz", molecules, format="xyz")
    size, structures = size_of(kind, **parameters), structures_of(kind, **parameters)
    assert size.structures == len(structures)
    if parameters.get("index", ":") == ":":  # the size of a selection has the means of the whole file
        assert size.atoms == pytest.approx(np.mean([len(atoms) for atoms in structures]))
        centers = [atoms.info.get("centers", range(len(atoms))) for atoms in structures]
        assert size.centers == pytest.approx(np.mean([len(indices) for indices in centers]))
    if kind != "file":  # the species of a file are those of all its atoms
        pairs = [(atoms, k) for atoms in structures for k in range(len(atoms)) if atoms.info.get("centers") != [k]]
        assert size.species == len({atoms.symbols[k] for atoms, k in pairs})
        assert size.periodic == structures[0].pbc.all()


def test_long_files_are_estimated_from_their_beginning(tmp_path):
    path = tmp_path / "long.xyz"
    ase.io.write(path, [molecule("CH3CH2OH")] * 5000)
    size = size_of("file", path=path, centers="C")
    assert path.stat().st_size > 1.5 * 2**20
    assert size.structures == pytest.approx(5000, rel=1e-3)
    assert size[1:] == FamilySize(structures=5000, atoms=9, centers=2, species=3)[1:]


def test_a_cutoff_in_a_crystal_holds_more_than_its_cell(tmp_path):
    ase.io.write(tmp_path / "salt.extxyz", bulk("NaCl", "rocksalt", 5.64))
    crystal = size_of("file", path=tmp_path / "salt.extxyz")
    assert crystal.periodic
    assert crystal.neighbours(5.0) > crystal.neighbours(4.0) > crystal.atoms
    assert crystal._replace(periodic=False).neighbours(4.0) == crystal.atoms - 1


@pytest.mark.parametrize("text", ["", "\n", "no number\n", "3\nshort\nH 0 0 0\n", "-1\nx\n", "1\nx\n\n"])
def test_what_is_no_file_of_structures_tells_nothing(tmp_path, text):
    (tmp_path / "bad.xyz").write_text(text)
    assert size_of("file", path=tmp_path / "bad.xyz") is None


@pytest.mark.parametrize("count", [3, 50000])
@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_compressed_files_are_estimated_too(tmp_path, suffix, count):
    path = tmp_path / f"packed.extxyz.{suffix}"
    with import_module({"xz": "lzma", "gz": "gzip"}.get(suffix, suffix)).open(path, "wt") as file:
        file.write("3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n" * count)
    size = size_of("file", path=path, centers="O")
    assert size.structures == pytest.approx(count, rel=0.5 if count > 3 else 0)
    assert size[1:] == FamilySize(structures=count, atoms=3, centers=1, species=2)[1:]
    path.write_bytes(path.read_bytes()[:20])
    assert size_of("file", path=path) is None


@pytest.mark.parametrize("suffix", ["cif", "vasp", "db"])
def test_other_formats_tell_nothing(tmp_path, suffix):
    ase.io.write(tmp_path / f"one.{suffix}", Atoms("H", cell=[3, 3, 3], pbc=True))
    assert size_of("file", path=tmp_path / f"one.{suffix}") is None
