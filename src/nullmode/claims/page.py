"""The ledger of claims as an HTML page: one file, for a screen or on paper."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nullmode._support.types import JSON
from nullmode.claims.model import PASS, VERDICTS, Claim, count_verdicts
from nullmode.claims.text import expected_text, number_text
from nullmode.tables.page import render


def page(frame: pd.DataFrame, claims: Mapping[str, Claim], provenance: JSON | None = None) -> str:
    """Write the whole ledger as HTML, with the queries of its claims and what its rows follow from.

    Links to figures are relative: ``figures/NAME.png`` beside the page.
    """
    return render(
        "nullmode.claims.page",
        "Claims",
        provenance,
        groups=[_group(str(name), claims[str(name)], rows) for name, rows in frame.groupby("group", sort=False)],
        kinds=[(str(kind), list(count_verdicts(rows).items())) for kind, rows in frame.groupby("kind", sort=False)],
        verdicts=VERDICTS,
        total=_occurring(frame),
    )


def _occurring(frame: pd.DataFrame) -> list[tuple[str, int]]:
    return [(verdict, count) for verdict, count in count_verdicts(frame).items() if count]


def _group(name: str, claim: Claim, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        **claim.model_dump(include={"claim", "source", "figure", "kind"}),
        "name": name,
        "measure": (claim.query or str(claim.check)).strip(),
        "counts": _occurring(rows),
        "passed": bool((rows["verdict"] == PASS).all()),
        "rows": [
            {
                "quantity": row["quantity"],
                "expected": expected_text(row["comparison"], row["expected"], row["tolerance"]),
                "measured": number_text(row["measured"]),
                "exact": repr(row["measured"]),
                "verdict": row["verdict"],
                "explanation": row["explanation"],
            }
            for row in rows.to_dict("records")
        ],
    }
