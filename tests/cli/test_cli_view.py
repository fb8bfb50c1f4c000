"""The command nullmode view."""

import json

from ase.build import molecule
from ase.io import write
from cases import rattled
from view_pages import unpacked
from wholes import in_box


def test_command_shows_frames_by_their_numbers(nullmode, tmp_path):
    write(tmp_path / "water.xyz", [in_box(rattled(molecule("H2O"), 0.05, seed)) for seed in range(5)])
    arguments = ["--index", "1::2", "--n-max", "3", "--l-max", "2", "--out", tmp_path / "view.html"]
    for scope, count in {"environment": 6, "structure": 2, "potential": 2}.items():
        code, out, err = nullmode("view", tmp_path / "water.xyz", "--scope", scope, *arguments)
        assert code == 0, err
        assert f"{count} {'environments' if count == 6 else 'structures'} written to" in out
        assert "modes" in err  # the second bar
        page = (tmp_path / "view.html").read_text(encoding="utf-8")
        entries = json.loads(unpacked(page, "entries"))
        assert [entry["where"].split(",")[0] for entry in entries][:: count // 2] == ["frame 1", "frame 3"]
