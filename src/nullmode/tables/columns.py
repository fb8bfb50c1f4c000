"""The documented columns of every table: name, type, unit, meaning."""

import unicodedata
from typing import NamedTuple, get_args

import pyarrow as pa

from nullmode._support.status import Status
from nullmode.tables.recommendation import RECOMMENDED


class Column(NamedTuple):
    """A column of a table: its name, Arrow type, meaning and unit (empty for a pure number or a text)."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""


_TEXT, _INTEGER, _FLOAT = pa.string(), pa.int64(), pa.float64()
_INTEGERS, _FLOATS = pa.list_(_INTEGER), pa.list_(_FLOAT)

ENVIRONMENT = (
    Column("structure", _INTEGER, "index of the structure in its set or family, from 0"),
    Column("center", _INTEGER, "index of the central atom; -1 if made from vectors, and for a whole structure"),
    Column("center_species", _TEXT, "chemical symbol of the centre; null for a whole structure"),
    Column(
        "n_neighbours",
        _INTEGER,
        "neighbours inside the cutoff, each periodic image counted; for a whole structure, those of all its centres",
    ),
    Column("n_at_cutoff", _INTEGER, "atoms within 5e-8 Å of the cutoff, which are left out, whatever their rounding"),
    Column("n_dof", _INTEGER, "number of displacements, rigid motions excluded (d)"),
    Column(
        "rank",
        _INTEGER,
        "number of singular values above rtol times the largest and above rounding_floor",
    ),
    Column("singular_values", _FLOATS, "the d singular values of the Jacobian, descending", "1/Å"),
    Column("condition_number", _FLOAT, "largest over smallest singular value; infinite where singular"),
    Column("inverse_condition_number", _FLOAT, "smallest over largest singular value; 0 where singular"),
    Column(
        "rotation_floor", _FLOAT, "response to rigid motions over the largest singular value: the noise of the Jacobian"
    ),
    Column("rounding_floor", _FLOAT, "values up to this are rounding, whatever rtol; see docs/theory.md", "1/Å"),
    Column("status", _TEXT, " | ".join(get_args(Status))),
    Column("message", _TEXT, "empty, or the error that stopped the analysis of a row that failed"),
)
WHERE = (
    Column("family", _TEXT, "name of the family in the configuration"),
    Column("descriptor", _TEXT, "name of the descriptor in the configuration"),
    Column("scope", _TEXT, "environment | structure | potential: what the row describes"),
    Column("correlation_order", _INTEGER, "number of neighbours correlated (nu); null where that has no meaning"),
    Column("n_max", _INTEGER, "number of radial functions"),
    Column("l_max", _INTEGER, "largest angular momentum, inclusive"),
    Column("cutoff", _FLOAT, "radius of the environment", "Å"),
    Column("cutoff_width", _FLOAT, "smoothing range below the cutoff", "Å"),
    Column("width", _FLOAT, "standard deviation of the Gaussian density", "Å"),
    Column("density", _TEXT, "gaussian | delta; null where there is none"),
    Column("radial_basis", _TEXT, "radial functions; null where there are none"),
    Column("parameters", _TEXT, "all parameters of the descriptor, as JSON with sorted keys"),
    Column("rtol", _FLOAT, "relative tolerance of the rank"),
)
ATTRIBUTION = (
    Column("rank_complete", _INTEGER, "largest rank that any truncation of this order reaches; null where not known"),
    Column("rank_symmetric", _INTEGER, "largest rank that symmetry allows for features of this parity"),
    Column("null_symmetry", _INTEGER, "null values that symmetry demands: n_dof - rank_symmetric"),
    Column(
        "null_incompleteness",
        _INTEGER,
        "null values due to the body order: rank_symmetric - rank_complete, less what no body order sees",
    ),
    Column("null_truncation", _INTEGER, "null values that a larger truncation sees, and a raised cutoff does not"),
    Column(
        "null_cutoff",
        _INTEGER,
        "null values of neighbours so near the cutoff that it hides them: none once it is raised by cutoff_width; of a "
        "whole structure, also what no body order sees",
    ),
    Column("null_width", _INTEGER, "null values beyond these that no basis sees: the density is too wide for them"),
    Column(
        "null_unresolved",
        _INTEGER,
        "the other null values: rank_complete is not known, or whether any basis sees them, or the row is ambiguous",
    ),
    Column("point_group", _TEXT, "Schoenflies symbol; for a periodic structure, that of its crystal class"),
    Column("ambiguous", pa.bool_(), "whether values are null and the counts depend on the tolerance"),
    Column(
        "tolerance", _FLOAT, "length at which the ranks were counted: as asked for, or less if the rank demands it", "Å"
    ),
    Column("nearest_tolerance", _FLOAT, "length at which the counts change, nearest to the tolerance asked for", "Å"),
    Column("group_grows_at", _FLOAT, "length, up to 0.01 Å, at which the symmetry is higher; null without any", "Å"),
    Column("diagnostic", _TEXT, "empty, or what is wrong with the counts"),
)
RESOLUTION = (
    Column(
        "resolution",
        _FLOAT,
        "share of what a complete basis sees of the worst displacement that this one keeps, 0 to 1 (docs/theory.md); "
        "null where it is not known",
    ),
    Column(
        "resolution_within_cutoff",
        _FLOAT,
        "largest resolution of any radial functions that end at the cutoff; null for those that do not, GTOs",
    ),
    Column("rank_limit", _INTEGER, "rank in a complete basis of this density, width and order: number of resolutions"),
    Column("resolution_note", _TEXT, "empty, or what is wrong with the resolution, or why there is none"),
)
_SOFT = ("1e-3", "1e-2")
WHOLE = (
    Column("n_classes", _INTEGER, "number of classes of centres with equal features; null but for scope potential"),
    Column(
        "feature_gap", _FLOAT, "least relative feature distance of two classes, infinite without two; null likewise"
    ),
    Column(
        "force_status",
        _TEXT,
        "ok | net_force (not small) | breaks_symmetry (symmetry_null_force is not small) | not_finite; null without "
        "forces",
    ),
    Column("force_rms", _FLOAT, "reference force per component, net force and torque taken out", "eV/Å"),
    Column("net_force", _FLOAT, "net force and torque that were taken out, per component", "eV/Å"),
    Column("symmetry_null_force", _FLOAT, "force along displacements that symmetry makes null: should vanish", "eV/Å"),
    Column("unseen_force", _FLOAT, "force that no model of this scope can give at this structure", "eV/Å"),
    *(
        Column(f"soft_force_{ratio}", _FLOAT, f"that, and force along values up to {ratio} of the largest", "eV/Å")
        for ratio in _SOFT
    ),
    Column("unseen_share", _FLOAT, "unseen_force over force_rms"),
    *(Column(f"soft_share_{ratio}", _FLOAT, f"soft_force_{ratio} over force_rms") for ratio in _SOFT),
    Column("stress_status", _TEXT, "ok | breaks_symmetry (as for forces) | not_finite; null without forces and stress"),
    Column("stress_rms", _FLOAT, "reference stress per component along periodic directions", "eV/Å³"),
    Column("unseen_stress", _FLOAT, "stress that the best fit of this scope to forces and stress leaves", "eV/Å³"),
    Column("symmetry_null_stress", _FLOAT, "stress that symmetry forbids: should vanish", "eV/Å³"),
)
OPTIONAL = (*WHOLE, *RESOLUTION)
"""Left out of tables without whole structures, or without resolutions."""
ANALYSIS = (*ENVIRONMENT, *WHOLE, *ATTRIBUTION, *RESOLUTION)
SENSITIVITY = (
    *WHERE,
    *ANALYSIS,
    Column(
        "pair_distance",
        _FLOAT,
        "distance of the features from those of the first structure with the same coordinate `pair`, over their norm",
    ),
)
SPECTRA = (
    Column("structure", _INTEGER, "index of the structure in its set, or of the environment in the stream, from 0"),
    *(column for column in ENVIRONMENT if column.name not in ("structure", "condition_number")),
)
STRUCTURES = (
    Column("structure", _INTEGER, "index in the family, from 0"),
    Column("numbers", _INTEGERS, "atomic numbers"),
    Column("positions", _FLOATS, "x, y, z of each atom", "Å"),
    Column("cell", _FLOATS, "three cell vectors, row by row", "Å"),
    Column("pbc", _INTEGERS, "1 along periodic directions"),
    Column("centers", _INTEGERS, "indices of the central atoms"),
    Column("forces", _FLOATS, "x, y, z of the reference force on each atom; null where none is known", "eV/Å"),
    Column("stress", _FLOATS, "nine components of the reference stress; null where none is known", "eV/Å³"),
    Column("defect", _TEXT, "why the structure is skipped, in every analysis; null where it is sound"),
)
PERCENTILES = {f"inverse_condition_number_p{str(p).replace('.', '_')}": p for p in (0.5, 5, 25, 50, 75, 95)}
"""Of the inverse condition number, in the table summary."""
SUMMARY = (
    *WHERE,
    Column("n_environments", _INTEGER, "number of environments that the row summarises"),
    Column("n_ok", _INTEGER, "number of those with status ok; the other columns are about these"),
    Column("rank_min", _INTEGER, "smallest rank"),
    Column("rank_median", _FLOAT, "median rank"),
    Column("rank_max", _INTEGER, "largest rank"),
    Column("fraction_deficient", _FLOAT, "share of environments with rank below n_dof"),
    *(Column(name, _FLOAT, f"its percentile {p}") for name, p in PERCENTILES.items()),
    Column("rotation_floor_max", _FLOAT, "largest noise floor"),
)
_SEARCH = (Column("search", _TEXT, "name of the search in the configuration"), *WHERE)
_FROM = (
    Column("structure", _INTEGER, "index of the start's structure in its family, from 0"),
    Column("center", _INTEGER, "index of the central atom of the start"),
)
SEARCH = (
    *_SEARCH,
    *_FROM,
    Column("found", _INTEGER, "index among the results from this start, from 0; -1 if there are none"),
    Column("converged", pa.bool_(), "whether the search from this start reached its goal"),
    Column("status", _TEXT, "found | not_found | refused: how the search from this start ended"),
    Column("message", _TEXT, "empty, or why the search from this start found nothing or was refused"),
    Column("center_species", _TEXT, "chemical symbol of the centre"),
    Column("species", _INTEGERS, "atomic numbers of the neighbours"),
    Column("start_vectors", _FLOATS, "x, y, z of each neighbour of the start, relative to the centre", "Å"),
    Column("vectors", _FLOATS, "the same for the result; empty if there is none", "Å"),
    Column("singular_values", _FLOATS, "of the Jacobian of the result, descending", "1/Å"),
    Column("inverse_condition_number", _FLOAT, "smallest over largest singular value"),
    Column("n_dof", _INTEGER, "number of singular values: of displacements, rotations excluded"),
    Column("rank", _INTEGER, "number of singular values above rtol times the largest"),
    *ATTRIBUTION,
)
SEARCH_STEPS = (
    *_SEARCH,
    *_FROM,
    Column("step", _INTEGER, "index in the search from this start, from 0"),
    Column("phase", _TEXT, "phase of the search that took the step, or how it ended"),
    Column("evaluations", _INTEGER, "number of Jacobians computed so far"),
    Column("residual", _FLOAT, "quantity that the search reduces to zero"),
    Column("length", _FLOAT, "displacement of all neighbours by this step", "Å"),
)
CLAIMS = (
    Column("claim", _TEXT, "what is claimed"),
    Column("source", _TEXT, "where it was claimed, or what the number follows from"),
    Column("quantity", _TEXT, "what is measured"),
    Column("expected", _FLOAT, "the published or derived number, in the unit that the quantity names"),
    Column("tolerance", _FLOAT, "how far off it may be, as the comparison takes it; 0 where it is exact"),
    Column("measured", _FLOAT, "the number that the tables of this run give; null where they give none"),
    Column("verdict", _TEXT, "pass | fail | explained"),
    Column("kind", _TEXT, "rank | zero | law | size; only a size may be explained"),
    Column("comparison", _TEXT, "equal | absolute | relative | factor | at_most | at_least"),
    Column("group", _TEXT, "name of the claim in the file of claims"),
    Column("figure", _TEXT, "name of the figure that shows it; null where none does"),
    Column("explanation", _TEXT, "why there is no number, or why it is off, with the number that shows it"),
)
REGRESSION = (
    Column("regression", _TEXT, "name of the regression in the configuration"),
    Column("model", _TEXT, "kind of the model that was fitted"),
    Column("training", _TEXT, "families that it was fitted to, with commas between"),
    Column("role", _TEXT, "training | test: whether the model was fitted to this row"),
    *WHERE,
    Column("structure", _INTEGER, "index of the structure in its family, from 0"),
    Column("center", _INTEGER, "index of the central atom"),
    Column("target", _FLOAT, "what the model is to predict"),
    Column("predicted", _FLOAT, "what it predicts, in the same unit"),
)
NEAR_PAIRS = (
    Column("structure", _INTEGER, "index of the structure in its set, from 0; -1 if made from vectors"),
    Column("center", _INTEGER, "index of the central atom; -1 if made from vectors"),
    Column("center_species", _TEXT, "chemical symbol of the centre"),
    Column("other", _INTEGER, "row of the nearest environment that is not congruent to this one; -1 if there is none"),
    Column("other_structure", _INTEGER, "index of its structure"),
    Column("other_center", _INTEGER, "index of its central atom"),
    Column("feature_distance", _FLOAT, "distance of the features of the two"),
    Column("relative_distance", _FLOAT, "that, over the larger norm of the features"),
    Column(
        "structural_distance",
        _FLOAT,
        "root mean square distance of neighbours after the best superposition; null where it was not asked for, or the "
        "species differ",
        "Å",
    ),
    Column("energy_difference", _FLOAT, "of the energies of the two centres; null where they are not known", "eV"),
    Column("force_difference", _FLOAT, "of the forces on the two centres, superposed; null as both above", "eV/Å"),
    Column("n_searched", _INTEGER, "number of environments around centres of this species"),
    Column("certain", pa.bool_(), "whether no other environment can be nearer"),
)
EXPLANATIONS = (
    *WHERE,
    Column("structure", _INTEGER, "place of the structure in its family, from 0"),
    Column("center", _INTEGER, "index of the central atom"),
    Column("center_species", _TEXT, "chemical symbol of the centre"),
    Column("species", _INTEGERS, "atomic numbers of the neighbours"),
    Column("vectors", _FLOATS, "x, y, z of each neighbour, relative to the centre", "Å"),
    Column("mode", _INTEGER, "place of the mode among those of this environment, from 0"),
    Column("ratio", _FLOAT, "singular value of the mode over the largest; null for a null mode"),
    Column(
        "cause",
        _TEXT,
        "why it is null or soft: symmetry | incompleteness | truncation | cutoff | width | unresolved | tie | none; "
        "else seen",
    ),
    Column("strongest", _TEXT, "of a soft mode: the causes with the largest share of its softness; null for others"),
    Column("strongest_share", _FLOAT, "that share, 0 to 1; null for others"),
    Column("irrep", _TEXT, "Mulliken symbol of a null mode in the point group; null where it was not determined"),
    Column("displacement", _FLOATS, "x, y, z of each neighbour, of unit length; null where not known"),
    Column("force", _FLOAT, "along the mode, of the four-body energy; null where not asked for", "1/Å"),
    Column("force_linear", _FLOAT, "the same of a linear model fitted to that energy", "1/Å"),
    Column("force_kernel", _FLOAT, "the same of a model of Gaussians", "1/Å"),
)
TABLES = {
    "analysis": ANALYSIS,
    "structures": STRUCTURES,
    "sensitivity": SENSITIVITY,
    "summary": SUMMARY,
    "spectra": SPECTRA,
    "search": SEARCH,
    "search_steps": SEARCH_STEPS,
    "claims": CLAIMS,
    "regression": REGRESSION,
    "explanations": EXPLANATIONS,
    "near_pairs": NEAR_PAIRS,
    "recommendation": tuple(Column(*each) for each in RECOMMENDED),
}
RESERVED = sorted(
    {each.name for table in (STRUCTURES, SENSITIVITY, SUMMARY, SPECTRA, SEARCH, REGRESSION) for each in table}
)
"""Names that a coordinate must not have: columns of the tables in which coordinates stand beside them."""


def folded(name: str) -> str:
    """Write a name of a column such that names which readers of tables may take as one are equal."""
    return unicodedata.normalize("NFKC", name).casefold()
