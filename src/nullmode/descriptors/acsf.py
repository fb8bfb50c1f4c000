"""Atom-centred symmetry functions."""

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from math import cos, exp, sin, sqrt
from typing import Annotated, ClassVar, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._support._jit import kernel
from nullmode._support.types import Floats, Parity
from nullmode._support.variants import variant
from nullmode.basis.cutoff import shifted_cosine
from nullmode.basis.density import Batch
from nullmode.descriptors._layout import Layout, pack
from nullmode.descriptors._neighbours import Inside, NeighbourDescriptor, gather, inside
from nullmode.descriptors._parameters import SpeciesChoice
from nullmode.geometry.environment import Environment

Finite = Annotated[float, Field(allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# Below 1 the slope is infinite where the angle makes the power's base zero.
Sharpness = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Angular = tuple[tuple[Decay, Sharpness, Annotated[float, Field(ge=-1, le=1)]], ...]


class Functions(NamedTuple):
    """Parameters of the symmetry functions, in Å and 1/Å.

    Attributes
    ----------
    g2, shape (n_2, 2)
        eta, R_s.
    g3, shape (n_3,)
        kappa.
    angular, shape (n_4 + n_5, 3)
        eta, zeta, lambda of G4, then of G5.
    n_4
        How many are G4.
    """

    g2: Floats
    g3: Floats
    angular: Floats
    n_4: int


class Scratch(NamedTuple):
    """Atoms of one environment, and the derivatives of a pair's angular part with respect to either atom (2, 3)."""

    atoms: Inside
    gradient: Floats


@kernel
def acsf(
    batch: Batch,
    n_species: int,
    cutoff: float,
    functions: Functions,
    scratch: Scratch,
    features: Floats,
    jacobian: Floats,
) -> None:
    """Add the features (G1, G2, G3 of each species, then G4, G5 of each pair) and the Jacobian of a batch to zeros."""
    atoms = scratch.atoms
    n_2 = len(functions.g2)
    n_radial = 1 + n_2 + len(functions.g3)
    n_angular = len(functions.angular)
    for i in range(features.shape[0]):
        rows = gather(batch, i, cutoff, cutoff, atoms)
        n = batch.offsets[i + 1] - batch.offsets[i]
        start = 3 * batch.offsets[i] * features.shape[1]
        for a in range(1, rows):
            r, f, df = atoms.distance[a], atoms.weight[a], atoms.slope[a]
            first = atoms.species[a] * n_radial
            for k in range(n_radial):
                value, slope = f, df
                if 0 < k <= n_2:
                    eta, shift = functions.g2[k - 1]
                    decay = exp(-eta * (r - shift) ** 2)
                    value = decay * f
                    slope = decay * (df - 2.0 * eta * (r - shift) * f)
                elif k > n_2:
                    kappa = functions.g3[k - 1 - n_2]
                    value = cos(kappa * r) * f
                    slope = cos(kappa * r) * df - kappa * sin(kappa * r) * f
                features[i, first + k] += value
                if jacobian.size > 0:
                    for x in range(3):
                        own = start + 3 * (n * (first + k) + atoms.row[a]) + x
                        jacobian[own] = slope * atoms.direction[a, x]
            for b in range(1, a):
                low = min(atoms.species[a], atoms.species[b])
                high = max(atoms.species[a], atoms.species[b])
                pair = low * n_species - low * (low - 1) // 2 + high - low
                for k in range(n_angular):
                    row = n_species * n_radial + pair * n_angular + k
                    features[i, row] += _angular(
                        atoms, a, b, cutoff, functions.angular[k], k < functions.n_4, scratch.gradient
                    )
                    if jacobian.size > 0:
                        for x in range(3):
                            jacobian[start + 3 * (n * row + atoms.row[a]) + x] += scratch.gradient[0, x]
                            jacobian[start + 3 * (n * row + atoms.row[b]) + x] += scratch.gradient[1, x]


@kernel
def _angular(atoms: Inside, a: int, b: int, cutoff: float, parameters: Floats, closed: bool, gradient: Floats) -> float:
    """Term of G4 (`closed`) or G5 of the neighbours a and b; fills its derivatives with respect to either, (2, 3)."""
    eta, zeta, sign = parameters
    cosine = 0.0
    nearness = 0.0  # |u_a ± u_b|²/2 = 1 ± cos, without the cancellation that would make it negative
    square = 0.0
    for x in range(3):
        u, v = atoms.direction[a, x], atoms.direction[b, x]
        cosine += u * v
        nearness += 0.5 * (u + v if sign > 0.0 else u - v) ** 2
        square += (atoms.position[a, x] - atoms.position[b, x]) ** 2
    between = sqrt(square)
    base = 1.0 - abs(sign) + abs(sign) * nearness
    norm = 2.0 ** (1.0 - zeta)
    angle = norm * base**zeta
    turning = norm * sign * zeta * base ** (zeta - 1.0)
    exponent = atoms.distance[a] ** 2 + atoms.distance[b] ** 2
    weight, slope = 1.0, 0.0
    if closed:
        weight, slope = shifted_cosine(between, cutoff, cutoff)
        exponent += square
        slope = (slope - 2.0 * eta * between * weight) / between
    decay = exp(-eta * exponent)
    f, g = atoms.weight[a], atoms.weight[b]
    for side in range(2):
        one, other = (a, b) if side == 0 else (b, a)
        r = atoms.distance[one]
        along = atoms.slope[one] - 2.0 * eta * r * atoms.weight[one]
        for x in range(3):
            u, v = atoms.direction[one, x], atoms.direction[other, x]
            gradient[side, x] = decay * (
                angle * atoms.weight[other] * along * u * weight
                + turning * f * g * (v - cosine * u) / r * weight
                + angle * f * g * slope * (atoms.position[one, x] - atoms.position[other, x])
            )
    return float(angle * decay * f * g * weight)


class SymmetryFunctionLabel(NamedTuple):
    """Name of one entry: the function, the species of its neighbours, and its parameters.

    ``species_2`` is None for a function of one neighbour. Parameters are (eta, R_s) of G2, (kappa,) of G3,
    (eta, zeta, lambda) of G4 and G5.
    """

    function: str
    species_1: str
    species_2: str | None
    parameters: tuple[float, ...]


@final
@variant
class ACSF(NeighbourDescriptor):
    """Atom-centred symmetry functions G1 to G5, invariant under O(3).

    Behler, J. Chem. Phys. 134, 074106 (2011), eqs. 4 to 9: with f(r) = (cos(pi r/cutoff) + 1)/2, for each species

    - G1 = sum_j f(r_j)
    - G2 = sum_j exp(-eta (r_j - R_s)²) f(r_j)
    - G3 = sum_j cos(kappa r_j) f(r_j)

    and for each unordered pair of species, over pairs of neighbours, each counted once (as in dscribe and n2p2),

    - G4 = 2^(1-zeta) sum (1 + lambda cos theta)^zeta exp(-eta (r_j² + r_k² + r_jk²)) f(r_j) f(r_k) f(r_jk)
    - G5, the same without r_jk.

    By default G2 and G4 follow the rules of Gastegger et al., J. Chem. Phys. 148, 241709 (2018), for a grid of radii:
    eight shifted G2 with R_s from cutoff/8 to 7/8 cutoff and eta = 1/(2 spacing²); G4 with eta = 1/(2 r²) for three r
    from cutoff/4 to 7/8 cutoff, each with lambda = ±1 and zeta = 1, 4, 16; no G3, no G5. The ends of the grids and the
    values of zeta are nullmode's choice, for cutoffs of 4 to 6 Å. F = 9 a species and 18 a pair of species.

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    g2
        Pairs (eta in 1/Å², R_s in Å); None takes the default set.
    g3
        Wavenumbers kappa, in 1/Å.
    g4, g5
        Triples (eta in 1/Å², zeta >= 1, lambda from -1 to 1); for G4, None takes the default set.
    species
        Symbols or atomic numbers of the neighbours, in order; None takes them from the set, by atomic number.

    Raises
    ------
    InputError
        For a value out of range, or a species that is not in the layout.
    """

    parity: ClassVar[Parity | None] = "O3"
    g2: Annotated[
        tuple[tuple[Decay, Finite], ...] | None,
        Field(description="pairs (eta in 1/Å², R_s in Å); default: eight, spread over the cutoff"),
    ] = None
    g3: Annotated[tuple[Finite, ...], Field(description="wavenumbers kappa in 1/Å")] = ()
    g4: Annotated[
        Angular | None,
        Field(description="triples (eta in 1/Å², zeta, lambda); default: 18, spread over the cutoff"),
    ] = None
    g5: Annotated[Angular, Field(description="triples (eta in 1/Å², zeta, lambda)")] = ()
    species: SpeciesChoice = None

    # The base class has a class variable; mypy cannot express that an instance computes it.
    @property
    def correlation_order(self) -> int:  # type: ignore[override]
        """2; 1 without G4 and G5."""
        return 2 if len(self._functions().angular) else 1

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[SymmetryFunctionLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        species = Layout.of(environments, self.cutoff).species_for(self)
        functions = self._functions()
        names = ["G4"] * functions.n_4 + ["G5"] * len(self.g5)
        angular = [(name, tuple(row)) for name, row in zip(names, functions.angular.tolist(), strict=True)]
        radial: list[tuple[str, tuple[float, ...]]] = [("G1", ())]
        radial += [("G2", tuple(row)) for row in functions.g2.tolist()]
        radial += [("G3", (kappa,)) for kappa in functions.g3.tolist()]
        pairs = combinations_with_replacement(species, 2)
        return [
            *(SymmetryFunctionLabel(name, one, None, row) for one, (name, row) in product(species, radial)),
            *(SymmetryFunctionLabel(name, one, two, row) for (one, two), (name, row) in product(pairs, angular)),
        ]

    def _functions(self) -> Functions:
        g2 = np.array(_default_g2(self.cutoff) if self.g2 is None else self.g2).reshape(-1, 2)
        g4 = _default_g4(self.cutoff) if self.g4 is None else self.g4
        angular = np.array([*g4, *self.g5], dtype=np.float64).reshape(-1, 3)
        return Functions(g2, np.array(self.g3, dtype=np.float64), angular, len(g4))

    def _n_features(self, layout: Layout) -> int:
        functions = self._functions()
        n = len(layout.species_for(self))
        radial = 1 + len(functions.g2) + len(functions.g3)
        return n * radial + n * (n + 1) // 2 * len(functions.angular)

    def _fill(self, items: list[Environment], layout: Layout, features: Floats, jacobian: Floats) -> None:
        species = layout.species_for(self)
        batch = pack(items, species, with_centers=False)
        scratch = Scratch(inside(batch), np.empty((2, 3)))
        acsf(batch, len(species), self.cutoff, self._functions(), scratch, features, jacobian)


def _default_g2(cutoff: float) -> Floats:
    radii = np.linspace(cutoff / 8, 7 * cutoff / 8, 8)
    return np.stack([np.full(8, 0.5 / (radii[1] - radii[0]) ** 2), radii], axis=1)


def _default_g4(cutoff: float) -> list[tuple[float, float, float]]:
    radii = np.linspace(cutoff / 4, 7 * cutoff / 8, 3).tolist()
    return [(0.5 / r**2, zeta, sign) for r, zeta, sign in product(radii, (1.0, 4.0, 16.0), (1.0, -1.0))]
