from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from cases import ENVIRONMENTS, SETTING, environment, in_a_sphere, rattled
from tasks import sensitivities

import nullmode as nm
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.attribution.geometry_ranks import Cases
from nullmode.descriptors.complete import jacobians
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.sweep.structures import make_structures

POWER = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)
SWEPT = {
    "gto": (POWER, {"n_max": [2, 4], "l_max": [1, 3]}),
    "laplacian": (replace(POWER, radial_basis="laplacian-eigenstates"), {"n_max": [4, 1, 2], "l_max": [3, 0]}),
    "chebyshev": (replace(POWER, radial_basis="chebyshev"), {"n_max": [4, 2], "l_max": [3, 1]}),
    "radial with centre": (nm.RadialSpectrum(n_max=4, center_weight=0.6, **SETTING), {"n_max": [4, 2]}),
}


@pytest.mark.law(cases=2)
@pytest.mark.parametrize(("descriptor", "axes"), SWEPT.values(), ids=SWEPT.keys())
def test_rows_of_a_sweep_are_the_single_resolutions(descriptor, axes):
    envs = [environment(name) for name in ENVIRONMENTS] + [nm.Environment.from_vectors([], center_species="H")]
    table = nm.truncation_sweep(envs, descriptor, resolution=True, **axes)
    ends = descriptor.radial_basis.kind != "gto"
    for row in table.itertuples():
        one = replace(descriptor, **{name: getattr(row, name) for name in axes})
        single, limit = nm.resolution(envs[row.structure], one), nm.limit(envs[row.structure], one)
        assert row.rank_limit == limit.rank
        agree = np.count_nonzero(single.values > 1e-9) == row.rank
        assert row.resolution_note.startswith("" if agree else "the rank is")
        assert bool(row.resolution_note) != agree
        assert row.resolution == pytest.approx(single.worst, rel=0, abs=1e-10, nan_ok=True)
        within = single.within_cutoff if ends else np.nan
        assert row.resolution_within_cutoff == pytest.approx(within, rel=0, abs=1e-10, nan_ok=True)


def test_images_of_an_atom_may_move_together():
    """Of cubic silicon with two atoms moved, by the sum over images of the limit's Jacobian."""
    atoms = rattled(bulk("Si", "diamond", 5.43, cubic=True), 0.05)
    [env] = nm.environments(atoms, cutoff=4.0, centers=[0])
    table = nm.analyze(env, POWER, resolution=True, degrees_of_freedom="atoms")
    free = np.setdiff1d(env.atoms, env.center)
    spread = np.kron(env.atoms[:, None] == free, np.eye(3))
    whole, kept = (
        each.reshape(len(each), -1) @ spread
        for each in (nm.limit(env, POWER).jacobian, POWER.compute_with_jacobian(env)[1])
    )
    _, s, v = np.linalg.svd(whole, full_matrices=False)
    rank = int((s > 1e-9 * s[0]).sum())
    share = np.linalg.svd(kept @ v[:rank].T / s[:rank], compute_uv=False)[-1]
    assert (table["rank_limit"][0], table["n_dof"][0]) == (rank, 3 * len(free))
    assert table["resolution"][0] == pytest.approx(share, rel=1e-6)


def test_a_row_says_what_is_wrong_with_its_resolution(monkeypatch):
    sampled = nm.analyze(environment("methane"), replace(POWER, radial_basis="dvr"), resolution=True)
    assert sampled["resolution_note"][0].startswith("no projection")
    # A constant function sees nothing of the distances but that the cutoff is near: ranks are relative to the largest.
    constant = nm.PowerSpectrum(n_max=1, l_max=0, radial_basis="chebyshev", **SETTING)
    row = nm.analyze(in_a_sphere(35), constant, resolution=True).loc[0]
    assert (row["rank"], row["resolution_note"]) == (1, "the rank is 1, but 0 resolutions are above rtol")
    # Neighbours of nearly one distance, which the width hides but for 1e-7 of the largest value.
    close = nm.Environment.from_vectors([[1.0, 0, 0], [0, 1.0 + 2e-8, 0]])
    row = nm.analyze(close, nm.RadialSpectrum(n_max=1, **SETTING), resolution=True).loc[0]
    assert row["rank_limit"] == 2
    assert row["resolution_note"].startswith("rounding")
    monkeypatch.setattr(jacobians, "MOST_ENTRIES", 10_000)
    rows = nm.analyze([environment("crowded"), environment("one")], POWER, resolution=True)
    assert rows["resolution_note"][0].startswith("`environment` must leave a limit of at most 10000 entries")
    assert np.isnan(rows["resolution"][0])
    assert (rows["status"] == "ok").all()
    assert rows["resolution"][1] > 0
    assert rows["resolution_note"][1] == ""


def test_of_a_sweep_over_densities_rows_without_a_limit_say_so():
    sets = EnvironmentSet.from_environments([environment("methane"), environment("one")])
    options = AnalysisOptions(rtol=1e-9, attribution=False, resolution=True)
    rows, _ = measure(Cases(sets), [POWER, replace(POWER, density="delta")], options)
    gaussian, delta = rows[rows["point"] == 0], rows[rows["point"] == 1]
    assert gaussian["resolution"].gt(0).all()
    assert delta["resolution"].isna().all()
    assert delta["resolution_note"].str.contains("got density='delta'").all()
    assert (rows["status"] == "ok").all()


def test_resolutions_that_cannot_be_are_refused_before_any_work():
    env = environment("methane")
    for what, descriptor, options, message in (
        (env, nm.ACSF(cutoff=4.0), {}, "no limit"),
        (env, replace(POWER, density="delta"), {}, "grow without bound"),
        (bulk("MgO", "rocksalt", 4.2), POWER, {"scope": "structure"}, "those of environments"),
    ):
        with pytest.raises(nm.InputError, match=message):
            nm.analyze(what, descriptor, resolution=True, **options)


@pytest.mark.parametrize("asked", [True, False])
def test_a_configuration_may_ask_for_resolutions(asked):
    structures = make_structures("random_methane", {"n_structures": 2, "seed": 1}, "methane")
    task = {"family": "methane", "descriptor": "soap", "kind": "power-spectrum", "parameters": SETTING}
    points = [{**SETTING, "n_max": n_max, "l_max": 2} for n_max in (1, 3)]
    rows = sensitivities(structures, {**task, "points": points, "resolution": asked})
    assert ("resolution" in rows) == asked
    if asked:
        assert rows["resolution"].between(0, 1).all()
        assert rows["rank_limit"].notna().all()
        assert (rows["resolution_note"] == "").all()
