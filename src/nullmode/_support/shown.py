"""How records of results are shown: arrays by their shape and ends, not entry by entry."""

from dataclasses import fields
from html import escape
from typing import Any

import numpy as np

_LINE = 100
_FEW, _ENDS = 6, 2


class Shown:
    """A dataclass that is shown in a few lines; declare it with ``repr=False``."""

    __slots__ = ()

    def __repr__(self) -> str:
        parts = [f"{name}={value}" for name, value in self._parts()]
        line = f"{type(self).__name__}({', '.join(parts)})"
        if len(line) <= _LINE:
            return line
        lines = [""]
        for part in parts:
            if lines[-1] and len(lines[-1]) + len(part) > _LINE - 4:
                lines.append("")
            lines[-1] += f"{part}, "
        return "\n  ".join([f"{type(self).__name__}(", *map(str.rstrip, lines)]) + "\n)"

    def _repr_html_(self) -> str:
        """Show the record as a table, in notebooks."""
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self._parts())
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"

    def _parts(self) -> list[tuple[str, str]]:
        own: Any = self
        return [(each.name, brief(getattr(self, each.name))) for each in fields(own) if each.repr]


class Plotted(Shown):
    """A record of one environment's singular values, or resolutions, that can draw them."""

    __slots__ = ()

    def plot(self, ax: Any = None) -> Any:
        """Draw the values, as :func:`nullmode.plot.spectrum` does; returns the axes of Matplotlib."""
        # By the public name: figures are a layer above.
        import nullmode

        return nullmode.plot.spectrum(self, ax)


def brief(value: Any) -> str:
    """Write a value in at most a line: of an array, its shape, and of a vector its first and last entries."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, np.ndarray):
        return repr(value)
    shape = "x".join(map(str, value.shape))
    if value.ndim != 1 or not value.size:
        return f"<{shape or 'no'} array>"
    entries = [f"{each:.3g}" if value.dtype.kind == "f" else str(each) for each in value.tolist()]
    if len(entries) > _FEW:
        entries = [*entries[:_ENDS], "...", *entries[-_ENDS:]]
    return f"[{', '.join(entries)}]" + f" ({shape})" * (value.size > _FEW)
