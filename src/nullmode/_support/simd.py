"""SIMD for kernels: arithmetic on eight numbers at once, which Numba lacks for short loops.

LLVM vectorises a loop only after a check that its arrays do not overlap, which for a dozen entries costs more than the
loop. With these functions, a kernel states itself what is computed at once. LLVM maps the eight numbers (*lanes*) to
registers: one of AVX-512, two of AVX, four of SSE or NEON.
"""

# Numba is untyped, and its protocols pass arguments that are not used here.
# mypy: disable-error-code="no-untyped-call, untyped-decorator, misc"
# ruff: noqa: ARG001, ARG002, ARG005

import operator
from collections.abc import Callable
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np

from nullmode._support.types import Floats

WIDTH = 8
"""Number of lanes. Rows that are written in lanes extend up to ``WIDTH - 1`` entries past their end."""


def padded(length: int) -> int:
    """Round a length up to a whole number of lanes."""
    return -(-length // WIDTH) * WIDTH


def aligned(*shape: int) -> Floats:
    """Allocate an array that begins at a cache line: lanes that lie across two lines cost twice as much."""
    size = prod(shape)
    buffer = np.empty(size + WIDTH)
    skip = -(buffer.ctypes.data // 8) % WIDTH
    return buffer[skip : skip + size].reshape(shape)


class Operation:
    """A function of lanes that kernels call; built on first use, since Numba takes a second to import."""

    def __init__(self, build: Callable[..., Any]) -> None:
        self.__doc__ = build.__doc__
        self.build = build

    def __call__(self, *args: Any) -> Any:
        """Refuse a call from Python: lanes exist only in compiled kernels."""
        raise TypeError("Lanes exist in compiled kernels alone, got a call from Python.")

    @cached_property
    def _numba_type_(self) -> Any:
        # The protocol by which Numba types an object that a kernel refers to.
        from numba.core.registry import cpu_target
        from numba.extending import intrinsic

        register()
        context = cpu_target.typing_context
        function = intrinsic(self.build)
        context.refresh()
        return context.resolve_value_type(function)


@Operation
def load(_: Any, array: Any, start: Any) -> Any:
    """load(array, start): entries start to start + 7 of a contiguous array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=8)

    return _lanes()(array, start), code


@Operation
def store(_: Any, array: Any, start: Any, value: Any) -> Any:
    """store(array, start, value): write entries start to start + 7 of a contiguous array."""
    from numba.core import types

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=8)
        return context.get_dummy_value()

    return types.void(array, start, value), code


@Operation
def splat(_: Any, value: Any) -> Any:
    """splat(x): the same number in all lanes."""
    from numba.core import types

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return _lanes()(types.float64), code


@Operation
def root(_: Any, value: Any) -> Any:
    """root(x): square roots."""
    return _lanes()(value), _llvm("llvm.sqrt")


@Operation
def magnitude(_: Any, value: Any) -> Any:
    """magnitude(x): absolute values."""
    return _lanes()(value), _llvm("llvm.fabs")


@Operation
def signed(_: Any, value: Any, sign: Any) -> Any:
    """signed(x, y): magnitudes of x with the signs of y."""
    return _lanes()(value, sign), _llvm("llvm.copysign")


@Operation
def where_less(_: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """where_less(a, b, yes, no): yes in the lanes where a < b, no elsewhere."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return _lanes()(a, b, yes, no), code


@Operation
def any_less(_: Any, a: Any, b: Any) -> Any:
    """any_less(a, b): whether a < b in any lane."""
    from llvmlite import ir
    from numba.core import types

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        mask = builder.bitcast(builder.fcmp_ordered("<", args[0], args[1]), ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", mask, ir.Constant(ir.IntType(WIDTH), 0))

    return types.boolean(a, b), code


@Operation
def put(_: Any, array: Any, start: Any, value: Any) -> Any:
    """put(array, start, value): as store, but only the entries that lie within the array."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.np.arrayobj import make_array

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = make_array(signature.args[0])(context, builder, args[0]).nitems
        index = ir.VectorType(ir.IntType(64), WIDTH)
        indices = builder.add(_splat(builder, args[1]), ir.Constant(index, list(range(WIDTH))))
        mask = builder.icmp_signed("<", indices, _splat(builder, size))
        pointer = _pointer(context, builder, signature, args)
        kinds = [args[2].type, pointer.type, ir.IntType(32), mask.type]
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), kinds), f"llvm.masked.store.v{WIDTH}f64.p0"
        )
        builder.call(function, [args[2], pointer, ir.Constant(ir.IntType(32), 8), mask])
        return context.get_dummy_value()

    return types.void(array, start, value), code


@Operation
def total(_: Any, value: Any) -> Any:
    """total(x): sum over the lanes, halves first."""
    from numba.core import types

    return types.float64(value), _folded(lambda builder, one, other: builder.fadd(one, other))


@Operation
def highest(_: Any, value: Any) -> Any:
    """highest(x): largest of the lanes."""
    from numba.core import types

    def larger(builder: Any, one: Any, other: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", one, other), other, one)

    return types.float64(value), _folded(larger)


def _folded(join: Callable[..., Any]) -> Callable[..., Any]:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        from llvmlite import ir

        index = ir.IntType(32)
        (value,) = args
        width = WIDTH
        while width > 1:
            width //= 2
            halves = (ir.Constant(ir.VectorType(index, width), list(range(k, k + width))) for k in (0, width))
            none = ir.Constant(value.type, ir.Undefined)
            value = join(builder, *(builder.shuffle_vector(value, none, half) for half in halves))
        return builder.extract_element(value, ir.Constant(index, 0))

    return code


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    from llvmlite import ir
    from numba.core import types
    from numba.np.arrayobj import make_array

    kind = signature.args[0]
    if kind.layout != "C" or kind.ndim != 1 or kind.dtype != types.float64:
        raise TypeError(f"Lanes are loaded from contiguous one-dimensional arrays of doubles, got {kind}.")
    data = make_array(kind)(context, builder, args[0]).data
    # Unlike an index, a negative offset is not counted from the end.
    return builder.bitcast(builder.gep(data, [args[1]]), ir.VectorType(ir.DoubleType(), WIDTH).as_pointer())


def _splat(builder: Any, value: Any) -> Any:
    from llvmlite import ir

    vector = ir.VectorType(value.type, WIDTH)
    index = ir.IntType(32)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(index, 0))
    indices = ir.Constant(ir.VectorType(index, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), indices)


def _llvm(name: str) -> Callable[..., Any]:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        from llvmlite import ir
        from numba.core import cgutils

        vector = args[0].type
        kind = ir.FunctionType(vector, [vector] * len(args))
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{WIDTH}f64"), args)

    return code


@cache
def _lanes() -> Any:
    from numba.core import types

    class Lanes(types.Type):
        pass

    return Lanes(name=f"nullmode.lanes({WIDTH})")


@cache
def register() -> None:
    """Register the type and its arithmetic with Numba; plain numbers are the same in all lanes."""
    from llvmlite import ir
    from numba.core import types
    from numba.core.datamodel import models
    from numba.core.imputils import lower_builtin, lower_cast
    from numba.core.registry import cpu_target
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.extending import register_model

    lanes = _lanes()

    @register_model(type(lanes))
    class Model(models.PrimitiveModel):
        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, ir.VectorType(ir.DoubleType(), WIDTH))

    class Arithmetic(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            kinds = (type(lanes), types.Float, types.Integer)
            if lanes in args and all(isinstance(kind, kinds) for kind in args):
                return signature(lanes, *([lanes] * len(args)))
            return None

    def binary(name: str) -> Callable[..., Any]:
        return lambda context, builder, signature, args: getattr(builder, name)(*args)

    for function, name in (
        (operator.add, "fadd"),
        (operator.sub, "fsub"),
        (operator.mul, "fmul"),
        (operator.truediv, "fdiv"),
        (operator.iadd, "fadd"),
        (operator.isub, "fsub"),
        (operator.imul, "fmul"),
    ):
        infer_global(function)(type("Arithmetic", (Arithmetic,), {"key": function}))
        lower_builtin(function, lanes, lanes)(binary(name))
    infer_global(operator.neg)(type("Arithmetic", (Arithmetic,), {"key": operator.neg}))
    lower_builtin(operator.neg, lanes)(lambda context, builder, signature, args: builder.fneg(args[0]))

    @lower_cast(types.Float, lanes)
    @lower_cast(types.Integer, lanes)
    def _(context: Any, builder: Any, given: Any, wanted: Any, value: Any) -> Any:
        return _splat(builder, context.cast(builder, value, given, types.float64))

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
