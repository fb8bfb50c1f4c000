"""The reproduction's own claims, on a small part of it: a wrong kernel must not get through."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from configs import CHECKOUT

from nullmode._support._jit import kernel_cache
from nullmode.claims import ledger, model, sql
from nullmode.tables import columns, parquet

# Runs in a process of its own, where a line of a module is another.
PART = """
import importlib, json, sys, yaml
from pathlib import Path

module = importlib.import_module(sys.argv[2])
source = Path(module.__file__).read_text()
assert source.count(sys.argv[3]) == 1
exec(compile(source.replace(*sys.argv[3:5]), module.__file__, "exec"), vars(module))

from nullmode.claims import ledger, model
from nullmode.sweep import structures
from nullmode.sweep.summary import united
from nullmode.tables import parquet

sys.path.append("tests/helpers")
from tasks import sensitivities

config, folder = yaml.safe_load(Path("config/config.yaml").read_text()), Path(sys.argv[1])
config["families"]["merging"]["parameters"]["u"] = [0.99, 0.999, 0.9999, 0.99999, 1.0]
files, parts = [], []
for family in ("point_groups", "few_ligands", "merging", "published_pair"):
    entry = config["families"][family]
    frame = structures.make_structures(entry["kind"], entry.get("parameters", {}), family)
    files.append(folder / f"{family}.parquet")
    parquet.write(frame, files[-1], "structures", {})
    for name in ("soap", "soap_sharp"):
        entry = config["descriptors"][name]
        if family in entry["families"] and family != "published_pair":
            task = {"family": family, "descriptor": name, "kind": entry["kind"], "points": [entry["parameters"]]}
            parts.append(sensitivities(frame, task))
rows = united(parts, list(config["descriptors"]))
parquet.write(rows, folder / "sensitivity.parquet", "sensitivity", {})
stated = model.read("config/claims.yaml")
frame = ledger.ledger(
    {name: stated[name] for name in sys.argv[5:]},
    {"sensitivity": [folder / "sensitivity.parquet"], "structures": files},
)
failed = frame[frame["verdict"] != "pass"]
print(json.dumps([len(frame), [f"{row.group}: {row.quantity}" for row in failed.itertuples()]]))
"""


CLAIMS = {"ranks_power_spectrum", "singular_point", "near_singular_point", "published_manifold", "selection_rules"}


@pytest.fixture
def measured(tmp_path):
    """Rows of the ledger and those that failed, where a line of a module is another."""

    def run(module, old, new, claims=CLAIMS, compiled=False):
        cache = tmp_path / "cache"
        cache.mkdir()
        if not compiled:
            # Tables made with the other line must not get among those of other tests.
            (cache / "kernels").symlink_to(kernel_cache().parent)
        done = subprocess.run(
            [sys.executable, "-c", PART, str(tmp_path), f"nullmode.{module}", old, new, *claims],
            cwd=CHECKOUT,
            env={**os.environ, "NULLMODE_CACHE": str(cache)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


SLOPE = "load(slope, one) * load(a, two) + load(ratio, one)"


@pytest.mark.slow
def test_the_intact_package_passes(measured):
    assert measured("descriptors.power_spectrum", SLOPE, SLOPE) == [26, []]


@pytest.mark.parametrize(
    ("module", "old", "new", "failed"),
    [
        # Rotations are seen then; where symmetry forbids all but one displacement, nobody can tell.
        pytest.param(
            "descriptors.power_spectrum",
            SLOPE,
            SLOPE.replace("+", "-"),
            {"ranks_power_spectrum: C2v", "near_singular_point: s_d/s_1 at x = 1e-2"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "basis.harmonics",
            "sine[m] = x * sine[m - 1] + y * cosine[m - 1]",
            "sine[m] = x * sine[m - 1] - y * cosine[m - 1]",
            {
                "ranks_power_spectrum: Td",
                "singular_point",
                "published_manifold: largest",
                "selection_rules: symmetry: of models",
            },
            marks=pytest.mark.slow,
        ),
        # This is invariant and differentiated rightly; ranks do not tell.
        (
            "basis.radial.gto",
            "a = np.broadcast_to((n + l + 3) / 2,",
            "a = np.broadcast_to((n + l + 4) / 2,",
            {"published_manifold: largest difference from", "near_singular_point"},
        ),
    ],
    ids=["derivative", "harmonics", "radial"],
)
def test_a_broken_kernel_fails_rows(measured, module, old, new, failed):
    # Functions of distance are tabulated by NumPy; the other two are compiled.
    compiled = module != "basis.radial.gto"
    claims = {"ranks_power_spectrum", *(start.partition(":")[0] for start in failed)}
    assert claims <= CLAIMS
    _, rows = measured(module, old, new, claims, compiled)
    for start in failed:
        assert any(row.startswith(start) for row in rows), rows
    assert any(row.startswith("ranks") for row in rows) == compiled


def test_a_run_without_tables_fails_every_row_and_says_why():
    stated = model.read(CHECKOUT / "config/claims.yaml")
    frame = ledger.ledger(stated, {})
    assert len(frame) == sum(len(claim.expected) for claim in stated.values())
    assert (frame["verdict"] == "fail").all()
    assert frame["measured"].isna().all()
    assert frame["explanation"].str.contains("cannot be run").all()


TEXTS = ("crystal", "mode", "name", "path")
NUMBERS = ("amplitude", "c", "distance_to_cutoff", "four_body_energy", "length", "member", "pair", "psi", "sample")
NUMBERS += ("shift", "sign", "t", "temperature", "u", "v")


def test_no_claim_holds_of_tables_without_rows(tmp_path):
    coordinates = {name: pd.Series(dtype=str) for name in TEXTS} | {name: pd.Series(dtype=float) for name in NUMBERS}
    files = {}
    for view in sql.VIEWS:
        documented = {column.name: pd.Series(dtype=column.type.to_pandas_dtype()) for column in columns.TABLES[view]}
        frame = pd.DataFrame(documented | ({} if view == "structures" else coordinates))
        files[view] = [tmp_path / f"{view}.parquet"]
        parquet.write(frame, files[view][0], view, {})
    stated = model.read(CHECKOUT / "config/claims.yaml")
    frame = ledger.ledger({name: claim for name, claim in stated.items() if claim.query}, files)
    assert frame.loc[frame["verdict"] != "fail", "group"].tolist() == []
    assert not frame["explanation"].str.contains("cannot be run").any(), set(frame["explanation"])


def test_the_reproduction_states_enough():
    import yaml

    config = yaml.safe_load((CHECKOUT / "config/config.yaml").read_text())
    stated = ledger.check(CHECKOUT / "config/claims.yaml", config["figures"])
    kinds = [claim.kind for claim in stated.values() for _ in claim.expected]
    assert all(kinds.count(kind) >= least for kind, least in (("rank", 100), ("zero", 5), ("law", 15), ("size", 50)))
