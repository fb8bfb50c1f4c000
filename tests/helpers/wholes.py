"""Whole structures that laws are stated over: with all boundaries, symmetries, species and chosen centres."""

import numpy as np
from ase import Atoms
from ase.build import bulk, graphene, molecule
from cases import AMMONIA as AMMONIA_PYRAMID
from cases import COMMENT, TD, f1, f2, pair, rattled, rings


def centred(vectors, symbol="H", center="C"):
    """A centre at the origin and its neighbours, as a molecule."""
    vectors = np.asarray(vectors)
    symbols = [symbol] * len(vectors) if isinstance(symbol, str) else symbol
    return Atoms([center, *symbols], np.vstack([np.zeros(3), vectors]))


def in_box(atoms, edge=20.0):
    atoms = atoms.copy()
    atoms.cell, atoms.pbc = [edge] * 3, True
    return atoms


def apart(*molecules, distance=9.0):
    """Molecules along x, out of each other's reach."""
    result = Atoms()
    for k, each in enumerate(molecules):
        moved = each.copy()
        moved.positions += [k * distance, 0, 0]
        result += moved
    return result


def chain(symbols, positions, period):
    return Atoms(symbols, positions, cell=np.diag([0, 0, period]), pbc=(0, 0, 1))


def layer(symbols, positions, cell):
    return Atoms(symbols, positions, cell=[[*cell[0], 0], [*cell[1], 0], [0, 0, 12]], pbc=(1, 1, 0))


def turned(atoms, angle, axis):
    atoms = atoms.copy()
    atoms.rotate(angle, axis)
    return atoms


WATER, AMMONIA = rattled(molecule("H2O"), 0.05), rattled(molecule("NH3"), 0.05, 1)
EXACT = ["CH4", "C2H4", "C2H2", "CO2", "CO", "H2O", "H2O2", "H2CO", "CH3OH", "HCN", "SiH4", "N2H4"]
NOISY = ["CH4", "C2H4", "C2H2", "CO2", "H2O", "NH3", "H2O2", "H2CO", "CH3OH", "N2H4"]
ZIGZAG = chain("C2", [[0, 0.4, 0], [0, -0.4, 1.2]], 2.4)
POLYMER = chain("CHCH", [[0, 0.4, 0], [0.1, 1.4, 0.2], [0, -0.4, 1.2], [0, -1.4, 1.1]], 2.4)
HELIX = chain("C3", [[np.cos(a), np.sin(a), 0.8 * k] for k, a in enumerate(2 * np.pi / 3 * np.arange(3))], 2.4)
GRAPHENE = layer("C2", graphene().positions, graphene().cell.array[:2, :2])
NITRIDE = layer("BN", graphene().positions, graphene().cell.array[:2, :2])
SQUARE = layer("C", [[0, 0, 0]], np.eye(2) * 2.2)
OXIDE = layer("CO", [[0, 0, 0], [0, 0, 1.2]], np.eye(2) * 2.4)
OBLIQUE = layer("CN", [[0, 0, 0], [1.1, 0.3, 0.5]], np.array([[2.5, 0.0], [0.6, 2.2]]))

# name -> structure, centres.
WHOLES = {
    **{name: (molecule(name), None) for name in EXACT},
    # In ase.build, its hydrogens are equal to 1e-6 Å only.
    "NH3": (centred(AMMONIA_PYRAMID, center="N"), None),
    **{f"{name}, noisy": (rattled(molecule(name), 0.05), None) for name in NOISY},
    "X(pi, 0)": (centred(pair(1.0, 0.0)), None),
    "X(pi, 0), carbon": (centred(pair(1.0, 0.0)), "C"),
    "X+(.7 pi, .3 pi), carbon": (centred(pair(0.7, 0.3)), "C"),
    "X-(.7 pi, .3 pi), carbon": (centred(pair(0.7, 0.3, -1)), "C"),
    "X+(.7 pi, .3 pi), hydrogens": (centred(pair(0.7, 0.3)), "H"),
    "both members, far apart": (apart(centred(pair(0.7, 0.3)), centred(pair(0.7, 0.3, -1))), "C"),
    "ring pair": (centred(rings([0, 2, 3.7], 0.6)), None),
    "ring pair, carbon": (centred(rings([0, 2, 3.7], 0.6)), "C"),
    "triplet, carbon": (centred(COMMENT), "C"),
    "F1, carbon": (centred(f1()), "C"),
    "F2, carbon": (centred(f2()), "C"),
    "F2": (centred(f2()), None),
    "tetrahedron, carbon": (centred(TD), "C"),
    "tetrahedron, hydrogens": (centred(TD), "H"),
    "CHFClBr": (centred(TD * [[1.0], [1.25], [1.6], [1.75]], ["H", "F", "Cl", "Br"]), None),
    "CHFClBr, carbon": (centred(TD * [[1.0], [1.25], [1.6], [1.75]], ["H", "F", "Cl", "Br"]), "C"),
    "water in a box": (in_box(WATER), None),
    "water in a box, oxygen": (in_box(WATER), "O"),
    "methane in a box": (in_box(molecule("CH4")), None),
    "water and ammonia far apart": (apart(WATER, AMMONIA), None),
    "two equal waters far apart": (apart(WATER, turned(WATER, 40, (1, 2, 3))), None),
    "two images of a water far apart": (apart(WATER, turned(WATER, 180, "y")), "O"),
    "an atom far from a water": (apart(WATER, Atoms("Ar", [[0, 0, 0]])), None),
    "formaldehyde, oxygen and carbon": (rattled(molecule("H2CO"), 0.05), ["C", "O"]),
    "methanol, hydroxyl": (rattled(molecule("CH3OH"), 0.05), [1, 3]),
    "zigzag": (ZIGZAG, None),
    "polymer": (POLYMER, None),
    "polymer, noisy": (rattled(POLYMER, 0.05), None),
    "polymer, carbon": (rattled(POLYMER, 0.05), "C"),
    "helix": (HELIX, None),
    "chain, noisy": (rattled(chain("CO", [[0, 0, 0], [0, 0, 1.2]], 2.6), 0.05), None),
    "chain": (chain("CO", [[0, 0, 0], [0, 0, 1.2]], 2.6), None),
    "graphene": (GRAPHENE, None),
    "graphene, noisy": (rattled(GRAPHENE, 0.05), None),
    "boron nitride": (NITRIDE, None),
    "boron nitride, noisy": (rattled(NITRIDE, 0.05), None),
    "boron nitride, boron": (rattled(NITRIDE, 0.05), "B"),
    "square layer": (SQUARE, None),
    "oxide layer": (OXIDE, None),
    "oxide layer, noisy": (rattled(OXIDE, 0.05), None),
    "oblique layer": (OBLIQUE, None),
    "copper": (bulk("Cu"), None),
    "diamond": (bulk("C"), None),
    "diamond, noisy": (rattled(bulk("C"), 0.05), None),
    "rock salt": (bulk("MgO", "rocksalt", a=4.21), None),
    "rock salt, noisy": (rattled(bulk("MgO", "rocksalt", a=4.21), 0.05), None),
    "rock salt, magnesium": (rattled(bulk("MgO", "rocksalt", a=4.21), 0.05), "Mg"),
    "cesium chloride, noisy": (rattled(bulk("CsCl", "cesiumchloride", a=3.4), 0.05), None),
    "wurtzite": (bulk("ZnO", "wurtzite", a=3.25, c=5.2), None),
    "wurtzite, noisy": (rattled(bulk("ZnO", "wurtzite", a=3.25, c=5.2), 0.02), None),
    "wurtzite, zinc": (bulk("ZnO", "wurtzite", a=3.25, c=5.2), "Zn"),
    "titanium": (bulk("Ti"), None),
}
