"""Memory that one code takes for features and Jacobians, in a process of its own; prints kB per environment.

Started by side_by_side.py with a code, n_max and l_max. A first call on two structures loads, compiles and tabulates
all that is needed; then Linux sets the mark of the highest resident set back, and a call on many structures moves it.
The results count, since they are held until the end.
"""

import sys
from pathlib import Path

import codes

N_STRUCTURES = 1000


def resident(entry):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry))


def main():
    name, n_max, l_max = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    code = codes.nullmode_spectra if name == "spectra" else codes.CODES[name]
    task = code(codes.methane(N_STRUCTURES), n_max, l_max)
    code(codes.methane(2), n_max, l_max)()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    held = task()
    print((resident("VmHWM") - before) / N_STRUCTURES)
    del held


if __name__ == "__main__":
    main()
