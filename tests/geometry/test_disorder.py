"""Partly occupied sites: refused wherever structures enter, or reduced to what each site mostly holds."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from ase.io.formats import open_with_compression

import nullmode as nm
from nullmode.families import file
from nullmode.geometry.disorder import majority_species
from nullmode.sweep.structures import make_structures

CELL = """data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti 0.5 0.5 0.5 1.0
F1 F 0.5 0.5 0.25 1.0
"""
SHARED = "A1 Sr 0 0 0 {}\nA2 La 0 0 0 {}\n"
# Rows of the file, and symbols and first heights of the majority; None where there is none.
SITES = {
    "shared": (SHARED.format(0.7, 0.3), "TiFSr", None),
    "shared, the second": (SHARED.format(0.3, 0.7), "TiFLa", None),
    "shared by three": (SHARED.format(0.4, 0.35) + "A3 Ba 0 0 0 0.25\n", "TiFSr", None),
    "shared, and often empty": (SHARED.format(0.3, 0.1), "TiF", None),
    "shared evenly": (SHARED.format(0.5, 0.5), None, None),
    "with digits in brackets": (SHARED.format("0.70(2)", "0.30(2)"), "TiFSr", None),
    "mostly full": ("O1 O 0 0 0 0.9\n", "TiFO", None),
    "half full": ("O1 O 0 0 0 0.5\n", "TiFO", None),
    "mostly empty": ("O1 O 0 0 0 0.4\n", "TiF", None),
    "empty": ("O1 O 0 0 0 0\n", "TiF", None),
    "split": ("O1 O 0 0 0.005 0.6\nO2 O 0 0 -0.005 0.4\n", "TiFO", 0.04),
    "split, other elements": ("A1 Sr 0 0 0.01 0.2\nA2 La 0 0 0 0.8\n", "TiFLa", 0),
    "split evenly": ("O1 O 0 0 0.005 0.5\nO2 O 0 0 -0.005 0.5\n", None, None),
    "split in three": ("".join(f"O{k} O 0 0 {k / 100} 0.333\n" for k in range(3)), None, None),
    "neighbours, not split": ("O1 O 0 0 0 0.9\nO2 O 0 0 0.3 0.8\n", "TiFO2", 0),
}
WITHOUT_SHARES = CELL.replace("_atom_site_occupancy\n", "").replace(" 1.0\n", "\n")
ORDERED = {
    "full": "O1 O 0 0 0 1.0\n",
    "full to the digits": "O1 O 0 0 0 0.9999\n",
    "not known": "O1 O 0 0 0 ?\n",
    "no other": SHARED.format(1.0, 0.0),
}


def cif(folder, rows):
    path = folder / "x.cif"
    path.write_text(CELL + rows)
    return path


@pytest.mark.parametrize("name", SITES)
def test_disorder_is_refused_or_reduced(tmp_path, name):
    rows, formula, height = SITES[name]
    path = cif(tmp_path, rows)
    atoms = read(path)
    with pytest.raises(nm.InputError, match=r"`atoms\[0\]` must have fully occupied sites, got .* at atom 2"):
        nm.environments(atoms)
    with pytest.raises(nm.InputError, match=r"`frame 0 of .*x.cif` must have fully .* --occupancy majority"):
        list(file.structures(path))
    if formula is None:
        with pytest.raises(nm.InputError, match="must have sites with a most frequent species"):
            majority_species(atoms)
        return
    before = atoms.get_chemical_symbols()
    ordered = majority_species(atoms)
    assert atoms.get_chemical_symbols() == before
    assert ordered.symbols.formula.format("hill") == Atoms(formula).symbols.formula.format("hill")
    if height is not None:
        assert ordered.positions[2, 2] == pytest.approx(height)
    assert len(nm.environments(ordered, 6.5)) == len(ordered)
    (again,) = file.structures(path, occupancy="majority")
    assert (again.numbers == ordered.numbers).all()
    (part,) = nm.read_environments(path, 6.5, occupancy="majority")
    assert len(part) == len(ordered)


def test_families_of_ones_own_are_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cif(tmp_path, SITES["mostly full"][0])
    (tmp_path / "own.py").write_text("from ase.io import read\n\n\ndef own():\n    yield read('x.cif')\n")
    with pytest.raises(nm.InputError, match=r"`families.mine\[0\]` must have fully occupied sites"):
        make_structures("own.py:own", {}, "mine")


@pytest.mark.parametrize("name", ORDERED)
def test_ordered_crystals_pass(tmp_path, name):
    atoms = read(cif(tmp_path, ORDERED[name]))
    assert len(nm.environments(atoms, 6.5)) == 3
    assert (majority_species(atoms).positions == atoms.positions).all()


@pytest.mark.parametrize("name", ["x.extxyz", "x.pdb"])
def test_other_formats_keep_the_occupancy(tmp_path, name):
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]], cell=[9, 9, 9])
    atoms.set_array("occupancy", np.array([1.0, 0.5]))
    write(tmp_path / name, atoms)
    with pytest.raises(nm.InputError, match=r"must have fully occupied sites, got O 0\.5 at atom 1"):
        list(file.structures(tmp_path / name))


def test_repeated_and_sorted_crystals_are_seen(tmp_path):
    atoms = read(cif(tmp_path, SITES["shared"][0]))
    for changed in (atoms.repeat((2, 1, 1)), atoms[[2, 1, 0]]):
        with pytest.raises(nm.InputError, match=r"Sr 0\.7 / La 0\.3"):
            nm.environments(changed)
        assert majority_species(changed).symbols.formula.count()["Sr"] == len(changed) // 3


@pytest.mark.parametrize("shares", [(0.67, 0.33), (0.5, 0.5)])
def test_a_species_listed_twice_for_a_site_is_not_taken_for_a_vacancy(tmp_path, shares):
    # Of both rows, ASE keeps one share.
    path = cif(tmp_path, "A1 Fe3+ 0 0 0 {}\nA2 Fe2+ 0 0 0 {}\n".format(*shares))
    with pytest.raises(nm.InputError, match=r"must list each species of a site once, got one of Fe more than once"):
        list(file.structures(path, occupancy="majority"))


def test_shares_of_other_atoms_are_refused(tmp_path):
    atoms = read(cif(tmp_path, SHARED.format(0.7, 0.3)))
    added = atoms.copy()
    added.append("He")
    # The trajectory of ASE keeps the shares, and no numbers of sites.
    write(tmp_path / "x.traj", atoms)
    for changed in (added, read(tmp_path / "x.traj"), atoms[[1, 2]] + Atoms("N", [[3, 3, 3]])):
        for function in (nm.environments, majority_species):
            with pytest.raises(nm.InputError, match=r"info\['occupancy'\] must belong to the atoms"):
                function(changed)


@pytest.mark.parametrize("second", ["La", "Sr"])
def test_atoms_at_one_place_are_not_dropped(tmp_path, second):
    # Without shares, ASE takes the first and goes on.
    path = tmp_path / "x.cif"
    path.write_text(WITHOUT_SHARES + f"A1 Sr 0 0 0\nA2 {second} 0 0 0\n")
    for read_it in (file.structures, nm.read_environments):
        with pytest.raises(nm.InputError, match=r"`path` must hold one atom at each place, got .*x.cif with two"):
            list(read_it(path))


@pytest.mark.parametrize(
    "name", ["occupancy", "occupancies", "occ", "Occupancy", "OCC", "sof", "site_occupancy", "occupation"]
)
def test_shares_are_known_by_any_of_their_names(name):
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]])
    atoms.set_array(name, np.array([1.0, 0.5]))
    with pytest.raises(nm.InputError, match=r"must have fully occupied sites, got O 0\.5 at atom 1"):
        nm.environments(atoms)


def test_shares_of_a_frame_are_shares():
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]], info={"occupancy": np.array([1.0, 0.5])})
    with pytest.raises(nm.InputError, match=r"must have fully occupied sites, got O 0\.5 at atom 1"):
        nm.environments(atoms)


def test_shares_of_several_species_are_shares():
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]])
    atoms.set_array("occupancies", np.array([[1.0, 0.0], [0.4, 0.5]]))
    with pytest.raises(nm.InputError, match=r"must have fully occupied sites, got O 0\.5 at atom 1"):
        nm.environments(atoms)


@pytest.mark.parametrize("values", [[100, 50], ["1.0", "0.5"], [True, 0.5]])
def test_shares_in_percent_and_as_texts_are_shares(values):
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]])
    atoms.set_array("occupied", np.array(values))
    with pytest.raises(nm.InputError, match=r"must have fully occupied sites, got O 0\.5 at atom 1"):
        nm.environments(atoms)


@pytest.mark.parametrize("text", ["half", "1/2", "0,5", "50%"])
def test_texts_that_are_no_shares_are_refused(tmp_path, text):
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]])
    atoms.set_array("sof", np.array(["1", text]))
    path = cif(tmp_path, f"O1 O 0 0 0 {text}\n")
    for given in (lambda: nm.environments(atoms), lambda: list(file.structures(path)), lambda: majority_species(atoms)):
        with pytest.raises(nm.InputError, match=f"must be numbers from 0 to 1, got '{text}'"):
            given()


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 1.0], [2.0, 0.5], [np.nan, np.nan], [".", "?"]])
def test_what_is_no_share_is_no_disorder(values):
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.2]])
    atoms.set_array("occupancies", np.array(values))
    assert len(nm.environments(atoms)) == 2


COLUMNS = "_atom_site_occupancy\n_atom_site_calc_flag\n_atom_site_disorder_group\n"


def pdb(*atoms):
    return "CRYST1   10.000   10.000   10.000  90.00  90.00  90.00 P 1\n" + "".join(
        f"ATOM  {k:5d}  CA {letter}ALA A   1    {2 * k:8.3f}{0:8.3f}{0:8.3f}{share:6.2f}  0.00           C\n"
        for k, (letter, share) in enumerate(atoms)
    )


def with_columns(*rows, columns=COLUMNS):
    return CELL.split("_atom_site_occupancy", maxsplit=1)[0] + columns + "".join(f"{row}\n" for row in rows)


def without_kinds(*labels):
    return with_columns(*(f"{label} 0 0 {k / 4}" for k, label in enumerate(labels)), columns="").replace(KIND, "")


def named(*names, element="  "):
    rows = pdb(*((" ", 1) for _ in names)).splitlines(keepends=True)
    rows[1:] = [row[:12] + name + row[16:76] + element + "\n" for row, name in zip(rows[1:], names, strict=True)]
    return "".join(rows)


KIND = "_atom_site_type_symbol\n"
GROUPS = with_columns("O1 O 0 0 0 1 d 1", "O2 O .1 0 0 1 d 2")
HYDROGENS = "_atom_site_attached_hydrogens\n"


def gro(*names):
    rows = [f"    1{one:5s}{name:>5s}{k:5d}{0.2 * k:8.3f}   0.000   0.000\n" for k, (one, name) in enumerate(names)]
    return f"x\n{len(rows)}\n" + "".join(rows) + "   3.0 3.0 3.0\n"


def dump(columns, *rows):
    head = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 6\n0 6\n0 6\n"
    listed = "".join(f"{k + 1} {row} 0 0 {2 * k}\n" for k, row in enumerate(rows))
    return f"{head}ITEM: ATOMS id {columns} x y z\n{listed}"


def res(latt, *shares):
    head = f"TITL x\nCELL 1.0 6 6 6 90 90 90\n{latt}\nSFAC Na\n"
    return head + "".join(f"Na 1 0 0 {k / 3:.3f} {share}\n" for k, share in enumerate(shares)) + "END\n"


# A file, its text, and what of it is refused; None where nothing is.
ALTERNATIVES = {
    "dummy atom": ("x.cif", with_columns("Ti1 Ti 0 0 0 1 d .", "X1 O .5 0 0 1 dum ."), "the dummy atom X1"),
    "two groups": ("x.cif", with_columns("O1 O 0 0 0 1 d 1", "O2 O .1 0 0 1 d 2"), "the disorder groups 1, 2"),
    "one group": ("x.cif", with_columns("O1 O 0 0 0 1 d 1", "O2 O .25 0 0 1 d ."), None),
    "calculated": ("x.cif", with_columns("O1 O 0 0 0 1 calc .", "O2 O .25 0 0 1 c ."), None),
    "shares say so": ("x.cif", with_columns("O1 O 0 0 0 .5 d 1", "O2 O .5 0 0 .5 d 2"), "fully occupied"),
    "alternate locations": ("x.pdb", pdb(("A", 1), ("B", 1), (" ", 1)), "the alternate locations A, B"),
    "two groups, packed": ("x.cif.gz", GROUPS, "the disorder groups 1, 2"),
    "a group with its images": ("x.cif", with_columns("O1 O .1 0 0 1 d -1"), "the disorder group -1"),
    "hydrogens": (
        "x.cif",
        with_columns("C1 C 0 0 0 3", columns=HYDROGENS),
        "all atoms, .* 3 hydrogen atoms of C1 that",
    ),
    "no hydrogens": ("x.cif", with_columns("C1 C 0 0 0 0", "C2 C .25 0 0 .", columns=HYDROGENS), None),
    "capitals": ("x.cif", with_columns("CL1 CL 0 0 0", columns=""), "'CL', of which ASE may take another. Write"),
    "capitals before a number": ("x.cif", with_columns("CL1 CL1- 0 0 0", columns=""), "'CL1-', of which ASE"),
    "small letters": ("x.cif", with_columns("C1 c 0 0 0", columns=""), "symbols of elements, .* 'c', of which"),
    "a group of atoms": ("x.cif", with_columns("W1 Wat 0 0 0", columns=""), "'Wat', of which"),
    "ions and isotopes": ("x.cif", with_columns("C1 13C 0 0 0", "O1 O2- .3 0 0", "D1 D .4 0 0", columns=""), None),
    "capitals in a label": ("x.cif", without_kinds("O1", "NA1"), "'NA1', of which ASE"),
    "labels that are clear": ("x.cif", without_kinds("Cl1", "OW1"), None),
    "an unclear name": ("x.pdb", named(" O  ", " CA "), "the element of every atom, .* 'CA' without one, which ASE"),
    "a hydrogen's name": ("x.pdb", named("HG21"), "'HG21' without one, which ASE reads as Hg"),
    "clear names": ("x.pdb", named("CA  ", " OW ", " C1 "), None),
    "names beside elements": ("x.pdb", named(" CA ", "HG21", element=" C"), None),
    "a letter and none": ("x.pdb", pdb((" ", 1), ("B", 1)), "the alternate locations B"),
    "some shares": ("x.pdb", pdb(("A", 0.5), (" ", 1)).replace("  1.00", "      "), "of every atom or of none"),
    "locations, packed": ("x.pdb.bz2", pdb(("A", 1), ("B", 1)), "the alternate locations A, B"),
    "one location": ("x.pdb", pdb(("A", 1), ("A", 1)), None),
    "of macromolecules": (
        "x.cif",
        "data_x\nloop_\n_atom_site.type_symbol\n_atom_site.Cartn_x\nC 1.0\n",
        "crystals in CIF",
    ),
    "a virtual site": ("x.gro", gro(("SOL", "OW"), ("SOL", "MW")), "the element of every atom, .* 'MW', of which ASE"),
    "an ion": ("x.gro", gro(("CA", "CA")), "'CA', of which ASE"),
    "an ion with its charge": ("x.gro", gro(("NA+", "NA")), "'NA', of which ASE"),
    "a metal": ("x.gro", gro(("HEME", "FE")), "'FE', of which ASE"),
    "an ion of three letters": ("x.gro", gro(("SOD", "SOD")), "'SOD', of which ASE"),
    "a bead": ("x.gro", gro(("ALA", "BB")), "'BB', of which ASE"),
    "sulphur and phosphorus": ("x.gro", gro(("CYS", "SG"), ("ATP", "PB"), ("SOL", "OW"), ("K", "K")), None),
    "an ion in PDB": ("x.pdb", named("SOD ").replace("ALA", "SOD"), "the element of every atom, .* 'SOD' without one"),
    "a metal in PDB": ("x.pdb", named("ZN  ").replace("ALA", " ZN"), None),
    "names of residues": (
        "x.gro",
        gro(("ALA", "CA"), ("ARG", "NE"), ("SOL", "HW1"), ("ALA", "1HB"), ("NA", "Na"), ("CL", "Cl")),
        None,
    ),
    "types": ("x.lammpstrj", dump("type", "1", "2"), "the element of every atom, .* types, which ASE reads as"),
    "types and elements": ("x.lammpstrj", dump("type element", "1 Na", "2 Cl"), None),
    "types and masses": ("x.lammpstrj", dump("type mass", "1 22.99", "2 35.45"), None),
    "a share of SHELX": ("x.res", res("LATT -1", 1, 0.5), "fully occupied sites, .* occupancy 0.5 of Na"),
    "a share of SHELX, kept": ("x.res", res("LATT -1", 10.25), "occupancy 10.25 of Na"),
    "symmetry of SHELX": ("x.res", res("LATT -1\nSYMM -X, -Y, Z", 1), "all atoms, .* apply .SYMM -X"),
    "a lattice of SHELX": ("x.res", res("LATT 1", 1), "all atoms, .* apply .LATT 1"),
    "all atoms of SHELX": ("x.res", res("LATT -1", 1, 11.0), None),
    "shares of locations": ("x.pdb", pdb(("A", 0.6), ("B", 0.4)), "fully occupied"),
}


@pytest.mark.parametrize(("name", "text", "message"), ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_atoms_that_are_not_there_together_are_refused(tmp_path, name, text, message):
    with open_with_compression(str(tmp_path / name), "w") as packed:
        packed.write(text)
    for reader in (lambda path: list(file.structures(path)), lambda path: list(nm.read_environments(path, 6.5))):
        if message is None:
            assert reader(tmp_path / name)
        else:
            with pytest.raises(nm.InputError, match=message):
                reader(tmp_path / name)
