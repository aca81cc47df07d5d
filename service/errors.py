"""Errors of our own that a person reads."""

from __future__ import annotations


class PlainError(Exception):
    """One plain sentence that names what to do. The CLI prints it and exits with 1; no traceback."""
