"""Radial functions that a density is expanded in. One file each; this table names them."""

RADIAL_BASES = {
    "gto": "nullmode.radial.gto:GTO",
    "laplacian-eigenstates": "nullmode.radial.laplacian_eigenstates:LaplacianEigenstates",
    "chebyshev": "nullmode.radial.chebyshev:Chebyshev",
    "legendre": "nullmode.radial.legendre:Legendre",
    "dvr": "nullmode.radial.dvr:DVR",
    "optimal-contraction": "nullmode.radial.optimal_contraction:OptimalContraction",
}
