from itertools import pairwise, product
from random import Random

import pytest

import nullmode as nm
from nullmode._support.variants import load
from nullmode.descriptors import DESCRIPTORS
from nullmode.families._base import METHANE
from nullmode.sweep.cost import estimates


def estimated(kind, size=None, scope="environment", **parameters):
    family = METHANE._replace(**size or {})
    return estimates([load(kind, DESCRIPTORS, "descriptor")(**parameters)], [family], scope)[family]


DENSITIES = ("radial-spectrum", "power-spectrum", "bispectrum", "trispectrum")
SIZES = {"atoms": [3, 5, 9, 17], "centers": [1, 2, 5]}
MORE = {
    **{f"{what}, {kind}": (kind, [{"size": {what: k}} for k in SIZES[what]]) for kind in DESCRIPTORS for what in SIZES},
    **{f"whole, {k}": (k, [{"scope": "structure", "size": {"atoms": n}} for n in (2, 5)]) for k in DESCRIPTORS},
    **{f"species, {kind}": (kind, [{"size": {"species": n}} for n in (1, 2, 3)]) for kind in DENSITIES},
    **{f"n_max, {kind}": (kind, [{"n_max": n} for n in (4, 5, 6)]) for kind in DENSITIES},
    **{f"l_max, {kind}": (kind, [{"l_max": l} for l in (2, 3, 4)]) for kind in DENSITIES[1:]},
    "cutoff": ("power-spectrum", [{"size": {"periodic": True}, "cutoff": r} for r in (2.0, 3.0, 4.0)]),
    "fewer features leave null values to explain": ("power-spectrum", [{"n_max": n, "l_max": 1} for n in (4, 1)]),
}


@pytest.mark.parametrize("name", MORE)
def test_more_work_takes_longer(name):
    kind, steps = MORE[name]
    for less, more in pairwise(estimated(kind, **step) for step in steps):
        assert 0 < less.seconds < more.seconds
        assert name.startswith("fewer") or 0 < less.bytes <= more.bytes


@pytest.mark.parametrize("scope", ["environment", "structure"])
@pytest.mark.parametrize("radial_basis", ["gto", "laplacian-eigenstates"])
def test_truncations_count_together_in_any_order(radial_basis, scope):
    points = product((3.0, 4.0), (2, 3, 4), (2, 3, 4))
    listed = [nm.PowerSpectrum(radial_basis=radial_basis, cutoff=r, n_max=n, l_max=l) for r, n, l in points]
    [together] = estimates(listed, [METHANE], scope).values()
    assert all(
        estimates(Random(k).sample(listed, len(listed)), [METHANE], scope)[METHANE] == together for k in range(5)
    )
    alone = [estimates([each], [METHANE], scope)[METHANE].seconds for each in listed]
    assert max(alone) < together.seconds < sum(alone)


def test_other_descriptors_cannot_be_estimated():
    own = load("docs/examples/my_descriptor.py:InverseMoments", {}, "descriptor")()
    assert estimates([own], [METHANE]) == estimates([nm.PowerSpectrum(), own], [METHANE]) == {}
