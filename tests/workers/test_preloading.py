"""What is made once is made before workers are forked: it is shared then, and nobody's first task waits for it."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
import tldextract

from service.rules.matching import addresses
from workers import jobs


def test_the_lists_of_suffixes_are_read_before_workers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, private in (("_SUFFIXES", False), ("_TENANTS", True)):
        fresh = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=private)
        monkeypatch.setattr(addresses, name, fresh)
    for module in ("gc", "sys"):
        monkeypatch.setattr(jobs, module, Mock())  # what is set for a worker would be set for every test after this one

    jobs.preload()

    monkeypatch.setattr(
        "tldextract.tldextract.get_suffix_lists", Mock(side_effect=AssertionError("read after the fork"))
    )
    assert addresses.domain("https://shop.preloaded-one.co.uk/") == "preloaded-one.co.uk"
    assert addresses.account_on("https://preloaded-two.github.io/") == ("github", "preloaded-two")
