"""Environments with their point groups: rings, polyhedra, prisms, chiral, mixed, planar, collinear, off-axis."""

import numpy as np
from cases import BOND, OCTAHEDRON, RANKS, TD, pair, polar, rings, rng
from scipy.spatial.transform import Rotation

GOLD = (1 + np.sqrt(5)) / 2


def turn(axis, order):
    axis = np.array(axis, float)
    return Rotation.from_rotvec(2 * np.pi / order * axis / np.linalg.norm(axis)).as_matrix()


Z = (0, 0, 1)
I = -np.eye(3)
MIRROR_XY = np.diag([1.0, 1, -1])
MIRROR_XZ = np.diag([1.0, -1, 1])
C2_X = np.diag([1.0, -1, -1])
T_GENERATORS = [turn(Z, 2), turn((1, 1, 1), 3)]
O_GENERATORS = [turn(Z, 4), turn((1, 1, 1), 3)]
I_GENERATORS = [turn((0, 1, GOLD), 5), turn((1, 1, 1), 3)]


def orbit(generators, *points):
    """All images of points under the group of some matrices."""
    found = [np.array(p, float) for p in points]
    for point in found:
        for g in generators:
            image = g @ point
            if not any(np.allclose(image, other, atol=1e-9) for other in found):
                found.append(image)
    return np.array(found)


def ring(n, z=0.0, r=1.1, start=0.0):
    return r * polar(0.0, start + 2 * np.pi * np.arange(n) / n) + [0, 0, z]


GENERIC = np.array([0.9, 0.37, 0.55])
OTHER = np.array([-0.2, 0.8, 1.1])

# name -> (vectors, species, Schoenflies symbol)
GEOMETRIES = {
    **{f"ring {n}": (ring(n), "H", f"D{n}h") for n in range(3, 9)},
    **{f"cup {n}": (ring(n, 0.4), "H", f"C{n}v") for n in range(3, 8)},
    **{f"prism {n}": (np.vstack([ring(n, 0.7), ring(n, -0.7)]), "H", f"D{n}h") for n in (3, 5, 6)},
    **{f"antiprism {n}": (np.vstack([ring(n, 0.7), ring(n, -0.7, start=np.pi / n)]), "H", f"D{n}d") for n in (4, 5, 6)},
    **{f"twisted prism {n}": (np.vstack([ring(n, 0.7), ring(n, -0.7, start=0.3)]), "H", f"D{n}") for n in (2, 3, 4, 5)},
    **{f"bipyramid {n}": (np.vstack([ring(n), [[0, 0, 1.4], [0, 0, -1.4]]]), "H", f"D{n}h") for n in (3, 5)},
    **{f"propeller {n}": (np.vstack([ring(n, 0.5), ring(n, 0.1, 0.9, 0.4)]), "H", f"C{n}") for n in (2, 3, 4)},
    **{f"wheel {n}": (np.vstack([ring(n), ring(n, 0.0, 1.6, 0.3)]), "H", f"C{n}h") for n in (2, 3, 4)},
    "S4": (orbit([MIRROR_XY @ turn(Z, 4)], GENERIC, OTHER), "H", "S4"),
    "S6": (orbit([MIRROR_XY @ turn(Z, 6)], GENERIC, OTHER), "H", "S6"),
    "Ci": (orbit([I], GENERIC, OTHER, [0.4, -1.2, 0.3]), "H", "Ci"),
    "Cs": (orbit([MIRROR_XY], GENERIC, OTHER, [0.4, -1.2, 0.0]), "H", "Cs"),
    "D2h": (orbit([turn(Z, 2), C2_X, I], GENERIC), "H", "D2h"),
    "D3d": (orbit([turn(Z, 3), C2_X, I], GENERIC), "H", "D3d"),
    "tetrahedron": (TD, "H", "Td"),
    "octahedron": (OCTAHEDRON, "H", "Oh"),
    "cube": (orbit(O_GENERATORS, [0.7, 0.7, 0.7]), "H", "Oh"),
    "cuboctahedron": (orbit(O_GENERATORS, [0.9, 0.9, 0]), "H", "Oh"),
    "icosahedron": (orbit(I_GENERATORS, [0, 0.65, 0.65 * GOLD]), "H", "Ih"),
    "dodecahedron": (orbit(I_GENERATORS, [0.7, 0.7, 0.7]), "H", "Ih"),
    "chiral T": (orbit(T_GENERATORS, [1.2, 0.3, 0.5]), "H", "T"),
    "pyritohedral": (orbit([*T_GENERATORS, I], [0, 0.5, 1.2]), "H", "Th"),
    "truncated tetrahedron": (orbit([*T_GENERATORS, MIRROR_XZ[[1, 0, 2]] * [1, -1, 1]], [0.5, 0.5, 1.3]), "H", "Td"),
    "chiral O": (orbit(O_GENERATORS, [1.4, 0.35, 0.7]), "H", "O"),
    "CH3F": (TD, ["F", "H", "H", "H"], "C3v"),
    "CH2F2": (TD, ["F", "F", "H", "H"], "C2v"),
    "CHFCl2": (TD, ["F", "Cl", "Cl", "H"], "Cs"),
    "CHFClBr": (TD, ["F", "Cl", "Br", "H"], "C1"),
    "trans MA4B2": (OCTAHEDRON, ["H", "H", "F", "H", "H", "F"], "D4h"),
    "cis MA4B2": (OCTAHEDRON, ["H", "F", "F", "H", "H", "H"], "C2v"),
    "fac MA3B3": (OCTAHEDRON, ["H", "H", "H", "F", "F", "F"], "C3v"),
    "mer MA3B3": (OCTAHEDRON, ["H", "H", "F", "H", "F", "F"], "C2v"),
    "square AB": (ring(4), ["H", "F", "H", "F"], "D2h"),
    "hexagon AB": (ring(6), ["H", "F"] * 3, "D3h"),
    "chiral mixed": (np.vstack([ring(3, 0.5), ring(3, -0.4, 1.3, 0.5)]), ["H"] * 3 + ["F"] * 3, "C3"),
    "line": (np.array([[0, 0, 1.1], [0, 0, -1.1]]), "H", "D∞h"),
    "line off centre": (np.array([[0, 0, 1.1], [0, 0, -1.2]]), "H", "C∞v"),
    "line AB": (np.array([[0, 0, 1.1], [0, 0, -1.1]]), ["H", "F"], "C∞v"),
    "line of four": (np.array([[0.5, 0.5, 0], [-0.5, -0.5, 0], [1.2, 1.2, 0], [-1.2, -1.2, 0]]), "H", "D∞h"),
    "one": (np.array([[0.2, 0.3, 1.0]]), "H", "C∞v"),
    "bent": (np.array([[0.9, 0, 0], [-0.3, 0.8, 0]]), "H", "Cs"),
    "octahedron, shifted along an axis": (OCTAHEDRON + [0, 0, 0.2], "H", "C4v"),
    "octahedron, shifted in a mirror": (OCTAHEDRON + [0, 0.1, 0.2], "H", "Cs"),
    "octahedron, shifted anywhere": (OCTAHEDRON + [0.05, 0.13, 0.21], "H", "C1"),
    "tetrahedron, shifted to a corner": (TD + [0.1, 0.1, 0.1], "H", "C3v"),
    "tetrahedron, shifted to an edge": (TD + [0, 0, 0.15], "H", "C2v"),
    "generic": (rng(11).normal(size=(6, 3)), "H", "C1"),
    "generic, mixed": (rng(12).normal(size=(6, 3)), ["H", "F", "H", "O", "O", "H"], "C1"),
    **{f"table {name}": (vectors, "H", None) for name, (vectors, *_) in RANKS.items()},
    "ring pair": (rings([0, 2, 3.7], 0.6), "H", "C1"),
    "isosceles ring pair": (rings([0, 1.9, -1.9], 0.6), "H", "C1"),
    "equilateral ring pair": (rings([0, 2 * np.pi / 3, 4 * np.pi / 3], 0.6), "H", "C3"),
    "aligned ring pair": (rings([0, 2, 3.7], 0.0), "H", "C1"),
    "opposed ring pair": (rings([0, 2, 3.7], np.pi), "H", "C1"),
    "F1": (np.array([[1.0, 0.3, 0.2], [-1.0, -0.3, 0.2], [0, 0, 1.2], [0.4, -0.8, -0.6]]), "H", "C1"),
    "F2": (np.vstack([BOND * polar(0.3, np.array([0.0, 1.3, 3.1])), [[0, 0, 1.25]]]), "H", "C1"),
    "pair near its point": (pair(0.95, 0.0), "H", "C1"),
}
