"""The command nullmode analyze --report."""

import json
import shlex
from html import unescape

import pytest
from ase.build import molecule
from ase.io import write
from cases import rattled
from view_pages import unpacked

SMALL = ["--n-max", "3", "--l-max", "2"]
HOSTILE = "<img src=x onerror=alert(1)>'.xyz"


@pytest.fixture
def water(tmp_path):
    path = tmp_path / HOSTILE
    write(path, [rattled(molecule("H2O"), 0.05, seed) for seed in range(6)])
    return path


@pytest.mark.parametrize("scope", ["environment", "structure", "potential"])
def test_page_has_the_verdict_of_the_command_and_frames_of_the_file(nullmode, water, scope):
    arguments = [
        "analyze",
        water.name,
        "--scope",
        scope,
        "--index",
        "1::2",
        "--centers",
        "O,H",
        *SMALL,
        "--no-progress",
    ]
    code, out, err = nullmode(*arguments, "--report", "page.html")
    assert code == 0, err
    page = water.with_name("page.html").read_text(encoding="utf-8")
    text = unescape(page)
    verdict, _, rest = out.partition("page written to page.html")
    assert rest.startswith(": open it in a browser.")
    assert nullmode(*arguments)[1] == verdict
    assert all(line in text for line in verdict.splitlines()[-2:])
    entries = json.loads(unpacked(page, "entries"))
    frames = [int(entry["where"].split()[1].rstrip(",")) for entry in entries]
    assert set(frames) == {1, 3, 5}
    assert len(frames) == (9 if scope == "environment" else 3)
    if scope == "environment":
        assert [f"{entry['where'][6]}" for entry in entries] == [str(frame) for frame in frames]
    # What was run can be run again, and what is recommended is another command on the same.
    given = shlex.join(["nullmode", *arguments, "--report", "page.html"])
    [ran] = [line for line in text.splitlines() if line.startswith("<dt>command</dt><dd>")]
    again = ran.removeprefix("<dt>command</dt><dd>").removesuffix("</dd>")
    assert sorted(shlex.split(again)) == sorted(shlex.split(given))
    recommend = text.partition("<pre>")[2].partition("</pre>")[0]
    assert shlex.split(recommend)[:3] == ["nullmode", "recommend", water.name]
    assert nullmode(*shlex.split(again)[1:])[0] == 0
    assert "<img src=x" not in page


def test_what_would_be_lost_is_refused_before_work(nullmode, water, monkeypatch):
    monkeypatch.setattr("nullmode.analysis.stream.analyze_file", lambda *_, **__: pytest.fail("work was done"))
    water.with_name("notes.html").write_text("mine")
    water.with_name("input.html").write_bytes(water.read_bytes())
    for file, report, message in (
        (water.name, "page.pdf", "`--report` must end in .html"),
        (water.name, "page", "`--report` must end in .html"),
        (water.name, "missing/page.html", "must lie in an existing folder"),
        (water.name, "notes.html", "must not be a file of another kind"),
        ("input.html", "input.html", "must not be a file that is read"),
    ):
        code, out, err = nullmode("analyze", file, "--report", report, *SMALL)
        assert (code, out) == (2, "")
        assert message in err
    monkeypatch.setitem(__import__("sys").modules, "chemiscope", None)
    code, _, err = nullmode("analyze", water.name, "--report", "page.html", *SMALL)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "pip install chemiscope" in err
    assert not water.with_name("page.html").exists()


def test_a_command_without_a_sweep_recommends_none(nullmode, water):
    arguments = ["--descriptor", "inverse-distances", "--report", "page.html", "--format", "json", "--no-progress"]
    code, out, err = nullmode("analyze", water.name, *arguments)
    assert code == 0, err
    assert json.loads(out)["ok"]
    assert "<pre>" not in water.with_name("page.html").read_text(encoding="utf-8")
