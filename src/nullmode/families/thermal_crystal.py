"""Crystals with thermal noise."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from nullmode._support.arguments import Count, Seed
from nullmode._support.axes import Axis, at_least, axis_values, distinct, values
from nullmode._support.types import InputError
from nullmode.families._base import FamilySize, Structures, sized, with_emt

Crystal = Literal["Si", "Ge", "Cu", "Al", "Fe", "NaCl"]
# Structure, lattice constant at room temperature in Å, Debye temperature in K (Kittel, Introduction to Solid State
# Physics, 8th ed., ch. 5, table 1; of NaCl Ashcroft and Mermin, Solid State Physics, table 23.3).
_KINDS: dict[str, tuple[str, float, float]] = {
    "Si": ("diamond", 5.431, 645.0),
    "Ge": ("diamond", 5.658, 374.0),
    "Cu": ("fcc", 3.615, 343.0),
    "Al": ("fcc", 4.050, 428.0),
    "Fe": ("bcc", 2.866, 470.0),
    "NaCl": ("rocksalt", 5.640, 321.0),
}
_ATOMS_PER_CELL = {"diamond": 8, "fcc": 4, "bcc": 2, "rocksalt": 8}


def _check_noise(displacements: Axis | None, info: ValidationInfo) -> Axis | None:
    given = info.data.get("temperatures")
    if (displacements is None) == (given is None):
        raise InputError(
            "exactly one of `temperatures` and `displacements` must be given. Give one, leave the other out."
        )
    return displacements


def _check_centers(n_centers: int | None, info: ValidationInfo) -> int | None:
    if n_centers is not None and {"crystals", "repeat"} <= info.data.keys():
        fewest = min(_atoms(crystal, info.data["repeat"]) for crystal in info.data["crystals"])
        if n_centers > fewest:
            raise InputError(
                f"`n_centers` must be at most the {fewest} atoms of the smallest supercell, got {n_centers}. "
                "Raise `repeat`, or leave `n_centers` out for all."
            )
    return n_centers


def _atoms(crystal: str, repeat: int) -> int:
    return _ATOMS_PER_CELL[_KINDS[crystal][0]] * repeat**3


def _size(crystals: list[str], samples: int, repeat: int, n_centers: int | None, **noise: Any) -> FamilySize:
    steps = len(values(noise["temperatures"] or noise["displacements"]))
    atoms = float(np.mean([_atoms(crystal, repeat) for crystal in crystals]))
    species = len(crystals) + ("NaCl" in crystals)
    return FamilySize(len(crystals) * steps * samples, atoms, n_centers or atoms, species, periodic=True)


@sized(_size)
def structures(
    crystals: Annotated[list[Crystal], Field(min_length=1), AfterValidator(distinct)],
    temperatures: Annotated[Axis, at_least(0)] | None = None,
    displacements: Annotated[
        Annotated[Axis, at_least(0)] | None, Field(validate_default=True), AfterValidator(_check_noise)
    ] = None,
    samples: Count = 1,
    repeat: Count = 3,
    n_centers: Annotated[int | None, Field(ge=1), AfterValidator(_check_centers)] = None,
    seed: Seed = 0,
) -> Structures:
    """Displace every atom of a supercell by Gaussian noise, as independent harmonic oscillators do.

    Neighbours move independently here; in a real crystal they move together, so that their distances fluctuate somewhat
    less.

    Parameters
    ----------
    crystals
        Any of ``Si``, ``Ge`` (diamond), ``Cu``, ``Al`` (fcc), ``Fe`` (bcc), ``NaCl`` (rocksalt).
    temperatures
        In K; the displacement follows from the Debye model (:func:`debye_displacement`). At 0 there
        is zero-point motion.
    displacements
        Instead of temperatures, the root mean square of each component of the noise in Å. 0 is the perfect crystal.
    samples
        Number of structures per temperature or displacement.
    repeat
        Number of cubic cells along each edge of the supercell. If an edge is at least two cutoffs long, no environment
        contains two images of an atom.
    n_centers
        Number of centres in each structure, chosen at random; default all atoms.
    seed
        Seed of the noise and the centres.

    Yields
    ------
    ase.Atoms
        Coordinates: ``crystal``, ``displacement``, ``sample``, and ``temperature`` if temperatures are given. With the
        forces and stress of ASE's EMT where it has the elements.

    Raises
    ------
    InputError
        Unless exactly one of `temperatures` and `displacements` is given.
    """
    from ase.build import bulk

    given = temperatures if temperatures is not None else displacements
    for crystal in crystals:
        structure, lattice_constant, debye_temperature = _KINDS[crystal]
        perfect = bulk(crystal, structure, a=lattice_constant, cubic=True) * (repeat, repeat, repeat)
        mass = float(perfect.get_masses().mean())
        for k, value in enumerate(axis_values(given or []).tolist()):
            coordinates = {} if temperatures is None else {"temperature": value}
            amplitude = value if temperatures is None else debye_displacement(mass, debye_temperature, value)
            for sample in range(samples):
                rng = np.random.default_rng([seed, k, sample])
                atoms = perfect.copy()
                atoms.positions += amplitude * rng.normal(size=atoms.positions.shape)
                centers = rng.choice(len(atoms), n_centers or len(atoms), replace=False)
                atoms.info = {"centers": sorted(centers.tolist()), "crystal": crystal}
                atoms.info |= {"displacement": amplitude, "sample": sample, **coordinates}
                yield with_emt(atoms)


def debye_displacement(mass: float, debye_temperature: float, temperature: float) -> float:
    """Root mean square of one component of an atom's displacement in the Debye model, in Å.

    <u²> = 3 hbar²/(m k Theta) [1/4 + (T/Theta)² int_0^(Theta/T) x/(e^x - 1) dx] (Willis and Pryor, Thermal Vibrations
    in Crystallography, 1975), including zero-point motion; m in atomic mass units, for a compound its mean.
    """
    from ase import units
    from scipy.integrate import quad

    # In ASE's units: masses in u, energies in eV, lengths in Å.
    hbar = units._hbar * units.J * units.s
    ratio = temperature / debye_temperature
    thermal = 0.0 if ratio == 0 else ratio**2 * quad(lambda x: x / np.expm1(x) if x else 1.0, 0, 1 / ratio)[0]
    return float(np.sqrt(3 * hbar**2 / (mass * units.kB * debye_temperature) * (0.25 + thermal)))
