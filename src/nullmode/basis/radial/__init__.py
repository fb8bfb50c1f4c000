"""Radial functions that a density is expanded in. One file each; this table names them."""

RADIAL_BASES = {
    "gto": "nullmode.basis.radial.gto:GTO",
    "laplacian-eigenstates": "nullmode.basis.radial.laplacian_eigenstates:LaplacianEigenstates",
    "chebyshev": "nullmode.basis.radial.chebyshev:Chebyshev",
    "legendre": "nullmode.basis.radial.legendre:Legendre",
    "dvr": "nullmode.basis.radial.dvr:DVR",
    "quip-gaussians": "nullmode.basis.radial.quip_gaussians:QuipGaussians",
    "dscribe-gto": "nullmode.basis.radial.dscribe_gto:DscribeGTO",
    "optimal-contraction": "nullmode.basis.radial.optimal_contraction:OptimalContraction",
}
