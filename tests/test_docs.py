"""The documentation cannot rot: its pages name everything there is, and its snippets print what they say."""

import doctest
import inspect
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

from nullmode._support import axes
from nullmode._support.variants import load
from nullmode.cli.main import app
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES
from nullmode.figures._figure import GIVEN, Figure
from nullmode.learning import MODELS
from nullmode.search import GIVEN as GIVEN_TO_SEARCHES
from nullmode.search import SEARCHES
from nullmode.sweep import schema, settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TITLE = re.compile(r"# ([\w/.-]+\.(?:py|yaml))\n")
CONFIGURATION = (ROOT / "config" / "README.md").read_text(encoding="utf-8")


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
        return result.output
    assert command[0] == "snakemake", command
    started = [sys.executable, "-m", *command, "--snakefile", str(ROOT / "Snakefile")]
    done = subprocess.run(started, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def marked(page: Path) -> object:
    runs = "$ snakemake" in page.read_text(encoding="utf-8")
    return pytest.param(page, marks=pytest.mark.workflow if runs else (), id=page.name)


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_snippets_print_what_the_page_says(page, tmp_path, monkeypatch):
    # A python block runs after those above it, a console block's commands likewise, in one folder. A block whose first
    # line is a comment with a path is written to that name.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
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
                printed_text = run(shlex.split(command))
                assert agree(promised, printed_text), printed_text


def test_files_shown_are_those_of_the_checkout():
    shown = {match[1]: block.text for page in PAGES for block in blocks(page) if (match := TITLE.match(block.text))}
    examples = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "examples").glob("*.py")]
    assert set(examples) <= shown.keys()
    for path in examples:
        assert shown[path] == f"# {path}\n" + (ROOT / path).read_text(encoding="utf-8"), path


@pytest.mark.parametrize("page", [*PAGES, ROOT / "config" / "README.md", ROOT / "CONTRIBUTING.md"], ids=str)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


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


def test_tables_page_is_made_from_the_tables():
    made = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))
    assert made["PAGE"].read_text(encoding="utf-8") == made["page"](), "run: python docs/make_tables.py"


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("# Configuration", schema.Settings),
        ("## `families.NAME`", schema.FamilyEntry),
        ("## `descriptors.NAME`", schema.DescriptorEntry),
        ("## `searches.NAME`", schema.SearchEntry),
        ("## `regressions.NAME`", schema.RegressionEntry),
        ("## `figures.NAME`", schema.FigureEntry),
        ("## `views.NAME`", schema.ViewEntry),
        ("## `families.NAME`", axes.Range),
    ],
)
def test_configuration_page_names_every_key(heading, model):
    section = section_of(heading)
    for name in model.model_fields:
        assert re.search(rf"`{name}`|\b{name}: ", section), name


KINDS = [
    (kind, load(kind, table, "")) for table in (FAMILIES, DESCRIPTORS, SEARCHES, MODELS, FIGURES) for kind in table
]

# Lists too long to be written out.
IN_WORDS = (("methane_distortion", "paths"), ("ridge", "penalties"))


@pytest.mark.parametrize(("kind", "target"), KINDS, ids=[kind for kind, _ in KINDS])
def test_configuration_page_names_every_parameter_with_its_default(kind, target):
    section = section_of(f"### `{kind}`")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))
    given = GIVEN_TO_SEARCHES if kind in SEARCHES else GIVEN
    target = target.draw if isinstance(target, Figure) else target
    parameters = [p for p in inspect.signature(target).parameters.values() if p.name not in given]
    assert list(rows) == [name for name in rows if name in {p.name for p in parameters}], "a parameter that is not"
    for parameter in parameters:
        default = parameter.default
        if default is parameter.empty:
            expected = "required"
        elif isinstance(default, axes.Range):
            expected = f"`{default.start}` to `{default.stop}`, step `{default.step}`"
        elif default in (None, ()) or (kind, parameter.name) in IN_WORDS:
            expected = rows[parameter.name]  # said in words
        else:
            expected = f"`{default}`".replace("'", '"') if isinstance(default, list | float | int) else f'`"{default}"`'
        assert rows[parameter.name] == expected


def section_of(heading: str) -> str:
    assert f"{heading}\n" in CONFIGURATION, heading
    after = CONFIGURATION.split(f"{heading}\n", 1)[1]
    level = heading.count("#")
    return after if level == 1 else re.split(rf"^#{{2,{max(level, 3)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]
