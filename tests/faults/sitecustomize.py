"""Python runs this at its start: provoke a fault in one of the workflow's scripts, as ``FAULT=script:fault`` asks for.

A real process meets a real limit or is stopped at a chosen point; what kills it comes from outside.
"""

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path


def stop_half_way():
    """Leave half a table in the temporary file, say so, and wait to be killed or let go."""
    import pyarrow.parquet as pq

    write_table = pq.write_table

    def stopping(table, where, **options):
        write_table(table, where, **options)
        whole = Path(where).read_bytes()
        os.truncate(where, len(whole) // 2)
        mark = Path(os.environ["FAULT_MARK"])
        mark.write_text(str(os.getpid()))
        while mark.exists():
            time.sleep(0.05)
        Path(where).write_bytes(whole)

    pq.write_table = stopping


def fill_the_disk():
    """Take what room there is on the disk just before a table is written."""
    import pyarrow.parquet as pq

    write_table = pq.write_table

    def filling(table, where, **options):
        with Path(os.environ["FAULT_MARK"]).open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(2**20))
        write_table(table, where, **options)

    pq.write_table = filling


def limit(what, size):
    resource.setrlimit(what, (size, size))


FAULTS = {
    "stop": stop_half_way,
    "disk": fill_the_disk,
    "files": lambda: limit(resource.RLIMIT_FSIZE, 2000),
    "memory": lambda: limit(resource.RLIMIT_AS, 400 * 2**20),
}
script, _, fault = os.environ.get("FAULT", "").partition(":")
if script and any(argument.endswith(f".{script}.py") for argument in sys.orig_argv):
    FAULTS[fault]()
