"""Coordinates that are hardly in Å are warned of, once, and those that chemistry knows are not."""

import re
import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from ase.units import Bohr

import nullmode as nm
from nullmode.families import file
from nullmode.geometry.units import warn_of_units

BIG = bulk("Cu", cubic=True) * (4, 4, 4)
STRUCTURES = {
    "CH4": molecule("CH4"),
    "H2": molecule("H2"),
    "water": molecule("H2O"),
    "C6H6": molecule("C6H6"),
    "diamond": bulk("C", "diamond", 3.57),
    "salt": bulk("NaCl", "rocksalt", 5.64),
    "iron": bulk("Fe"),
    "caesium": bulk("Cs"),
    "large": BIG,
    "slab": Atoms(BIG, pbc=(True, True, False)),
}


def scaled(atoms, factor):
    result = atoms.copy()
    result.set_cell(atoms.cell * factor)
    result.positions = atoms.positions * factor
    return result


@pytest.mark.parametrize("name", STRUCTURES)
def test_units_are_recognised(name):
    atoms = STRUCTURES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for factor in (0.9, 1.0, 1.1):
            warn_of_units([scaled(atoms, factor)])
    for factor, unit in ((0.1, "nanometres"), (1 / Bohr, "bohr")):
        with pytest.warns(UserWarning, match=f"coordinates must be in Å, .* They may be in {unit}"):
            warn_of_units([scaled(atoms, factor)])


QUIET = {
    "argon": bulk("Ar", "fcc", 5.26),
    "atom": Atoms("He"),
    "dissociated": Atoms("CH", [[0, 0, 0], [0, 0, 50]]),
    "nothing": Atoms(),
    "wrong cell": Atoms("H", cell=np.zeros((3, 3)), pbc=True),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_says_nothing_of_units_passes(name):
    warn_of_units([QUIET[name]])


def test_one_bond_among_the_structures_is_enough():
    warn_of_units([scaled(molecule("CH4"), 1 / Bohr), molecule("H2O")])


def test_functions_and_files_warn(tmp_path):
    small = scaled(molecule("CH4"), 0.1)
    write(tmp_path / "small.xyz", small)
    soap = nm.RadialSpectrum(n_max=2)
    for call in (
        lambda: nm.environments(small),
        lambda: nm.structure_jacobian(small, soap),
        lambda: list(file.structures(tmp_path / "small.xyz")),
        lambda: list(nm.read_environments(tmp_path / "small.xyz")),
    ):
        with pytest.warns(UserWarning, match=re.escape("0.11 Å (C-H)")):
            call()
