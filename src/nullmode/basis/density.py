"""Expansion of a neighbour density in radial functions and spherical harmonics, with all that its derivative needs."""

from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, load, padded, splat, store
from nullmode._support.types import Floats, Integers
from nullmode.basis.cutoff import shifted_cosine
from nullmode.basis.harmonics import harmonics
from nullmode.basis.scaling import scaling
from nullmode.basis.spline import RadialTable, interpolate


class Batch(NamedTuple):
    """Environments packed for a kernel, which fills `features`, shape (n_environments, F), and `jacobian`.

    The Jacobian holds each environment's (F, n, 3) in 1/Å, one after the other, shape (F·3·n_total,), or is empty where
    none is wanted. Descriptors without a density have both set to zero before the kernel runs.

    Attributes
    ----------
    vectors, shape (n_total, 3)
        Neighbours of all environments, relative to their centres, in Å.
    species, shape (n_total,)
        Index of each neighbour's species in those of the descriptor.
    offsets, shape (n_environments + 1,)
        Neighbours offsets[i] to offsets[i + 1] - 1 belong to environment i.
    center_species, shape (n_environments,)
        Index of each centre's species in those of the descriptor; read only if the centre has a density.
    """

    vectors: Floats
    species: Integers
    offsets: Integers
    center_species: Integers


class Density(NamedTuple):
    """The density and the functions that it is expanded in; lengths in Å. An exponent of 0 means no scaling."""

    table: RadialTable
    norm: Floats
    n_max: int
    l_max: int
    cutoff: float
    cutoff_width: float
    center_weight: float
    scaling_rate: float
    scaling_scale: float
    scaling_exponent: float


class Expansion(NamedTuple):
    """One environment's coefficients and the factors of their derivatives; scratch, sized for the largest one.

    d c_(q lm)/d r_(j k) = slope[q, 3j+k] y[lm, 3j+k] + ratio[q, 3j+k] dy[lm, 3j+k], zero unless q has j's species.

    Attributes
    ----------
    c, shape (n_species n_max, >= (l_max + 1)²)
        Density coefficients c_(q lm), channel q = species·n_max + n.
    harmonics, shape (n, >= (l_max + 1)²)
        Y_lm in the direction of each neighbour.
    y, dy, shape ((l_max + 1)², >= 3 n)
        Harmonics (three times each) and their gradients on the sphere, column 3j + k.
    value, derivative, shape (n, (l_max + 1) n_max)
        Radial integrals (of a delta density, radial functions) times the cutoff function and the radial scaling, and
        their slopes in 1/Å, at each neighbour.
    direction, shape (3 n,)
        Unit vectors.
    inverse_distance, shape (n,)
        1/r in 1/Å.
    work, shape (any,)
        Scratch of the recursion.
    """

    c: Floats
    harmonics: Floats
    y: Floats
    dy: Floats
    value: Floats
    derivative: Floats
    direction: Floats
    inverse_distance: Floats
    work: Floats


def columns_of(n_neighbours: int) -> int:
    """Columns that hold the components of `n_neighbours`, and pairs of lanes."""
    return 2 * padded(-(-3 * n_neighbours // 2))


def expansion(density: Density, n_species: int, n_neighbours: int) -> Expansion:
    """Allocate the scratch for environments of up to `n_neighbours`."""
    size = (density.l_max + 1) ** 2
    functions = (density.l_max + 1) * density.n_max
    columns = columns_of(n_neighbours)
    return Expansion(
        c=aligned(n_species * density.n_max, padded(size) + WIDTH),
        harmonics=aligned(n_neighbours, padded(size) + WIDTH),
        y=aligned(size, columns),
        dy=aligned(size, columns),
        value=np.empty((n_neighbours, functions)),
        derivative=np.empty((n_neighbours, functions)),
        direction=np.empty(3 * n_neighbours),
        inverse_distance=np.empty(n_neighbours),
        work=np.empty(density.norm.size + 2 * (density.l_max + 1)),
    )


@kernel
def _weight(f: float, df: float, value: Floats, derivative: Floats) -> None:
    for k in range(value.size):
        derivative[k] = f * derivative[k] + df * value[k]
        value[k] *= f


@kernel
def expand(batch: Batch, environment: int, density: Density, out: Expansion) -> None:
    """Fill `out` for one environment: c_nlm = sum_j f_c(r_j) u(r_j) I_nl(r_j) Y_lm(r_j/|r_j|) per species.

    Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115 (2013), eq. 31, in featomic's convention; u is the
    radial scaling.
    """
    first = batch.offsets[environment]
    n = batch.offsets[environment + 1] - first
    n_max = density.n_max
    for j in range(n):
        x = batch.vectors[first + j, 0]
        y = batch.vectors[first + j, 1]
        z = batch.vectors[first + j, 2]
        r = np.sqrt(x * x + y * y + z * z)
        out.inverse_distance[j] = 1.0 / r
        x /= r
        y /= r
        z /= r
        out.direction[3 * j] = x
        out.direction[3 * j + 1] = y
        out.direction[3 * j + 2] = z
        if r >= density.cutoff:
            out.value[j] = 0.0
            out.derivative[j] = 0.0
            out.harmonics[j] = 0.0
            out.y[:, 3 * j : 3 * j + 3] = 0.0
            out.dy[:, 3 * j : 3 * j + 3] = 0.0
            continue
        harmonics(x, y, z, density.l_max, density.norm, out.work, out.harmonics, out.y, out.dy, j)
        interpolate(density.table, r, out.value[j], out.derivative[j])
        if r > density.cutoff - density.cutoff_width:
            f, df = shifted_cosine(r, density.cutoff, density.cutoff_width)
            _weight(f, df, out.value[j], out.derivative[j])
        if density.scaling_exponent != 0.0:
            f, df = scaling(r, density.scaling_rate, density.scaling_scale, density.scaling_exponent)
            _weight(f, df, out.value[j], out.derivative[j])
    _sum(batch.species[first : first + n], density, out)
    if density.center_weight != 0.0:
        start = batch.center_species[environment] * n_max
        for k in range(n_max):
            out.c[start + k, 0] += density.center_weight * density.norm[0] * density.table.nodes[0, 0, k]


@kernel
def _sum(species: Integers, density: Density, out: Expansion) -> None:
    """Sum over the neighbours of each species; what spills over the end of an l is overwritten by the next."""
    c, y = out.c.reshape(-1), out.harmonics.reshape(-1)
    n_max = density.n_max
    for q in range(out.c.shape[0]):
        kind, k = q // n_max, q % n_max
        for l in range(density.l_max + 1):
            for lm in range(l * l, (l + 1) * (l + 1), WIDTH):
                total = splat(0.0)
                for j in range(species.size):
                    if species[j] == kind:
                        total += load(y, j * out.harmonics.shape[1] + lm) * splat(out.value[j, l * n_max + k])
                store(c, q * out.c.shape[1] + lm, total)
