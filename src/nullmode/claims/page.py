"""The ledger of claims as a page for readers: one file, for a screen or on paper."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from nullmode._support.types import JSON
from nullmode.claims.model import PASS, VERDICTS, Claim, counts, shown, stated
from nullmode.tables import stamp

TEMPLATE = files("nullmode.claims").joinpath("ledger.html")


def page(frame: pd.DataFrame, claims: Mapping[str, Claim], provenance: JSON | None = None) -> str:
    """Write the whole ledger as HTML that needs no other file; it names figures by their place beside it.

    Parameters
    ----------
    frame
        Rows of the claims table.
    claims
        From which the rows were measured, for the queries.
    provenance
        What the rows follow from: written into the page, as into a table.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    groups = [_group(str(name), claims[str(name)], rows) for name, rows in frame.groupby("group", sort=False)]
    kinds = [(str(kind), list(counts(rows).items())) for kind, rows in frame.groupby("kind", sort=False)]
    stamped = stamp.of_page(provenance or {})
    return template.render(groups=groups, kinds=kinds, verdicts=VERDICTS, total=_of(frame), provenance=stamped)


def _of(frame: pd.DataFrame) -> list[tuple[str, int]]:
    return [(verdict, count) for verdict, count in counts(frame).items() if count]


def _group(name: str, claim: Claim, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": name,
        "claim": claim.claim,
        "source": claim.source,
        "figure": claim.figure,
        "kind": claim.kind,
        "how": (claim.query or str(claim.check)).strip(),
        "counts": _of(rows),
        "passed": bool((rows["verdict"] == PASS).all()),
        "rows": [
            {
                "quantity": row["quantity"],
                "expected": stated(row["comparison"], row["expected"], row["tolerance"]),
                "measured": shown(row["measured"]),
                "exact": repr(row["measured"]),
                "verdict": row["verdict"],
                "explanation": row["explanation"],
            }
            for row in rows.to_dict("records")
        ],
    }
