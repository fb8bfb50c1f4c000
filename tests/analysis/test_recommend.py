import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT

import nullmode as nm
from nullmode.analysis.recommendation.table import BODY_ORDER, front_of
from nullmode.analysis.sample import small_enough, spaced, spread

GRID = {"n_max": [2, 4, 6], "l_max": [1, 3, 5]}
SOAP = nm.PowerSpectrum(n_max=3, l_max=2, cutoff=3.5, width=0.4)


def rattled(name, seed, width=0.05):
    atoms = molecule(name)
    atoms.rattle(width, seed=seed)
    atoms.calc = EMT()
    atoms.get_forces()
    return atoms


METHANOL = [rattled("CH3OH", seed) for seed in range(2)]


@pytest.fixture(scope="module")
def found():
    return nm.recommend(METHANOL, SOAP, 0.3, **GRID)


def descriptor_of(row, species):
    kind = {1: nm.RadialSpectrum, 2: nm.PowerSpectrum}[row["correlation_order"]]
    l = {} if row["correlation_order"] == 1 else {"l_max": row["l_max"]}
    lengths = {name: row[name] for name in ("cutoff", "cutoff_width", "width")}
    return kind(n_max=row["n_max"], radial_basis=row["radial_basis"], species=species, **l, **lengths)


def test_the_best_reaches_the_target_and_every_cheaper_setting_misses_it(found):
    assert found.best is not None
    envs = {(k, each.center): each for k, a in enumerate(METHANOL) for each in nm.environments(a, 3.5)}
    sample = [envs[frame, atom] for frame, atom in zip(found.sample["frame"], found.sample["atom"], strict=True)]

    def worst(descriptor):
        return min(nm.resolution(each, descriptor).worst for each in sample)

    assert worst(found.best) >= 0.3
    features = len(found.best.compute(sample[0]))
    cheaper = found.table[(found.table["features"] < features) & (found.table["correlation_order"] == 2)]
    assert len(cheaper) > 3
    for row in cheaper.to_dict("records"):
        own = descriptor_of(row, found.best.species)
        assert len(own.compute(sample[0])) == row["features"]
        assert worst(own) == pytest.approx(row["resolution_worst"], rel=1e-8)
        assert worst(own) < 0.3
    # A radial spectrum keeps much of its own, smaller limit: it must not win for that.
    radial = found.table[found.table["correlation_order"] == 1]
    assert radial["resolution"].max() > 0.3
    assert radial["misses"].str.startswith(BODY_ORDER).all()


def test_no_setting_dominates_one_of_the_front(found):
    able = found.table[~found.table["misses"].str.startswith(BODY_ORDER)]
    for row in found.table.to_dict("records"):
        better = (able["features"] <= row["features"]) & (able["resolution"] >= row["resolution"])
        better &= (able["features"] < row["features"]) | (able["resolution"] > row["resolution"])
        if row["front"]:
            assert not better.any()
        elif not row["misses"].startswith(BODY_ORDER):
            same = (able["features"] == row["features"]) & (able["resolution"] == row["resolution"]) & able["front"]
            assert better.any() or same.any()
    assert found.front["features"].is_monotonic_increasing
    assert (found.front["microseconds"] > 0).all()
    neighbours = found.sample["n_neighbours"]
    expected = 8e-3 * found.front["features"] * (1 + 3 * neighbours.mean())
    assert found.front["kilobytes"].to_numpy() == pytest.approx(expected.to_numpy())


@pytest.mark.parametrize("seed", range(3))
def test_a_front_of_random_settings(seed):
    rng = np.random.default_rng(seed)
    table = nm.recommend(METHANOL[:1], SOAP, 0.3, n_max=[2, 3], l_max=[1, 2], radial_basis="gto").table.iloc[:6].copy()
    table["features"], table["resolution"] = rng.integers(1, 5, 6), rng.integers(0, 4, 6) / 4
    table["misses"] = ""
    pairs = list(zip(table["features"], table["resolution"], strict=True))
    kept = {pairs[k] for k in np.flatnonzero(front_of(table))}
    assert kept == {a for a in pairs if not any(b != a and b[0] <= a[0] and b[1] >= a[1] for b in pairs)}


def test_a_higher_target_needs_no_fewer_features():
    counts = []
    for target in (0.05, 0.2, 0.4):
        best = nm.recommend(METHANOL[:2], SOAP, target, **GRID).best
        counts.append(np.inf if best is None else len(best.compute(nm.environments(METHANOL[0], 3.5)[0])))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] < np.inf


def test_the_order_of_structures_and_the_seed_do_not_matter(found):
    again = nm.recommend(METHANOL[::-1], SOAP, 0.3, seed=5, **GRID)
    assert again.best == found.best
    counts = ["features", "n_measured", "null_truncation", "null_incompleteness"]
    assert again.table[counts].equals(found.table[counts])
    assert again.table["resolution"].to_numpy() == pytest.approx(found.table["resolution"].to_numpy(), rel=1e-6)


def test_threads_do_not_matter(found):
    one = nm.recommend(METHANOL, SOAP, 0.3, threads=1, **GRID)
    columns = [name for name in one.table if name != "microseconds"]
    assert one.table[columns].equals(found.table[columns])
    assert one.others == found.others


def test_a_quantile_asks_for_less(found):
    median = nm.recommend(METHANOL, SOAP, 0.3, quantile=0.5, **GRID)
    assert (median.table["resolution"] == median.table["resolution_median"]).all()
    features = [each.front[each.front["best"]]["features"].iloc[0] for each in (median, found)]
    assert features[0] <= features[1]


def test_it_is_never_recommended_what_is_not_enough():
    none = nm.recommend(METHANOL[:1], SOAP, 0.99, **GRID)
    assert none.best is None
    assert none.lines == {}
    assert "None of" in none.finding
    assert "still grows with" in none.advice
    assert "What to do" in none.advice
    json.dumps(none.as_dict(), allow_nan=False)


def test_functions_that_end_at_the_cutoff_are_named_as_the_reason():
    # An atom near the cutoff, whose wide Gaussian is mostly beyond it.
    pair = Atoms("CHH", [[0, 0, 0], [0, 0, 1.1], [0, 2.4, 0]])
    wide = nm.PowerSpectrum(cutoff=3.0, width=0.8, radial_basis="chebyshev")
    found = nm.recommend(pair, wide, 0.97, centers="C", n_max=[2, 6, 10], l_max=[4, 8], radial_basis="chebyshev")
    best = found.table["resolution_within_cutoff"].max()
    assert best < 0.97
    assert f"keep at most {best:.2g}" in found.advice
    assert "gto" in found.advice


def test_a_body_order_that_is_enough_is_taken():
    # One neighbour has one displacement, which the radial spectrum sees.
    found = nm.recommend(rattled("H2", 0), SOAP, 0.3, **GRID)
    assert isinstance(found.best, nm.RadialSpectrum)


def test_unseen_force_rules_settings_out():
    # The distances of carbon to its neighbours give four of the nine components of the force in methane.
    methane = [rattled("CH4", seed) for seed in range(2)]
    radial = nm.recommend(methane, SOAP, 0.01, correlation_order=1, centers="C", n_max=[5, 6])
    whole = nm.analyze(methane, nm.RadialSpectrum(n_max=6, cutoff=3.5), scope="potential", centers="C")
    assert radial.best is None
    assert radial.table["misses"].str.endswith("whatever the truncation").any()
    unseen = np.sqrt((whole["unseen_force"] ** 2).mean())
    assert unseen > 1e-2
    assert radial.table["unseen_force"].max() == pytest.approx(unseen, rel=1e-6)
    assert "next correlation order" in radial.advice
    power = nm.recommend(methane, SOAP, 0.01, correlation_order=[1, 2], centers="C", n_max=[5, 6], l_max=[4])
    assert isinstance(power.best, nm.PowerSpectrum)
    assert power.table["unseen_force"].min() < 1e-9
    bare = nm.recommend([each.copy() for each in methane], SOAP, 0.01, correlation_order=1, centers="C", n_max=[5, 6])
    assert isinstance(bare.best, nm.RadialSpectrum)
    assert bare.table["unseen_force"].isna().all()


def test_lengths_are_searched_on_request():
    lengths = {"width": [0.4, 0.6], "cutoff": [3.0, 3.5]}
    small = {"n_max": [2, 4], "l_max": [3], "radial_basis": "gto"}
    found = nm.recommend(METHANOL[:1], SOAP, 0.2, **lengths, **small)
    pairs = set(zip(found.table["cutoff"], found.table["width"], strict=True))
    assert pairs == {(cutoff, width) for cutoff in (3.0, 3.5) for width in (0.4, 0.6)}
    assert any("Lengths were searched" in note for note in found.notes)
    fixed = nm.recommend(METHANOL[:1], replace(SOAP, width=0.6), 0.2, **small)
    # Of so few centres all are in the sample.
    assert len(fixed.sample) == len(METHANOL[0])
    chosen = found.table[(found.table["cutoff"] == 3.5) & (found.table["width"] == 0.6)]
    merged = chosen.merge(fixed.table, on=["correlation_order", "n_max", "l_max"], suffixes=("", "_fixed"))
    assert len(merged) == 4
    assert merged["resolution"].to_numpy() == pytest.approx(merged["resolution_fixed"].to_numpy(), rel=1e-9)


@pytest.mark.parametrize(
    ("basis", "peers"),
    [("gto", {"nullmode", "featomic", "metatrain"}), ("quip-gaussians", {"nullmode", "QUIP"})],
)
def test_lines_are_read_back_as_what_is_recommended(basis, peers):
    found = nm.recommend(METHANOL[:2], SOAP, 0.1, radial_basis=basis, **GRID)
    assert set(found.lines) == peers
    for name, line in found.lines.items():
        [read] = nm.like(line)
        again = read.descriptor
        again = replace(again, species=found.best.species) if name == "featomic" else again
        assert again == found.best


def test_it_is_said_in_few_lines_and_drawn(found):
    text = str(found)
    assert len(text.splitlines()) <= 40
    assert f"{len(found.sample)} of 12 centres" in text
    assert "The given one" in text
    assert found.plot().axes[0].get_xlabel() == "features of an environment"
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert document["best"]["kind"] == "power-spectrum"
    assert len(document["table"]) == len(found.table)


REFUSED = {
    "target of 0": ({"target": 0}, "`target` must be a resolution between 0 and 1"),
    "target of 1": ({"target": 1}, "`target` must be a resolution between 0 and 1"),
    "target that is no number": ({"target": "a"}, "`target` must be"),
    "quantile": ({"quantile": 1.5}, "`quantile` must be from 0"),
    "seed": ({"seed": -1}, "`seed` must be a whole number"),
    "n_max": ({"n_max": [0]}, "`n_max` must be distinct whole numbers from 1"),
    "l_max": ({"l_max": [26]}, "`l_max` must be distinct whole numbers from 0 to 25"),
    "none": ({"l_max": []}, "`l_max` must be distinct"),
    "twice": ({"n_max": [2, 2]}, "`n_max` must be distinct"),
    "order": ({"correlation_order": 4}, "`correlation_order` must be distinct whole numbers from 1 to 3"),
    "functions": ({"radial_basis": "gtos"}, "`kind` must be a known radial basis"),
    "width": ({"width": [-1]}, "`width` must be distinct lengths"),
    "width of all": ({"width": [0.0]}, "width"),
    "descriptor": ({"descriptor": nm.ACSF()}, "`descriptor` must be one of RadialSpectrum"),
    "no limit": ({"descriptor": nm.PowerSpectrum(density="delta")}, "`descriptor` must have a Gaussian density"),
    "cutoff": ({"cutoff": 0.5}, "`cutoff` must reach a neighbour"),
    "centres": ({"centers": "Xe"}, "`centers`"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_arguments_are_refused_before_work(arguments, message, monkeypatch):
    monkeypatch.setattr("nullmode.analysis.recommendation.recommend.measure", None)
    with pytest.raises(nm.InputError, match=message):
        nm.recommend(METHANOL[:1], **arguments)


def test_what_cannot_be_made_is_left_out_and_said():
    found = nm.recommend(METHANOL[:1], replace(SOAP, cutoff=3.0), 0.05, n_max=[2, 60], l_max=[2], radial_basis="gto")
    assert 60 not in set(found.table["n_max"])
    assert any("left out" in note for note in found.notes)


def test_a_spread_sample_has_the_extremes_and_no_row_twice():
    points = np.array([[0.0], [0.1], [0.1], [5.0], [-7.0], [5.0]])
    assert {float(points[k, 0]) for k in spread(points, 2)} == {-7.0, 5.0}
    assert len(spread(points, 6)) == 4
    assert spread(points[:1], 3) == [0]
    rng = np.random.default_rng(1)
    cloud = rng.normal(size=(40, 3))
    order = rng.permutation(40)
    assert [order[k] for k in spread(cloud[order], 7)] == spread(cloud, 7)


def test_samples_of_structures():
    assert spaced(100, 3, [7]) == [0, 7, 50, 99]
    assert spaced(2, 8) == [0, 1]
    sizes = [Atoms("H" * n) for n in (5, 9, 3, 2)]
    assert [len(each) for each in small_enough(sizes, 10)] == [5, 3, 2]
