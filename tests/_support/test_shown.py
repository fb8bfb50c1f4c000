import numpy as np
import pytest
from cases import TD

import nullmode as nm
from nullmode._support.shown import brief

SOAP = nm.PowerSpectrum(n_max=4, l_max=4)
METHANE = nm.Environment.from_vectors(TD, "H", "C")
NEAR = nm.Environment.from_vectors(TD + 0.01 * np.arange(12).reshape(4, 3) ** 0.5, "H", "C")
RECORDS = {
    "sensitivity": lambda: nm.sensitivity(SOAP.compute_with_jacobian(METHANE)[1], METHANE),
    "attribution": lambda: nm.attribute(METHANE, SOAP),
    "null modes": lambda: nm.split_null_modes(METHANE, SOAP)[0],
    "near null": lambda: nm.explain_near_null(NEAR, SOAP)[0],
    "limit": lambda: nm.limit(METHANE, SOAP),
    "resolution": lambda: nm.resolution(METHANE, SOAP),
    "point group": lambda: nm.point_group(METHANE),
    "change": lambda: nm.distance_to_change(NEAR, SOAP),
    "spectra": lambda: nm.spectra([METHANE, NEAR] * 5, SOAP),
}


@pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS.keys())
def test_records_are_shown_in_a_few_lines(make):
    record = make()
    text = repr(record)
    assert text.startswith(f"{type(record).__name__}(")
    assert len(text) < 1500
    assert max(map(len, text.splitlines())) < 200
    names = list(type(record).__dataclass_fields__)
    assert all(f"{name}=" in text for name in names)
    page = record._repr_html_()
    assert all(f"<th>{name}</th>" in page for name in names)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.arange(3.0), "[0, 1, 2]"),
        (np.arange(9), "[0, 1, ..., 7, 8] (9)"),
        (np.zeros((2, 4, 3)), "<2x4x3 array>"),
        (np.empty(0), "<0 array>"),
        (1 / 3, "0.333333"),
        (None, "None"),
        ("C2v", "'C2v'"),
    ],
)
def test_arrays_are_shown_by_their_ends(value, text):
    assert brief(value) == text


def test_only_public_names_are_listed():
    assert set(dir(nm)) == {"__version__", *nm.__all__}
