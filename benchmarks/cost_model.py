"""What features, Jacobians, singular values and their causes cost, by neighbours, truncation, order and species.

Measures each case alone, one thread, in the way of the workflow's jobs; fits the seconds per count of
``nullmode.sweep.cost``, and writes ``src/nullmode/sweep/cost.json`` where a figure has changed by more than half, the
plot of ``docs/cost-model.md``, and a table into the folder named on the command line. Run with ``make cost-model``.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls

import nullmode as nm
from nullmode._support.variants import load
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.attribution.causes import EnvironmentRanks
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.families import random_methane
from nullmode.families._base import FamilySize
from nullmode.sweep import cost

CUTOFF = 4.0
SPECIES = ["H", "C", "N", "O"]
# Many at a time: a call takes some 10 ms by itself, which a job takes once.
PILOT = 5
LEAST_SECONDS = 0.2
SETTING = {"cutoff": CUTOFF}
KEEP_WITHIN = 1.5
PLOT = Path(__file__).resolve().parents[1] / "docs/figures/cost_model.png"

NEIGHBOURS = [4, 6, 9, 13, 19, 27, 40]
# Series: what is varied, its values, and the descriptor that they are put into.
SERIES = {
    "neighbours": (NEIGHBOURS, {"nu=1": ("radial-spectrum", {}), "nu=2": ("power-spectrum", {})}),
    "neighbours, nu > 2": (
        [4, 6, 9, 13],
        {"nu=3": ("bispectrum", {"n_max": 3, "l_max": 3}), "nu=4": ("trispectrum", {"n_max": 2, "l_max": 2})},
    ),
    "n_max": (
        [2, 3, 4, 6, 8, 12],
        {"nu=1": ("radial-spectrum", {}), "nu=2": ("power-spectrum", {"l_max": 6})},
    ),
    "n_max, nu > 2": (
        [2, 3, 4, 5],
        {"nu=3": ("bispectrum", {"l_max": 3}), "nu=4": ("trispectrum", {"l_max": 2})},
    ),
    "l_max": ([2, 4, 6, 8, 12, 16], {"nu=2": ("power-spectrum", {"n_max": 6})}),
    "l_max, nu > 2": (
        [1, 2, 3, 4, 5],
        {"nu=3": ("bispectrum", {"n_max": 3}), "nu=4": ("trispectrum", {"n_max": 1})},
    ),
    "species": ([1, 2, 3, 4], {"nu=2": ("power-spectrum", {"n_max": 6, "l_max": 6}), "acsf": ("acsf", {})}),
    "neighbours, others": (
        [4, 8, 16, 32],
        {kind: (kind, {}) for kind in ("acsf", "overlap-matrix", "inverse-distances", "coulomb-matrix")},
    ),
    "environments": ([1, 10, 100, 300], {"nu=2": ("power-spectrum", {})}),
    "truncations": ([1, 2, 4, 8], {"nu=2": ("power-spectrum", {"radial_basis": "laplacian-eigenstates"})}),
}


def environments(n, species, count):
    """Random environments of n neighbours, no two closer than fits."""
    rng = np.random.default_rng([n, species])
    least = 1.0 * min(1.0, (20 / n) ** (1 / 3))
    result = []
    for _ in range(count):
        vectors = np.empty((0, 3))
        while len(vectors) < n:
            trial = rng.uniform(-CUTOFF, CUTOFF, 3)
            if least < np.linalg.norm(trial) < CUTOFF - 0.6 and (np.linalg.norm(vectors - trial, axis=1) > least).all():
                vectors = np.vstack([vectors, trial])
        names = [SPECIES[k % species] for k in range(n)]
        result.append(nm.Environment.from_vectors(vectors, names))
    return result


def timed(task, size, least=1):
    """CPU seconds per environment; the first run compiles and tabulates, the second tells how many to take."""
    task(1)
    start = time.process_time()
    task(PILOT)
    count = int(np.clip(LEAST_SECONDS * PILOT / max(time.process_time() - start, 1e-6), least, size))
    seconds = []
    for _ in range(3):
        start = time.process_time()
        task(count)
        seconds.append((time.process_time() - start) / count)
    return float(np.median(seconds))


def case(series, line, value):
    """Measure one point of a series: the kernel alone, then with all that a job does."""
    kind, parameters = SERIES[series][1][line]
    what = series.partition(",")[0]
    n = value if what == "neighbours" else 8
    species = value if what == "species" else 1
    truncations = [{}]
    if what in ("n_max", "l_max"):
        parameters = parameters | {what: value}
    elif what == "truncations":
        truncations = [{"n_max": k, "l_max": l} for k in range(1, value + 1) for l in range(1, value + 1)]
    most, least = (value, value) if what == "environments" else (200, 1)
    every = environments(n, species, most)
    largest = with_layout_of(load(kind, DESCRIPTORS, "descriptor")(**parameters, **SETTING), every)
    points = [changed(largest, **point) for point in truncations]

    def kernel(count):
        points[-1].compute_batch_with_jacobian(every[:count])

    def values(count):
        measure([EnvironmentRanks(item) for item in every[:count]], points, AnalysisOptions(rtol=1e-9), threads=1)

    def full(count):
        measure(
            [EnvironmentRanks(item) for item in every[:count]],
            points,
            AnalysisOptions(rtol=1e-9, tolerance=1e-6),
            threads=1,
        )

    block = cost.Block(points[-1], points[0], len(points), len(points))
    counts = cost.count(kind, block, FamilySize(structures=1, atoms=n + 1, centers=1, species=species, density=np.inf))
    row = {"series": what, "line": line, "value": value, "kind": kind, "n_neighbours": n, "n_species": species}
    tasks = {"kernel_seconds": kernel, "values_seconds": values, "seconds": full}
    row |= {name: timed(task, most, least) for name, task in tasks.items()}
    return row | {"counts": json.dumps({**counts.once, **counts.each})}


def cutting():
    """Cutting environments out of structures, as a job does first."""
    structures = list(random_methane.structures(n_structures=500, seed=1))
    return timed(lambda count: nm.environments(structures[:count], cutoff=CUTOFF, centers="C"), 500)


def fitted(table, cut):
    """Seconds per count: of each kernel alone, then of singular values, then of causes."""
    counts = pd.DataFrame([json.loads(text) for text in table["counts"]]).fillna(0.0)
    own = np.array([counts.loc[k, kind] for k, kind in enumerate(table["kind"])])
    kernels = np.exp(np.log(table["kernel_seconds"] / own).groupby(table["kind"]).mean()).to_dict()
    values = _least(
        counts[["environment", "factor", "values", "row"]], table["values_seconds"], table["kernel_seconds"]
    )
    names = ["environment", "symmetry", "completeness", "tuples", "rows", "row"]
    causes = _least(counts[names], table["seconds"], table["values_seconds"])
    shared = {name: values.get(name, 0.0) + causes.get(name, 0.0) for name in {**values, **causes}}
    return {**shared, "environment": shared["environment"] + cut, **kernels}


def _least(counts, seconds, without):
    """Figures, none negative, that give the difference of two times with the least relative squares."""
    matrix = counts.div(seconds, axis=0)
    solution, _ = nnls((matrix / matrix.max()).to_numpy(), np.maximum(1 - without / seconds, 0.0).to_numpy())
    return dict(zip(counts, solution / matrix.max(), strict=True))


# VmHWM, since the largest memory that getrusage tells is the parent's where that was larger.
MEMORY = """
import re, sys, nullmode as nm
from nullmode.families import random_methane
structures = list(random_methane.structures(n_structures=int(sys.argv[1])))
table = nm.truncation_sweep(structures, nm.PowerSpectrum(), range(1, 6), range(6), centers="C", threads=1)
print(len(table), 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]))
"""


def memory():
    """Bytes of a process that analyses few methanes, and of each row more; the spectrum of a row is counted apart."""
    runs = [
        subprocess.run([sys.executable, "-c", MEMORY, n], capture_output=True, text=True, check=True)
        for n in ("10", "4000")
    ]
    (few, small), (many, large) = (map(int, run.stdout.split()) for run in runs)
    return {"job": float(small), "row": (large - small) / (many - few)}


def threads():
    """Wall time per methane on one thread and on more: singular values, and causes too."""
    structures = list(random_methane.structures(n_structures=2000, seed=1))
    rows = []
    for count in range(1, os.cpu_count() + 1):
        row = {"series": "threads", "line": "nu=2", "value": count, "kind": "power-spectrum"}
        for name, attribution in (("values_seconds", False), ("seconds", True)):
            start = time.perf_counter()
            nm.analyze(structures, nm.PowerSpectrum(), centers="C", attribution=attribution, threads=count)
            row[name] = (time.perf_counter() - start) / len(structures)
        rows.append(row)
    return pd.DataFrame(rows)


def exponents(table):
    """Slopes of the upper half of each series, in logarithms."""
    rows = []
    for (series, line), part in table[table["series"] != "threads"].groupby(["series", "line"], sort=False):
        upper = part.sort_values("value").iloc[len(part) // 2 - 1 :]
        slope = [
            np.polyfit(np.log(upper["value"]), np.log(upper[name]), 1)[0] for name in ("kernel_seconds", "seconds")
        ]
        rows.append({"series": series, "line": line, "from": upper["value"].iloc[0], "to": upper["value"].iloc[-1]})
        rows[-1] |= {"kernel": slope[0], "all": slope[1]}
    return pd.DataFrame(rows)


def drawn(table, path):
    mpl.use("agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(table["series"]))
    lines = list(dict.fromkeys(table["line"]))
    figure, axes = plt.subplots(2, 4, figsize=(14, 6.5), layout="constrained")
    for ax, name in zip(axes.flat, [*names, None], strict=True):
        if name is None:
            ax.loglog(table["seconds"], table["model"], ".", color="black")
            ends = [table["seconds"].min(), table["seconds"].max()]
            ax.loglog(ends, ends, color="0.6", linewidth=0.8)
            ax.set(xlabel="measured / s", ylabel="model / s", title="model, all cases")
            continue
        for line, part in table[table["series"] == name].groupby("line", sort=False):
            k = lines.index(line)
            ax.loglog(part["value"], part["seconds"], "o-", color=f"C{k}", markersize=3, label=line)
            alone = "values_seconds" if name == "threads" else "kernel_seconds"
            ax.loglog(part["value"], part[alone], "o:", color=f"C{k}", markersize=3)
            ax.loglog(part["value"], part["model"], "x", color=f"C{k}")
        ticks = sorted(set(table.loc[table["series"] == name, "value"]))
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
        ax.set(xlabel="truncations, n_max = l_max" if name == "truncations" else name, ylabel="s per environment")
    handles = [plt.Line2D([], [], color=f"C{k}", label=line) for k, line in enumerate(lines)]
    for style, text in (
        ("o-", "with singular values and causes"),
        ("o:", "features and Jacobian alone (threads: and singular values)"),
        ("x", "model"),
    ):
        handles.append(*plt.plot([], [], style, color="black", markersize=4, label=text))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize="x-small", frameon=False)
    figure.savefig(path, dpi=130)


def shown(frame, title):
    table = Table(*frame.columns, title=title)
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row))
    Console().print(table)


def settled(was, value):
    """Keep a figure that is about right: another one deals jobs anew."""
    close = was and 1 / KEEP_WITHIN < value / was < KEEP_WITHIN
    return was if close else float(f"{value:.2g}")


def main(folder):
    table = pd.DataFrame(
        [case(series, line, value) for series, (values, lines) in SERIES.items() for line in lines for value in values]
    )
    # The series over numbers of environments shows what a call takes by itself: it is no part of the fit.
    new = {
        "seconds": fitted(table[table["series"] != "environments"].reset_index(drop=True), cutting()),
        "bytes": memory(),
    }
    old = json.loads(cost.TABLE.read_text())
    kept = {part: {name: settled(old[part].get(name), value) for name, value in new[part].items()} for part in new}
    cost.TABLE.write_text(json.dumps(kept, indent=2) + "\n")
    cost.measured.cache_clear()
    table["model"] = [cost.seconds(json.loads(text)) for text in table["counts"]]
    table = pd.concat([table, threads()], ignore_index=True)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "cost_model.parquet")
    drawn(table, PLOT)
    rows = [
        {"count": name, "was": old[part].get(name, np.nan), "measured": value, "now": kept[part][name]}
        for part, values in new.items()
        for name, value in values.items()
    ]
    shown(pd.DataFrame(rows), "seconds per count, bytes")
    shown(exponents(table), "exponents of the upper half of each series")
    shown(table.loc[table["series"] == "threads", ["value", "values_seconds", "seconds"]], "threads, wall time")
    ratio = table["model"] / table["seconds"]
    low, middle, high = (ratio.quantile(q) for q in (0.05, 0.5, 0.95))
    print(f"model over measured: median {middle:.2f}, nine tenths between {low:.2f} and {high:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/benchmarks"))
