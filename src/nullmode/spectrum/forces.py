"""Whether blindness costs force: the part of reference forces that no model on some features can give."""

from math import sqrt

import numpy as np

from nullmode._support.types import JSON, Floats
from nullmode.linalg.householder import complete_frame
from nullmode.spectrum.decomposition import Sensitivity

SOFT = {"1e-3": 1e-3, "1e-2": 1e-2}
"""Relative singular values up to which a displacement is called soft."""
_NOT_SMALL = 1e-3
"""eV/Å; and of the force: a force that should vanish and is larger than both is told."""
_SHARE_NOT_SMALL = 1e-2
_NO_FORCE = 1e-8
"""eV/Å; of forces below, shares have no meaning."""


def force_columns(forces: Floats, rigid: Floats, symmetric: Floats | None, result: Sensitivity) -> JSON:
    """Give the columns of a table that say what share of the forces the analysed Jacobian can give.

    The forces that models on the features reach are the row space of the Jacobian. Of reference forces, net force and
    torque are taken out first: no model of an isolated structure has them. What is left outside the row space is
    a lower bound of any model's error at this structure; soft displacements are reached only through features that
    change little, at the price of large parameters.

    Parameters
    ----------
    forces, shape (N, 3)
        In eV/Å.
    rigid, shape (3 N, m)
        The rigid motions of the structure.
    symmetric, shape (N, 3)
        The forces averaged over the symmetry of the structure; None if that is not known.
    result
        The analysis of the Jacobian.
    """
    if not np.isfinite(forces).all():
        return {"force_status": "not_finite"}
    frame, n_rigid = complete_frame(rigid)
    inner = frame[:, n_rigid:]
    size = sqrt(forces.size)
    force = float(np.linalg.norm(forces.ravel() @ inner)) / size
    net = float(np.linalg.norm(forces.ravel() @ frame[:, :n_rigid])) / size
    along = result.modes.reshape(len(result.modes), forces.size) @ forces.ravel()
    broken = np.nan if symmetric is None else float(np.linalg.norm((forces - symmetric).ravel() @ inner)) / size
    row: JSON = {"force_status": "ok", "force_rms": force, "net_force": net, "symmetry_null_force": broken}
    reached = {("unseen", ""): result.rank}
    for name, ratio in SOFT.items():
        stiff = result.singular_values > ratio * result.singular_values.max(initial=0.0)
        reached["soft", f"_{name}"] = min(result.rank, int(np.count_nonzero(stiff)))
    for (kind, ending), count in reached.items():
        lost = float(np.linalg.norm(along[count:])) / size
        row[f"{kind}_force{ending}"] = lost
        row[f"{kind}_share{ending}"] = lost / force if force > _NO_FORCE else np.nan
    most = max(_NOT_SMALL, _SHARE_NOT_SMALL * np.hypot(force, net))
    if broken > most:
        row["force_status"] = "breaks_symmetry"
    if net > most:
        row["force_status"] = "net_force"
    return row
