"""What is imported stays until a process ends."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """For a block that imports what the process needs. The garbage collector does not look through it: by then, and each time after, it would
    find nothing, and looking takes a sixth of the time of importing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
