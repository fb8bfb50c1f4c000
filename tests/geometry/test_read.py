"""What a file holds is refused with its place: the frame as the file counts, the atom, the symbol."""

import numpy as np
import pytest
from ase.build import molecule

import nullmode as nm
from nullmode.families import file

GOOD = "2\n\nC 0 0 0\nO 0 0 1.1\n"
SYMBOLS = {
    "D": "got 'D' at atom 1 of frame 1 of .*Write H.",
    "T": "got 'T' at atom 1 of frame 1 of .*Write H.",
    "O1": "got 'O1' at atom 1 of frame 1 of .*Write O.",
    "o1": "got 'O1' at atom 1 of frame 1 of .*Write O.",
    "Na+": "got 'Na\\+' at atom 1 of frame 1 of .*Write Na.",
    "8": "got '8' at atom 1 of frame 1 of .*Write O, or",
    "Qq": "got 'Qq' at atom 1 of frame 1 of ",
    "X": r"numbers` must be chemical symbols .* got the placeholder X \(0\) at index 1",
}


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("ending", ["xyz", "extxyz"])
def test_symbols_that_are_no_elements_are_named(tmp_path, symbol, ending):
    path = tmp_path / f"a.{ending}"
    path.write_text(GOOD + GOOD.replace("O 0", f"{symbol} 0"))
    for read in (lambda *of, **which: nm.environments(list(file.structures(*of, **which))), nm.read_environments):
        with pytest.raises(nm.InputError, match=SYMBOLS[symbol]):
            list(read(path))
        assert len(list(read(path, index=":1"))) in (1, 2)


def test_symbols_in_other_formats_are_named_by_their_line(tmp_path):
    path = tmp_path / "POSCAR"
    path.write_text("x\n1.0\n4 0 0\n0 4 0\n0 0 4\nH D\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    with pytest.raises(nm.InputError, match=r"got 'D' at line 6 of .*Write H"):
        list(file.structures(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": np.zeros((3, 3)), "pbc": True}, "none along a, b, c. Give the cell, or set pbc to false"),
        ({"cell": [5, 5, 0], "pbc": True}, "none along c. .* set pbc to false"),
        ({"cell": [0, 5, 5], "pbc": [True, False, False]}, "none along a. .* set pbc to false"),
        ({"cell": [[5, 0, 0], [5, 0, 0], [0, 0, 5]], "pbc": True}, "independent vectors .* set pbc to false"),
        ({"cell": [5, 5, 1e-3], "pbc": True}, "at least 0.1 Å high .* got 1.0e-03 Å"),
        ({"positions": np.full((5, 3), np.nan)}, "positions` must be finite, got nan in row 0"),
    ],
)
def test_impossible_cells_are_refused(change, message):
    atoms = molecule("CH4")
    bad = atoms.copy()
    for name, value in change.items():
        bad.set_cell(value) if name == "cell" else setattr(bad, name, value)
    with pytest.raises(nm.InputError, match=rf"`atoms\[1\].*{message}"):
        nm.environments([atoms, bad])
