"""How this room compiles its inner loops."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

F32 = np.float32  # a plain number would make a loop compute in double precision
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
# No 'ninf': infinite ranges have a meaning here.
FASTMATH = {'nnan', 'contract', 'reassoc', 'nsz', 'arcp'}


def compiled(function: Any) -> Any:
    """`function`, compiled once and kept on disk; it leaves Python's lock while it runs.

    It must call no compiled function of another file: numba would not notice when that one changes.
    """
    return numba.njit(function, cache=True, nogil=True, fastmath=FASTMATH)
