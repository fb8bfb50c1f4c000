"""Views: chemiscope's dataset of environments says what the table says, and its arrows are the modes."""

import builtins
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner
from view_pages import arrows, unpacked

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
from nullmode.views.displayed import DisplayedEnvironment

SOAP = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=4.0, cutoff_width=0.5, width=0.3)
NAMES = ["Td", "C3v", "C1", "X"]


def environments():
    frame = structures.make_structures("point_groups", {"names": NAMES}, "groups")
    return cut(atoms_of(frame)[0], 4.0, atoms_of(frame)[1])


def rows(envs, descriptor=SOAP):
    table = nm.analyze(envs, descriptor, attribution=True).assign(rtol=1e-9, family="groups", name=NAMES[: len(envs)])
    return table.assign(t=np.arange(len(table)) / 7)


def shown(envs, descriptor=SOAP):
    return [DisplayedEnvironment(each, descriptor) for each in envs]


def made(descriptor=SOAP):
    envs = environments()
    return make_dataset(rows(envs, descriptor), shown(envs, descriptor), "Groups")


def dataset(descriptor=SOAP):
    return made(descriptor).chemiscope


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
    assert list(data["shapes"]) == [*(f"null_{k}" for k in range(1, 9)), "soft_1", "centre"]
    checked = 0
    for index, environment in enumerate(environments()):
        modes = [(group.cause, mode) for group in split_null_modes(environment, SOAP) for mode in group.modes]
        for k in range(8):
            vectors, colours = arrows(data, f"null_{k + 1}")
            if k < len(modes):
                cause, mode = modes[k]
                seen = np.nan_to_num(vectors[index][1:])
                # Arrows are rounded to 1e-4 Å, and atoms that hardly move have none.
                assert np.allclose(seen / np.linalg.norm(seen), mode, atol=0.03)
                largest = np.abs(mode) > 0.1 * np.abs(mode).max()
                assert np.allclose((seen / np.linalg.norm(seen))[largest], mode[largest], rtol=2e-3)
                assert np.linalg.norm(seen, axis=1).max() == pytest.approx(0.8, abs=1e-3)
                assert colours[index] == {CAUSES[cause]}
                checked += 1
            else:
                assert np.isnan(vectors[index]).all()
    assert checked == 8 + 6 + 1


def test_softest_mode_is_shown_where_none_is_null():
    data = dataset()
    vectors, colours = arrows(data, "soft_1")
    environment = environments()[2]
    softest = nm.sensitivity(SOAP.compute_with_jacobian(environment)[1], environment).modes[-1]
    seen = np.nan_to_num(vectors[2][1:])
    assert np.allclose(seen / np.linalg.norm(seen), softest, atol=2e-3)
    assert colours[2] == {COLOURS["softest"]}
    assert data["properties"]["arrows soft_1"]["values"] == ["none", "none", "softest", "soft: body order"]
    assert all(np.isnan(vectors[index]).all() for index in (0, 1))


def test_arrows_are_on_and_named():
    data = dataset()
    assert data["settings"]["structure"] == [{"shape": "null_1,centre", "unitCell": True}]
    named = data["properties"]["arrows null_1"]["values"]
    assert named[2] == "none"
    assert named[3] == "body order"
    assert named[0].startswith("symmetry ")


def test_entries_say_where_they_are_from_what_is_seen_and_why():
    result = made()
    where = [entry["where"] for entry in result.entries]
    assert where == [f"groups {name}, structure {k}, atom 0 (C)" for k, name in enumerate(NAMES)]
    seen = [entry["seen"] for entry in result.entries]
    assert seen[0] == "1 of 9 displacements seen, 8 null: 8 by symmetry; point group Td"
    assert seen[2] == "9 of 9 displacements seen, none null; point group C1"
    assert seen[3] == "8 of 9 displacements seen, 1 null: 1 by body order; point group C1"
    labels = [[mode["label"] for mode in entry["modes"]] for entry in result.entries]
    assert [len(each) for each in labels] == [8, 6, 1, 2]
    assert labels[2:] == [["softest"], ["body order", "soft: body order"]]
    assert [entry["further"] for entry in result.entries] == [0] * 4
    assert [text.split(" (")[0] for text in result.legend] == [
        "null by symmetry",
        "null by body order",
        "soft",
        "the softest",
    ]


def test_soft_modes_have_their_values_and_causes():
    envs = nm.environments(rattled_copper(), 3.0, [0, 5])
    small = nm.PowerSpectrum(n_max=4, l_max=3, cutoff=3.0)
    result = make_dataset(nm.analyze(envs, small, attribution=True).assign(rtol=1e-9), shown(envs, small), "copper")
    words = {"incompleteness": "body order"}
    for environment, entry in zip(envs, result.entries, strict=True):
        expected = nm.explain_near_null(environment, small)[::-1][:6]
        listed = [mode for mode in entry["modes"] if mode["shape"].startswith("soft_")]
        assert [mode["ratio"] for mode in listed] == [f"{mode.ratio:.1e}" for mode in expected]
        assert len(listed) == 6
        for mode, explained in zip(listed, expected, strict=True):
            causes = [] if explained.cause == "none" else [words.get(name, name) for name in explained.strongest]
            causes = [f"near {explained.symmetric_group}" if name == "symmetry" else name for name in causes]
            assert mode["label"] == ": ".join(filter(None, ("soft", " or ".join(causes))))
    assert {mode["label"] for entry in result.entries for mode in entry["modes"]} > {"soft: truncation"}


def rattled_copper():
    from ase.build import bulk

    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=3)
    return atoms


# Rank and singular values of each of three environments.
SPECTRA = {
    "null values": [(3, [1, 0.5, 0.2]), (2, [1, 0.5, 0]), (3, [1, 0.5, 0.2])],
    "soft values": [(3, [1, 0.5, 0.2]), (3, [1, 0.5, 1e-3]), (3, [1, 2e-3, 1e-3])],
    "log10 s_r/s_1": [(3, [1, 0.5, 0.2]), (3, [1, 0.5, 0.3]), (3, [1, 0.5, 0.4])],
}


@pytest.mark.parametrize("name", SPECTRA)
def test_colours_of_the_map_tell_what_differs(name):
    envs = [environments()[2]] * 3
    ranks, values = zip(*SPECTRA[name], strict=True)
    table = nm.analyze(envs, SOAP, attribution=True).assign(rtol=1e-9, n_dof=3, rank=ranks)
    table["singular_values"] = [np.array(each) for each in values]
    table["inverse_condition_number"] = [each[-1] / each[0] for each in values]
    settings = make_dataset(table, shown(envs), "map").chemiscope["settings"]["map"]
    assert settings["color"] == {"property": name}
    assert settings["y"] == {"property": "log10 s_d/s_1"}


def test_the_centre_is_marked_once_at_the_origin():
    mark = dataset()["shapes"]["centre"]
    assert mark["kind"] == "custom"
    assert set(mark["parameters"]) == {"global"}
    rings = np.array(mark["parameters"]["global"]["vertices"])
    assert np.allclose(rings.mean(axis=0), 0, atol=1e-3)
    assert np.ptp(np.linalg.norm(rings, axis=1)) < 0.08


def test_no_centre_moves_and_no_arrow_is_without_length():
    # chemiscope makes not-a-numbers of these.
    shapes = dataset()["shapes"]
    for atoms in (shapes[name]["parameters"]["atom"] for name in shapes if name != "centre"):
        assert all(np.linalg.norm(atom["vector"]) > 1e-9 for atom in atoms)
        assert all("color" not in atom for atom in atoms[::5])


def test_many_null_modes_are_cut_off():
    envs = [nm.Environment.from_vectors(np.random.default_rng(1).normal(size=(12, 3)) + [0, 0, 2])]
    few = nm.RadialSpectrum(n_max=2, cutoff=6.0)
    table = nm.analyze(envs, few, attribution=True).assign(rtol=1e-9)
    assert table["n_dof"][0] - table["rank"][0] > 12
    result = make_dataset(table, shown(envs, few), "few")
    named = [name for name in result.chemiscope["shapes"] if name.startswith("null_")]
    assert named == [f"null_{k}" for k in range(1, 13)]
    assert result.entries[0]["further"] == table["n_dof"][0] - table["rank"][0] - 12


def test_centre_without_neighbours_is_shown_alone():
    from ase import Atoms

    envs = nm.environments(Atoms("CH4Ar", [[0, 0, 0], *environments()[0].vectors, [30, 0, 0]]), 4.0, ["C", "Ar"])
    table = nm.analyze(envs, SOAP, attribution=True).assign(rtol=1e-9)
    data = make_dataset(table, shown(envs), "alone").chemiscope
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
    chosen, about = view.chosen(table, {"random": frame}, 3)
    assert chosen["structure"].tolist() == [0, 5, 10]
    assert [number for _, number in about] == [0, 5, 10]
    every, about = view.chosen(table, {"random": frame}, 50)
    assert every["structure"].tolist() == list(range(11))
    for (atoms, number), positions in zip(about, frame["positions"], strict=True):
        environment = view.displayed(atoms, number, 0, SOAP, "environment").environment
        assert np.allclose(environment.vectors, np.reshape(positions, (-1, 3))[1:])


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
    view.write_rows(rows(envs), shown(envs), tmp_path / "view.html", "groups", {"view": "a</script>b"})
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
