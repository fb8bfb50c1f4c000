"""Descriptors made of other codes' hyperparameters have the singular values of these codes themselves."""

import json

import featomic
import numpy as np
import pytest
from cases import rng
from configs import CHECKOUT
from dscribe.descriptors import ACSF, SOAP
from featomic._hypers import convert_hypers

import nullmode as nm

GAP = CHECKOUT / "tests/data/gap.xml"
VECTORS = rng(0).normal(size=(6, 3)) * 1.4


def around(center, species=("H", "H", "C", "H", "C", "C")):
    return nm.Environment.from_vectors(VECTORS, species, center)


def singular_values(jacobian):
    """All but the three that rotations leave at rounding."""
    return np.linalg.svd(jacobian.reshape(len(jacobian), -1), compute_uv=False)[:-3]


def compare(ours, theirs, environment, weights=1.0, tolerance=1e-12, normalised=False):
    """Compare spectra up to the common factor that the norms of the features have."""
    features, jacobian = ours.compute_with_jacobian(environment)
    own, slopes = theirs.compute_with_jacobian(environment)
    own, slopes = own * weights, (slopes.T * weights).T
    norm = np.linalg.norm(features)
    if normalised:
        along = np.einsum("f,fjx->jx", features / norm, jacobian)
        jacobian = (jacobian - np.multiply.outer(features / norm, along)) / norm
        assert np.linalg.norm(own) == pytest.approx(1)
        factor = 1.0
    else:
        factor = norm / np.linalg.norm(own)
    np.testing.assert_allclose(factor * singular_values(slopes), singular_values(jacobian), rtol=tolerance)


COMMON = "soap cutoff=4.0 n_max=6 l_max=5 atom_sigma=0.4"
BOTH = "n_species=2 species_Z={1 6}"
QUIP = {
    "defaults": f"{COMMON} {BOTH} normalise=F",
    "large": f"soap cutoff=4 n_max=12 l_max=8 atom_sigma=0.5 {BOTH} n_Z=1 Z=6 normalise=F",
    "narrow": f"soap cutoff=4 n_max=10 l_max=10 atom_sigma=0.3 {BOTH} n_Z=1 Z={{6}} normalize=F",
    "other spelling": f"soap Cutoff=4.0d0 N_max=6 l_max=5 atom_gaussian_width=0.4 {BOTH} normalise=FALSE",
    "weight, width": f"{COMMON} {BOTH} central_weight=0.3 cutoff_transition_width=1.5 normalise=F",
    "decay": f"{COMMON} {BOTH} cutoff_dexp=4 cutoff_scale=1.7 cutoff_rate=1.3 normalise=F",
    "error exponent": f"{COMMON} {BOTH} basis_error_exponent=6 normalise=F",
    "constant": f"{COMMON} {BOTH} covariance_sigma0=0.5 normalise=F",
    "centre of no channel": f"{COMMON} {BOTH} n_Z=1 Z=8 normalise=F",
    "normalised": f"{COMMON} {BOTH}",
    "named basis": f"{COMMON} {BOTH} radial_basis=EQUISPACED_GAUSS",
}


@pytest.mark.law(cases=6)
@pytest.mark.parametrize("name", QUIP)
def test_of_quip(name):
    text = QUIP[name]
    made = nm.from_quip(text)
    assert isinstance(made.descriptor, nm.PowerSpectrum)
    normalised = "=F" not in text
    assert any("normalise" in sentence for sentence in made.differences) == normalised
    center = 8 if "Z=8" in text else 6
    # The adapter takes QUIP's own spelling only, and QUIP ends with a constant.
    theirs = nm.from_quip(text, use="peer").descriptor
    assert isinstance(theirs, nm.FromQuippy)
    environment = around(center)
    if "sigma0" in text:
        phi = theirs.compute(environment)
        assert phi[-1] > 0
        theirs = Without(theirs)
    compare(made.descriptor, theirs, environment, normalised=normalised)


class Without:
    """A descriptor without its last feature, which is a constant."""

    def __init__(self, inner):
        self.inner = inner

    def compute_with_jacobian(self, environment):
        phi, jac = self.inner.compute_with_jacobian(environment)
        assert not jac[-1].any()
        return phi[:-1], jac[:-1]


def test_of_quip_without_species_where_there_is_one():
    made = nm.from_quip(f"{COMMON} normalise=F")
    environment = around(1, "H")
    compare(made.descriptor, nm.FromQuippy(f"{COMMON} normalise=F"), environment)
    assert "counts neighbours of all species as one" in made.differences[0]


@pytest.mark.parametrize("center", [1, 8])
def test_of_a_gap_file(center):
    pairs, soap = nm.from_gap(GAP)
    assert pairs.descriptor is None
    assert "no counterpart" in pairs.differences[0]
    text = f"soap l_max=3 n_max=4 atom_sigma=0.5 cutoff=4.0 n_species=2 Z={center} species_Z={{1 8}}"
    assert soap.descriptor.species == ("H", "O")
    assert "centres of H, O alone" in soap.differences[1]
    compare(soap.descriptor, nm.FromQuippy(text), around(center, [1, 1, 8, 1, 8, 8]), normalised=True)


FIT = (
    "gap_fit at_file=train.xyz default_sigma={0.001 0.1 0.1 0.0} sparse_separate_file=T e0={H:-13.6:O:-432} "
    "gp_file=gap.xml gap="
)
PAIR = "distance_2b cutoff=4.0 covariance_type=ard_se delta=0.5 theta_uniform=1.0 n_sparse=5 Z1=8 Z2=1 add_species=F"
TRAINED = (
    "soap l_max=3 n_max=4 atom_sigma=0.5 cutoff=4.0 zeta=4 delta=0.2 covariance_type=dot_product n_sparse=4 "
    "sparse_method=cur_points config_type_n_sparse={a:1:b:3}"
)


@pytest.mark.parametrize(
    "text",
    [
        f"{PAIR} : {TRAINED}",
        f"{{{PAIR} : {TRAINED}}}",
        f"{FIT}{{{PAIR} : {TRAINED} }}",
        f"mpirun -np 2 /usr/bin/{FIT}'{{{PAIR}: {TRAINED}}}'",
        f"OMP_NUM_THREADS=4 {FIT}\\\n'{{{PAIR} \\\n : {TRAINED}}}'",
        f'gap_fit "gap={{{PAIR} :{TRAINED}}}" atoms_filename=train.xyz',
        f"{FIT}{{{PAIR} : {{{TRAINED} add_species}} }} >& out.log",
        f"#!/bin/bash\n#SBATCH -J gap_fit\n\n{FIT}{{\n  {PAIR} :\\\n  {TRAINED}\\\n}} | tee log\necho done\n",
    ],
)
def test_of_a_command_line(text, tmp_path):
    file = tmp_path / "fit.sh"
    file.write_text(text)
    for source in (text, file, str(file)):
        pairs, soap = nm.from_gap(source)
        assert pairs.descriptor is None
        assert pairs.source == "distance_2b cutoff=4.0 Z1=8 Z2=1"
        assert soap.descriptor == nm.from_gap(TRAINED)[0].descriptor
        assert "each species of the data" in soap.differences[0]
    own = nm.FromQuippy("soap l_max=3 n_max=4 atom_sigma=0.5 cutoff=4.0 n_species=2 species_Z={1 6} n_Z=2 Z={1 6}")
    compare(soap.descriptor, own, around(6), normalised=True)


def test_a_centre_outside_the_species_is_said_where_others_are_inside():
    made = nm.from_quip(f"{COMMON} {BOTH} n_Z=2 Z={{6 8}}")
    assert "of a centre outside species_Z (O)" in made.differences[-1]
    assert made.descriptor.center_weight == 1
    assert nm.from_quip(f"{COMMON} {BOTH} n_Z=1 Z=8").descriptor.center_weight == 0


def test_species_that_are_given_beside_those_that_gap_fit_adds():
    (made,) = nm.from_gap(f"{TRAINED} n_species=2 species_Z={{{{1 6}}}}")
    (plain,) = nm.from_gap(TRAINED)
    assert made.descriptor == plain.descriptor
    assert made.differences == (
        "gap_fit overrides n_species=2 and species_Z={1 6} by the species of its training file, unless add_species=F "
        "is given.",
        *plain.differences,
    )
    (fixed,) = nm.from_gap(f"{TRAINED} n_species=2 species_Z={{{{1 6}}}} add_species=F")
    assert fixed.descriptor == nm.from_quip(f"soap l_max=3 n_max=4 atom_sigma=0.5 cutoff=4.0 {BOTH}").descriptor


def test_of_a_gap_file_whose_species_were_added_to_others(tmp_path):
    # As gap_fit writes it: what it adds comes last, and counts.
    path = tmp_path / "gap.xml"
    path.write_text(GAP.read_text().replace("n_species=2 Z=", "Z=8 n_species=1 species_Z={6} n_species=2 Z="))
    assert [each.descriptor for each in nm.from_gap(path)] == [each.descriptor for each in nm.from_gap(GAP)]


def hypers(n_max=6, l_max=5, smoothing=None, density=None, **basis):
    return {
        "cutoff": {"radius": 4.0, "smoothing": smoothing or {"type": "ShiftedCosine", "width": 0.5}},
        "density": {"type": "Gaussian", "width": 0.3} | (density or {}),
        "basis": {
            "type": "TensorProduct",
            "max_angular": l_max,
            "radial": {"type": "Gto", "max_radial": n_max - 1},
            "spline_accuracy": None,
        }
        | basis,
    }


WILLATT = {"type": "Willatt2018", "rate": 1.0, "scale": 2.0, "exponent": 7.0}
FEATOMIC = {
    "defaults": hypers(),
    "large": hypers(n_max=8, l_max=8),
    "step": hypers(smoothing={"type": "Step"}),
    "weight": hypers(density={"center_atom_weight": 0.3}),
    "scaling": hypers(density={"scaling": WILLATT, "width": 0.5}),
    "same radius": hypers(radial={"type": "Gto", "max_radial": 3, "radius": 4.0}),
}


@pytest.mark.parametrize("name", FEATOMIC)
def test_of_featomic(name, tmp_path):
    values = FEATOMIC[name]
    calculator = featomic.SoapPowerSpectrum(**values)
    file = tmp_path / "hypers.json"
    file.write_text(json.dumps(values))
    made = nm.from_featomic(values)
    assert made.differences == ()
    for source in (calculator, file, json.dumps(values)):
        assert nm.from_featomic(source).descriptor == made.descriptor
    smallest = made.descriptor.basis.smallest_eigenvalue
    compare(made.descriptor, nm.FromFeatomic(calculator), around(6), tolerance=max(1e-12, 1e-13 / smallest))


def test_of_featomics_radial_spectrum():
    values = hypers()
    values["basis"] = {"radial": {"type": "Gto", "max_radial": 4}, "spline_accuracy": None}
    made = nm.from_featomic(values, species=("H", "C"))
    theirs = nm.FromFeatomic(featomic.SoapRadialSpectrum(**values), ("H", "C"))
    environment = around(6)
    mine, own = (each.compute_with_jacobian(environment)[1].reshape(10, -1) for each in (made.descriptor, theirs))
    mine, own = (np.linalg.svd(each, compute_uv=False)[:6] for each in (mine, own))
    np.testing.assert_allclose(own, mine, rtol=1e-11)


RASCALINE = {
    "cutoff": 4.0,
    "max_radial": 6,
    "max_angular": 5,
    "atomic_gaussian_width": 0.3,
    "center_atom_weight": 0.5,
    "radial_basis": {"Gto": {"splined_radial_integral": False}},
    "cutoff_function": {"ShiftedCosine": {"width": 0.5}},
    "radial_scaling": {"Willatt2018": {"rate": 1.0, "scale": 2.0, "exponent": 7.0}},
}


def test_of_rascaline():
    made = nm.from_featomic(RASCALINE)
    code = convert_hypers("rascaline", "SoapPowerSpectrum", json.loads(json.dumps(RASCALINE)))
    calculator = eval(code, {"SoapPowerSpectrum": featomic.SoapPowerSpectrum})
    assert nm.from_featomic(calculator).descriptor == made.descriptor


DSCRIBE = {
    "defaults": {"n_max": 4, "l_max": 4, "sigma": 0.4},
    "large": {"n_max": 8, "l_max": 6, "sigma": 0.5},
    "power": {
        "n_max": 4,
        "l_max": 3,
        "sigma": 0.4,
        "weighting": {"function": "pow", "r0": 2.0, "c": 3.0, "d": 1.5, "m": 4.0},
    },
    "power, no cutoff": {
        "n_max": 4,
        "l_max": 3,
        "sigma": 0.4,
        "r_cut": None,
        "weighting": {"function": "pow", "r0": 2.0, "c": 1.0, "d": 1.5, "m": 4.0, "w0": 0.3},
    },
    "centre": {"n_max": 4, "l_max": 3, "sigma": 0.4, "weighting": {"w0": 0.2}},
}


@pytest.mark.parametrize("name", DSCRIBE)
def test_of_dscribe(name, tmp_path):
    values = {"species": ["H", "C"], "r_cut": 3.5} | DSCRIBE[name]
    values = {key: value for key, value in values.items() if value is not None}
    soap = SOAP(**json.loads(json.dumps(values)))
    made = nm.from_dscribe(values)
    assert made.descriptor == nm.from_dscribe(soap).descriptor
    file = tmp_path / "soap.yaml"
    file.write_text(json.dumps(values))
    assert made.descriptor == nm.from_dscribe(file).descriptor
    assert made.descriptor.cutoff == nm.FromDscribe(soap).cutoff
    assert ["sqrt(2)" in sentence for sentence in made.differences] == [True]
    # What the sentence says: each pair once, without the root.
    n, (first, last) = soap._n_max, (soap.get_location(pair) for pair in (("H", "H"), ("H", "C")))
    weights = np.full(soap.get_number_of_features(), np.sqrt(2))
    weights[last] = np.sqrt(2)
    diagonal = np.array([i == j for i in range(n) for j in range(i, n)])
    for where in (first, soap.get_location(("C", "C"))):
        weights[where] = np.tile(np.where(diagonal, 1.0, np.sqrt(2)), soap._l_max + 1)
    # dscribe orthonormalises in double precision, and rounds a constant of l = 1 at 2.5e-11.
    tolerance = 4e-11 + 1e-14 / made.descriptor.basis.smallest_eigenvalue
    if values.get("weighting"):
        tolerance = 1e-8  # dscribe differentiates numerically, and so does the adapter
    compare(made.descriptor, nm.FromDscribe(soap), around(6), weights, tolerance)


def test_of_dscribes_symmetry_functions():
    values = {"r_cut": 4.0, "species": ["H", "C"], "g2_params": [[1, 0.5], [1, 1.5]], "g3_params": [0.7]}
    values |= {"g4_params": [[0.1, 1, 1], [0.1, 2, -1]], "g5_params": [[0.2, 4, -1]]}
    made = nm.from_dscribe(values | {"descriptor": "ACSF"})
    assert made.differences == ()
    assert made.descriptor == nm.from_dscribe(ACSF(**values)).descriptor
    compare(made.descriptor, nm.from_dscribe(ACSF(**values), use="peer").descriptor, around(6), tolerance=1e-7)


def test_of_metatrain(tmp_path):
    file = tmp_path / "options.yaml"
    file.write_text("architecture: {name: gap, model: {soap: {cutoff: {radius: 4.0}, basis: {max_angular: 4}}}}\n")
    made = nm.from_metatrain(file)
    values = hypers(n_max=8, l_max=4, smoothing={"type": "ShiftedCosine", "width": 1.0}, density={"scaling": WILLATT})
    compare(made.descriptor, nm.FromFeatomic(featomic.SoapPowerSpectrum(**values)), around(6), tolerance=2e-9)
    bpnn = nm.from_metatrain({"architecture": {"name": "soap_bpnn", "model": {"soap": {"max_radial": 4}}}})
    assert bpnn.descriptor == nm.PowerSpectrum(
        n_max=5, l_max=6, cutoff=5, cutoff_width=0.5, density="delta", radial_basis="laplacian-eigenstates"
    )
    assert [sentence.split()[:2] for sentence in bpnn.differences] == [
        ["torch-spex", "keeps"], ["torch-spex", "holds"], ["metatrain", "normalises"],
    ]  # fmt: skip
    old = {"architecture": {"name": "experimental.soap_bpnn", "model": {"soap": RASCALINE}}}
    assert nm.from_metatrain(old).descriptor == nm.from_featomic(RASCALINE).descriptor


def tabulated():
    radial = featomic.basis.Gto(max_radial=3, radius=4.0)
    spliner = featomic.splines.SoapSpliner(
        cutoff=featomic.cutoff.Cutoff(radius=4.0, smoothing=featomic.cutoff.Step()),
        density=featomic.density.Gaussian(width=0.5),
        basis=featomic.basis.TensorProduct(max_angular=2, radial=radial, spline_accuracy=1e-4),
        n_spline_points=10,
    )
    return spliner.get_hypers()


ONLY_PEERS = {
    **{
        option: (lambda option=option: nm.from_quip(f"{COMMON} {BOTH} {option}"), nm.FromQuippy)
        for option in (
            *("nu_R=1", "diagonal_radial=T", "K=3 Z_mix=T", "Z_map={1 6}", "radial_basis=POLY", "radial_basis=GTO"),
            *("central_reference_all_species=T", "xml_version=1423143768", "cutoff_dexp=2 cutoff_rate=0"),
        )
    },
    "tabulated": (lambda: nm.from_featomic(tabulated()), nm.FromFeatomic),
    "polynomial": (
        lambda: nm.from_dscribe({"species": ["H"], "r_cut": 4, "n_max": 3, "l_max": 3, "rbf": "polynomial"}),
        nm.FromDscribe,
    ),
    "compressed": (
        lambda: nm.from_dscribe(
            SOAP(species=["H"], r_cut=4, n_max=3, l_max=3, compression={"mode": "mu2"}, periodic=True)
        ),
        nm.FromDscribe,
    ),
    "weights": (
        lambda: nm.from_dscribe(
            {"species": ["H"], "n_max": 3, "l_max": 3, "weighting": {"function": "poly", "c": 1, "m": 1, "r0": 3}}
        ),
        nm.FromDscribe,
    ),
    "too similar": (lambda: nm.from_dscribe({"species": ["H"], "r_cut": 4, "n_max": 12, "l_max": 8}), nm.FromDscribe),
}


@pytest.mark.law(cases=7)
@pytest.mark.parametrize("name", ONLY_PEERS)
def test_what_only_the_peer_computes_is_its_own(name):
    made, adapter = ONLY_PEERS[name]
    result = made()
    assert isinstance(result.descriptor, adapter)
    assert "itself, " in result.differences[0]
    assert "since" in result.differences[0]


REPLACED = {
    "quip": lambda: nm.from_quip(f"{COMMON} {BOTH}", use="gto"),
    "gap": lambda: nm.from_gap(TRAINED, use="gto")[0],
    "dscribe": lambda: nm.from_dscribe({"species": ["H"], "r_cut": 4, "n_max": 3, "l_max": 3}, use="gto"),
    "metatrain": lambda: nm.from_metatrain({"architecture": {"name": "soap_bpnn"}}, use="gto"),
}


@pytest.mark.parametrize("name", REPLACED)
def test_other_radial_functions_come_on_request_and_are_said_first(name):
    result = REPLACED[name]()
    assert isinstance(result.descriptor.radial_basis, nm.GTO)
    assert result.differences[0].startswith("The radial functions are nullmode's GTO in place of")


KNOWN = {
    "QUIP": (f"{COMMON} {BOTH}", nm.from_quip),
    "gap_fit": (f"{COMMON} {BOTH} zeta=4 add_species=F", nm.from_gap),
    "string": (TRAINED, nm.from_gap),
    "xml": (GAP, nm.from_gap),
    "hypers": (hypers(), nm.from_featomic),
    "json": (json.dumps(hypers()), nm.from_featomic),
    "rascaline": (RASCALINE, nm.from_featomic),
    "calculator": (featomic.SoapPowerSpectrum(**hypers()), nm.from_featomic),
    "arguments": ({"species": ["H"], "r_cut": 4, "n_max": 3, "l_max": 3}, nm.from_dscribe),
    "SOAP": (SOAP(species=["H"], r_cut=4, n_max=3, l_max=3), nm.from_dscribe),
    "options": ({"architecture": {"name": "gap"}}, nm.from_metatrain),
}


@pytest.mark.parametrize("name", KNOWN)
def test_like_knows_whose_hyperparameters_they_are(name):
    source, reader = KNOWN[name]
    found, expected = nm.like(source), reader(source)
    expected = expected if isinstance(expected, list) else [expected]
    assert [each.descriptor for each in found] == [each.descriptor for each in expected]
    assert [each.differences for each in found] == [each.differences for each in expected]


def test_like_takes_nullmodes_own(tmp_path):
    own = nm.PowerSpectrum(n_max=3, l_max=2, radial_basis="dvr")
    parameters = {"n_max": 3, "l_max": 2, "radial_basis": "dvr"}
    file = tmp_path / "own.json"
    for values in ({"kind": "power-spectrum", **parameters}, {"kind": "power-spectrum", "parameters": parameters}):
        file.write_text(json.dumps(values))
        for source in (values, file, str(file)):
            assert [(each.descriptor, each.differences) for each in nm.like(source)] == [(own, ())]
