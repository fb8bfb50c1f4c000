"""Print the tables of docs/realistic-sets.md: python docs/make_realistic.py [results].

The first one, of forces, is computed here; the others are those of a run.
"""

import sys
from pathlib import Path

import yaml

import nullmode as nm
from nullmode._support.variants import load
from nullmode.analysis.analyze import analyze
from nullmode.families import FAMILIES
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


SETS = ("copper", "copper_cluster", "water", "molecules")
CHOICES: dict[str, dict[str, float]] = {
    "gap_silicon": {"n_max": 10, "l_max": 12, "width": 0.5, "cutoff_width": 1.0, "center_weight": 1.0},
    "unscaled": {"n_max": 8, "l_max": 6, "width": 0.3, "cutoff_width": 1.0, "center_weight": 1.0},
    "sizes (4, 4)": {"n_max": 4, "l_max": 4, "width": 0.5, "cutoff_width": 1.0},
    "lengths": {"n_max": 12, "l_max": 12, "width": 0.3, "cutoff_width": 0.25},
}


def forces() -> str:
    """Write what part of the reference forces linear models and any potential cannot give, in meV/Å per component."""
    checked = settings.check(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    labels = checked.figures["near_singular"].parameters["labels"]
    lines = [
        "| set | force | choice | linear: rank | unseen | soft 1e-2 | any potential: rank | unseen | soft 1e-2 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in SETS:
        family = checked.families[name]
        atoms = list(load(family.kind, FAMILIES, "family")(**family.parameters))
        for choice, parameters in CHOICES.items():
            cells = []
            for scope in ("structure", "potential"):
                rows = analyze(atoms, nm.PowerSpectrum(cutoff=5.0, **parameters), scope=scope, threads=1)
                rows = rows[rows["force_status"].notna()]
                force, unseen, soft = (
                    (rows[k] ** 2).mean() ** 0.5 for k in ("force_rms", "unseen_force", "soft_force_1e-2")
                )
                full = 100 * (rows["rank"] / rows["n_dof"]).mean()
                cells += [
                    f"{full:.0f} %",
                    *(f"{1000 * value:.3g}" if value > 1e-9 else "0" for value in (unseen, soft)),
                ]
            lines.append(f"| {labels[name]} | {1000 * force:.0f} | {choice} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(forces())
    print(table(Path(sys.argv[1] if len(sys.argv) > 1 else "results")))
