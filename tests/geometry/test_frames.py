"""A bad frame of a file is named by its own number, whichever frames were asked for and however they are read."""

import pytest
from ase import Atoms
from ase.io import write

import nullmode as nm
from nullmode.cli import options
from nullmode.sweep.structures import make_structures

# Two atoms of frame 70 are at one place.
SELECTIONS = [":", "64:", "60:90:5", "-40:-20", "::-1"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("frames") / "many.xyz"
    write(file, [Atoms("HH", [[0, 0, 0], [0, 0, 0 if k == 70 else 0.7 + k / 1e3]]) for k in range(100)])
    return file


@pytest.mark.parametrize("index", SELECTIONS)
def test_bad_frames_are_named_by_their_number_in_the_file(path, index):
    choice = options.DescriptorChoice("power-spectrum", {}, nm.PowerSpectrum())
    with pytest.raises(nm.InputError, match=rf"`frame 70 of {path}.positions` must be distinct"):
        options.read_environments(path, choice, None, index, "refuse")
    with pytest.raises(nm.InputError, match=rf"`frame 70 of {path}.positions` must be distinct"):
        list(nm.read_environments(path, index=index))
    with pytest.raises(nm.InputError, match="That is frame 70 of the family many"):
        make_structures("file", {"path": str(path), "index": index}, "many")
    made = make_structures("file", {"path": str(path), "index": index}, "many", "skip")
    assert made.loc[made["defect"].notna(), "frame"].tolist() == [70]
