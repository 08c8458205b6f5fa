"""How this room compiles its inner loops."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

F32 = np.float32  # a plain number would make a loop compute in double precision
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]
# No 'ninf': infinite ranges have a meaning here.
FASTMATH = {'nnan', 'contract', 'reassoc', 'nsz', 'arcp'}
INLINED = {'forceinline': True, '_nrt': False, 'no_cpython_wrapper': True}
# Arrays that inner loops run over are padded to a multiple of this, the float32 numbers in the
# widest vector register, and the loops run over range(LANES * blocks): only then does LLVM know
# that nothing is left over, and the odd rest of a loop takes longer than the loop.
LANES = 16
ROOMS = ('navigation', 'simulation')


def compiled(function: Any) -> Any:
    """`function`, compiled once and kept on disk; it leaves Python's lock while it runs.

    It may call what this room compiles, in whatever file, and plain functions of navigation that
    are compiled here.
    """
    return _jit(function, fastmath=FASTMATH)


def inlined(function: Any) -> Any:
    """As `compiled`, for the body of an inner loop: it becomes part of each caller.

    Otherwise LLVM calls a larger one, and numba counts the references to each array it is given:
    that takes longer than casting an obstacle.
    """
    return _jit(function, fastmath=FASTMATH, **INLINED)


def compiled_exactly(function: Any) -> Any:
    """As `compiled`, but every operation is rounded as numpy rounds it."""
    return _jit(function)


def inlined_exactly(function: Any) -> Any:
    """As `inlined` and as `compiled_exactly`."""
    return _jit(function, **INLINED)


def _jit(function: Any, **options: Any) -> Any:
    # 'numpy': a division by zero is infinite. Python's error would keep loops from vectorising.
    options = {'nogil': True, 'error_model': 'numpy', 'no_cfunc_wrapper': True, **options}
    dispatcher = numba.njit(function, cache=True, **options)
    try:
        index = dispatcher._cache._cache_file
        index._source_stamp = (index._source_stamp, _SOURCES)
    except AttributeError:  # a numba that keeps it elsewhere: rather slow to start than stale
        return numba.njit(function, **options)
    return dispatcher


def _hash_of_sources(rooms: Path) -> str:
    """Of all that compiled functions are made of.

    By itself numba compiles a function anew only where its own file has changed, not where that of
    a function which it calls has.
    """
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((rooms / room).glob('*.py')):
            digest.update(path.read_bytes())
    return digest.hexdigest()


_SOURCES = _hash_of_sources(Path(__file__).parents[1])
