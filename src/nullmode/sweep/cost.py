"""What a job will take, in seconds and bytes, from counts of what it does; every start of Snakemake imports this.

The counts follow the kernels (``docs/cost-model.md``); the seconds of each are measured by ``make cost-model`` and kept
in ``cost.json``. Jobs are dealt by these figures, so another ``cost.json`` deals them anew.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, NamedTuple

from nullmode._support.types import Parity, Scope
from nullmode.attribution.completeness import LARGEST_ORDER, MOST_TUPLES
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, Descriptor
from nullmode.descriptors.acsf import ACSF
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.families._base import FamilySize
from nullmode.spectrum.truncations import sweeps

TABLE = Path(__file__).with_name("cost.json")
"""Seconds per count, and bytes; written by ``make cost-model``."""
_EVALUATIONS = 3
"""Tolerances at which theory is asked about an environment with null values: the one given, and both ends."""
_NUMBER = 8
_COPIES = 4
"""Arrays of the largest size held at once."""


class Block(NamedTuple):
    """Truncations that share one Jacobian.

    Attributes
    ----------
    largest, smallest
        The descriptor at its largest and smallest truncation.
    points, cells
        Truncations that are asked for, and that the triangular factor passes through.
    """

    largest: Descriptor
    smallest: Descriptor
    points: int
    cells: int


class Counts(NamedTuple):
    """What one structure of a family takes.

    Attributes
    ----------
    once, each
        Counts, by what they are of: shared by all truncations with one cutoff (neighbours, theory), and of this block.
    kept, working
        Bytes of its rows, and those held while it is computed.
    """

    once: dict[str, float]
    each: dict[str, float]
    kept: float
    working: float


class Estimate(NamedTuple):
    """What one structure of a family takes with an item's truncations; estimates of items add up."""

    seconds: float
    bytes: float


def estimate(descriptors: Sequence[Descriptor], size: FamilySize, scope: Scope = "environment") -> Estimate | None:
    """Tell what one structure of a family takes; None where the kind of the descriptors cannot be told."""
    module = type(descriptors[0]).__module__
    kind = next((name for name, target in DESCRIPTORS.items() if target.partition(":")[0] == module), None)
    if kind is None:
        return None
    total = [0.0, 0.0]
    once: dict[float, float] = {}
    for sweep in sweeps(descriptors):
        listed = [descriptors[index] for index, _, _ in sweep.points]
        counts = count(kind, Block(sweep.descriptor, listed[0], len(listed), len(listed)), size, scope)
        once[sweep.descriptor.cutoff] = seconds(counts.once)
        total[0] += seconds(counts.each)
        total[1] += counts.kept + counts.working / size.structures
    return Estimate(total[0] + sum(once.values()), total[1])


@cache
def measured() -> dict[str, dict[str, float]]:
    """Read ``seconds`` per count, on the machine where they were measured, and ``bytes`` of a job and of a row."""
    table: dict[str, dict[str, float]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def seconds(counts: dict[str, float]) -> float:
    """Time that counts stand for, on one thread."""
    rates = measured()["seconds"]
    return sum(rates[name] * number for name, number in counts.items())


def known(kind: str) -> bool:
    """Whether the time of a kind of descriptor can be told; that of a user's own cannot."""
    return kind in _KERNELS


def count(kind: str, block: Block, size: FamilySize, scope: Scope = "environment") -> Counts:
    """Count what one structure of a family takes with a block of truncations.

    Parameters
    ----------
    kind
        Of the descriptor, one that is :func:`known`.
    block
        The truncations.
    size
        Of the family.
    scope
        As in :func:`nullmode.analyze`.
    """
    n = max(1.0, size.neighbours(block.largest.cutoff))
    features = _features(kind, block.largest, n, size.species)
    kernel = _KERNELS[kind](block.largest, n, size.species, features)
    columns = 3 * (size.atoms if scope == "structure" else n)
    each = {
        kind: kernel,
        "factor": features * columns**2 + block.cells * columns**3,
        "values": block.points * columns**3,
        "row": float(block.points),
    }
    kept = block.points * (measured()["bytes"]["row"] + _NUMBER * columns)
    working = _COPIES * _NUMBER * features * columns
    if scope == "structure":
        # There is no theory of complete features of a whole structure, and its truncations share no Jacobian.
        once = {"environment": size.atoms, "symmetry": _EVALUATIONS * size.atoms}
        each |= {kind: block.points * kernel * size.atoms, "factor": block.points * each["factor"]}
        return Counts(once, each, kept, working)
    # A basis with few features beyond the displacements hardly sees all of them.
    deficient = _features(kind, block.smallest, n, size.species) < 2 * (3 * n - 3)
    once = _theory(block.largest, n, deficient=deficient)
    working += _COPIES * _NUMBER * _dot_products(block.largest.correlation_order, n)
    once, each = ({name: size.centers * value for name, value in part.items()} for part in (once, each))
    return Counts(once, each, size.centers * kept, working)


def _theory(descriptor: Descriptor, n: float, *, deficient: bool) -> dict[str, float]:
    """Count what theory takes of one environment: point group, and rank_complete over all tuples of neighbours."""
    times = float(_EVALUATIONS if deficient or descriptor.correlation_order == 1 else 1)
    counts = {"environment": 1.0, "symmetry": times * n}
    if products := _dot_products(descriptor.correlation_order, n):
        # They give up to n²/2 rows of 3 n columns.
        counts |= {"completeness": times, "tuples": times * products, "rows": times * 4.5 * n**4}
    return counts


def _dot_products(order: int | None, n: float) -> float:
    """Count those of all tuples of neighbours; 0 where there is no theory, or no memory for it."""
    if order is None or order > LARGEST_ORDER or n**order > MOST_TUPLES:
        return 0.0
    return order * (order + 1) / 2 * float(n**order)


def _features(kind: str, descriptor: Any, n: float, species: int) -> float:
    if isinstance(descriptor, DensityDescriptor):
        return descriptor._n_features(len(descriptor.species or ()) or species)
    return _FEATURES[kind](descriptor, n, species)


def _expansion(d: DensityDescriptor, n: float) -> float:
    """Harmonics, radial functions and the density coefficients of n neighbours."""
    return n * ((d.l_max + 1) ** 2 * (d.n_max + 6) + 8 * (d.l_max + 1) * d.n_max)


def _radial(d: DensityDescriptor, n: float, species: int, features: float) -> float:  # noqa: ARG001
    return _expansion(d, n) + 3 * n * features


def _power(d: DensityDescriptor, n: float, species: int, features: float) -> float:
    """Four outer products per l, after two sums over m; features sum over m."""
    channels, size = species * d.n_max, (d.l_max + 1) ** 2
    return _expansion(d, n) + channels**2 * size / 2 + 6 * n * channels * size + 12 * n * features


def _bispectrum(d: Bispectrum, n: float, species: int, features: float) -> float:
    """Two densities contracted, per choice of the third; then six products per feature."""
    pairs = _couplings(d.l_max, d.parity)
    return _expansion(d, n) + (species * d.n_max) ** 2 * (pairs[0] + 6 * n * pairs[1]) + 18 * n * features


@cache
def _couplings(l_max: int, parity: Parity) -> tuple[int, int]:
    """Count, over all (l1, l2, l3) and choices of the third, coupling coefficients and values of m."""
    entries = values = 0
    for l1, l2, l3 in combinations_with_replacement(range(l_max + 1), 3):
        if l3 <= l1 + l2 and (parity == "SO3" or (l1 + l2 + l3) % 2 == 0):
            distinct = {l1, l2, l3}
            entries += len(distinct) * (2 * l1 + 1) * (2 * l2 + 1)
            values += sum(2 * l + 1 for l in distinct)
    return entries, values


def _trispectrum(d: DensityDescriptor, n: float, species: int, features: float) -> float:
    """Every pair of densities coupled, with its derivative; then two products per M of a feature."""
    l = range(d.l_max + 1)
    pairs = sum((2 * one + 1) ** 2 * (2 * two + 1) for two in l for one in l if one <= two)
    return _expansion(d, n) + (species * d.n_max) ** 2 * 6 * n * pairs + features * (d.l_max + 1) * (1 + 6 * n)


def _acsf(d: ACSF, n: float, species: int, features: float) -> float:  # noqa: ARG001
    """Each function of one neighbour, or of two, with its gradient."""
    f = d._functions()
    return n * (len(f.g2) + len(f.g3)) + n * (n - 1) / 2 * len(f.angular) + 3 * n * features


def _acsf_features(d: ACSF, n: float, species: int) -> float:  # noqa: ARG001
    f, s = d._functions(), len(d.species or ()) or species
    return s * (1 + len(f.g2) + len(f.g3)) + s * (s + 1) / 2 * len(f.angular)


def _eigenvalues(d: Any, n: float, species: int, features: float) -> float:  # noqa: ARG001
    """Eigenvalues of a matrix of as many rows as features, and their gradients."""
    return features**3 + 3 * n * features**2


def _entries(d: Any, n: float, species: int, features: float) -> float:  # noqa: ARG001
    return 3 * n * features


_KERNELS: dict[str, Callable[[Any, float, int, float], float]] = {
    "radial-spectrum": _radial,
    "power-spectrum": _power,
    "bispectrum": _bispectrum,
    "trispectrum": _trispectrum,
    "acsf": _acsf,
    "overlap-matrix": _eigenvalues,
    "inverse-distances": _entries,
    "coulomb-matrix": _eigenvalues,
}
_FEATURES: dict[str, Callable[[Any, float, int], float]] = {
    "acsf": _acsf_features,
    "overlap-matrix": lambda d, n, _: (n + 1) * (4 if d.orbitals == "sp" else 1),
    # Of each species, and of pairs of equal and of different ones.
    "inverse-distances": lambda _, n, s: s * n + s * n * (n - 1) / 2 + s * (s - 1) / 2 * (n * n // 4),
    "coulomb-matrix": lambda _, n, __: n + 1,
}
