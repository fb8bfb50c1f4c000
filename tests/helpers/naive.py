"""Slow, obvious references: each formula as it stands in the textbook."""

from itertools import combinations_with_replacement, permutations

import numpy as np
from mpmath import mp
from scipy.integrate import quad
from scipy.linalg import sqrtm
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.special import eval_chebyt, eval_legendre, ive, sph_harm_y, spherical_jn


def real_harmonic(l, m, direction):
    """Real spherical harmonic without the Condon–Shortley phase, from the complex one (which has it)."""
    x, y, z = direction / np.linalg.norm(direction)
    polar, azimuth = np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
    complex_value = (-1) ** m * sph_harm_y(l, abs(m), polar, azimuth)
    if m == 0:
        return complex_value.real
    return np.sqrt(2) * (complex_value.real if m > 0 else complex_value.imag)


def spectrum(environment, descriptor):
    """Singular values off the rotations, by plain linear algebra."""
    jacobian = descriptor.compute_with_jacobian(environment)[1].reshape(-1, 3 * len(environment))
    rotations = np.cross(np.eye(3)[:, None], environment.vectors).reshape(3, -1)
    shapes = np.linalg.svd(rotations)[2][3:]
    values = np.linalg.svd(jacobian @ shapes.T, compute_uv=False)
    return np.pad(values, (0, len(shapes) - len(values)))


def gto_functions(n_max, cutoff, orthonormalization="loewdin"):
    """Orthonormalised GTO radial functions, as callables, by numerical integration of the overlaps."""
    widths = [cutoff * max(np.sqrt(n), 1) / n_max for n in range(n_max)]

    def primitive(n, r):
        return r**n * np.exp(-(r**2) / (2 * widths[n] ** 2))

    def overlap(n, m):
        return quad(lambda r: r**2 * primitive(n, r) * primitive(m, r), 0, np.inf, epsabs=0, epsrel=1e-13)[0]

    norms = [overlap(n, n) ** -0.5 for n in range(n_max)]
    s = np.array([[norms[n] * norms[m] * overlap(n, m) for m in range(n_max)] for n in range(n_max)])
    root = np.linalg.inv(sqrtm(s) if orthonormalization == "loewdin" else np.linalg.cholesky(s))
    return [lambda r, row=row: sum(c * norms[k] * primitive(k, r) for k, c in enumerate(row)) for row in np.real(root)]


def laplacian_functions(l, n_max, cutoff):
    """Spherical Bessel functions with a zero at the cutoff, normalised by numerical integration."""

    def bessel(x):
        return spherical_jn(l, x)

    grid = np.linspace(l + 1, np.pi * (n_max + l / 2 + 2), 2000)
    sign = np.sign(bessel(grid))
    where = np.flatnonzero(sign[1:] != sign[:-1])[:n_max]
    zeros = [brentq(bessel, grid[k], grid[k + 1], xtol=1e-14) for k in where]

    def norm(z):
        return quad(lambda r: r**2 * bessel(z * r / cutoff) ** 2, 0, cutoff, epsabs=0, epsrel=1e-13)[0] ** -0.5

    norms = [norm(z) for z in zeros]
    return [lambda r, z=z, front=front: front * bessel(z * r / cutoff) for z, front in zip(zeros, norms, strict=True)]


def polynomials(basis, n_max, cutoff):
    """Chebyshev or Legendre polynomials of a transformed distance, normalised in their own weight."""

    def transformed(r):
        if basis.transform == "linear":
            return 2 * r / cutoff - 1
        if basis.transform == "inverse":
            y, last = ((1 + distance / basis.scale) ** -basis.power for distance in (r, cutoff))
            return 1 - 2 * (y - last) / (1 - last)
        return 1 - 2 * (np.exp(-basis.decay * (r / cutoff - 1)) - 1) / (np.exp(basis.decay) - 1)

    if basis.kind == "legendre":
        return [lambda r, n=n: np.sqrt((2 * n + 1) / 2) * eval_legendre(n, transformed(r)) for n in range(n_max)]
    return [lambda r, n=n: np.sqrt((2 if n else 1) / np.pi) * eval_chebyt(n, transformed(r)) for n in range(n_max)]


def dvr_points(n_max, cutoff):
    """Gauss–Legendre points and weights on [0, cutoff]."""
    t, weights = np.polynomial.legendre.leggauss(n_max)
    return cutoff * (1 + t) / 2, cutoff * weights / 2


def dvr_functions(n_max, cutoff):
    """Cardinal polynomials of the points, over the root of the weight and the distance."""
    points, weights = dvr_points(n_max, cutoff)

    def cardinal(n, r):
        return np.prod([(r - p) / (points[n] - p) for k, p in enumerate(points) if k != n], axis=0)

    return [lambda r, n=n: cardinal(n, r) / np.sqrt(weights[n]) / points[n] for n in range(n_max)]


def quip_points(n_max, cutoff, width):
    """Points, values of the Gaussians on them, and Cholesky's factor of their overlap by numerical integration."""
    points = np.arange(n_max) * (cutoff + width * np.sqrt(20 * np.log(10))) / n_max

    def gaussian(a, r):
        return np.exp(-((r - points[a]) ** 2) / (2 * width**2))

    def overlap(a, b):
        middle = (points[a] + points[b]) / 2
        low, high = max(0, middle - 9 * width), middle + 9 * width
        return quad(lambda r: r**2 * gaussian(a, r) * gaussian(b, r), low, high, epsabs=1e-18, epsrel=1e-13)[0]

    s = np.array([[overlap(a, b) for b in range(n_max)] for a in range(n_max)])
    values = np.array([[gaussian(a, points[b]) for b in range(n_max)] for a in range(n_max)])
    return points, values, np.linalg.cholesky(s)


def quip_functions(n_max, cutoff, width):
    """Equispaced Gaussians, each orthonormalised against those before it, as callables."""
    points, _, root = quip_points(n_max, cutoff, width)
    rows = np.linalg.inv(root)
    return [
        lambda r, row=row: np.exp(-((np.asarray(r)[..., None] - points) ** 2) / (2 * width**2)) @ row for row in rows
    ]


def dscribe_functions(l, n_max, cutoff):
    """r^l exp(-alpha r²), 1e-3 at evenly spaced distances from 1 to the cutoff, in Löwdin's combination."""
    ends = np.linspace(1, cutoff, n_max)
    alphas = np.log(1000 * ends**l) / ends**2

    def overlap(a, b):
        return quad(lambda r: r ** (2 * l + 2) * np.exp(-(a + b) * r**2), 0, np.inf, epsabs=0, epsrel=1e-13)[0]

    s = np.array([[overlap(a, b) for b in alphas] for a in alphas])
    rows = np.real(np.linalg.inv(sqrtm(s)))
    return [lambda r, row=row: r**l * (np.exp(-np.multiply.outer(np.square(r), alphas)) @ row) for row in rows]


def radial_functions(basis, l, n_max, cutoff):
    """The functions R_nl of any radial basis, as callables."""
    if basis.kind == "gto":
        return gto_functions(n_max, cutoff, basis.orthonormalization)
    if basis.kind == "laplacian-eigenstates":
        return laplacian_functions(l, n_max, cutoff)
    if basis.kind == "dvr":
        return dvr_functions(n_max, cutoff)
    if basis.kind == "quip-gaussians":
        return quip_functions(n_max, cutoff, basis.width)
    if basis.kind == "dscribe-gto":
        return dscribe_functions(l, n_max, basis.r_cut or cutoff)
    if basis.kind == "optimal-contraction":
        primitives = radial_functions(basis.primitives, l, basis.n_primitives, cutoff)
        rows = basis.matrices[l][:n_max]
        return [lambda r, row=row: sum(u * f(r) for u, f in zip(row, primitives, strict=True)) for row in rows]
    if basis.kind in ("legendre", "chebyshev"):
        return polynomials(basis, n_max, cutoff)
    raise KeyError(f"add the functions of the radial basis {basis.kind} to tests/helpers/naive.py")


def gaussian_integrals(basis, l, distance, n_max, cutoff, width):
    """Integrals of all functions with a Gaussian at one distance."""
    if basis.kind == "dvr":
        points, weights = dvr_points(n_max, cutoff)
        return np.sqrt(weights) * points * projection(points, l, distance, width)
    if basis.kind == "quip-gaussians":
        points, values, root = quip_points(n_max, cutoff, basis.width)
        return root.T @ np.linalg.solve(values, projection(np.maximum(points, 1e-9), l, distance, width))
    endless = {basis.kind, getattr(basis, "primitives", basis).kind} & {"gto", "dscribe-gto"}
    reach = 12 * cutoff if endless else cutoff
    functions = radial_functions(basis, l, n_max, cutoff)
    return np.array([radial_integral(function, l, distance, width, reach) for function in functions])


def projection(r, l, distance, width):
    """l-th projection of a normalised Gaussian, at distance r from the centre."""
    x = r * distance / width**2
    bessel = np.sqrt(np.pi / (2 * x)) * ive(l + 0.5, x)
    return (np.pi * width**2) ** -0.75 * 4 * np.pi * np.exp(-((r - distance) ** 2) / (2 * width**2)) * bessel


def radial_integral(function, l, distance, width, reach):
    """Integral of r² R(r) against a normalised Gaussian's l-th projection, by quadrature."""

    def integrand(r):
        return r**2 * function(r) * projection(r, l, distance, width)

    low, high = max(1e-9, distance - 9 * width), min(reach, distance + 9 * width)
    return quad(integrand, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]


def exact_integrals(r, n_max, l_max, radius, width):
    """Radial integrals with the Löwdin functions and their slopes in 40 digits; two arrays (n_max, l_max + 1)."""
    with mp.workdps(40):
        r, sigma, half = mp.mpf(float(r)), mp.mpf(width), mp.mpf(1) / 2
        s = [mp.mpf(radius) * mp.sqrt(max(n, 1)) / n_max for n in range(n_max)]
        norm = [mp.sqrt(2 * s[n] ** (-2 * n - 3) / mp.gamma(n + 3 * half)) for n in range(n_max)]
        overlap = mp.matrix(n_max, n_max)
        for n in range(n_max):
            for m in range(n_max):
                power, decay = (n + m + 3) * half, half / s[n] ** 2 + half / s[m] ** 2
                overlap[n, m] = norm[n] * norm[m] * mp.gamma(power) / 2 * decay**-power
        values, vectors = mp.eigsy(overlap)
        root = vectors * mp.diag([1 / mp.sqrt(value) for value in values]) * vectors.T

        def primitive(n, l, x):
            p = half / s[n] ** 2 + half / sigma**2
            a, b = (n + l + 3) * half, l + 3 * half
            front = norm[n] * (mp.pi * sigma**2) ** (-3 * half / 2) * mp.pi ** (3 * half) * mp.gamma(a) / mp.gamma(b)
            decay = mp.exp(-(x**2) * half / sigma**2)
            return front * (x * half / sigma**2) ** l * p**-a * decay * mp.hyp1f1(a, b, x**2 / (4 * sigma**4 * p))

        shape = (n_max, l_max + 1)
        plain, slopes = np.empty(shape, dtype=object), np.empty(shape, dtype=object)
        for n in range(n_max):
            for l in range(l_max + 1):
                plain[n, l] = primitive(n, l, r)
                slopes[n, l] = mp.diff(lambda x, n=n, l=l: primitive(n, l, x), r)
        rows = np.array(root.tolist(), dtype=object)
        return (rows @ plain).astype(float), (rows @ slopes).astype(float)


def cutoff(r, radius, width):
    if r >= radius:
        return 0.0
    if r <= radius - width:
        return 1.0
    return 0.5 * (1 + np.cos(np.pi * (r - radius + width) / width))


def coefficients(environment, descriptor, species):
    """c_nlm of each species channel, from the definitions alone; shape (S, n_max, (l_max + 1)²)."""
    d = descriptor
    result = np.zeros((len(species), d.n_max, (d.l_max + 1) ** 2))
    for vector, kind in zip(environment.vectors, environment.species, strict=True):
        r = np.linalg.norm(vector)
        f = cutoff(r, d.cutoff, d.cutoff_width)
        if f == 0:
            continue
        for l in range(d.l_max + 1):
            angular = [real_harmonic(l, m, vector) for m in range(-l, l + 1)]
            if d.density == "delta":
                radial = [function(r) for function in radial_functions(d.radial_basis, l, d.n_max, d.cutoff)]
            else:
                radial = gaussian_integrals(d.radial_basis, l, r, d.n_max, d.cutoff, d.width)
            result[species.index(kind), :, l * l : (l + 1) ** 2] += f * np.outer(radial, angular)
    return result


def power_spectrum(c, l_max):
    """All (channel, channel) pairs of the full tensor, with no weights: {(q, p, l): value}."""
    flat = c.reshape(-1, c.shape[-1])
    return {
        (q, p, l): (-1) ** l / np.sqrt(2 * l + 1) * flat[q, l * l : (l + 1) ** 2] @ flat[p, l * l : (l + 1) ** 2]
        for q in range(len(flat))
        for p in range(len(flat))
        for l in range(l_max + 1)
    }


def rotations(vectors):
    """Orthonormal basis of infinitesimal rotations, by SVD of omega x r; shape (k, 3 n)."""
    generators = np.array([np.cross(axis, vectors).ravel() for axis in np.eye(3)])
    _, s, v = np.linalg.svd(generators, full_matrices=False)
    return v[s > 1e-8 * s[0]]


def inverse_distances(vectors, species, layout, n_max, weight):
    """Sorted lists of weighted inverse distances, filled up with zeros, list after list; `weight` is of a distance."""
    r = np.linalg.norm(vectors, axis=1)
    w = np.array([weight(x) for x in r])
    lists = [([w[j] / r[j] for j in range(len(r)) if species[j] == s], n_max) for s in layout]
    for k, one in enumerate(layout):
        for two in layout[k:]:
            found = [
                w[i] * w[j] / np.linalg.norm(vectors[i] - vectors[j])
                for i in range(len(r))
                for j in range(i)
                if sorted((species[i], species[j])) == sorted((one, two)) and w[i] * w[j] > 0
            ]
            lists.append((found, n_max * (n_max - 1) // 2 if one == two else n_max**2 // 4))
    return np.concatenate([np.sort(np.r_[found, np.zeros(size)])[::-1][:size] for found, size in lists])


def orbital_overlap(place_a, width_a, powers_a, place_b, width_b, powers_b):
    """Overlap of two normalised Cartesian Gaussian orbitals: three integrals, by sums on a fine grid."""

    def integral(x_a, s_a, p_a, x_b, s_b, p_b):
        low, high = min(x_a, x_b) - 12 * max(s_a, s_b), max(x_a, x_b) + 12 * max(s_a, s_b)
        x, step = np.linspace(low, high, 2000, retstep=True)
        a = (x - x_a) ** p_a * np.exp(-((x - x_a) ** 2) / (2 * s_a**2))
        return step * (a * (x - x_b) ** p_b * np.exp(-((x - x_b) ** 2) / (2 * s_b**2))).sum()

    result = 1.0
    for k in range(3):
        a, b = (place_a[k], width_a, powers_a[k]), (place_b[k], width_b, powers_b[k])
        result *= integral(*a, *b) / np.sqrt(integral(*a, *a) * integral(*b, *b))
    return result


def tuples(vectors, order):
    """Of every set of `order` neighbours, repetition included: the sorted keys of all its orderings' dot products."""
    gram = vectors @ vectors.T
    keys = []
    for chosen in combinations_with_replacement(range(len(vectors)), order):
        # Each ordering is a list of dot products; the least names the set, whatever the order of its members.
        orderings = [gram[np.ix_(p, p)][np.triu_indices(order)] for p in map(list, permutations(chosen))]
        keys.append(np.array(orderings))
    return keys


def same_multisets(one, other, order, tolerance):
    """Whether two sets of neighbours of one species have the same correlations of some order, by matching tuples."""
    first, second = tuples(one, order), tuples(other, order)
    if len(first) != len(second):
        return False
    # Of one: any ordering. Of the other: all orderings. A pair of sets matches if the closest two are close.
    a = np.array([orderings[0] for orderings in first])
    b = np.array(second)
    close = np.abs(a[:, None, None] - b[None]).max(axis=3).min(axis=2) < tolerance
    return maximum_bipartite_matching(csr_array(close)).min() >= 0


def potential_rows(envs, results, n_atoms, tolerance=1e-6):
    """Sums of Jacobians over centres of one species with equal features, below each other, shape (F, 3 N); how many.

    By the definition: all Jacobians over all atoms, classes by comparing each pair of centres. `results` are features
    and Jacobian of each environment.
    """
    sums = []
    for (phi, jac), env in zip(results, envs, strict=True):
        whole = np.zeros((len(phi), n_atoms, 3))
        for j, atom in enumerate(env.atoms):
            whole[:, atom] += jac[:, j]
            whole[:, env.center] -= jac[:, j]
        for species, other, total in sums:
            apart = np.linalg.norm(phi - other) / max(np.linalg.norm(phi), np.linalg.norm(other))
            if species == env.center_species and apart <= tolerance:
                total += whole  # noqa: PLW2901
                break
        else:
            sums.append((env.center_species, phi, whole))
    return np.concatenate([total.reshape(len(total), -1) for *_, total in sums]), len(sums)
