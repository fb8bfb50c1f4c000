"""Tables as CSV or JSON, for other programs; they carry no provenance, Parquet does."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from nullmode._support.files import written

ENDINGS = (".csv", ".json")
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
            file.write("[]\n" if empty else "]\n")


def is_table(path: Path, first: tuple[str, str] = ("structure", "center")) -> bool:
    """Whether an existing file begins as :func:`streamed` does, with these two columns."""
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(64)
    except (OSError, UnicodeDecodeError):
        return False
    return start.startswith((f"{first[0]},{first[1]},", f'[{{"{first[0]}":', "[]\n"))


def _is_list(value: object) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)
