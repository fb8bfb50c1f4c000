"""Spectra of millions of random methanes, streamed into a table: time, memory, size; equal bytes for 1 and 2 threads.

The default is as many as the public set of methane configurations holds; run with ``make scan-benchmark``.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import filecmp
import resource
import tempfile
import time
from pathlib import Path

import nullmode as nm
from nullmode._support.threads import processors
from nullmode.families import random_methane

SOAP = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=4.0, cutoff_width=0.5, width=0.3, species=["H"])
# Several row groups, the last one not full.
COMPARED = 150_000


def run(n, threads, path, *, progress):
    """Seconds of one scan."""
    parts = (nm.EnvironmentSet.from_vectors(r) for r in random_methane.positions(n))
    start = time.perf_counter()
    nm.scan(parts, SOAP, path, total=n, provenance={"n": n, "seed": 0}, threads=threads, progress=progress)
    return time.perf_counter() - start


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=7_732_488, help="environments (default: %(default)s)")
    n, threads = parser.parse_args(arguments).n, processors()
    with tempfile.TemporaryDirectory() as folder:
        # What compiles is not counted.
        run(1, 1, Path(folder) / "first", progress=False)
        path = Path(folder) / "spectra.parquet"
        seconds = run(n, threads, path, progress=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(f"{n} CH4, nu = 2 at (8, 8), {threads} threads: {seconds:.1f} s")
        print(f"{1e6 * seconds / n:.1f} µs per environment")
        print(f"{peak:.2f} GB of memory at most, {path.stat().st_size / 1e6:.1f} MB of table")
        one, two = Path(folder) / "one", Path(folder) / "two"
        times = [run(COMPARED, k, where, progress=False) for k, where in ((1, one), (2, two))]
        same = filecmp.cmp(one, two, shallow=False)
        verdict = "equal" if same else "OTHER"
        print(f"{COMPARED} with 1 and 2 threads: {times[0]:.1f} and {times[1]:.1f} s, {verdict} bytes")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
