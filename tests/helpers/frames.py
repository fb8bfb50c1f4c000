"""One small frame of each table, and ways to damage a file of one."""

import functools
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ase.build import molecule
from tasks import searched

import nullmode as nm
from nullmode.sweep.structures import make_structures
from nullmode.tables import columns, parquet


@functools.cache
def frames():
    """One small frame of each table, with a coordinate where a family may add one."""
    environment = nm.Environment.from_vectors([[1.0, 0, 0], [0, 1.1, 0], [0.1, 0.2, 1.2]])
    analysis = nm.analyze([environment] * 2, nm.RadialSpectrum(n_max=3), attribution=True, resolution=True)
    whole = nm.analyze(molecule("CH4"), nm.RadialSpectrum(n_max=3), scope="potential")
    analysis = analysis.assign(**{name: whole[name].iloc[0] for name in (column.name for column in columns.WHOLE)})
    analysis = analysis[[column.name for column in columns.ANALYSIS]]
    where = {
        "family": "a",
        "descriptor": "b",
        "correlation_order": 1,
        "n_max": 3,
        "l_max": 0,
        "cutoff": 4.0,
        "cutoff_width": 0.5,
        "scope": "environment",
        "density": "gaussian",
        "radial_basis": "gto",
        "width": 0.3,
        "parameters": "{}",
        "rtol": 1e-9,
    }
    sensitivity = analysis.assign(**where, pair_distance=np.nan, t=[0.5, 1.5], path=["x", "y"])
    structures = pd.DataFrame(
        {
            "structure": [0],
            "numbers": [[6, 1]],
            "positions": [[0.0, 0, 0, 1, 1, 1]],
            "cell": [[0.0] * 9],
            "pbc": [[0, 0, 0]],
            "centers": [[0]],
            "forces": [None],
            "stress": [None],
            "defect": [None],
            "u": [0.7],
        }
    )
    numbers = {c.name: [1.5 if c.type == pa.float64() else 2] for c in columns.SUMMARY if c.name not in where}
    summary = pd.DataFrame({**{name: [value] for name, value in where.items()}, **numbers})
    task = {
        **{"search": "s", "search_kind": "orbit", "search_parameters": {"length": 0.02}, "family": "a"},
        **{"descriptor": "b", "kind": "power-spectrum", "parameters": {"n_max": 3, "l_max": 3}},
    }
    found, steps = searched(make_structures("random_methane", {"n_structures": 2}, "a"), task)
    claims = pd.DataFrame({c.name: [1.5 if c.type == pa.float64() else "x"] for c in columns.CLAIMS})
    samples = {pa.string(): "x", pa.int64(): 2, pa.float64(): 1.5}
    samples |= {pa.list_(kind): [value] for kind, value in samples.items()}
    explanations = pd.DataFrame({c.name: [samples[c.type]] for c in columns.EXPLANATIONS})
    roles = {"regression": "r", "model": "ridge", "training": "a", "role": ["training", "test"]}
    predicted = pd.DataFrame(
        {**roles, **where, "structure": [0, 1], "center": 0, "target": 1.5, "predicted": 1.25, "u": 0.7}
    )
    return {
        "analysis": analysis,
        "structures": structures,
        "sensitivity": sensitivity,
        "summary": summary,
        "spectra": analysis[[column.name for column in columns.SPECTRA]],
        "search": found,
        "search_steps": steps,
        "claims": claims,
        "regression": predicted,
        "explanations": explanations,
        "near_pairs": nm.near_pairs(
            [environment, nm.Environment.from_vectors([[1.0, 0, 0], [0, 1.2, 0], [0.1, 0.2, 1.2]])],
            nm.RadialSpectrum(n_max=3),
        ),
        "recommendation": nm.recommend(molecule("CH4"), n_max=[2], l_max=[1], radial_basis="gto", centers="C").table,
    }


class Frames(Mapping):
    """The frames by the names of their tables, made when the first is asked for: a search takes its time."""

    def __getitem__(self, table):
        return frames()[table]

    def __iter__(self):
        return iter(columns.TABLES)

    def __len__(self):
        return len(columns.TABLES)


FRAMES = Frames()


def missing(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def no_parquet(path):
    path.write_text("a,b\n1,2\n")


def damaged_rows(path):
    content = bytearray(path.read_bytes())
    content[8:400] = bytes(392)
    path.write_bytes(content)


def foreign(path):
    pq.write_table(pa.table({"a": [1]}), path)


def half_foreign(path):
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({b"nullmode": b"{}"}), path)


def of_another_version(path):
    of_version(path, parquet.SCHEMA_VERSION + 1)


def of_version(path, version):
    table = pq.read_table(path, partitioning=None)
    content = {"table": "sensitivity", "schema_version": version, "versions": {"nullmode": "9.0"}}
    pq.write_table(table.replace_schema_metadata({b"nullmode": json.dumps(content).encode()}), path)
