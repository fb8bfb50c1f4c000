"""The documentation cannot rot: its pages name everything there is, and its snippets print what they say."""

import doctest
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from nullmode.cli.main import app
from nullmode.sweep import settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [ROOT / "config" / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
SLOW = "how-to-find-degenerate-partners.md", "how-to-find-singular-points.md", "radial-bases.md"
TITLE = re.compile(r"# ([\w/.-]+\.(?:py|yaml))\n")


class Block(NamedTuple):
    """A fenced block: its language, its text, and the output that a following `text` block promises."""

    language: str
    text: str
    output: str | None


def blocks(page: Path) -> Iterator[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```\n", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for (language, text), (next_language, next_text) in pairwise([*found, ("", "")]):
        yield Block(language, text, next_text if next_language == "text" else None)


def agree(promised: str, printed: str) -> bool:
    # Console output is compared by its words: rich fits tables to the terminal, and docs are trimmed with "...".
    return doctest.OutputChecker().check_output(promised, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


def run(command: list[str]) -> str:
    if command[0] == "nullmode":
        result = CliRunner().invoke(app, command[1:])
        assert result.exit_code == 0, result.output
        return result.stdout  # on stderr are bars, and what a new machine compiles
    assert command[0] == "snakemake", command
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def marked(page: Path) -> object:
    runs = "$ snakemake" in page.read_text(encoding="utf-8")
    slow = runs or page.name in SLOW
    marks = [pytest.mark.workflow] * runs + [pytest.mark.slow] * slow
    return pytest.param(page, marks=marks, id=page.name)


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_snippets_print_what_the_page_says(page, tmp_path, monkeypatch):
    # A python block runs after those above it, a console block's commands likewise, in one folder. A block whose first
    # line is a comment with a path is written to that name.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NULLMODE", str(ROOT))
    names: dict[str, object] = {"__name__": "snippets"}
    for block in blocks(page):
        title = TITLE.match(block.text)
        if title:
            Path(title[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(title[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            printed = StringIO()
            with redirect_stdout(printed):
                exec(compile(block.text, str(page), "exec"), names)
            assert agree(block.output or "", printed.getvalue()), printed.getvalue()
        elif block.language == "console":
            for command, promised in re.findall(r"^\$ (.*)\n((?:[^$].*\n|\n)*)", block.text, re.MULTILINE):
                printed_text = run(shlex.split(os.path.expandvars(command)))
                assert agree(promised, printed_text), printed_text


def test_files_shown_are_those_of_the_checkout():
    shown = {match[1]: block.text for page in PAGES for block in blocks(page) if (match := TITLE.match(block.text))}
    examples = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "examples").glob("*.py")]
    assert set(examples) <= shown.keys()
    for path in examples:
        assert shown[path] == f"# {path}\n" + (ROOT / path).read_text(encoding="utf-8"), path


def test_the_first_page_leads_to_every_page():
    # Its lists are the navigation of the site.
    first = ROOT / "docs" / "index.md"
    entries = re.findall(r"^- \[[^\]]*\]\(([^)#]*)\)", first.read_text(encoding="utf-8"), re.MULTILINE)
    reached = [(first.parent / path).resolve() for path in entries]
    assert sorted([*reached, first]) == sorted([*PAGES, *OTHERS])


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=str)
def test_links_lead_somewhere(page):
    for path, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor[1:] in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_configurations_shown_are_accepted(tmp_path, monkeypatch):
    import yaml

    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        for block in blocks(page):
            content = yaml.safe_load(block.text) if block.language == "yaml" else {}
            for family in content.get("families", {}).values():
                if "path" in (parameters := family.get("parameters", {})):
                    Path(parameters["path"]).parent.mkdir(parents=True, exist_ok=True)
                    Path(parameters["path"]).touch()
                if ".py" in family["kind"]:
                    family["kind"] = str(ROOT / family["kind"])
            for descriptor in content.get("descriptors", {}).values():
                if ".py" in descriptor["kind"]:
                    descriptor["kind"] = str(ROOT / descriptor["kind"])
            if {"families", "descriptors"} <= content.keys():
                settings.check(content)


@pytest.mark.parametrize(
    ("script", "page", "text"),
    [
        ("docs/make_command_line.py", "PAGE", "page"),
        ("docs/make_tables.py", "PAGE", "page"),
        ("workflow/schemas/generate.py", "PAGE", "page_text"),
    ],
)
def test_generated_pages_are_up_to_date(script, page, text):
    made = runpy.run_path(str(ROOT / script))
    assert made[page].read_text(encoding="utf-8") == made[text](), "run: make docs"
