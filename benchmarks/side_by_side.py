"""Time and memory of features, Jacobians and spectra beside featomic, dscribe, quippy and the floor of the hardware.

All in one process, in rounds that take turns, so that a busy machine slows all alike; medians. Run it with
``make benchmark``; docs/performance.md says what is counted. Writes a table and a plot to results/benchmarks/.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import platform
import sys
import time
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import codes
import floor
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.progress import track

from nullmode.figures._base import save, style

OUTPUT = Path("results/benchmarks")
SIZES = {"CH4": [(4, 4), (8, 8), (12, 10)], "15 H": [(8, 8)], "40 H": [(8, 8)], "4 H, 4 O": [(8, 8)]}
JACOBIAN, SPECTRUM, TRIPLES = "features + J", "features + J + values + modes", "nu = 3, features + J"
ALGEBRA = {"stacked SVD": codes.stacked_svd, "QR + SVD of R": codes.svd_of_triangles}
N_DIFFERENCES, N_THREADED, N_WHOLE = 10, 20_000, 1000
TURN = 0.05
CASE = ["set", "n_max", "l_max"]
COLUMNS = [*CASE, "task", "code", "environments"]
N_HELD = 1000
COLOURS = {"nullmode": "#cc3311", "featomic": "#4477aa", "dscribe": "#228833", "quippy": "#aa88bb", "floor": "#222222"}


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


def whole_calls(folder):
    """What a user calls, from many structures or their file; of peers, features + J and the faster linear algebra."""
    structures = codes.methane(N_WHOLE)
    where, size = ("CH4", 8, 8, "whole calls"), (8, 8)
    jacobians = codes.jacobian_stack(structures, *size)
    peers = {code: codes.CODES[code](structures, *size) for code in ("featomic", "dscribe")}
    return {
        (*where, "nullmode", N_WHOLE): codes.analyzed(structures, *size, attribution=False),
        (*where, "nullmode, causes", N_WHOLE): codes.analyzed(structures, *size, attribution=True),
        (*where, "nullmode, causes, from a file", N_WHOLE): codes.analyzed_file(structures, *size, folder),
        (*where, "ASE, reading the file", N_WHOLE): codes.read_by_ase(structures, folder),
        **{
            (*where, f"{code} + QR + SVD of R", N_WHOLE): lambda run=run: (run(), codes.svd_of_triangles(jacobians))
            for code, run in peers.items()
        },
    }


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
    both = left.merge(right, on=CASE, suffixes=("", "_more"))
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


def resident(entry):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry))


def rise(name, n_max, l_max):
    """Memory that one code takes, results included, in kB per environment; called in a process of its own.

    A first call on two structures loads, compiles and tabulates all that is needed; then Linux sets the mark of the
    highest resident set back, and a call on many structures moves it.
    """
    code = codes.CODES.get(name, codes.nullmode_spectra)
    task = code(codes.methane(N_HELD), n_max, l_max)
    code(codes.methane(2), n_max, l_max)()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    held = task()
    used = (resident("VmHWM") - before) / N_HELD
    del held
    return used


def memory():
    """Most memory in kB per environment, of random CH4; nothing where the system is not Linux."""
    runs = [(JACOBIAN, code, code) for code in codes.CODES] + [(SPECTRUM, "nullmode", "spectra")]
    rows = []
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for size in SIZES["CH4"] if sys.platform == "linux" else []:
            rows += [("CH4", *size, task, code, pool.apply(rise, (name, *size))) for task, code, name in runs]
    return pd.DataFrame(rows, columns=[*COLUMNS[:-1], "memory"]).astype({"n_max": int, "l_max": int, "memory": float})


def tables(frame):
    """One for each task: codes by sets and sizes, median in µs, and in brackets the same over nullmode's."""
    rows = frame[frame["set"] != ""]
    ours = rows.loc[rows["code"] == "nullmode", [*CASE, "task", "median"]]
    rows = rows.merge(ours, how="left", on=[*CASE, "task"], suffixes=("", "_ours"))
    ratio = (rows["median"] / rows["median_ours"]).where(rows["code"] != "nullmode").map(" ({:.3g})".format, "ignore")
    rows["text"] = rows["median"].map(lambda value: f"{value:.{0 if value > 100 else 1}f}") + ratio.fillna("")
    for task, group in rows.groupby("task", sort=False):
        yield task, group.pivot_table("text", "code", CASE, aggfunc="first", sort=False, fill_value="")
    held = rows[rows["memory"].notna()]
    if len(held):
        yield "most memory / kB", held.pivot_table("memory", ["code", "task"], CASE, sort=False).round()


def plot(frame):
    """Dots of the time per environment, one panel per task, one line per set and size."""
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, task in zip(panels, (JACOBIAN, SPECTRUM), strict=True):
        rows = frame[frame["task"] == task]
        heights = {key: height for height, key in enumerate(rows.groupby(CASE, sort=False).groups)}
        for code, colour in COLOURS.items():
            # Of the two ways of linear algebra the faster one is drawn.
            chosen = rows[rows["code"].str.removesuffix(" + QR + SVD of R") == code]
            y = [heights[key] for key in zip(*(chosen[name] for name in CASE), strict=True)]
            marker, size = ("|", 9) if code == "floor" else ("o", 5)
            order = 4 if code == "nullmode" else 3
            axes.plot(chosen["median"], y, marker, color=colour, markersize=size, zorder=order, label=code)
        axes.set_xscale("log")
        axes.set_yticks(list(heights.values()), [f"{name}, ({n_max}, {l_max})" for name, n_max, l_max in heights])
        axes.set_ylim(len(heights) - 0.5, -0.5)
        axes.grid(axis="y", linewidth=0.3)
        axes.set_xlabel("time per environment / µs")
        axes.set_title(task)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args(arguments)
    measured = timed(tasks(), arguments.rounds, time.process_time)
    with TemporaryDirectory() as folder:
        whole = timed(whole_calls(Path(folder)), arguments.rounds, time.process_time)
    by_wall = timed(threaded(), arguments.rounds, time.perf_counter)
    least, flops, bandwidth = floors(measured)
    frame = pd.concat([measured, together(measured), least, whole, by_wall], ignore_index=True)
    frame = frame.merge(memory(), how="left", on=COLUMNS[:-1])
    frame.attrs = {
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "dgemm / Gflop/s": round(flops / 1e9, 1),
        "copy / GB/s": round(bandwidth / 1e9, 1),
    } | {name: version(name) for name in ("nullmode", "featomic", "dscribe", "quippy-ase", "numpy", "numba")}
    arguments.output.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(arguments.output / "side_by_side.parquet")
    with style():
        save(plot(frame), arguments.output / "side_by_side")
    print("Times per environment / µs, and over nullmode's; medians of one run.")
    for task, table in tables(frame):
        print(f"\n{task}\n{table.to_string()}")
    print("\n" + ", ".join(f"{name}: {value}" for name, value in frame.attrs.items()))


if __name__ == "__main__":
    main()
