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

    close = pq.ParquetWriter.close

    def stopping(writer):
        close(writer)
        file = Path(writer.where)
        whole = file.read_bytes()
        os.truncate(file, len(whole) // 2)
        mark = Path(os.environ["FAULT_MARK"])
        mark.write_text(str(os.getpid()))
        while mark.exists():
            time.sleep(0.05)
        file.write_bytes(whole)

    pq.ParquetWriter.close = stopping


def fill_the_disk():
    """Take what room there is on the disk just before a table is written."""
    import pyarrow.parquet as pq

    write_table = pq.ParquetWriter.write_table

    def filling(writer, table, **options):
        with Path(os.environ["FAULT_MARK"]).open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(2**20))
        write_table(writer, table, **options)

    pq.ParquetWriter.write_table = filling


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
