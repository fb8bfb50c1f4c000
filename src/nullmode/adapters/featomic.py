"""featomic's calculators as descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, ClassVar, NamedTuple, final

import numpy as np

from nullmode._support.elements import numbers_of, symbol
from nullmode._support.types import Floats, InputError
from nullmode.adapters._base import Adapter, check_species, cluster, peer
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, check_environments

# A calculator stores intermediate results, and several descriptors may share one.
_LOCK = Lock()
_ORDERS = {"soap_radial_spectrum": 1, "soap_power_spectrum": 2}


class _Layout(NamedTuple):
    """First feature of each block (keys without the type of the centre), labels, and whether there are derivatives."""

    start: dict[tuple[int, ...], int]
    labels: list[tuple[int, ...]]
    differentiable: bool


@final
@dataclass(frozen=True, eq=False)
class FromFeatomic(Adapter):
    """Invariants of a featomic calculator, for instance ``featomic.SoapPowerSpectrum(...)``, with its own gradients.

    The blocks are in order of the types of their neighbours; a block that an environment lacks is zero. A calculator
    without gradients (``SortedDistances``) is differentiated by finite differences. featomic's splines limit accuracy:
    with its default ``spline_accuracy`` of 1e-8, the smallest singular value had a relative error of 5e-6.

    Parameters
    ----------
    calculator
        Gives features of centres without components (invariants).
    species
        Symbols or atomic numbers of all atoms, centres included, that the layout has blocks for; None takes them from
        the set.
    cutoff, correlation_order, parity
        Read from the calculator: radius of its cutoff; 1 or 2 for the radial and the power spectrum, else None; O3.

    Raises
    ------
    InputError
        If featomic is not installed, for what is no such calculator, or a species outside the layout.
    """

    # Not printed: the address in memory differs from run to run.
    calculator: Any = field(repr=False)
    species: tuple[str, ...] | None = None

    # Makes a layout include the species of centres: featomic has blocks for them.
    center_weight: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        """Read the calculator."""
        base = peer("featomic.calculator_base", "featomic", "FromFeatomic").CalculatorBase
        if not isinstance(self.calculator, base):
            raise InputError(
                f"`calculator` must be one of featomic's, got {self.calculator!r}. Make one: SoapPowerSpectrum(...)."
            )
        if self.species is not None:
            self._set(species=tuple(symbol(number) for number in numbers_of(self.species)))
        order = _ORDERS.get(self.calculator.c_name)
        self._settle(cutoff=max(self.calculator.cutoffs, default=None), correlation_order=order, parity="O3")

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[tuple[int, ...]]:
        """Name every feature by featomic's labels: types of the block's neighbours, then properties."""
        if environments is None and self.species is None:
            raise InputError("`environments` must be given where `species` is None, got None.")
        return list(with_layout_of(self, check_environments(environments or []))._layout.labels)

    def _values(self, environment: Environment) -> Floats:
        layout = self._checked(environment)
        phi = np.zeros(len(layout.labels))
        for start, block in self._blocks(environment):
            phi[start : start + block.values.shape[-1]] = block.values[0]
        return phi

    def _with_slopes(self, environment: Environment) -> tuple[Floats, Floats] | None:
        layout = self._checked(environment)
        if not layout.differentiable:
            return None
        phi = np.zeros(len(layout.labels))
        slopes = np.zeros((len(layout.labels), len(environment) + 1, 3))
        for start, block in self._blocks(environment, gradients=["positions"]):
            where = slice(start, start + block.values.shape[-1])
            phi[where] = block.values[0]
            gradient = block.gradient("positions")
            slopes[where, gradient.samples["atom"]] = gradient.values.transpose(2, 0, 1)
        return phi, slopes[:, 1:]

    def _checked(self, environment: Environment) -> _Layout:
        assert self.species is not None
        check_species(environment, numbers_of(self.species).tolist(), "Add them.")
        return self._layout

    def _blocks(self, environment: Environment, gradients: list[str] | None = None) -> list[tuple[int, Any]]:
        """Blocks of the centre that are not empty, with the index of their first feature."""
        from metatensor import Labels

        center = Labels(["system", "atom"], np.zeros((1, 2), dtype=np.int32))
        with _LOCK:
            tensor = self.calculator.compute(cluster(environment), gradients=gradients, selected_samples=center)
        keys = _without_center(tensor.keys)
        start = self._layout.start
        return [(start[key], block) for key, block in zip(keys, tensor.blocks(), strict=True) if len(block.samples)]

    @cached_property
    def _layout(self) -> _Layout:
        from ase import Atoms
        from featomic import FeatomicError

        # With two atoms of each species, close together, every possible block exists.
        numbers = np.repeat(numbers_of(self.species), 2)
        positions = np.zeros((len(numbers), 3))
        positions[:, 0] = self.cutoff / 2 * np.arange(len(numbers)) / max(len(numbers), 1)
        atoms = Atoms(numbers, positions=positions)
        with _LOCK:
            tensor = self.calculator.compute(atoms)
            try:
                self.calculator.compute(atoms, gradients=["positions"])
                differentiable = True
            except FeatomicError:
                differentiable = False
        if "center_type" not in tensor.keys.names or any(block.components for block in tensor.blocks()):
            raise InputError(f"`calculator` must give invariant features of centres, got {self.calculator.name}.")
        blocks = dict(zip(_without_center(tensor.keys), tensor.blocks(), strict=True))
        start: dict[tuple[int, ...], int] = {}
        labels: list[tuple[int, ...]] = []
        for key in sorted(blocks):
            start[key] = len(labels)
            labels += [(*key, *row) for row in blocks[key].properties.values.tolist()]
        return _Layout(start, labels, differentiable)


def _without_center(keys: Any) -> list[tuple[int, ...]]:
    if "center_type" not in keys.names:
        return [tuple(row) for row in keys.values.tolist()]
    kept = [name for name in keys.names if name != "center_type"]
    return [tuple(int(key[name]) for name in kept) for key in keys]
