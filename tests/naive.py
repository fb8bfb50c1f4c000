"""Slow, obvious references: each formula as it stands in the textbook."""

import numpy as np
from mpmath import mp
from scipy.integrate import quad
from scipy.linalg import sqrtm
from scipy.special import ive, sph_harm_y


def real_harmonic(l, m, direction):
    """Real spherical harmonic without the Condon–Shortley phase, from the complex one (which has it)."""
    x, y, z = direction / np.linalg.norm(direction)
    polar, azimuth = np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
    complex_value = (-1) ** m * sph_harm_y(l, abs(m), polar, azimuth)
    if m == 0:
        return complex_value.real
    return np.sqrt(2) * (complex_value.real if m > 0 else complex_value.imag)


def gto_functions(n_max, cutoff):
    """Löwdin-orthonormalised GTO radial functions, as callables, by numerical integration of the overlaps."""
    widths = [cutoff * max(np.sqrt(n), 1) / n_max for n in range(n_max)]

    def primitive(n, r):
        return r**n * np.exp(-(r**2) / (2 * widths[n] ** 2))

    def overlap(n, m):
        return quad(lambda r: r**2 * primitive(n, r) * primitive(m, r), 0, np.inf, epsabs=0, epsrel=1e-13)[0]

    norms = [overlap(n, n) ** -0.5 for n in range(n_max)]
    s = np.array([[norms[n] * norms[m] * overlap(n, m) for m in range(n_max)] for n in range(n_max)])
    root = np.linalg.inv(sqrtm(s))
    return [lambda r, row=row: sum(c * norms[k] * primitive(k, r) for k, c in enumerate(row)) for row in np.real(root)]


def radial_integral(function, l, distance, width, reach):
    """Integral of r² R(r) against a normalised Gaussian's l-th projection, by quadrature."""

    def integrand(r):
        x = r * distance / width**2
        bessel = np.sqrt(np.pi / (2 * x)) * ive(l + 0.5, x)
        return r**2 * function(r) * 4 * np.pi * np.exp(-((r - distance) ** 2) / (2 * width**2)) * bessel

    low, high = max(1e-9, distance - 9 * width), min(reach, distance + 9 * width)
    return (np.pi * width**2) ** -0.75 * quad(integrand, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]


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
    functions = gto_functions(descriptor.n_max, descriptor.cutoff)
    reach = 12 * descriptor.cutoff
    result = np.zeros((len(species), descriptor.n_max, (descriptor.l_max + 1) ** 2))
    for vector, kind in zip(environment.vectors, environment.species, strict=True):
        r = np.linalg.norm(vector)
        f = cutoff(r, descriptor.cutoff, descriptor.cutoff_width)
        if f == 0:
            continue
        for l in range(descriptor.l_max + 1):
            angular = [real_harmonic(l, m, vector) for m in range(-l, l + 1)]
            for n, function in enumerate(functions):
                radial = radial_integral(function, l, r, descriptor.width, reach)
                result[species.index(kind), n, l * l : (l + 1) ** 2] += f * radial * np.array(angular)
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
