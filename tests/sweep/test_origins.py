"""What a job depends on: its kinds and radial bases with all that these import, and nothing else."""

import pytest
import yaml
from configs import CHECKOUT, small

from nullmode._support import code_hash
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.sweep import origins
from nullmode.sweep.jobs import plan
from nullmode.sweep.settings import check

MODULES = {target.partition(":")[0] for target in RADIAL_BASES.values()}
# Every descriptor of a density has it as its default.
DEFAULT = "nullmode.basis.radial.gto"


def modules(origin):
    """Modules of nullmode that an origin covers."""
    files = code_hash._closure(tuple(origin["code"]))
    return {path.relative_to(code_hash.PACKAGE.parent).with_suffix("").as_posix().replace("/", ".") for path in files}


@pytest.fixture
def settings(monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    return check(small())


@pytest.mark.parametrize("config", ["config", "test"])
def test_sensitivities_depend_on_their_own_kind_and_bases_alone(config, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    kinds = {target.partition(":")[0] for target in DESCRIPTORS.values()}
    jobs = plan(check(yaml.safe_load((CHECKOUT / f"config/{config}.yaml").read_text())))
    for job in jobs:
        covered = modules(origins.sensitivity_code(job.kind, job.bases))
        assert covered & kinds == {DESCRIPTORS[job.kind].partition(":")[0]}
        assert covered & MODULES - {DEFAULT} == set(job.bases) - {DEFAULT}
    assert len({job.bases for job in jobs}) > 1


def test_what_follows_from_sensitivities_is_no_part_of_them(settings):
    [*_, job] = plan(settings)
    covered = modules(origins.sensitivity_code(job.kind, job.bases))
    later = {
        "summary",
        "settings",
        "schema",
        "entries",
        "jobs",
        "origins",
        "cost",
        "search",
        "regression",
        "structures",
    }
    assert not covered & {f"nullmode.sweep.{name}" for name in later}
    summary = modules(origins.summary_code())
    assert {"nullmode.sweep.summary", "nullmode.tables.dataset"} <= summary
    assert not {name for name in summary if name.split(".")[1] not in ("_support", "tables", "sweep")}


def test_searches_regressions_and_views_depend_on_their_own_descriptor(settings):
    power, radial = "nullmode.descriptors.power_spectrum", "nullmode.descriptors.bispectrum"
    for origin in (
        origins.search_code(settings, "orbit"),
        origins.regression_code(settings, "fine"),
        origins.view_code(settings, "null_modes"),
    ):
        covered = modules(origin)
        assert power in covered
        assert radial not in covered
        assert not covered & MODULES - {DEFAULT}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("(0.5, 5, 25, 50, 75, 95)", "(0.5, 5, 50, 95)", {"SUMMARY"}),
        ('"smallest rank"', '"the smallest rank"', {"SUMMARY"}),
        ('"""A column', '"""One column', set()),
        ('Column("width", _FLOAT', 'Column("width", _INTEGER', {"SUMMARY", "SENSITIVITY", "SEARCH"}),
    ],
)
def test_a_column_belongs_to_the_origins_of_its_tables_alone(old, new, changed, tmp_path, monkeypatch):
    path = code_hash.PACKAGE / "tables/columns.py"
    (tmp_path / "tables").mkdir()
    tables = {"SUMMARY", "SENSITIVITY", "SEARCH", "STRUCTURES"}
    text = path.read_text()
    assert old in text
    (tmp_path / "tables/columns.py").write_text(text.replace(old, new))
    before = {name: code_hash._object_meaning(f"nullmode.tables.columns:{name}") for name in tables}
    monkeypatch.setattr(code_hash, "PACKAGE", tmp_path)
    after = {name: code_hash._object_meaning(f"nullmode.tables.columns:{name}") for name in tables}
    assert {name for name in tables if before[name] != after[name]} == changed
