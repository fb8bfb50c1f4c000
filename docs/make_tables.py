"""Write docs/tables.md from the declarations of the tables: `make docs`."""

from pathlib import Path
from textwrap import wrap

from nullmode.tables.columns import RESERVED, TABLES, Column
from nullmode.tables.parquet import SCHEMA_VERSION

PAGE = Path(__file__).with_name("tables.md")
OPENING = f"""# Tables

Made by `make docs` from `src/nullmode/tables/columns.py`; do not edit.

Every table is a Parquet file. [`nullmode.load`](how-to-read-results.md) returns one table, or all files of a sweep
together, as a pandas data frame; it refuses files that nullmode did not write. `pandas.read_parquet` reads a file too.
The metadata hold the unit and meaning of each column, and what the file was made from: parameters and seeds, hashes of
the code and of the inputs, versions of the libraries. They hold no time, host or commit, so that the same input gives
the same bytes. `nullmode provenance FILE` prints all of this. The schema version is {SCHEMA_VERSION}.

A missing number (for instance `l_max` of a descriptor without one) is null. The coordinates of a family (such as
`path`, `t`, `u`, `v`) are further columns of `structures` and `sensitivity`; those that are texts are also columns of
`summary`. In a table of several families they are null where a family has no such coordinate.
"""
NOTES = {
    "analysis": "Returned by `nullmode.analyze`, written by `nullmode analyze --out`: one row per environment.",
    "structures": "`results/structures/FAMILY.parquet`: one row per structure of a family.",
    "sensitivity": "`results/tables/sensitivity.parquet`, and one file per job in `results/sensitivity/`: one row per "
    "environment and truncation.",
    "spectra": "Written by `nullmode.scan` and `nullmode scan`: one row per environment, without causes.",
    "summary": "`results/tables/summary.parquet`: one row per family, descriptor, truncation and text coordinate.",
    "search": "`results/searches/SEARCH/found.parquet`: one row per environment that was found, and one per start that "
    "led to none. Further attributes of the search's record follow as columns, then the coordinates of the start.",
    "regression": "`results/regressions/DESCRIPTOR.parquet`: one row per regression and environment that its model was "
    "fitted to or tested on. The coordinates of all its families follow; they are null where a family has none.",
    "search_steps": "`results/searches/SEARCH/steps.parquet`: one row per step.",
    "explanations": "`results/explanations/FIGURE.parquet`: one row per mode of each environment that a figure "
    "explains. The coordinate `name` of the structure follows where the figure draws named structures.",
    "near_pairs": "What `nullmode.near_pairs` returns: one row per environment, with the nearest one in feature space.",
    "recommendation": "`nullmode.recommend(...).table`, written by `nullmode recommend --out`: one row per setting.",
    "claims": "`results/claims.parquet`: one row per expected number of the [claims](claims.md).",
}
CLOSING = """
## Values of `status`

| status | meaning |
|---|---|
| `ok` | the row can be used; a rank of 0 means that all values are below `rounding_floor`: nothing is seen |
| `no_neighbours` | no neighbour is inside the cutoff of the centre (of a structure: of any centre) |
| `rtol_below_floor` | `rtol` is below `rotation_floor`, so the rank counts noise: raise `rtol` |
| `rtol_below_error` | `rtol` is below the error that the finite differences estimate of themselves: raise `rtol` |
| `not_finite` | the descriptor gave NaN or infinity; `singular_values` are NaN |
| `bad_structure` | the structure cannot be analysed and was skipped; `defect` in the table of structures says why |

## Names that a coordinate must not have

The coordinates of a family stand beside the columns above. So `Atoms.info` must not use their names, in whatever case,
for coordinates: a structure that does is refused. So is one with a name that begins with two underscores, ends in
`_of_start`, or has invisible characters or spaces at its ends.

"""


def page() -> str:
    """Return the whole page."""
    reserved = "\n".join(wrap(f"Reserved are {', '.join(f'`{name}`' for name in RESERVED)}.", 120))
    return OPENING + "".join(_section(name, columns) for name, columns in TABLES.items()) + CLOSING + reserved + "\n"


def _section(name: str, columns: tuple[Column, ...]) -> str:
    lines = [f"\n## `{name}`\n", NOTES[name], "", "| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning.replace(' |', ',')} |" for c in columns]
    return "\n".join(lines).replace("list<item: ", "list<") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
