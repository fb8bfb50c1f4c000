"""Print the table of docs/realistic-sets.md from the results of a run: python docs/make_realistic.py [results]."""

import sys
from pathlib import Path

import yaml

from nullmode.figures import near_singular
from nullmode.figures._base import plain
from nullmode.sweep import settings
from nullmode.tables import parquet

CONFIG = Path(__file__).parent.parent / "config" / "config.yaml"
CAUSES = ("symmetry", "incompleteness", "truncation", "cutoff", "none")


def table(results: Path) -> str:
    """Write how many environments of each set are near-singular, and why, as the figure of that name has it."""
    checked = settings.check(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    options = checked.figures["near_singular"].parameters
    rows = parquet.read(results / "tables" / "sensitivity.parquet")
    explanations = parquet.read(results / "explanations" / "near_singular.parquet")
    shares = near_singular.shares(rows, explanations, options["families"], options["descriptors"], 1e-3)
    lines = [
        "| set | choice | near-singular | soft modes | median s_r/s_1 | " + " | ".join(CAUSES) + " |",
        "|---|---|---|---|---|" + "---|" * len(CAUSES),
    ]
    for row in shares.to_dict("records"):
        percents = [f"{100 * row[cause]:.0f}" if row[cause] else "" for cause in CAUSES]
        ratio = "0" if row["median_ratio"] < 1e-15 else f"{row['median_ratio']:.0e}"
        lines.append(
            f"| {options['labels'][row['family']]} | {plain(row['choice'])} | {100 * row['near_singular']:.0f} % of "
            f"{row['environments']} | {row['soft_modes']:.1f} | {ratio} | " + " | ".join(percents) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(Path(sys.argv[1] if len(sys.argv) > 1 else "results")))
