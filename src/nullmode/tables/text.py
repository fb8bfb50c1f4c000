"""Tables as CSV or JSON, for other programs; they carry no provenance, Parquet does."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from nullmode._support.files import written

ENDINGS = (".csv", ".json")
_START = 256
_DIGITS = 15
"""pandas writes no more into JSON."""


@contextmanager
def streamed(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Give a function that appends frames with the same columns to a file, by its ending; it appears when all is done.

    Lists, such as singular values, are JSON texts in CSV.
    """
    is_json = path.suffix.lower() == ".json"
    with written(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        empty = True

        def append(frame: pd.DataFrame) -> None:
            nonlocal empty
            if is_json:
                records = frame.to_json(orient="records", double_precision=_DIGITS)[1:-1]
                file.write(("[" if empty else ",\n") + records)
            else:
                frame = frame.copy(deep=False)
                for name in frame:
                    if frame[name].map(_is_list).any():
                        frame[name] = frame[name].map(lambda each: json.dumps(list(each)) if _is_list(each) else each)
                frame.to_csv(file, index=False, header=empty)
            empty = False

        yield append
        if is_json:
            # There is no table without rows: what has none is refused before.
            file.write("]\n")


def is_table(path: Path, first: tuple[str, ...] = ("structure", "center", "center_species")) -> bool:
    """Whether an existing file begins as :func:`streamed` does, with these columns; one name alone others have, too."""
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(_START)
    except (OSError, UnicodeDecodeError):
        return False
    record = r"[^,{\[]*,".join(f'"{name}":' for name in first)
    return re.match(rf"{','.join(first)},|\[\{{{record}", start) is not None


def _is_list(value: object) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)
