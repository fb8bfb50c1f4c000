"""A Jacobian to singular values, ranks and modes: one, many, nested truncations, whole structures."""
