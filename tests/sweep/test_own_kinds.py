"""What a user's own kind gives is refused where it is of the wrong type, by the key that names the kind."""

from contextlib import nullcontext

import numpy as np
import pytest
from ase.build import molecule
from configs import small
from tasks import predicted, searched, sensitivities

import nullmode as nm
from nullmode.sweep.settings import check
from nullmode.sweep.structures import make_structures, write_structures
from nullmode.tables.structures import atoms_of
from nullmode.views.figure_job import write_figure

SOAP = {"descriptor": "soap", "kind": "power-spectrum", "parameters": {"n_max": 2, "l_max": 1, "cutoff": 4.0}}


@pytest.fixture
def own(tmp_path):
    def write(returned, arguments=""):
        (tmp_path / "own.py").write_text(f"def own({arguments}):\n    return {returned}\n")
        return f"{tmp_path}/own.py:own"

    return write


@pytest.mark.parametrize("returned", ["None", "3", "[]"])
class TestWrongType:
    def test_descriptor(self, own, returned):
        config = small()
        config["descriptors"]["own"] = {"kind": own(returned)}
        with pytest.raises(nm.InputError, match=r"descriptors.own.kind` must name a subclass of Descriptor"):
            check(config)

    def test_search(self, own, returned):
        frame = make_structures("random_methane", {"n_structures": 1}, "a")
        kind = own(returned, "environment, descriptor, rtol")
        task = {"search": "s", "search_kind": kind, "search_parameters": {}, "family": "a", **SOAP}
        with pytest.raises(nm.InputError, match=r"searches.s.kind` must name a function that returns a SearchRecord"):
            searched(frame, task)

    @pytest.mark.parametrize(
        ("what", "arguments", "message"),
        [("model", "", "must give an object with `fit` and `predict`"), ("target", "vectors", "begins with a number")],
    )
    def test_regression(self, own, returned, what, arguments, message):
        families = {
            name: make_structures("random_methane", {"n_structures": 2, "seed": k}, name) for k, name in enumerate("ab")
        }
        task = {"regression": "r", "model": "ridge", "model_parameters": {}, "target": "four_body_energy", **SOAP}
        task |= {"training": ["a"], "test": ["b"], what: own(returned, arguments)}
        with pytest.raises(nm.InputError, match=message):
            predicted(families, task)

    def test_figure(self, own, returned, tmp_path):
        figure = {"kind": own(returned), "parameters": {}}
        with pytest.raises(nm.InputError, match=r"figures.f.kind` must name a function that returns a figure"):
            write_figure(figure, "f", [], [], {}, f"{tmp_path}/f.png", f"{tmp_path}/f.rst", {})


def test_a_selection_is_a_descriptor_of_ones_own(tmp_path):
    (tmp_path / "few.py").write_text(
        "import nullmode as nm\n\ndef few(features: list[int], l_max: int = 2) -> nm.Selected:\n"
        "    return nm.Selected(nm.PowerSpectrum(n_max=3, l_max=l_max, species='H'), features)\n"
    )
    own, features = f"{tmp_path}/few.py:few", [0, 1, 7, 12]
    config = small()
    config["descriptors"]["few"] = {"kind": own, "parameters": {"features": features}, "resolution": True}
    check(config)
    frame = make_structures("random_methane", {"n_structures": 3}, "a")
    task = {"family": "a", "descriptor": "few", "kind": own, "points": [{"features": features}], "resolution": True}
    rows = sensitivities(frame, task)
    few = nm.Selected(nm.PowerSpectrum(n_max=3, l_max=2, species="H"), features)
    expected = nm.analyze(list(atoms_of(frame)[0]), few, centers="C", attribution=True, resolution=True)
    for name in ("rank", "null_truncation", "resolution"):
        assert rows[name].tolist() == expected[name].tolist()
    assert (rows["null_truncation"] > 0).all()


OWN_FAMILY = """
from ase import Atoms
import nullmode as nm

def own(n: int = 3):
    for k in range(n):
        yield Atoms("H2", positions=[[0, 0, 0], [0, 0, 1 + k / 10]])

own.size = lambda n=3: SIZE
"""
SIZES = {
    "right": ("nm.FamilySize(n, 2, 2)", None),
    "cannot tell": ("None", None),
    "a good estimate": ("nm.FamilySize(2 * n, 2.0, 2)", None),
    "far too many": ("nm.FamilySize(100 * n, 2, 2)", r"must say how many structures f holds, .* got 300 of 3. Correct"),
    "far too few": ("nm.FamilySize(1, 2, 2)", r"must say how many structures f holds, .* got 1 of 3. Correct"),
    "a number": ("3", r"`size` of .*own.py:own must return a nullmode.FamilySize of whole numbers .* got 3 for f"),
    "no whole number": ("nm.FamilySize(2.5, 2, 2)", r"must return a nullmode.FamilySize"),
    "no number of atoms": ("nm.FamilySize(3, float('nan'), 2)", r"must return a nullmode.FamilySize"),
    "fewer than none": ("nm.FamilySize(-3, 2, 2)", r"must return a nullmode.FamilySize"),
    "an error": ("1 // 0", r"`size` of .* must take the parameters of f, got ZeroDivisionError: "),
}


@pytest.mark.parametrize(("size", "message"), SIZES.values(), ids=SIZES)
def test_a_size_is_held_against_what_is_made(size, message, tmp_path):
    (tmp_path / "own.py").write_text(OWN_FAMILY.replace("SIZE", size))
    family = {"kind": f"{tmp_path}/own.py:own", "parameters": {}, "on_bad_structure": "stop"}
    with pytest.raises(nm.InputError, match=message) if message else nullcontext():
        write_structures(family, "f", [], f"{tmp_path}/f.parquet", {})
    assert (tmp_path / "f.parquet").exists() == (message is None)


class Own(nm.Descriptor):
    """A descriptor with one feature, and any answer."""

    cutoff = 4.0

    def __init__(self, answer):
        self.answer = answer

    def feature_labels(self, environments=None):  # noqa: ARG002
        return ["x"]

    def compute_batch(self, environments):
        return [np.ones(1) for _ in environments]

    def compute_batch_with_jacobian(self, environments):
        return self.answer(environments)


WRONG = {
    "nothing": (lambda _: None, r"`Own.compute_batch_with_jacobian` must give a list of 1, got None"),
    "too few": (lambda _: [], r"must give a list of 1, got \[\]"),
    "numbers": (lambda e: [1.0] * len(e), r"must give a pair, features and Jacobian, for each environment, got 1.0"),
    "texts": (lambda e: [("a", "b")] * len(e), r"features and Jacobian of Own` must hold real numbers, got texts"),
    "flat": (
        lambda e: [(np.ones(1), np.ones(3 * len(each))) for each in e],
        r"a Jacobian \(F, 4, 3\) for an environment of 4 neighbours, got shapes \(1,\) and \(12,\)",
    ),
}


@pytest.mark.parametrize("scope", ["environment", "structure"])
@pytest.mark.parametrize("name", WRONG)
def test_what_a_method_of_a_descriptor_gives_is_refused(name, scope):
    answer, message = WRONG[name]
    with pytest.raises(nm.InputError, match=message):
        nm.analyze(molecule("CH4"), Own(answer), scope=scope, centers="C", attribution=True)


@pytest.mark.parametrize("form", [list, tuple, iter, lambda pairs: zip(*zip(*pairs, strict=True), strict=True)])
def test_lists_are_arrays_and_iterators_are_lists(form):
    own = Own(lambda e: form([([1.0], [[[0, 0, 1.0]] * len(each)]) for each in e]))
    assert nm.analyze(molecule("CH4"), own, centers="C")["rank"].tolist() == [1]
    assert nm.spectra(nm.environments([molecule("CH4")] * 2, 4.0, "C"), own).rank.tolist() == [1, 1]


def test_environments_of_equal_size_have_as_many_features():
    own = Own(lambda e: [(np.ones(k), np.ones((k, len(each), 3))) for k, each in enumerate(e, 1)])
    with pytest.raises(nm.InputError, match=r"as many features for all environments of 4 neighbours, got 1, 2\."):
        nm.spectra(nm.environments([molecule("CH4")] * 2, 4.0, "C"), own)
