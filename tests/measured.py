"""What slipcover does not tell xdist's workers: the tests run there, and `immediate` of pyproject.toml was heeded only in the process that hands them
out. Imported before anything that is measured, since it is heeded when a module is imported."""

from __future__ import annotations

import sys


def at_once() -> None:
    """In a worker that measures, the mark of a line goes at its first run. Does nothing anywhere else."""
    plugin = sys.modules.get("slipcover.pytest_plugin")
    measuring = getattr(plugin, "_slipcover_instance", None)
    if measuring is not None:
        measuring.immediate = True


at_once()
