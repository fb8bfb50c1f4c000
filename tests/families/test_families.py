import itertools

import ase.io
import numpy as np
import pytest
from ase import Atoms
from cases import RANKS, TD, WATER
from configs import CHECKOUT
from nasty import SKIPPED
from scipy.spatial.distance import pdist, squareform
from variant_cases import FAMILIES as PARAMETERS
from variant_cases import SMALL, made

import nullmode as nm
from nullmode import InputError
from nullmode._support.axes import Range
from nullmode.families import FAMILIES, degenerate_pair, file, methane_distortion, point_groups
from nullmode.families._base import BOND
from nullmode.learning.four_body import four_body_energy
from nullmode.sweep import structures

each_family = pytest.mark.parametrize("kind", FAMILIES)
# Seven hydrogens are no methane, but sit around C all the same.
SEVEN = ("homometric_set", "ring_pair")
OTHERS = ("g2_molecules", "thermal_crystal", "cluster_dynamics", "water_cluster", "file")


def distances(hydrogens):
    """Distances between hydrogens, sorted."""
    return np.sort(pdist(hydrogens))


@each_family
def test_structures_are_complete(kind):
    items = made(kind, **PARAMETERS[kind])
    assert all(isinstance(atoms, Atoms) for atoms in items)
    assert len({frozenset(atoms.info) for atoms in items}) == 1
    for atoms in items:
        assert np.isfinite(atoms.positions).all()
        assert len(atoms.info.get("centers", atoms))
        assert all(type(value) in (int, float, str) for key, value in atoms.info.items() if key != "centers")


@each_family
def test_same_parameters_give_the_same_structures(kind):
    pairs = zip(made(kind, **PARAMETERS[kind]), made(kind, **PARAMETERS[kind]), strict=True)
    assert all(one == other and one.info == other.info for one, other in pairs)


@each_family
def test_rows_of_the_table_hold_the_structures(kind):
    parameters = {key: str(value) if key == "path" else value for key, value in PARAMETERS[kind].items()}
    frame = structures.make_structures(kind, parameters, "a")
    items = made(kind, **PARAMETERS[kind])
    assert frame["structure"].tolist() == list(range(len(items)))
    for row, atoms in zip(frame.to_dict("records"), items, strict=True):
        assert row["numbers"] == atoms.numbers.tolist()
        assert np.array_equal(np.reshape(row["positions"], (-1, 3)), atoms.positions)
        assert np.array_equal(np.reshape(row["cell"], (3, 3)), atoms.cell.array)
        assert row["pbc"] == atoms.pbc.astype(int).tolist()
        assert {key: row[key] for key in atoms.info} == atoms.info


@pytest.mark.parametrize("kind", [kind for kind in FAMILIES if kind not in OTHERS])
def test_methanes_have_their_carbon_as_only_centre(kind):
    for atoms in made(kind, **PARAMETERS[kind]):
        assert str(atoms.symbols) == ("CH7" if kind in SEVEN else "CH4")
        assert atoms.info["centers"] == [0]
        assert not atoms.positions[0].any()


# The published grid: 81 structures X-, then 81 X+, u slow, v fast and descending.


def test_degenerate_pair_is_the_published_grid_in_its_order():
    items = made("degenerate_pair")
    where = [(atoms.info["sign"], atoms.info["u"], atoms.info["v"]) for atoms in items]
    u, v = np.linspace(0.7, 0.9, 9), np.linspace(0.1, -0.1, 9)
    assert np.allclose(where, list(itertools.product([-1, 1], u, v)), rtol=0, atol=1e-12)
    assert [atoms.info["pair"] for atoms in items] == [*range(81), *range(81)]
    assert sum(atoms.info["v"] == 0.0 for atoms in items) == 18


def test_degenerate_pair_has_the_published_angles():
    for atoms in made("degenerate_pair"):
        x, y, z = atoms.positions[1:].T / BOND
        assert np.allclose(np.degrees(np.arcsin(z)), [67.5, 30, -30, 180 * atoms.info["v"]])
        turned = np.exp(1j * np.pi * np.array([1, 0.2, -0.2, atoms.info["sign"] * atoms.info["u"]]))
        assert np.allclose((x + 1j * y) / np.hypot(x, y), turned)


def test_pair_shares_its_distances_on_the_degenerate_line_only():
    items = made("degenerate_pair")
    for minus, plus in zip(items[:81], items[81:], strict=True):
        same = np.allclose(distances(minus.positions[1:]), distances(plus.positions[1:]), rtol=0, atol=1e-9)
        assert same == (minus.info["v"] == 0.0)


def test_pair_merges_at_pi():
    minus, plus = (degenerate_pair.hydrogens(np.pi, 0.3, sign) for sign in (-1, 1))
    assert np.allclose(minus, plus, rtol=0, atol=1e-15)


@pytest.mark.parametrize("signs", [[1], [-1], [1, -1]])
def test_signs_and_bond_are_chosen(signs):
    items = made("degenerate_pair", u=[0.8], v=[0.0], signs=signs, bond=1.2)
    assert [atoms.info["sign"] for atoms in items] == signs
    assert all(np.allclose(np.linalg.norm(atoms.positions[1:], axis=1), 1.2) for atoms in items)


# The recipe of the public set of random methanes.


@pytest.mark.parametrize(("radius", "min_distance"), [(3.0, 0.5), (1.2, 0.9), (2.0, 0.0)])
def test_random_methane_keeps_to_its_sphere_and_its_distances(radius, min_distance):
    items = made("random_methane", n_structures=200, radius=radius, min_distance=min_distance)
    assert len(items) == 200
    far = [np.linalg.norm(atoms.positions, axis=1).max() for atoms in items]
    near = [pdist(atoms.positions).min() for atoms in items]
    assert max(far) <= radius
    assert min(near) > min_distance
    # The bounds are the ones asked for, not narrower ones.
    assert max(far) > 0.95 * radius
    assert min(near) < min_distance + 0.2


def test_random_methane_fills_its_sphere_evenly():
    hydrogens = np.concatenate([a.positions[1:] for a in made("random_methane", n_structures=500, min_distance=0.0)])
    # Of a uniform ball, (r/R)^3 is uniform in (0, 1): mean 1/2, standard error 1/sqrt(12·2000).
    share = (np.linalg.norm(hydrogens, axis=1) / 3.0) ** 3
    assert abs(share.mean() - 0.5) < 5 / np.sqrt(12 * len(share))
    assert (abs(hydrogens.mean(axis=0)) < 5 * 3.0 / np.sqrt(5 * len(share))).all()


def test_a_longer_set_begins_with_the_shorter_one():
    assert made("random_methane", n_structures=20, seed=3)[:7] == made("random_methane", n_structures=7, seed=3)


def test_seeds_give_different_sets():
    one, other = (made("random_methane", n_structures=10, seed=seed) for seed in (1, 2))
    assert not any(a == b for a, b in itertools.product(one, other))


# Where a path begins, the tetrahedron; where it ends, a known figure.


@pytest.mark.parametrize(
    ("path", "t"),
    [("stretch_one", 1), ("stretch_two", 1), ("stretch_opposite", 1), ("flatten", 0), ("twist", 0), ("umbrella", 0)],
)
def test_paths_pass_through_the_tetrahedron(path, t):
    (atoms,) = (a for a in made("methane_distortion", paths=[path]) if a.info["t"] == t)
    assert np.allclose(distances(atoms.positions[1:]), distances(TD), rtol=0, atol=1e-12)
    assert np.allclose(np.linalg.norm(atoms.positions[1:], axis=1), BOND, rtol=0, atol=1e-12)


def matrix(path, t):
    (atoms,) = made("methane_distortion", paths=[path], **{path.partition("_")[0]: [t]}, bond=1.0)
    return atoms.positions[1:]


def test_stretches_change_the_named_bonds():
    lengths = {
        path: np.linalg.norm(matrix(path, 1.2), axis=1) for path in ("stretch_one", "stretch_two", "stretch_opposite")
    }
    assert np.allclose(lengths["stretch_one"], [1.2, 1, 1, 1])
    assert np.allclose(lengths["stretch_two"], [1.2, 1.2, 1, 1])
    assert np.allclose(lengths["stretch_opposite"], [1.2, 1 / 1.2, 1, 1])


@pytest.mark.parametrize(
    ("path", "t"), [("flatten", 1), ("twist", 90), ("twist", 30), ("flatten", 0.3), ("umbrella", 9)]
)
def test_bonds_are_kept_where_angles_change(path, t):
    assert np.allclose(np.linalg.norm(matrix(path, t), axis=1), 1)


def test_flattened_methane_is_a_square():
    square = np.sqrt([2, 2, 2, 2, 4, 4])
    assert np.allclose(distances(matrix("flatten", 1)), square)


def test_twisted_methane_is_a_rectangle():
    r = matrix("twist", 90)
    # D2h: planar through the axis, so that the two C-H pairs lie in one plane.
    assert np.isclose(np.linalg.svd(r)[1][2], 0)


@pytest.mark.parametrize("t", [-20, 3.75, 20])
def test_umbrella_keeps_a_threefold_axis(t):
    r = matrix("umbrella", t)
    apart = squareform(pdist(r))
    assert np.allclose(apart[0, 1:], 2 * np.sin((np.arccos(-1 / 3) + np.radians(t)) / 2))
    assert np.allclose(apart[[1, 2, 3], [2, 3, 1]], apart[1, 2])


def test_noise_has_its_amplitude():
    items = made("methane_distortion", paths=["noise"], noise=[-4, -1], samples=200)
    for t in (-4, -1):
        moved = np.array([a.positions[1:] - TD for a in items if a.info["t"] == t])
        assert np.isclose(moved.std(), 10.0**t, rtol=0.1)
    assert [a.info["sample"] for a in items] == [*range(200)] * 2


def test_default_paths_are_all_of_them():
    items = made("methane_distortion")
    assert list(dict.fromkeys(a.info["path"] for a in items)) == list(methane_distortion.PATHS)
    assert len(items) == 3 * 37 + 41 + 37 + 33 + 15 * 10


def test_axes_are_lists_or_ranges():
    pair = degenerate_pair.structures
    assert [a.info["u"] for a in pair(u=[0.9, 0.7], v=[0], signs=[1])] == [0.9, 0.7]
    assert [a.info["u"] for a in pair(u=Range(start=0.7, stop=0.9, step=0.1), v=[0], signs=[1])] == [0.7, 0.8, 0.9]


# The ladder of point groups.

# Name in the table of ranks (RANKS), and its point group.
LADDER = {
    **{name: (name, name) for name in ("Td", "D4h", "D2d", "D2h", "D2", "C3v", "C2v", "C2", "Cs")},
    "0134": ("plane 0134", "C2v"),
    "0125": ("plane 0125", "C2v"),
    "planar": ("planar", "Cs"),
    "C1": ("random", "C1"),
    "X": ("X(pi, 0)", "C1"),
}
OTHERS = {"NH3": ("NH3", "C3v"), "H2O": ("H2O", "C2v"), "CH6": ("octahedron", "Oh")}


def test_ladder_has_the_point_groups_and_ranks_of_the_table():
    items = made("point_groups", bond=1.2)
    assert [atoms.info["name"] for atoms in items] == list(point_groups.NAMES) == list(LADDER)
    for atoms in [*items, *made("point_groups", names=list(OTHERS))]:
        (env,) = nm.environments(atoms, centers=atoms.info["centers"])
        row, group = (LADDER | OTHERS)[atoms.info["name"]]
        assert nm.point_group(env).name == group
        assert (nm.rank_complete(env, 1), nm.rank_complete(env, 2)) == RANKS[row][1:3], atoms.info["name"]


def test_ladder_brings_forces_where_four_hydrogens_have_them():
    assert not any("forces" in atoms.arrays for atoms in made("point_groups"))
    for atoms in made("point_groups", names=[*LADDER, *OTHERS], four_body_forces=True):
        assert ("forces" in atoms.arrays) == (atoms.info["name"] in LADDER)
        if "forces" in atoms.arrays:
            forces = atoms.arrays["forces"]
            assert not forces[0].any()
            np.testing.assert_allclose(forces[1:], four_body_energy(atoms.positions[1:])[1])


# Files.


def test_file_is_read_exactly():
    items = made("file", path=SMALL)
    assert [str(atoms.symbols) for atoms in items] == ["OH2", "NH3", "C2H4", "NaCl"]
    infos = [{"centers": list(range(len(atoms))), "frame": frame} for frame, atoms in enumerate(items)]
    assert [atoms.info for atoms in items] == infos
    assert items[3].pbc.all()
    assert items[0].positions[0, 0] == 0.10204595606925913


@pytest.mark.parametrize(
    ("index", "centers", "expected"),
    [
        (":", "H", [[1, 2], [1, 2, 3], [2, 3, 4, 5], []]),
        (":", ["C", "N"], [[], [0], [0, 1], []]),
        ("-1", None, [[0, 1]]),
        (":2", 0, [[0], [0]]),
        ("1:3", ["H", 0], [[0, 1, 2, 3], [0, 2, 3, 4, 5]]),
        ("::2", 0, [[0], [0]]),
        ("-3:-1", 0, [[0], [0]]),
        ("::-3", 0, [[0], [0]]),
        ("2", 1, [[1]]),
        ("-4", 0, [[0]]),
    ],
)
def test_frames_and_centres_are_chosen(index, centers, expected):
    chosen = list(file.structures(SMALL, centers, index))
    assert [a.info["centers"] for a in chosen] == expected
    every = range(4)
    numbers = every[slice(*(int(k) if k else None for k in index.split(":")))] if ":" in index else [every[int(index)]]
    assert [a.info["frame"] for a in chosen] == list(numbers)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("no.xyz", None, {}, "`path` must be an existing structure file"),
        ("a.xyz", "", {}, "`path` must be a structure file that ASE reads|`path` must contain at least one structure"),
        ("a.xyz", "not a structure\n", {}, "`path` must be a structure file that ASE reads"),
        ("a.unknown", "??", {}, "`path` must be a structure file that ASE reads"),
        ("a.xyz", "2\n\nH 0 0 0\n", {}, "`path` must be a structure file that ASE reads"),
        ("a.xyz", "1\n\nH 0 0 0\n", {"index": "7"}, "`index` must be the index of a frame of .*a.xyz, got 7"),
        ("a.xyz", "1\n\nH 0 0 0\n", {"index": "5:"}, "`path` must contain at least one structure"),
        ("a.xyz", "1\n\nH 0 0 0\n", {"centers": "C"}, "`centers` must occur in"),
        ("a.xyz", "1\n\nH 0 0 0\n", {"centers": 1}, "`centers` must be atom indices of structure 0"),
        ("a.xyz", "1\n\nH 0 0 0\n", {"centers": "Q"}, "`centers` must be chemical symbols"),
    ],
)
def test_bad_file_is_refused(tmp_path, name, content, options, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message):
        list(file.structures(path, **options))


def test_any_format_of_ase_is_read(tmp_path):
    atoms = Atoms("OH2", positions=[[0, 0, 0], *WATER])
    for name in ("a.xyz", "a.cif", "a.traj", "POSCAR"):
        boxed = atoms.copy() if name == "a.xyz" else Atoms(atoms, cell=[8, 8, 8], pbc=True)
        ase.io.write(tmp_path / name, boxed)
        (read,) = file.structures(tmp_path / name)
        assert np.allclose(distances(read.positions), distances(atoms.positions), atol=1e-5) or read.pbc.all()


# A family that breaks its word.


def _with(**info):
    return Atoms("CH", positions=[[0, 0, 0], [1, 0, 0]], info=info)


def _bad(**info):
    return Atoms("CH", positions=[[0, 0, 0], [np.nan, 0, 0]], info=info)


# Of a family that breaks its word: what it returns, and what the message must hold.
BROKEN = {
    "nothing": ([], "`families.mine` must hold at least one structure"),
    "None": (None, "`families.mine` must yield structures, got NoneType"),
    "one structure alone": (_with(), "`families.mine` must yield structures, got Atoms"),
    "text": ("CH4", "`families.mine` must yield ase.Atoms, got str for structure 0"),
    "rows": ([_with(), {"numbers": [1]}], "`families.mine` must yield ase.Atoms, got dict for structure 1"),
    "other coordinates": (
        [_with(t=1.0), _with(s=1.0)],
        "the same coordinates, of the same kinds, got {'s': 'number'}",
    ),
    "other kinds": ([_with(t=1.0), _with(t="a")], "got {'t': 'text'} of structure 1, and {'t': 'number'} of the first"),
    "truth and number": ([_with(t=True), _with(t=1)], "the same coordinates, of the same kinds"),
    "list": (
        [_with(t=[1, 2])],
        r"`families.mine\[0\].info\['t'\]` must be a number of 64 bits or a text, got \[1, 2\]",
    ),
    "array": (
        [_with(), _with(t=np.ones(2))],
        r"`families.mine\[1\].info\['t'\]` must be a number of 64 bits or a text",
    ),
    "None for a number": ([_with(t=None)], "must be a number of 64 bits or a text, got None"),
    "complex": ([_with(t=1j)], "must be a number of 64 bits or a text, got 1j"),
    "number too large": ([_with(t=2**64)], "must be a number of 64 bits or a text"),
    "half a letter": ([_with(t="\ud800")], "must be a number of 64 bits or a text"),
    "pair of texts": ([_with(pair="a")], r"info\['pair'\]` must be an integer, equal for all members, got 'a'"),
    "pair of fractions": ([_with(pair=0.5)], r"info\['pair'\]` must be an integer"),
    "key that is no name": ([Atoms("CH", info={3: 1})], "`families.mine.0..info` must have names for keys, .* got 3"),
    "empty name": ([_with(**{" ": 1})], "must have names for keys"),
    "name of pyarrow": ([_with(__filename=1)], "must have names for keys"),
    "name of a search": ([_with(mode_of_start=1)], "must have names for keys"),
    "name that cannot be encoded": ([_with(**{"\ud800": 1})], "must have names for keys, of visible characters"),
    "name with an unseen character": ([_with(**{"rank\u200b": 1})], "must have names for keys, of visible characters"),
    "name with a line break": ([_with(**{"a\nb": 1})], "must have names for keys, of visible characters"),
    "name with a space at the end": (
        [_with(**{"rank ": 1})],
        "must have names for keys, .* without spaces",
    ),
    "one letter written in two ways": ([_with(**{"\u00e9": 1, "e\u0301": 2})], "name of another column"),
    "names that differ in case": ([_with(t=1, T=2)], "name of another column, got 'T'"),
    "centre out of range": (
        [_with(centers=[2])],
        r"info\['centers'\]` must be distinct indices of its 2 atoms, .* \[2\]",
    ),
    "negative centre": ([_with(centers=[-1])], "must be distinct indices"),
    "centre twice": ([_with(centers=[1, 1])], "must be distinct indices"),
    "mask of centres": ([_with(centers=np.array([True, False]))], "must be distinct indices .* numpy.flatnonzero"),
    "symbol of centres": ([_with(centers="C")], "must be distinct indices"),
    "bad structure": (
        [_with(t=1), _bad(t=2)],
        r"mine\[1\].positions` must be finite, got nan in row 1.* is t 2 of",
    ),
    **{
        f"column {name}": (
            [_with(**{name: 1})],
            f"name of another column, got '{name}'.* Reserved: ambiguous, .*, width.$",
        )
        for name in (
            *("rank", "n_dof", "status", "point_group", "tolerance", "structure", "family", "RANK", "positions"),
            *("n_ok", "rank_max", "found", "predicted", "pair_distance", "numbers", "Defect"),
        )
    },
}


@pytest.mark.parametrize("name", BROKEN)
def test_family_that_yields_what_it_may_not(monkeypatch, name):
    result, message = BROKEN[name]
    monkeypatch.setattr(structures, "load", lambda *_: lambda: result)
    with pytest.raises(InputError, match=message):
        structures.make_structures("mine", {}, "mine")


def test_bad_structures_are_skipped_where_asked():
    kind = str(CHECKOUT / "tests/helpers/nasty.py:structures")
    made = structures.make_structures(kind, {}, "mine", "skip")
    assert made["defect"].dropna().index.map(made["name"]).tolist() == SKIPPED
    assert made["defect"][0] == "`families.mine[0].positions` must be finite, got nan in row 1, component x."
    with pytest.raises(InputError, match=r"`families.mine` must hold a sound structure, got none. The .*got nan"):
        structures.make_structures(kind, {"names": SKIPPED}, "mine", "skip")


def test_numbers_of_numpy_are_coordinates(monkeypatch):
    info = {"a": np.float32(0.5), "b": np.int8(3), "c": np.bool_(True), "d": np.str_("x"), "e": np.nan}
    monkeypatch.setattr(structures, "load", lambda *_: lambda: [_with(**info)])
    assert structures.make_structures("mine", {}, "mine")[[*"abcd"]].to_dict("records") == [
        {"a": 0.5, "b": 3, "c": True, "d": "x"}
    ]


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("random_methane", {"n_structures": 0}, r"families\.a\.parameters\.n_structures"),
        ("random_methane", {"radius": 0.4}, "`min_distance` must leave space"),
        ("methane_distortion", {"paths": ["bend"]}, r"families\.a\.parameters\.paths"),
        ("degenerate_pair", {"signs": [0]}, r"families\.a\.parameters\.signs"),
        ("degenerate_pair", {"u": []}, r"families\.a\.parameters\.u"),
        ("mode_displacement", {"modes": ["soft"]}, r"families\.a\.parameters\.modes"),
        ("mode_displacement", {"amplitudes": [2]}, "values must be at most 1"),
        ("cutoff_approach", {"distances": [0.01, 4.0]}, "`distances` must be less than the cutoff, got 4 Å"),
        ("cutoff_approach", {"distances": [0]}, "values must be greater than 0"),
        ("file", {}, r"`families\.a\.parameters\.path` is required and missing"),
    ],
)
def test_impossible_parameters_are_refused(kind, parameters, message):
    with pytest.raises(InputError, match=message):
        structures.make_structures(kind, parameters, "a")
