"""The tables of all sensitivity jobs as one, and statistics of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from nullmode._support.types import JSON
from nullmode.tables import agreement, columns, dataset, parquet
from nullmode.tables.identity import identified


def write_summary(
    paths: Sequence[str | Path], descriptors: Sequence[str], sensitivity: str, summary: str, code: JSON
) -> None:
    """Do a job: merge the tables of all sensitivity jobs, and write the merged table and its summary.

    `descriptors` are names in the order of the rows; `code` is the origin of this code.
    """
    # The tables keep what all parts follow from, each once; their identities hold those of the parts.
    own = {"order": list(descriptors), **{key: code[key] for key in ("script",) if key in code}}
    merged = {**agreement.merged(paths, code), **own}
    inputs = {Path(path).stem: {"identity": parquet.provenance(path)["identity"]} for path in paths}
    content = {"order": list(descriptors), **code, "inputs": inputs}
    frame = united([dataset.load(paths, "sensitivity")], descriptors)
    for rows, path, table in ((frame, sensitivity, "sensitivity"), (summarize(frame), summary, "summary")):
        parquet.write(rows, path, table, {**merged, "identity": identified({**content, "table": table})["identity"]})


def united(frames: Iterable[pd.DataFrame], descriptors: Sequence[str]) -> pd.DataFrame:
    """Put the tables of jobs into one, in an order that does not depend on which rows were in which job.

    Rows go by descriptor, in the order given, then by family, parameters (numbers first), structure and centre;
    coordinates by name.
    """
    # A part of a family may hold no centre.
    frame = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    coordinates = sorted(parquet.coordinates(frame, "sensitivity"))
    frame = frame[[*frame.columns.difference(coordinates, sort=False), *coordinates]]
    where = [column.name for column in columns.WHERE if column.name != "descriptor"]
    rows = frame.sort_values([*where, "structure", "center"], kind="stable")
    place = {name: index for index, name in enumerate(descriptors)}
    return rows.sort_values("descriptor", kind="stable", ignore_index=True, key=lambda names: names.map(place))


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Statistics per family, descriptor, truncation and text coordinate (such as a path): rows of the summary table."""
    parameters = [column.name for column in columns.WHERE]
    texts = [name for name in parquet.coordinates(frame, "sensitivity") if pd.api.types.is_string_dtype(frame[name])]
    rows = []
    for key, group in frame.groupby([*parameters, *texts], dropna=False, sort=False):
        ok = group[group["status"] == "ok"]
        row = dict(zip([*parameters, *texts], key, strict=True))
        row |= {"n_environments": len(group), "n_ok": len(ok)}
        row |= {f"rank_{name}": ok["rank"].agg(name) for name in ("min", "median", "max")}
        row["fraction_deficient"] = (ok["rank"] < ok["n_dof"]).mean()
        row |= {name: ok["inverse_condition_number"].quantile(p / 100) for name, p in columns.PERCENTILES.items()}
        row["rotation_floor_max"] = ok["rotation_floor"].max()
        rows.append(row)
    return pd.DataFrame(rows)
