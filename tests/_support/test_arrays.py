"""A kernel is compiled once, whatever form of arrays its callers are given."""

from dataclasses import replace

import numpy as np
import pytest
from cases import environment

import nullmode as nm
from nullmode._support.arrays import read_only
from nullmode.attribution._class_sums import sorted_steps
from nullmode.basis.coupling import coupling
from nullmode.basis.quartet import pair_coupling
from nullmode.symmetry._operation_search import search
from nullmode.symmetry.operations import operations_within

FORMS = {"writable": np.array, "read only": read_only, "other order": np.asfortranarray, "slices": lambda a: a[::-1]}
CALLS = {
    "operations": (search, lambda env: operations_within(env.vectors, env.species, 1e-6)),
    "classes": (sorted_steps, lambda env: nm.rank_complete(env, 2)),
}


@pytest.mark.parametrize(("kernel", "call"), CALLS.values(), ids=CALLS.keys())
def test_one_kernel_serves_arrays_of_every_form(kernel, call):
    env = environment("mixed")
    for form in FORMS.values():
        call(replace(env, vectors=form(env.vectors), species=form(env.species)))
    assert len(kernel.dispatcher.signatures) == 1


@pytest.mark.parametrize("l_max", range(3))
def test_couplings_are_in_one_order_in_memory(l_max):
    for indices in (coupling(l_max, "O3").lm, coupling(l_max, "SO3").lm, pair_coupling(l_max).indices):
        assert indices.flags.c_contiguous


def test_what_is_read_only_leaves_the_array_itself_writable():
    array = np.zeros(3)
    view = read_only(array)
    assert not view.flags.writeable
    array[0] = 1.0
    assert view[0] == 1.0
