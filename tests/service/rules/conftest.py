"""Property tests judge what comes out, never how long it took: machines are slow for reasons of their own."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
