"""What a kernel fills, it fills whole; and gives the same bits compiled or loaded, whoever compiles."""

import os
import subprocess
import sys

import numpy as np
import pytest
from cases import DESCRIPTORS, ENVIRONMENTS, environment

import nullmode as nm
from nullmode.descriptors import _base, _neighbours
from nullmode.descriptors._base import BatchDescriptor, DensityDescriptor
from nullmode.descriptors._layout import pack, with_layout_of

ITEMS = [*[environment(name) for name in ENVIRONMENTS], nm.Environment.from_vectors([]), environment("one")]


@pytest.mark.parametrize("name", [name for name in DESCRIPTORS if isinstance(DESCRIPTORS[name], BatchDescriptor)])
@pytest.mark.parametrize("with_jacobian", [True, False])
def test_every_entry_is_written(name, with_jacobian, monkeypatch):
    descriptor = with_layout_of(DESCRIPTORS[name], ITEMS)
    allocate = _base.allocated

    def filled(value):
        def run(*arguments, **options):
            features, jacobian, parts = allocate(*arguments, **options)
            features[:], jacobian[:] = value, value
            return features, jacobian, parts

        for module in (_base, _neighbours):
            monkeypatch.setattr(module, "allocated", run)
        return descriptor._run(ITEMS, with_jacobian=with_jacobian)

    # Bits, not closeness: no entry is added to what was there before.
    for one, other in zip(filled(np.nan), filled(1.0), strict=True):
        for arrays in zip(one, other, strict=True):
            np.testing.assert_array_equal(*arrays)
            assert np.isfinite(arrays[0]).all()


@pytest.mark.parametrize("name", [name for name in DESCRIPTORS if isinstance(DESCRIPTORS[name], DensityDescriptor)])
def test_arrays_may_be_used_again(name):
    # As tiles of the Jacobian are.
    descriptor = with_layout_of(DESCRIPTORS[name], ITEMS)
    items = [environment("crowded"), environment("along axes")]
    species = descriptor.species
    n_features = descriptor._n_features(len(species))
    filled = []
    for before in (np.nan, 1e300):
        features, jacobian = np.full((2, n_features), before), np.full(3 * n_features * 25, before)
        batch = pack(items, species, with_centers=descriptor.center_weight != 0.0)
        descriptor._evaluate(batch, len(species), features, jacobian)
        filled.append((features, jacobian))
    for one, other in zip(*filled, strict=True):
        np.testing.assert_array_equal(one, other)


BITS = """
import hashlib, sys
import numpy as np
import nullmode as nm
vectors = np.random.default_rng(1).normal(scale=1.3, size=(9, 4, 3))
items = nm.EnvironmentSet.from_vectors(vectors)
found = nm.spectra(items, nm.PowerSpectrum(n_max=4, l_max=3), modes=True, threads=1)
features = nm.PowerSpectrum(n_max=4, l_max=3).compute_batch_with_jacobian(list(items))
arrays = [found.singular_values, found.modes, found.rotation_floor, *[a for pair in features for a in pair]]
print(hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
from nullmode.descriptors.power_spectrum import power_spectrum
print(sum(power_spectrum.dispatcher.stats.cache_misses.values()))
"""


def start(cache):
    variables = {**os.environ, "NULLMODE_CACHE": str(cache)}
    return subprocess.Popen([sys.executable, "-c", BITS], env=variables, stdout=subprocess.PIPE, text=True)


def ended(process):
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return out.split()


@pytest.mark.slow
@pytest.mark.parametrize("n_processes", [1, 2])
def test_compiled_and_loaded_kernels_give_the_same_bits(tmp_path, n_processes):
    # At once with an empty cache, then one that finds it filled.
    together = [start(tmp_path) for _ in range(n_processes)]
    compiled, missed = zip(*map(ended, together), strict=True)
    loaded, missed_later = ended(start(tmp_path))
    assert "1" in missed
    assert missed_later == "0"
    assert set(compiled) == {loaded}
