import os

import pytest
from scipy.spatial.transform import Rotation

# Before NumPy loads: many workers with a threaded BLAS on matrices this small slow each other down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture
def rotation():
    return Rotation.random(rng=7).as_matrix()
