"""Each operation on eight numbers at once is NumPy's on arrays of eight."""

import numpy as np
import pytest
from cases import rng

from nullmode._support import simd
from nullmode._support._jit import kernel
from nullmode._support.simd import (
    WIDTH,
    aligned,
    any_less,
    highest,
    load,
    magnitude,
    padded,
    put,
    root,
    signed,
    splat,
    store,
    total,
    where_less,
)

SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -1.5, 1e308])
ONES = {"numbers": rng(0).normal(size=WIDTH), "special": SPECIAL, "zeros": np.zeros(WIDTH)}
OTHERS = {"numbers": rng(1).normal(size=WIDTH), "special": SPECIAL[::-1].copy(), "ones": np.ones(WIDTH)}
PAIRS = [pytest.param(a, b, id=f"{x}-{y}") for x, a in ONES.items() for y, b in OTHERS.items()]


@kernel
def calculate(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, 8, x - y)
    store(out, 16, x * y)
    store(out, 24, x / y)
    store(out, 32, -x)
    z = splat(1.0)
    z += x
    store(out, 40, z)
    z -= y
    store(out, 48, z)
    z = x
    z *= y
    store(out, 56, z)
    store(out, 64, root(x))
    store(out, 72, magnitude(x))
    store(out, 80, signed(x, y))
    store(out, 88, where_less(x, y, x, y))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_arithmetic(a, b):
    out = np.full(12 * WIDTH, 7.0)
    calculate(a, b, out)
    with np.errstate(all="ignore"):
        expected = [a + b, a - b, a * b, a / b, -a, 1 + a, 1 + a - b, a * b, np.sqrt(a), np.abs(a), np.copysign(a, b)]
    expected.append(np.where(a < b, a, b))
    found = out.reshape(12, WIDTH)
    np.testing.assert_array_equal(found, expected)
    # Signs of zeros are left to the compiler in sums; here they are the result.
    np.testing.assert_array_equal(np.signbit(found[10]), np.signbit(b))


@kernel
def with_plain_numbers(a, out):
    x = load(a, 0)
    store(out, 0, x + 2)
    store(out, 8, 2 - x)
    store(out, 16, x * 0.5)
    store(out, 24, 1 / x)
    z = x
    z += 1
    z *= 3.0
    z -= 2
    store(out, 32, z)
    store(out, 40, where_less(x, splat(0.0), x * 0.0, x))


def test_arithmetic_with_plain_numbers():
    a, out = ONES["numbers"], np.zeros(6 * WIDTH)
    with_plain_numbers(a, out)
    expected = [a + 2, 2 - a, a / 2, 1 / a, 3 * (a + 1) - 2, np.maximum(a, 0)]
    np.testing.assert_allclose(out.reshape(6, WIDTH), expected, rtol=1e-15, atol=1e-15)


@kernel
def reduce(a, b):
    x = load(a, 0)
    return total(x), highest(x), any_less(x, load(b, 0))


def test_reductions():
    a = ONES["numbers"]
    added, largest, _ = reduce(a, a)
    assert added == pytest.approx(a.sum(), abs=1e-15)
    assert largest == a.max()


@pytest.mark.parametrize("lane", range(WIDTH))
def test_each_lane_counts(lane):
    a, b = np.zeros(WIDTH), np.zeros(WIDTH)
    assert reduce(a, b) == (0, 0, False)
    b[lane] = 1.0
    assert reduce(a, b) == (0, 0, True)
    assert reduce(b, a) == (1, 1, False)
    b[lane] = np.nan
    assert not reduce(a, b)[2]
    assert np.isnan(reduce(b, a)[0])


@kernel
def move(a, start, out, place):
    store(out, place, load(a, start))


@kernel
def move_within(a, start, out, place):
    put(out, place, load(a, start))


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("place", range(9))
def test_any_place_is_loaded_and_stored(start, place):
    a, out = rng(2).normal(size=17), np.zeros(20)
    expected = out.copy()
    expected[place : place + WIDTH] = a[start : start + WIDTH]
    move(a, start, out, place)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("size", "place"), [(size, place) for size in range(13) for place in range(size + 2)])
def test_put_writes_nothing_beyond_the_end(size, place):
    a = rng(3).normal(size=WIDTH)
    buffer = np.full(40, 7.0)
    move_within(a, 0, buffer[:size], place)
    expected = np.full(40, 7.0)
    kept = max(0, min(WIDTH, size - place))
    expected[place : place + kept] = a[:kept]
    np.testing.assert_array_equal(buffer, expected)


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 8)), np.zeros(32)[::2], np.zeros(16, np.float32)],
    ids=["two dimensions", "strided", "single precision"],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(TypeError, match="contiguous one-dimensional arrays of doubles"):
        move(array, 0, array, 0)


def test_lanes_exist_in_kernels_only():
    with pytest.raises(TypeError, match="compiled kernels alone"):
        simd.splat(1.0)


@pytest.mark.parametrize("shape", [(1,), (3, 5), (7, 16)])
def test_aligned_arrays_begin_where_a_cache_line_does(shape):
    for array in [aligned(*shape) for _ in range(20)]:
        assert array.shape == shape
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0
        array[:] = 1.0


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16)])
def test_padded(length, expected):
    assert padded(length) == expected
