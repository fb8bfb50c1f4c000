"""Linear algebra kernels: Householder QR, one-sided Jacobi SVD, many matrices at once."""
