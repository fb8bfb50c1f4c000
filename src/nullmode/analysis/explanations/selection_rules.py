"""Forces along the modes of named structures: of a many-body energy, and of smooth models fitted to it."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import JSON, InputError
from nullmode.analysis.explanations._cases import Case, cases_of, rows_of, table_of
from nullmode.analysis.explanations.null_modes import modes_of

if TYPE_CHECKING:
    import pandas as pd

    from nullmode.learning.smooth_models import SmoothModel

# Of the four-body energy.
_NEIGHBOURS = 4


def explain(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    family: str,
    descriptors: list[str],
    names: list[str] | None,
    samples: int,
    amplitude: float,
    seed: int,
) -> "pd.DataFrame":
    """Explain all modes of those structures that have four neighbours, with the forces along them.

    The models of a descriptor, a linear one and one of Gaussians, are fitted to the four-body energies and forces of
    random distortions of all these structures.
    """
    from nullmode.learning.four_body import four_body_energy
    from nullmode.learning.smooth_models import distorted, fit_model

    rows: list[JSON] = []
    for descriptor in descriptors:
        every = cases_of(table, structures, kinds, family, descriptor, names)
        cases = [case for case in every if len(case.environment) == _NEIGHBOURS]
        if not cases:
            continue
        training = distorted([case.environment for case in cases], samples, amplitude, seed)
        energies, forces = zip(*(four_body_energy(item.vectors) for item in training), strict=True)
        linear, kernel = (
            fit_model(cases[0].descriptor, training, energies, forces, gaussian=gaussian) for gaussian in (False, True)
        )
        for case in cases:
            rows += rows_of(case, _forces(case, linear, kernel))
    return table_of(rows)


def _forces(case: Case, linear: "SmoothModel", kernel: "SmoothModel") -> list[JSON]:
    """Add the forces along each mode; where three neighbours are on a line, the true one is NaN."""
    from nullmode.learning.four_body import four_body_energy

    try:
        force = four_body_energy(case.environment.vectors)[1]
    except InputError:
        force = np.full((_NEIGHBOURS, 3), np.nan)
    features, jacobian = case.descriptor.compute_with_jacobian(case.environment)
    modes = modes_of(case)
    displacements = np.reshape([mode["displacement"] for mode in modes], (len(modes), -1, 3))
    forces = {
        "force": force,
        "force_linear": linear.forces(features, jacobian),
        "force_kernel": kernel.forces(features, jacobian),
    }
    along = {name: np.tensordot(displacements, force, 2) for name, force in forces.items()}
    return [{**mode, **{name: float(along[name][k]) for name in along}} for k, mode in enumerate(modes)]
