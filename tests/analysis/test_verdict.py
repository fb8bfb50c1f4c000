import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from cases import TD, rng

import nullmode as nm
from nullmode.analysis.verdict.record import conclusion
from nullmode.analysis.verdict.tally import CAUSES, Tally

SOAP = nm.PowerSpectrum(n_max=4, l_max=3, cutoff=4.0)


def rattled(atoms, width, seed=0, *, calculated=True):
    atoms = atoms.copy()
    atoms.rattle(width, seed=seed)
    if calculated:
        atoms.calc = EMT()
        atoms.get_forces()
    return atoms


def at_the_cutoff():
    """Methane with a hydrogen that fades at the cutoff."""
    vectors = TD + 0.1 * rng(2).normal(size=(4, 3))
    vectors[3] *= (4 - 1e-5) / np.linalg.norm(vectors[3])
    return Atoms("CH4", np.vstack([np.zeros(3), vectors]))


ETHANOL = [rattled(molecule("CH3CH2OH"), 0.05, seed) for seed in range(12)]
# Structures, descriptor, centres; word for the cause in the finding, in the advice.
SETS = {
    "large enough": (
        [rattled(molecule("H2O"), 0.05)],
        nm.PowerSpectrum(n_max=12, l_max=12),
        None,
        "sees all",
        "nothing",
    ),
    "a small basis": (ETHANOL, nm.PowerSpectrum(n_max=2, l_max=1), None, "truncation", "n_max and l_max"),
    "the cutoff": ([at_the_cutoff()], nm.PowerSpectrum(n_max=8, l_max=8), "C", "because of the cutoff", "cutoff"),
    "body order": ([rattled(molecule("CH4"), 0.05)], nm.RadialSpectrum(n_max=16), "C", "body order", "body order"),
}


@pytest.mark.parametrize(("structures", "descriptor", "centers", "finding", "advice"), SETS.values(), ids=SETS.keys())
def test_a_verdict_names_the_cause_and_its_cure(structures, descriptor, centers, finding, advice):
    found = nm.verdict(structures, descriptor, centers=centers)
    assert finding in found.finding
    assert advice in found.advice
    assert found.ok
    assert len(str(found).splitlines()) <= 40


def test_counts_are_those_of_the_table():
    found = nm.verdict(ETHANOL, SOAP)
    rows = nm.analyze(ETHANOL, SOAP, attribution=True)
    counts = found.centers.set_index("center")
    for species, own in rows.groupby("center_species"):
        assert counts.loc[species, "environments"] == len(own)
        assert counts.loc[species, "null"] == (own["n_dof"] - own["rank"]).sum()
        assert [counts.loc[species, name] for name in CAUSES] == [own[name].sum() for name in CAUSES]
        values = [s[:rank] / s[0] for s, rank in zip(own["singular_values"], own["rank"], strict=True)]
        assert counts.loc[species, "soft"] == sum(np.count_nonzero(each < found.soft) for each in values)
    softest = [s[d - null - 1] / s[0] for s, d, null in rows[["singular_values", "n_dof", "null_symmetry"]].values]
    key = (rows["n_dof"] - rows["rank"] - rows["null_symmetry"]) - softest
    expected = rows.loc[key.sort_values(ascending=False, kind="stable").index[:10]]
    assert found.worst["frame"].tolist() == expected["structure"].tolist()
    assert found.worst["atom"].tolist() == expected["center"].tolist()
    # Eight of twelve frames are looked at, and the worst; all of them have the sums of the table of their scope.
    chosen = [ETHANOL[k] for k in found.sampled]
    assert 8 <= len(chosen) <= 10
    assert set(found.worst["frame"][:2]) <= set(found.sampled)
    for scope in ("structure", "potential"):
        whole = nm.analyze(chosen, SOAP, scope=scope)
        [row] = found.scopes[found.scopes["scope"] == scope].to_dict("records")
        assert (row["values"], row["null"]) == (whole["n_dof"].sum(), (whole["n_dof"] - whole["rank"]).sum())
        assert row["unseen_force"] == pytest.approx(np.sqrt((whole["unseen_force"] ** 2).mean()), rel=1e-12, abs=1e-15)


def test_any_division_of_the_rows_gives_one_tally():
    rows = nm.analyze(ETHANOL, SOAP, attribution=True, resolution=True)
    whole, divided = Tally(1e-2), Tally(1e-2)
    whole.add(rows)
    for start in range(0, len(rows), 7):
        divided.add(rows.iloc[start : start + 7])
    assert divided.counts().equals(whole.counts())
    assert divided.worst().equals(whole.worst())
    assert divided.resolutions().equals(whole.resolutions())
    assert (divided.statuses, divided.first_of, divided.n_near) == (whole.statuses, whole.first_of, whole.n_near)


def test_resolutions_are_those_of_sampled_environments():
    found = nm.verdict(ETHANOL[:1], SOAP, centers="C")
    [own] = found.centers.to_dict("records")
    values = [nm.resolution(each, SOAP).worst for each in nm.environments(ETHANOL[0], 4.0, "C")]
    assert own["n_measured"] == 2
    assert (own["resolution_worst"], own["resolution_median"]) == pytest.approx((min(values), np.median(values)))
    bispectrum = nm.verdict(ETHANOL[:1], nm.Bispectrum(n_max=2, l_max=2), centers="O")
    assert bispectrum.centers["n_measured"].sum() == 0
    assert "no resolution was measured" in bispectrum.finding
    assert "nothing" not in bispectrum.advice


@pytest.mark.parametrize(
    ("worst", "text"), [(0.4996, "keeps 0.499 of"), (0.43, "keeps 0.43 of"), (0.0123, "keeps 0.012 of")]
)
def test_a_resolution_is_not_rounded_up_to_the_bound_that_it_misses(worst, text):
    found = nm.verdict(molecule("CH3OH"), nm.PowerSpectrum(n_max=8, l_max=8))
    finding, advice = conclusion(found.centers.assign(resolution_worst=worst), found.scopes, {"ok": 1})
    assert text in finding
    assert "enlarge n_max and l_max" in advice


def test_isolated_atoms_are_told_and_take_nothing_away():
    found = nm.verdict([Atoms("H"), *ETHANOL[:2]], SOAP)
    assert found.ok
    assert found.notes[0] == "1 rows: isolated atoms, which have nothing to see; the first: frame 0, atom 0."
    assert found.finding == nm.verdict(ETHANOL[:2], SOAP).finding
    noisy = nm.verdict(ETHANOL[:2], SOAP, rtol=1e-17)
    assert not noisy.ok
    assert "use a larger rtol; the first: frame 0, atom 0" in noisy.notes[0]


def test_values_that_symmetry_makes_null_are_not_the_worst():
    found = nm.verdict([molecule("CH4"), ETHANOL[0]], SOAP)
    assert found.worst["frame"].tolist()[0] == 1
    assert found.worst["ratio"].min() > 1e-9


def test_many_species_and_large_structures_are_summed_up():
    oxide = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * (4, 4, 4)
    oxide.numbers[:12] = [3, 11, 19, 37, 55, 9, 17, 35, 53, 12, 20, 38]
    small = nm.PowerSpectrum(n_max=1, l_max=1, cutoff=3.0)
    found = nm.verdict(oxide, small, centers=list(range(12)))
    lines = str(found).splitlines()
    assert len(found.centers) == 12
    assert "others" in str(found)
    assert len(lines) <= 40
    assert not len(found.scopes)
    assert "--scope potential" in found.notes[-1]


def test_a_verdict_is_a_document():
    found = nm.verdict(ETHANOL[:2], SOAP)
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert document["ok"]
    assert [each["center"] for each in document["centers"]] == found.centers["center"].tolist()
    assert document["scopes"][1]["scope"] == "potential"


@pytest.mark.parametrize("soft", [0, 1e-9, 1.5, np.nan, "a"])
def test_a_bound_of_soft_values_is_checked(soft):
    with pytest.raises(nm.InputError, match="`soft` must be between"):
        nm.verdict(ETHANOL[:1], SOAP, soft=soft)
