"""What is written for another code is read back as the same descriptor, and accepted by that code."""

import json
from dataclasses import replace

import featomic
import numpy as np
import pytest
from cases import rng
from dscribe.descriptors import SOAP

import nullmode as nm
from nullmode._support.variants import load
from nullmode.adapters.hyperparameters import WRITERS
from nullmode.adapters.hyperparameters.dscribe import PADDING

SCALING = nm.RadialScaling(rate=1.5, scale=2.0, exponent=7.0)
GTO = nm.PowerSpectrum(n_max=5, l_max=3, cutoff=4.5, cutoff_width=0.7, width=0.4, species=("H", "C"))
QUIP = replace(GTO, radial_basis=nm.QuipGaussians(width=0.4))
DSCRIBE = replace(GTO, radial_basis=nm.DscribeGTO(r_cut=4.0), cutoff=4.0 + PADDING * 0.4, cutoff_width=0.0)
CASES = {
    "QUIP": ("QUIP", QUIP),
    "QUIP, scaled": ("QUIP", replace(QUIP, radial_scaling=SCALING, center_weight=0.5)),
    "QUIP, error exponent": ("QUIP", replace(QUIP, radial_basis=nm.QuipGaussians(width=0.4, error_exponent=7.0))),
    "QUIP, one species": ("QUIP", replace(QUIP, species=("Cu",))),
    "featomic": ("featomic", GTO),
    "featomic, scaled step": ("featomic", replace(GTO, radial_scaling=SCALING, cutoff_width=0.0, center_weight=1.0)),
    "featomic, radial": ("featomic", nm.RadialSpectrum(n_max=7, species=("H", "C"))),
    "dscribe": ("dscribe", DSCRIBE),
    "dscribe, centre": ("dscribe", replace(DSCRIBE, center_weight=1.0)),
    "dscribe, weight": ("dscribe", replace(DSCRIBE, center_weight=0.3)),
    "metatrain": ("metatrain", GTO),
    "metatrain, scaled": ("metatrain", replace(GTO, radial_scaling=SCALING, center_weight=1.0)),
    "metatrain, no species": ("metatrain", replace(GTO, species=None)),
    "nullmode": ("nullmode", replace(GTO, radial_basis="laplacian-eigenstates", radial_scaling=SCALING)),
    "nullmode, bispectrum": ("nullmode", nm.Bispectrum(n_max=2, l_max=1, parity="SO3")),
}


@pytest.mark.parametrize(("peer", "descriptor"), CASES.values(), ids=CASES.keys())
def test_what_is_written_is_read_back(peer, descriptor):
    [found] = nm.like(load(peer, WRITERS, "writer")(descriptor))
    # featomic's hyperparameters name no species.
    species = {"species": descriptor.species} if peer == "featomic" else {}
    again = replace(found.descriptor, **species)
    assert replace(again, cutoff=descriptor.cutoff) == descriptor
    assert again.cutoff == pytest.approx(descriptor.cutoff, rel=1e-15)


REFUSED = {
    "QUIP": [GTO, nm.RadialSpectrum(), replace(QUIP, width=0.5), replace(QUIP, density="delta", center_weight=0.0)],
    "featomic": [QUIP, nm.Bispectrum(), nm.ACSF()],
    "dscribe": [GTO, replace(DSCRIBE, cutoff_width=0.5), replace(DSCRIBE, species=None), replace(DSCRIBE, cutoff=5.0)],
    "metatrain": [QUIP, nm.RadialSpectrum()],
    "nullmode": [nm.FromCallable(lambda vectors: vectors.ravel(), cutoff=4.0)],
}


@pytest.mark.parametrize(("peer", "descriptor"), [(peer, each) for peer, own in REFUSED.items() for each in own])
def test_what_a_code_does_not_compute_is_refused(peer, descriptor):
    with pytest.raises(nm.InputError, match="`descriptor` must"):
        load(peer, WRITERS, "writer")(descriptor)


def test_the_codes_themselves_take_it():
    """And compute features of the length that ours have."""
    vectors = rng(4).normal(size=(5, 3)) * 1.5
    env = nm.Environment.from_vectors(vectors, ["H", "C", "H", "H", "C"], "C")
    hypers = json.loads(load("featomic", WRITERS, "writer")(GTO))
    theirs = nm.FromFeatomic(featomic.SoapPowerSpectrum(**hypers), species=("H", "C"))
    assert np.linalg.norm(theirs.compute(env)) == pytest.approx(np.linalg.norm(GTO.compute(env)), rel=1e-6)
    made = SOAP(**json.loads(load("dscribe", WRITERS, "writer")(DSCRIBE)), periodic=False)
    assert len(nm.FromDscribe(made).compute(env)) == len(DSCRIBE.compute(env))
    quip = nm.from_quip(load("QUIP", WRITERS, "writer")(QUIP), use="peer").descriptor
    # QUIP's features have a norm of one, and a constant beside them.
    assert len(quip.compute(env)) == len(QUIP.compute(env)) + 1
