"""What nullmode analyze prints of its table: how many environments have how many null values, by cause."""

from typing import Any

import typer

_CAUSES = {
    "null_symmetry": "symmetry",
    "null_incompleteness": "body order",
    "null_cutoff": "cutoff",
    "null_truncation": "truncation",
    "null_width": "width",
    "null_unresolved": "unresolved",
}
_KEYS = ["center_species", "n_dof", "rank", *_CAUSES, "unsure", "status"]


class Summary:
    """Counts over the rows of a table, of which a part is added after the other.

    Attributes
    ----------
    count
        Number of rows.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.count = self._at_cutoff = 0
        self._whole = True
        self._groups: list[Any] = []
        self._resolutions: list[Any] = []
        self._nearest = float("inf")
        self._texts: dict[str, tuple[int, str]] = dict.fromkeys(("resolution_note", "message", "diagnostic"), (0, ""))

    def add(self, frame: Any) -> None:
        """Count further rows."""
        self.count += len(frame)
        self._at_cutoff += int((frame["n_at_cutoff"] > 0).sum())
        self._whole = self._whole and bool(frame["center_species"].isna().all())
        for name in self._texts.keys() & set(frame):
            texts = frame[name].replace("", None).dropna()
            if len(texts):
                count, first = self._texts[name]
                self._texts[name] = count + len(texts), first or texts.iloc[0]
        if "resolution" in frame:
            self._resolutions.append(frame["resolution"])
        keys = frame.fillna(dict.fromkeys(_CAUSES, 0) | {"ambiguous": False, "center_species": "all"})
        keys["unsure"] = keys["ambiguous"].astype(bool) | keys["group_grows_at"].notna()
        if keys["unsure"].any():
            self._nearest = min(self._nearest, keys["group_grows_at"].min())
        groups = keys.groupby(_KEYS)["inverse_condition_number"].agg(["size", "min"]).reset_index()
        self._groups.append(groups)

    def show(self) -> None:
        """Print the table, and on stderr what deserves attention."""
        import pandas as pd
        from rich.console import Console
        from rich.table import Table

        table = Table(
            "centre",
            "structures" if self._whole else "environments",
            "n_dof",
            "rank",
            "null values",
            "smallest s_d/s_1",
        )
        groups = pd.concat(self._groups).groupby(_KEYS).agg({"size": "sum", "min": "min"})
        for key, size, smallest in groups.itertuples():
            center, n_dof, rank, *null, unsure, status = key
            counts = [f"{count} {cause}" for count, cause in zip(null, _CAUSES.values(), strict=True) if count]
            unattributed = str(n_dof - rank) if rank < n_dof else "none" * unsure
            text = (", ".join(counts) or unattributed) + "?" * unsure if status == "ok" else status
            style = "yellow" if rank < n_dof else None
            table.add_row(center, str(size), str(n_dof), str(rank), text, f"{smallest:.1e}", style=style)
        if groups.index.get_level_values("unsure").any():
            within = f", by up to {self._nearest:.0e} Å or more" if 0 < self._nearest < float("inf") else ""
            table.caption = (
                f"?: close to a more symmetric or degenerate environment{within}; the counts depend on --tolerance"
            )
        Console().print(table)
        if self._resolutions:
            resolution = pd.concat(self._resolutions)
            worst, median = resolution.min(), resolution.median()
            typer.echo(
                f"resolution, the share of what a complete basis sees: smallest {worst:.3g}, median {median:.3g}"
            )
            self._say("resolution_note", "with a note about the resolution", None)
        if self._at_cutoff:
            typer.echo(f"{self._at_cutoff} with atoms at the cutoff, which are left out (column n_at_cutoff)", err=True)
        self._say("message", "not analysed", "red")
        self._say("diagnostic", "not explained", "red")

    def _say(self, column: str, what: str, color: str | None) -> None:
        count, first = self._texts[column]
        if count:
            typer.secho(f"{count} {what}, the first: {first}", err=True, fg=color)
