"""Processes of one test session compile each kernel once: whoever needs it too waits, and loads it from the cache.

    python tests/helpers/compiling.py LOCKS KIND...

compiles the kernels of these descriptors, beside the workers of pytest-xdist.
"""

import fcntl
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from nullmode.descriptors import DESCRIPTORS

N_PROCESSES = 2


def share(locks):
    """Let this process compile a kernel only where no other that called this, with the same folder, does so now."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    compile_alone, compiling = Dispatcher.compile, set()

    def compile_once(dispatcher, signature):
        name = f"{dispatcher.py_func.__module__}.{dispatcher.py_func.__qualname__}"
        with ExitStack() as stack:
            # Numba's lock of all threads first: otherwise two threads could hold one of the two each.
            stack.enter_context(global_compiler_lock)
            if name.startswith("nullmode.") and name not in compiling:
                compiling.add(name)
                stack.callback(compiling.remove, name)
                fcntl.flock(stack.enter_context((Path(locks) / name).open("w")), fcntl.LOCK_EX)
            return compile_alone(dispatcher, signature)

    Dispatcher.compile = compile_once


def start(locks):
    """Start processes that compile the kernels of all descriptors, each from another one on."""
    from nullmode._support._jit import kernel_cache

    if kernel_cache().exists():
        return []
    kinds, step = list(DESCRIPTORS), len(DESCRIPTORS) // N_PROCESSES
    commands = [[sys.executable, __file__, locks, *kinds[k * step :], *kinds[: k * step]] for k in range(N_PROCESSES)]
    return [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]


if __name__ == "__main__":
    import nullmode as nm
    from nullmode._support.variants import load

    share(sys.argv[1])
    environment = nm.Environment.from_vectors([[1.0, 0.0, 0.0], [0.0, 1.1, 0.2]])
    for kind in sys.argv[2:]:
        nm.analyze(environment, load(kind, DESCRIPTORS, "descriptor")(), threads=1)
