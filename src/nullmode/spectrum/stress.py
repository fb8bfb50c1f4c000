"""Whether blindness costs stress: the part of a reference stress that no model gives together with the forces."""

from math import sqrt

import numpy as np

from nullmode._support.types import JSON, Floats
from nullmode.descriptors._base import Descriptor
from nullmode.spectrum.decomposition import decompose_matrix
from nullmode.spectrum.whole_structure import Structure, SummedJacobian, strains

_NOT_SMALL = 1e-5
"""eV/Å³; and of the stress: a stress that should vanish and is larger than both is told."""
_SHARE_NOT_SMALL = 1e-2


def stress_columns(
    structure: Structure,
    total: SummedJacobian,
    descriptor: Descriptor,
    rigid: Floats,
    operations: Floats | None,
    rtol: float,
) -> JSON:
    """Give the columns of a table that say what of forces and stress together the features can give.

    Strains are further displacements: the pairs of forces and stress that models reach are the row space of the
    Jacobian with their columns. What of the stress is left outside is the residual of the best fit to both. A strain e
    counts as a displacement of the length sqrt(N) a |e|, as if every atom moved by a e, where a³ is the volume per atom
    (a² its area in a layer, a its length in a rod). So nothing depends on which cell describes the structure.

    Parameters
    ----------
    structure
        With finite forces, and a stress.
    total
        Its Jacobian, with the derivatives with respect to :func:`strains`.
    rigid, shape (3 N, m)
        The rigid motions of the structure.
    operations, shape (g, 3, 3)
        Its symmetry; None if that is not known.
    """
    assert structure.forces is not None
    assert structure.stress is not None
    if not np.isfinite(structure.stress).all():
        return {"stress_status": "not_finite"}
    basis = strains(structure)
    n, length = len(structure.positions), _length(structure)
    volume = abs(float(np.linalg.det(structure.cell)))
    along = np.tensordot(basis, structure.stress, 2)
    # Six columns, as those of two atoms; without a strain, zeros are seen by nothing.
    columns = np.zeros((len(total.strain), 6))
    columns[:, : len(basis)] = total.strain / length
    matrix = np.column_stack([total.jacobian.reshape(len(columns), 3 * n), columns])
    target = np.concatenate([structure.forces.ravel(), -volume / length * along, np.zeros(6 - len(basis))])
    result, _ = decompose_matrix(
        matrix,
        np.vstack([rigid, np.zeros((6, rigid.shape[1]))]),
        rtol,
        terms=total.terms * max(1.0, descriptor.cutoff / length),
        rounding=descriptor.rounding,
        noise=total.noise,
        error=total.error * max(1.0, descriptor.cutoff / length),
    )
    modes = result.modes.reshape(len(result.modes), -1)[result.rank :]
    left = (modes @ target) @ modes[:, 3 * n :]
    size = np.count_nonzero(structure.pbc)
    row: JSON = {
        "stress_status": "ok",
        "stress_rms": float(np.linalg.norm(along)) / size,
        "unseen_stress": float(np.linalg.norm(left)) * length / volume / size,
    }
    broken = np.nan
    if operations is not None:
        mean = np.mean(operations @ structure.stress @ operations.swapaxes(1, 2), axis=0)
        broken = float(np.linalg.norm(np.tensordot(basis, structure.stress - mean, 2))) / size
    row["symmetry_null_stress"] = broken
    if broken > max(_NOT_SMALL, _SHARE_NOT_SMALL * row["stress_rms"]):
        row["stress_status"] = "breaks_symmetry"
    return row


def _length(structure: Structure) -> float:
    """Displacement of all atoms that a strain of unit size counts as, in Å."""
    axes = structure.cell[structure.pbc.astype(bool)]
    n = len(structure.positions)
    content = float(np.prod(np.abs(np.diag(np.linalg.qr(axes.T)[1]))))
    return sqrt(n) * float((content / n) ** (1 / len(axes)))
