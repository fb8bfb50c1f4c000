"""Views: chemiscope's dataset of environments says what the table says, and its arrows are the modes."""

import base64
import builtins
import gzip
import itertools
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import nullmode as nm
from nullmode._support.types import InputError
from nullmode.attribution.null_modes import split_null_modes
from nullmode.cli.main import app
from nullmode.figures._base import CAUSES
from nullmode.geometry.cut import cut
from nullmode.sweep import structures
from nullmode.tables import stamp
from nullmode.tables.structures import atoms_of
from nullmode.views import view
from nullmode.views.chemiscope_dataset import COLOURS, make_dataset

SOAP = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=4.0, cutoff_width=0.5, width=0.3)
NAMES = ["Td", "C3v", "C1", "X"]


def environments():
    frame = structures.make_structures("point_groups", {"names": NAMES}, "groups")
    return cut(atoms_of(frame)[0], 4.0, atoms_of(frame)[1])


def rows(envs, descriptor=SOAP):
    table = nm.analyze(envs, descriptor, attribution=True).assign(rtol=1e-9, family="groups", name=NAMES[: len(envs)])
    return table.assign(t=np.arange(len(table)) / 7)


def dataset(descriptor=SOAP):
    envs = environments()
    return make_dataset(rows(envs, descriptor), envs, [descriptor] * len(envs), "Groups")


def arrows(data, shape):
    """Vectors and colours of a shape, for each structure; NaN where there is no arrow."""
    sizes = np.cumsum([0, *(structure["size"] for structure in data["structures"])])
    atoms = data["shapes"][shape]["parameters"]["atom"]
    vectors = np.array([atom["vector"] if "color" in atom else [np.nan] * 3 for atom in atoms])
    colours = [{atom["color"] for atom in atoms[a:b] if "color" in atom} for a, b in itertools.pairwise(sizes)]
    return [vectors[a:b] for a, b in itertools.pairwise(sizes)], colours


def test_structures_are_the_environments():
    data = dataset()
    for environment, shown in zip(environments(), data["structures"], strict=True):
        positions = np.stack([shown["x"], shown["y"], shown["z"]], axis=1)
        assert (positions[0] == 0).all()
        assert (positions[1:] == environment.vectors).all()
        assert shown["names"] == ["C", "H", "H", "H", "H"]


def test_properties_are_the_rows():
    data, table = dataset(), rows(environments())
    values = {name: entry["values"] for name, entry in data["properties"].items()}
    assert values["name"] == NAMES
    assert values["family"] == ["groups"] * 4
    assert values["t"] == table["t"].tolist()
    assert values["rank"] == table["rank"].tolist() == [1, 3, 9, 8]
    assert values["null values"] == [8, 6, 0, 1]
    assert values["null_symmetry"] == [8, 6, 0, 0]
    assert values["null_incompleteness"] == [0, 0, 0, 1]
    assert values["point_group"] == ["Td", "C3v", "C1", "C1"]
    expected = np.log10(table["inverse_condition_number"][2])
    assert values["log10 s_d/s_1"][2] == pytest.approx(expected, rel=1e-14)
    spectra = np.array(values["log10 s_k/s_1"])
    assert spectra.shape == (4, 9)
    assert (spectra[:, 0] == 0).all()
    assert spectra[2, -1] == pytest.approx(expected, rel=1e-14)
    assert all(entry["target"] == "structure" for entry in data["properties"].values())


def test_arrows_are_the_null_modes():
    data = dataset()
    assert list(data["shapes"]) == [*(f"null_{k}" for k in range(1, 9)), "softest"]
    checked = 0
    for index, environment in enumerate(environments()):
        modes = [(group.cause, mode) for group in split_null_modes(environment, SOAP) for mode in group.modes]
        for k in range(8):
            vectors, colours = arrows(data, f"null_{k + 1}")
            if k < len(modes):
                cause, mode = modes[k]
                seen = np.nan_to_num(vectors[index][1:])
                assert np.allclose(seen / np.linalg.norm(seen), mode, atol=1e-12)
                assert np.linalg.norm(seen, axis=1).max() == pytest.approx(0.8)
                assert colours[index] == {CAUSES[cause]}
                checked += 1
            else:
                assert np.isnan(vectors[index]).all()
    assert checked == 8 + 6 + 1


def test_softest_mode_is_shown_where_none_is_null():
    data = dataset()
    vectors, _ = arrows(data, "softest")
    environment = environments()[2]
    softest = nm.sensitivity(SOAP.compute_with_jacobian(environment)[1], environment).modes[-1]
    assert np.allclose(vectors[2][1:] / np.linalg.norm(vectors[2][1:]), softest, atol=1e-12)
    assert all(np.isnan(vectors[index]).all() for index in (0, 1, 3))


def test_arrows_are_on_and_named():
    data = dataset()
    assert data["settings"]["structure"] == [{"shape": "null_1,softest"}]
    named = data["properties"]["arrows null_1"]["values"]
    assert named[2] == "none"
    assert named[3].startswith("incompleteness")
    assert named[0].startswith("symmetry ")


def test_no_centre_moves_and_no_arrow_is_without_length():
    # chemiscope makes not-a-numbers of these.
    for shape in dataset()["shapes"].values():
        atoms = shape["parameters"]["atom"]
        assert all(np.linalg.norm(atom["vector"]) > 1e-9 for atom in atoms)
        assert all("color" not in atom for atom in atoms[::5])


def test_many_null_modes_are_cut_off():
    envs = [nm.Environment.from_vectors(np.random.default_rng(1).normal(size=(12, 3)) + [0, 0, 2])]
    few = nm.RadialSpectrum(n_max=2, cutoff=6.0)
    table = nm.analyze(envs, few, attribution=True).assign(rtol=1e-9)
    assert table["n_dof"][0] - table["rank"][0] > 12
    assert list(make_dataset(table, envs, [few] * len(envs), "few")["shapes"]) == [f"null_{k}" for k in range(1, 13)]


def test_centre_without_neighbours_is_shown_alone():
    from ase import Atoms

    envs = nm.environments(Atoms("CH4Ar", [[0, 0, 0], *environments()[0].vectors, [30, 0, 0]]), 4.0, ["C", "Ar"])
    table = nm.analyze(envs, SOAP, attribution=True).assign(rtol=1e-9)
    data = make_dataset(table, envs, [SOAP] * len(envs), "alone")
    assert [structure["size"] for structure in data["structures"]] == [5, 1]
    assert np.isnan(data["properties"]["log10 s_d/s_1"]["values"][1])


@pytest.mark.parametrize("count", [1, 2])
def test_centres_without_any_neighbours_are_shown(tmp_path, count):
    alone = nm.Environment.from_vectors(np.zeros((0, 3)))
    nm.write_view([alone] * count, SOAP, tmp_path / "view.html")
    held = json.loads(unpacked((tmp_path / "view.html").read_text(encoding="utf-8"), "dataset"))
    assert [structure["size"] for structure in held["structures"]] == [1] * count


def test_rows_are_chosen_evenly():
    frame = structures.make_structures("random_methane", {"n_structures": 11}, "random")
    table = nm.analyze(atoms_of(frame)[0], SOAP, centers="C", attribution=True).assign(family="random", rtol=1e-9)
    chosen, envs = view.chosen(table, {"random": frame}, 4.0, 3)
    assert chosen["structure"].tolist() == [0, 5, 10]
    assert [entry.structure for entry in envs] == [0, 5, 10]
    every, envs = view.chosen(table, {"random": frame}, 4.0, 50)
    assert every["structure"].tolist() == list(range(11))
    for environment, positions in zip(envs, frame["positions"], strict=True):
        assert np.allclose(environment.vectors, np.reshape(positions, (-1, 3))[1:])


def unpacked(page, name):
    packed = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.DOTALL)[1]
    return gzip.decompress(base64.b64decode(packed)).decode()


@pytest.fixture
def page(tmp_path):
    nm.write_view(environments(), SOAP, tmp_path / "view.html", name="<Groups>")
    return (tmp_path / "view.html").read_text(encoding="utf-8")


def test_page_holds_all_that_it_shows(page):
    # Nothing is loaded: no source, no style sheet, no address outside the packed viewer.
    assert not re.search(r"https?://|src=|<link|@import|url\(", page)
    assert "&lt;Groups&gt;" in page
    held = json.loads(unpacked(page, "dataset"))
    expected = dataset()
    assert held["structures"] == expected["structures"]
    assert held["shapes"] == expected["shapes"]
    assert "Chemiscope" in unpacked(page, "viewer")
    assert len(page) < 1.5e6  # as a page within a report it stays blank from 2 MB of base64 on


def test_same_view_is_the_same_bytes(page, tmp_path):
    nm.write_view(environments(), SOAP, tmp_path / "again.html", name="<Groups>")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_page_says_what_it_follows_from(tmp_path):
    envs = environments()
    view.write_rows(rows(envs), envs, [SOAP] * len(envs), tmp_path / "view.html", "groups", {"view": "a</script>b"})
    content = stamp.read(tmp_path / "view.html")
    assert content["view"] == "a</script>b"
    assert "nullmode" in content["versions"]


def test_missing_chemiscope_is_named_before_anything_is_computed(monkeypatch, tmp_path):
    original = builtins.__import__

    def without(name, *arguments):
        if name == "chemiscope":
            raise ModuleNotFoundError("No module named 'chemiscope'")
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"-m pip install chemiscope$"):
        nm.write_view([], SOAP, tmp_path / "view.html")


def test_command_writes_a_page_of_a_users_file(tmp_path):
    from ase.build import molecule
    from ase.io import write

    write(tmp_path / "two.xyz", [molecule("H2O"), molecule("CH4")])
    out = tmp_path / "view.html"
    result = CliRunner().invoke(app, ["view", str(tmp_path / "two.xyz"), "--centers", "O,C", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "2 environments written to" in result.output
    held = json.loads(unpacked(out.read_text(encoding="utf-8"), "dataset"))
    assert held["meta"]["name"] == "two.xyz"
    assert held["properties"]["center_species"]["values"] == ["O", "C"]
    assert held["properties"]["rank"]["values"] == [2, 1]


def test_every_kind_of_arrow_has_a_colour_of_its_own():
    assert len(set(COLOURS.values())) == len(COLOURS)
