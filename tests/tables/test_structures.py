"""Structures survive the way into rows of a table and back."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from nullmode.tables.structures import atoms_of, row_of

CASES = {
    "molecule": Atoms("OH2", [[0, 0, 0], [0.8, 0.6, 0], [-0.8, 0.6, 0]]),
    "crystal": Atoms("NaCl", [[0, 0, 0], [2.8, 0, 0]], cell=[[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]], pbc=True),
    "rod": Atoms("C2", [[0, 0, 0], [0, 0, 1.3]], cell=[0, 0, 2.6], pbc=[False, False, True]),
    "chosen centres": Atoms("CO2", np.eye(3), info={"centers": [2, 0]}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_structure_comes_back_as_it_was(name):
    expected = CASES[name]
    [atoms], [centers] = atoms_of(pd.DataFrame([row_of(expected, 3)]))
    assert atoms == expected
    np.testing.assert_array_equal(atoms.cell, expected.cell)
    assert centers.tolist() == expected.info.get("centers", [0, 1, 2][: len(expected)])
    assert row_of(expected, 3)["structure"] == 3
