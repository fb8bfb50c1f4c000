"""What adapters refuse, and how they say it."""

import sys

import numpy as np
import pytest
from cases import STRUCTURES, environment
from featomic import SphericalExpansion
from peers import CUTOFF, DENSITY, OURS, dscribe_power, featomic_power, gto, moments, quip, square

import nullmode as nm

PEERS = {
    "featomic": lambda: nm.FromFeatomic(featomic_power()),
    "dscribe": lambda: nm.FromDscribe(dscribe_power()),
    "quippy-ase": lambda: nm.FromQuippy(quip()),
    "jax": lambda: nm.FromCallable(moments(np), cutoff=4, derivative="jax").compute_with_jacobian(environment("one")),
    "torch": lambda: nm.FromCallable(moments(np), cutoff=4, derivative="torch").compute_with_jacobian(
        environment("one")
    ),
}


@pytest.mark.parametrize("package", PEERS)
def test_a_missing_peer_is_named_with_the_command_that_installs_it(package, monkeypatch):
    name = package.partition("-")[0]
    for module in [name, *(known for known in sys.modules if known.startswith(f"{name}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(nm.InputError, match=rf"` must find {name}, got: .*Run: pip install {package}$"):
        PEERS[package]()


ENV = nm.Environment.from_vectors(np.eye(3), "O")
BAD = {
    "no calculator": (lambda: nm.FromFeatomic(OURS), r"`calculator` must be one of featomic's, got PowerSpectrum"),
    "components": (
        lambda: nm.FromFeatomic(
            SphericalExpansion(
                cutoff=CUTOFF, density=DENSITY, basis={"type": "TensorProduct", "max_angular": 1, **gto(2)}
            )
        ).compute(ENV),
        r"`calculator` must give invariant features of centres, got spherical expansion",
    ),
    "featomic species": (
        lambda: nm.FromFeatomic(featomic_power(), ("H", "C")).compute(ENV),
        r"`species` must cover the environments, got \('H', 'C'\) without O\. Add them",
    ),
    "featomic labels": (
        lambda: nm.FromFeatomic(featomic_power()).feature_labels(),
        r"`environments` must be given where `species` is None",
    ),
    "no descriptor": (lambda: nm.FromDscribe("SOAP"), r"`descriptor` must be dscribe's SOAP or ACSF, got 'SOAP'"),
    "periodic": (
        lambda: nm.FromDscribe(dscribe_power(periodic=True)),
        r"`descriptor` must be made with periodic=False, got True",
    ),
    "averaged": (
        lambda: nm.FromDscribe(dscribe_power(average="inner")),
        r"`descriptor` must be made with average='off', got 'inner'",
    ),
    "single precision": (
        lambda: nm.FromDscribe(dscribe_power(dtype="float32")),
        r"`descriptor` must be made with dtype='float64', got 'float32'",
    ),
    "dscribe species": (
        lambda: nm.FromDscribe(dscribe_power(species=("H", "C"))).compute(ENV),
        r"got \('H', 'C'\) without O\. Make the descriptor with them",
    ),
    "no string": (lambda: nm.FromQuippy(7), r"`arguments` must be QUIP's string, got 7"),
    "QUIP's no": (lambda: nm.FromQuippy("soap cutoff=4"), r"that QUIP supports, got 'soap cutoff=4': soap_init"),
    "QUIP's masks": (
        lambda: nm.FromQuippy("power_so4 cutoff=4 j_max=2").compute(ENV),
        r"must be a descriptor that QUIP supports, .*: power_SO4_calc cannot use atom masks yet",
    ),
    "QUIP's average": (lambda: nm.FromQuippy(quip() + " average=T"), r"must name a descriptor of single centres, got"),
    "QUIP's neighbours": (
        lambda: nm.FromQuippy(quip(species=(1,))).compute(ENV),
        r"got \('H', 'C'\) without O\. Name them in species_Z",
    ),
    "QUIP's centre": (
        lambda: nm.FromQuippy(quip(center=1)).compute(ENV),
        r"`arguments` must name a descriptor of single centres that takes C for one",
    ),
    "QUIP's pairs": (
        lambda: nm.FromQuippy("distance_2b cutoff=4 Z1=6 Z2=8").compute(ENV),
        r"`arguments` must name a descriptor of single centres",
    ),
    "a misspelt key": (
        lambda: nm.FromQuippy(quip() + " central_wieght=0"),
        r"must hold keys that QUIP reads for soap, got 'central_wieght', .* Did you mean `central_weight`\?",
    ),
    "gap_fit's key": (
        lambda: nm.FromQuippy("soap cutoff=4 n_max=2 l_max=2 atom_sigma=0.5 add_species=T"),
        r"got 'add_species', which it would ignore\. Name the species in n_species and species_Z",
    ),
    "a word": (lambda: nm.FromQuippy("soap cutoff=4 n_max=2 l_max=2 atom_sigma=0.5 species_Z=1 6"), r"got '6', which"),
    "another's key": (
        lambda: nm.FromQuippy("coordination cutoff=4 cutoff_transition_width=1"),
        r"got 'cutoff_transition_width', which it would ignore",
    ),
    "a basis size": (lambda: nm.FromQuippy("soap cutoff=4 n_max=4 l_max=-1 atom_sigma=0.5"), "l_max of at least 0"),
    "a compression": (lambda: nm.FromQuippy("soap_turbo compress_mode=linear"), "have a compress_mode of trivial, 0_0"),
    "no such file": (lambda: nm.FromQuippy("soap_turbo compress_file=/none"), "have a compress_file that exists"),
    "a basis": (lambda: nm.FromQuippy("soap_turbo basis=foo"), "have a basis of poly3, poly3gauss, got 'foo'"),
    "a species twice": (lambda: nm.FromQuippy(quip(species=(1, 1))), r"each species once in species_Z, got \[1, 1\]"),
    "no species": (lambda: nm.FromQuippy("soap species_Z={{1 9}}"), "have atomic numbers in species_Z"),
    "a key twice": (lambda: nm.FromQuippy(quip() + " n_max=3"), r"must give n_max once"),
    "a space": (lambda: nm.FromQuippy(quip() + " nu_R = 1"), r"must have a value right after each `=`"),
    "two kinds": (
        lambda: nm.FromQuippy(quip() + " soap_turbo"),
        r"of single centres, and one only",
    ),
    "no function": (lambda: nm.FromCallable(3, cutoff=4), r"`function` must be callable, got 3"),
    "no cutoff": (lambda: nm.FromCallable(square), r"`cutoff` must be a positive length in Å, got None"),
    "cutoff": (lambda: nm.FromCallable(square, cutoff=-1), r"`cutoff` must be a positive length in Å, got -1"),
    "order": (lambda: nm.FromCallable(square, cutoff=4, correlation_order=0), r"`correlation_order` must be a whole"),
    "parity": (lambda: nm.FromCallable(square, cutoff=4, parity="O(3)"), r"`parity` must be 'O3' or 'SO3', got 'O\(3"),
    "way": (
        lambda: nm.FromCallable(square, cutoff=4, derivative="guess"),
        r"`derivative` must be one of auto, finite-differences, jax, torch, got 'guess'",
    ),
    "both": (
        lambda: nm.FromCallable(square, square, "jax", cutoff=4),
        r"`derivative` must be 'auto' where a jacobian is given, got 'jax'",
    ),
    "parameters": (
        lambda: nm.FromCallable(lambda a, b, c, d: a + b + c + d, cutoff=4),
        r"`function` must take vectors, .* got 4 parameters without default",
    ),
    "no signature": (lambda: nm.FromCallable(max, cutoff=4), r"`function` must have a signature, got <built-in"),
    "matrix": (
        lambda: nm.FromCallable(lambda v: v, cutoff=4).compute(ENV),
        r"`function` must return features of shape \(F,\), got \(3, 3\)",
    ),
    "texts": (
        lambda: nm.FromCallable(lambda v: v.astype(str).ravel(), cutoff=4).compute(ENV),
        r"must hold real numbers, got texts",
    ),
    "Jacobian": (
        lambda: nm.FromCallable(square, lambda v: np.zeros((len(v), 9)), cutoff=4).compute_with_jacobian(ENV),
        r"`jacobian` must return derivatives of shape \(F, n, 3\) = \(3, 3, 3\), got \(3, 9\)",
    ),
    "labels": (lambda: nm.FromCallable(square, cutoff=4).feature_labels(), r"`environments` must contain at least one"),
    "cut shorter": (
        lambda: nm.FromCallable(square, cutoff=4).compute(nm.environments(STRUCTURES["methane"], cutoff=3.0)[0]),
        r"`environment` must reach as far as the descriptor's cutoff \(4.0 Å\), got one cut at 3.0 Å",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_worked_with_is_refused(call, message):
    with pytest.raises(nm.InputError, match=message):
        call()
