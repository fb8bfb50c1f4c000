"""Time and memory of features, Jacobians and spectra beside featomic, dscribe, quippy and the floor of the hardware.

All in one process, in rounds that take turns, so that a busy machine slows all alike; medians. Run it with
``make benchmark``; docs/performance.md says what is counted. Writes a table and a plot to results/benchmarks/.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import codes
import floor
import numpy as np
import pandas as pd
from plot import plot
from rich.console import Console
from rich.progress import track
from rich.table import Table

from nullmode.figures._base import save, style

OUTPUT = Path("results/benchmarks")
SIZES = {"CH4": [(4, 4), (8, 8), (12, 10)], "15 H": [(8, 8)], "40 H": [(8, 8)], "4 H, 4 O": [(8, 8)]}
JACOBIAN, SPECTRUM, TRIPLES = "features + J", "features + J + values + modes", "nu = 3, features + J"
ALGEBRA = {"stacked SVD": codes.stacked_svd, "QR + SVD of R": codes.svd_of_triangles}
N_DIFFERENCES, N_THREADED = 10, 20_000
TURN = 0.05
COLUMNS = ["set", "n_max", "l_max", "task", "code", "environments"]


def tasks():
    """(set, n_max, l_max, task, code, number of environments) -> the call that is timed, and by which clock."""
    found = {("", 0, 0, "hardware", "dgemm", 1): floor.dgemm(), ("", 0, 0, "hardware", "copy", 1): floor.copy()}
    for name, sizes in SIZES.items():
        make, count, _ = codes.SETS[name]
        structures = make(count)
        for size in sizes:
            for code, task in codes.CODES.items():
                found[name, *size, JACOBIAN, code, count] = task(structures, *size)
            found[name, *size, SPECTRUM, "nullmode", count] = codes.nullmode_spectra(structures, *size)
            jacobians = codes.jacobian_stack(structures, *size)
            for algebra, run in ALGEBRA.items():
                found[name, *size, "J to values + modes", algebra, count] = lambda run=run, j=jacobians: run(j)
    methane = codes.methane(codes.SETS["CH4"][1])
    few = methane[:N_DIFFERENCES]
    where = "CH4", 4, 4, TRIPLES
    found[*where, "nullmode", len(methane)] = codes.bispectrum(methane, 4, 4)
    found[*where, "featomic, values alone", len(methane)] = codes.featomic_bispectrum(methane, 4, 4)
    found[*where, "featomic, differences", len(few)] = codes.featomic_bispectrum_differences(few, 4, 4)
    where = "CH4", 8, 8, "structures to environments"
    found[*where, "nullmode", len(methane)] = lambda: codes.environments(methane)
    return found


def threaded():
    """The same by several threads, which the clock on the wall tells apart."""
    items, soap = codes.environment_set(codes.methane(N_THREADED)), codes.power_spectrum(8, 8)
    where = "CH4", 8, 8, "values + modes, by the wall clock"
    return {
        (*where, "nullmode", N_THREADED): lambda: codes.spectra(items, soap, 1),
        (*where, "nullmode, 2 threads", N_THREADED): lambda: codes.spectra(items, soap, 2),
    }


def timed(work, rounds, clock):
    """Quartiles of the time per environment in µs.

    A turn repeats its task for ``TURN`` seconds: what the others left in the caches must not count. The first round,
    which compiles, is left out.
    """
    seconds = np.empty((rounds + 1, len(work)))
    for times in track(seconds, description="Rounds", transient=True):
        for place, task in enumerate(work.values()):
            turns, start = 0, clock()
            while (elapsed := clock() - start) < TURN or not turns:
                task()
                turns += 1
            times[place] = elapsed / turns
    frame = pd.DataFrame(list(work), columns=COLUMNS)
    quartiles = np.quantile(seconds[1:], [0.25, 0.5, 0.75], axis=0) / frame["environments"].to_numpy() * 1e6
    return frame.assign(median=quartiles[1], lower=quartiles[0], upper=quartiles[2])


def together(frame):
    """What a peer's user waits for: features and Jacobian, then linear algebra; the sum of the medians."""
    left = frame[(frame["task"] == JACOBIAN) & (frame["code"] != "nullmode")]
    right = frame[frame["code"].isin(ALGEBRA)]
    both = left.merge(right, on=["set", "n_max", "l_max"], suffixes=("", "_more"))
    code = both["code"] + " + " + both["code_more"]
    return both[COLUMNS].assign(task=SPECTRUM, code=code, median=both["median"] + both["median_more"])


def floors(frame):
    """The least time for each set and size, of what is handed over, and the rates that it follows from."""
    speed = frame[frame["task"] == "hardware"].set_index("code")["median"] * 1e-6
    flops, bandwidth = floor.rates(speed["dgemm"], speed["copy"])
    rows = []
    for name, sizes in SIZES.items():
        neighbours = codes.SETS[name][2]
        n = sum(neighbours)
        for n_max, l_max in sizes:
            n_features = floor.n_features(n_max, l_max, neighbours)
            analytic = sum(floor.operations(n_max, l_max, neighbours).values())
            algebra = sum(floor.linear_algebra(n_features, n).values())
            for task, code, count, kept, modes in (
                (JACOBIAN, "floor", analytic, True, False),
                (SPECTRUM, "floor", analytic + algebra, True, True),
                (SPECTRUM, "floor, J not kept", analytic + algebra, False, True),
            ):
                moved = floor.moved_bytes(n_features, n, jacobian=kept, modes=modes)
                median = 1e6 * (count / flops + moved / bandwidth)
                rows.append((name, n_max, l_max, task, code, 1, median, count, moved))
    return pd.DataFrame(rows, columns=[*COLUMNS, "median", "operations", "bytes"]), flops, bandwidth


def memory():
    """Most memory in kB per environment, of random CH4; nothing where the system is not Linux."""
    script = Path(__file__).with_name("memory.py")
    runs = [(JACOBIAN, code, code) for code in codes.CODES] + [(SPECTRUM, "nullmode", "spectra")]
    rows = []
    for n_max, l_max in SIZES["CH4"] if sys.platform == "linux" else []:
        for task, code, name in runs:
            command = [sys.executable, script, name, str(n_max), str(l_max)]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rows.append(("CH4", n_max, l_max, task, code, float(printed.split()[-1])))
    return pd.DataFrame(rows, columns=[*COLUMNS[:-1], "memory"]).astype({"n_max": int, "l_max": int, "memory": float})


def tables(frame):
    """One for each task: codes by sets and sizes, median in µs, and in brackets the same over nullmode's."""
    for task, rows in frame[frame["set"] != ""].groupby("task", sort=False):
        cells = {}
        for key, group in rows.groupby(["set", "n_max", "l_max"], sort=False):
            ours = group.loc[group["code"] == "nullmode", "median"]
            for row in group.itertuples():
                ratio = f" ({row.median / ours.iloc[0]:.3g})" if len(ours) and row.code != "nullmode" else ""
                cells[row.code, key] = f"{row.median:.{0 if row.median > 100 else 1}f}{ratio}"
        yield task, cells
    rows = frame[frame["memory"].notna()]
    if rows.empty:
        return
    keys = zip(rows["set"], rows["n_max"], rows["l_max"], strict=True)
    names = rows["code"] + ", " + rows["task"]
    yield (
        "most memory / kB",
        {(name, key): f"{used:.0f}" for name, key, used in zip(names, keys, rows["memory"], strict=True)},
    )


def printed(task, cells):
    keys = list(dict.fromkeys(key for _, key in cells))
    table = Table(task, *(f"{name} ({n_max}, {l_max})" for name, n_max, l_max in keys))
    for code in dict.fromkeys(code for code, _ in cells):
        table.add_row(code, *(cells.get((code, key), "") for key in keys))
    return table


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args(arguments)
    measured = timed(tasks(), arguments.rounds, time.process_time)
    by_wall = timed(threaded(), arguments.rounds, time.perf_counter)
    least, flops, bandwidth = floors(measured)
    frame = pd.concat([measured, together(measured), least, by_wall], ignore_index=True)
    frame = frame.merge(memory(), how="left", on=["set", "n_max", "l_max", "task", "code"])
    frame.attrs = {
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "dgemm / Gflop/s": round(flops / 1e9, 1),
        "copy / GB/s": round(bandwidth / 1e9, 1),
    } | {name: version(name) for name in ("nullmode", "featomic", "dscribe", "quippy-ase", "numpy", "numba")}
    arguments.output.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(arguments.output / "side_by_side.parquet")
    with style():
        save(plot(frame, (JACOBIAN, SPECTRUM)), arguments.output / "side_by_side")
    # As wide as the widest table, where there is no terminal to fit.
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print("Times per environment / µs, and over nullmode's; medians of one run.")
    for task, cells in tables(frame):
        console.print(printed(task, cells))
    console.print(", ".join(f"{name}: {value}" for name, value in frame.attrs.items()))


if __name__ == "__main__":
    main()
