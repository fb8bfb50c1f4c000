"""The page of a verdict: what it shows is what the verdict says, of the frames of the file, in one file."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from cases import rattled
from view_pages import arrows, unpacked

import nullmode as nm
from nullmode.analysis.verdict import figure

SOAP = nm.PowerSpectrum(n_max=3, l_max=2, cutoff=4.0)
HOSTILE = '<img src=x onerror="alert(1)">&\'</script><script>alert(2)</script>'
FRAMES = [rattled(molecule("CH3CH2OH"), 0.05, seed) for seed in range(3)]


class Parsed(HTMLParser):
    """Tags with their attributes, and what stands in cells of tables."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.rows, self.inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag if tag in ("script", "style") else self.inside
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = "cell"

    def handle_endtag(self, tag):
        if tag in ("script", "style", "td", "th"):
            self.inside = ""

    def handle_data(self, data):
        if self.inside == "cell":
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "page.html"
    found = nm.write_report(FRAMES, SOAP, path, frames=[4, 7, 10], name=HOSTILE)
    return found, path.read_text(encoding="utf-8")


def test_page_says_what_the_verdict_says(written):
    found, page = written
    text = unescape(page)
    for sentence in (found.descriptor, found.finding, found.advice, *found.notes):
        assert sentence in text
    rows = Parsed(page).rows
    for section in found.sections():
        assert [str(name) for name in section.table.columns] in rows
        for row in section.table.to_numpy().tolist():
            assert [str(value) for value in row] in rows
        assert [sentence for sentence in section.sentences if sentence not in text] == []
    assert str(found) == str(nm.verdict(FRAMES, SOAP, frames=[4, 7, 10]))


def test_rows_and_structures_are_those_of_the_file(written):
    found, page = written
    entries = json.loads(unpacked(page, "entries"))
    where = [
        f"frame {frame}, atom {atom} ({species})"
        for frame, atom, species in zip(found.worst["frame"], found.worst["atom"], found.worst["center"], strict=True)
    ]
    assert set(found.worst["frame"]) <= {4, 7, 10}
    assert [entry["where"] for entry in entries] == where
    # The atoms that are drawn are those of that frame, around that atom; its arrows are of its modes.
    data = json.loads(unpacked(page, "dataset"))
    for drawn, frame, atom in zip(data["structures"], found.worst["frame"], found.worst["atom"], strict=True):
        positions = FRAMES[[4, 7, 10].index(frame)].positions
        expected = positions - positions[atom]
        shown = np.array([drawn["x"], drawn["y"], drawn["z"]]).T
        assert np.abs(shown[:, None] - expected).sum(axis=2).min(axis=1) == pytest.approx(0, abs=1e-5)
    for vectors, entry in zip(arrows(data, entries[0]["modes"][0]["shape"])[0], entries, strict=True):
        assert np.isfinite(vectors).any() == (entries[0]["modes"][0]["shape"] in {m["shape"] for m in entry["modes"]})


def test_page_needs_no_network_and_takes_no_text_for_html(written):
    _, page = written
    parsed = Parsed(page)
    for _, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "data", "action", "onerror"):
            assert attributes.get(name, "data:").startswith("data:")
    assert {"link", "iframe", "object", "base"}.isdisjoint(tag for tag, _ in parsed.tags)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    assert "<img src=x" not in page.lower()
    assert "<script>alert" not in page
    assert f"What the descriptor does not see: {HOSTILE}" in unescape(page)
    images = [attributes for tag, attributes in parsed.tags if tag == "img"]
    assert len(images) == len(figure.draw(written[0])) >= 2
    assert all(len(image["alt"]) > 20 for image in images)


def test_equal_input_gives_equal_bytes(written, tmp_path):
    nm.write_report(FRAMES, SOAP, tmp_path / "again.html", frames=[4, 7, 10], name=HOSTILE)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == written[1]


def test_distributions_hold_every_row_once(written):
    found, _ = written
    rows = nm.analyze(FRAMES, SOAP, attribution=True)
    ratios = found.distributions[found.distributions["quantity"] == "ratio"]
    for species, own in rows.groupby("center_species"):
        bins = ratios[ratios["center"] == species]
        assert bins["count"].sum() == len(own)
        null = own["n_dof"] - own["rank"] - own["null_symmetry"] > 0
        assert bins.loc[bins["high"] == 0, "count"].sum() == null.sum()
        values = own.loc[~null, "inverse_condition_number"].to_numpy(float)
        for low, high, count in bins.loc[bins["high"] > 0, ["low", "high", "count"]].to_numpy():
            assert np.count_nonzero((values >= low) & (values < high)) == count
    measured = found.distributions[found.distributions["quantity"] == "resolution"]
    assert (
        measured.groupby("center")["count"].sum().to_dict() == found.centers.set_index("center")["n_measured"].to_dict()
    )


def test_structures_that_are_not_analysed_still_give_a_page(tmp_path):
    found = nm.write_report(FRAMES[:1], SOAP, tmp_path / "page.html", rtol=1e-17)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not found.ok
    assert found.finding in unescape(page)
    assert 'id="viewer"' not in page


@pytest.mark.parametrize("frames", [[1, 2], [1, 1, 2], []])
def test_frames_must_be_one_for_each_structure(tmp_path, frames):
    with pytest.raises(nm.InputError, match="`frames` must be 3 different numbers"):
        nm.write_report(FRAMES, SOAP, tmp_path / "page.html", frames=frames)
    assert not list(tmp_path.iterdir())


def test_a_page_shows_modes_below_the_bound_of_the_verdict(tmp_path):
    """The softest value of this water is 0.02 of the largest."""
    water = rattled(molecule("H2O"), 0.05)
    large = nm.PowerSpectrum(n_max=8, l_max=8)
    [ratio] = nm.analyze(water, large, centers="O")["inverse_condition_number"]
    for soft, label in ((1.5 * ratio, "soft"), (0.5 * ratio, "softest")):
        nm.write_report(water, large, tmp_path / "page.html", centers="O", soft=soft)
        [entry] = json.loads(unpacked((tmp_path / "page.html").read_text(encoding="utf-8"), "entries"))
        assert entry["modes"][0]["label"].split(":")[0] == label


def test_only_a_report_is_replaced(tmp_path, monkeypatch):
    atom = Atoms("OH2", [[0, 0, 0], [0, 0.1, 1], [1, 0, 0]])
    nm.write_view(atom, SOAP, tmp_path / "view.html")
    (tmp_path / "notes.html").write_text("mine")
    nm.write_report(atom, SOAP, tmp_path / "page.html")
    nm.write_report(atom, SOAP, tmp_path / "page.html")
    monkeypatch.setattr("nullmode.views.verdict_page.verdict", lambda *_, **__: pytest.fail("work was done"))
    for name, message in {
        "view.html": "of another kind",
        "notes.html": "of another kind",
        "page.htm": "must end in .html",
        "page": "must end in .html",
    }.items():
        with pytest.raises(nm.InputError, match=message):
            nm.write_report(atom, SOAP, tmp_path / name)
    monkeypatch.setitem(__import__("sys").modules, "chemiscope", None)
    with pytest.raises(nm.InputError, match="pip install chemiscope"):
        nm.write_report(atom, SOAP, tmp_path / "new.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.html", "page.html", "view.html"]
