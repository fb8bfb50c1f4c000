"""Steps along the softest mode without a correction, of several orbits together."""

from collections.abc import Sequence

import numpy as np

from nullmode._support.types import Floats
from nullmode.linalg.batched_svd import decompose_many, rotation_frames
from nullmode.search._continuation import Continuation, Point, start_from
from nullmode.search._record import Step


def bare_steps(
    orbits: Sequence[Continuation], length: float, step: float, every: int
) -> list[tuple[list[Point], float]]:
    """Take equal steps along the softest modes; of each orbit, give every k-th point and the last, and the gap.

    The orbits have one evaluator. The gap is the nearest return to the start, in Å, NaN if there is none.
    """
    points = [[orbit.first] for orbit in orbits]
    starts = np.stack([orbit.first.vectors for orbit in orbits])
    vectors, modes = starts, np.stack([orbit.first.mode for orbit in orbits])
    gap, ahead = np.full(len(orbits), np.nan), np.zeros(len(orbits))
    n_steps = int(length / step * (1 + 1e-12))  # 0.3 / 0.1 is rounded to less than 3
    for k in range(1, n_steps + 1):
        vectors = vectors + step * modes
        results = orbits[0].evaluator.evaluate(list(vectors))
        softest = _softest(vectors, [jacobian for _, jacobian, _ in results])
        modes = np.where(((softest * modes).sum(axis=(1, 2)) < 0)[:, None, None], -softest, softest)
        onward, beside = start_from(starts, vectors, modes)
        gap = np.where((ahead > 0) & (onward <= 0), np.fmin(gap, beside), gap)
        ahead = onward
        if k % every == 0 or k == n_steps:
            for i, (orbit, (features, jacobian, _)) in enumerate(zip(orbits, results, strict=True)):
                state = orbit.state_of(vectors[i], features, jacobian, modes[i])
                done = Step("fixed_step", orbit.first.step.evaluations + k, np.nan, step)
                points[i].append(state.point(vectors[i], k * step, done))
    return [(each, float(nearest)) for each, nearest in zip(points, gap, strict=True)]


def _softest(vectors: Floats, jacobians: Sequence[Floats]) -> Floats:
    """Softest mode of each environment, shape (m, n, 3), with either sign."""
    m, n, _ = vectors.shape
    result = np.empty_like(vectors)
    frames, n_rigid = rotation_frames(vectors.reshape(-1, 3), n * np.arange(m), n)
    for rigid in np.unique(n_rigid):
        alike = np.flatnonzero(n_rigid == rigid)
        flat = np.concatenate([jacobians[i].ravel() for i in alike.tolist()])
        start = np.arange(len(alike)) * (flat.size // len(alike))
        spectra = decompose_many(flat, start, len(jacobians[0]), frames[alike], int(rigid), modes=True)
        result[alike] = spectra.modes[:, -1].reshape(-1, n, 3)
    return result
