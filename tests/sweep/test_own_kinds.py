"""What a user's own kind gives is refused where it is of the wrong type, by the key that names the kind."""

import pytest
from configs import small
from tasks import predicted, searched

import nullmode as nm
from nullmode.sweep.settings import check
from nullmode.sweep.structures import make_structures
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
