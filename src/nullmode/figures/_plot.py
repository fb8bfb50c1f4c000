"""Plots of results in Python: singular values, modes as arrows, and every figure of the workflow from a table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.figures import FIGURES
from nullmode.figures._base import CAUSES, ROUNDING, ZERO, log_scale, panels, style
from nullmode.figures._figure import load_figure
from nullmode.figures._molecules import Molecule, draw_arrows, draw_molecule, view_of
from nullmode.geometry.environment import Environment, check_environment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SEEN, _NULL = "0.25", "#4477aa"


class Plots:
    """Draws records, and tables: ``nm.plot.NAME(table, family=..., descriptors=[...])`` is the workflow's figure NAME.

    A figure takes the rows that :func:`nullmode.load` gives, and parameters as in a configuration.
    """

    def spectrum(self, result: Any, ax: "Axes | None" = None) -> "Axes":
        """Draw singular values over the largest, and rtol; or the resolutions of displacements.

        Parameters
        ----------
        result
            A record with `singular_values`, as :func:`nullmode.sensitivity` and :func:`nullmode.limit` give, or a
            :class:`nullmode.Resolution`.
        ax
            Where to draw; a new figure by default.

        Raises
        ------
        InputError
            For another record.
        """
        values = getattr(result, "singular_values", getattr(result, "values", None))
        if not isinstance(values, np.ndarray) or values.ndim != 1:
            raise InputError(
                f"`result` must be a record of one environment with singular values or resolutions, got "
                f"{type(result).__name__}. Use nullmode.sensitivity, nullmode.limit or nullmode.resolution."
            )
        from matplotlib.ticker import MaxNLocator

        if ax is None:
            from matplotlib import pyplot as plt

            _, ax = plt.subplots(figsize=(4.5, 3.0), layout="constrained")
        relative = hasattr(result, "singular_values")
        rank = result.rank if relative else int(np.count_nonzero(values > result.floors))
        ratios = values / values[0] if relative and rank else values
        shown, k = np.maximum(ratios, ZERO), np.arange(1, len(values) + 1)
        with style():
            ax.plot(k[:rank], shown[:rank], "o", color=_SEEN, label="seen")
            if rank < len(values):
                ax.plot(k[rank:], shown[rank:], "o", mfc="none", color=_NULL, label="null")
            ax.set(xlabel="mode k", ylabel="singular value, $s_k / s_1$" if relative else "resolution")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            if relative:
                ax.axhline(result.rtol, color="0.5", linestyle=":", label="rtol")
                log_scale(ax)
                ax.set_ylim(top=2.0)
                if (ratios < ROUNDING).any():
                    ax.axhspan(ZERO / 3, ROUNDING, color="0.92", linewidth=0, zorder=-1, label="rounding")
            else:
                ax.set_ylim(0.0, max(1.05, 1.05 * values.max(initial=1.0)))
            if len(ax.get_legend_handles_labels()[1]) > 1:
                ax.legend()
        return ax

    def modes(
        self, environment: Environment, displacements: Any, titles: Sequence[str] = (), colour: str = ""
    ) -> "Figure":
        """Draw displacements as arrows on the centre and its neighbours, one panel each.

        Parameters
        ----------
        environment
            Seen from where atoms cover each other least and every displacement shows.
        displacements, shape (k, n, 3) or (n, 3)
            As ``modes`` of :func:`nullmode.sensitivity` or :class:`nullmode.NullModes`; each is drawn at one scale.
        titles
            One for each.
        colour
            Of the arrows.

        Raises
        ------
        InputError
            If the shapes do not fit.
        """
        check_environment(environment)
        given: Floats = np.asarray(displacements, dtype=np.float64)
        given = given[None] if given.ndim == 2 else given
        if given.shape[1:] != environment.vectors.shape or not len(given):
            raise InputError(
                f"`displacements` must have the shape (k, {len(environment)}, 3), got {given.shape}. Give modes of "
                "this environment."
            )
        molecule = Molecule([environment.center_species, *map(int, environment.species)], environment.vectors)
        with style():
            figure, axes = panels(1, len(given), (1.6 * len(given) + 0.2, 1.9))
            view = view_of(molecule, given)
            for ax, mode, title in zip(axes[0], given, [*titles, *[""] * len(given)], strict=False):
                ax.set_axis_off()
                draw_molecule(ax, molecule, view)
                draw_arrows(ax, molecule, mode, view, colour or CAUSES["symmetry"])
                ax.set_title(title)
        return figure

    def __call__(self, result: Any, ax: "Axes | None" = None) -> "Axes":
        """Do as :meth:`spectrum`."""
        return self.spectrum(result, ax)

    def __getattr__(self, name: str) -> Callable[..., "Figure"]:
        if name not in FIGURES:
            raise AttributeError(f"nullmode.plot has no figure {name!r}; it has {', '.join(sorted(FIGURES))}")
        kind = load_figure(name)

        def draw(*tables: Any, **parameters: Any) -> Any:
            return kind.draw(*tables, **parameters).figure

        draw.__name__, draw.__doc__ = name, kind.draw.__doc__
        return draw

    def __dir__(self) -> list[str]:
        return sorted(["modes", "spectrum", *FIGURES])


plot = Plots()
"""Draws values of a record (``plot.spectrum``), modes as arrows (``plot.modes``), and figures of a table by name."""
