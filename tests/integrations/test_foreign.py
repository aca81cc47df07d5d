"""Addresses that somebody else named."""

from __future__ import annotations

import pytest

from integrations import foreign

DOMAINS = ("salesforce.com", "vendor.example")


@pytest.mark.parametrize(
    "address",
    [
        "https://salesforce.com", "https://login.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com/", "https://LOGIN.Salesforce.com:443/services",
        "https://a.vendor.example?x=1",
    ],
)  # fmt: skip
def test_a_domain_and_what_is_below_it_count(address: str) -> None:
    assert foreign.beneath(address, DOMAINS)


@pytest.mark.parametrize(
    "address",
    [
        "", "login.salesforce.com", "http://login.salesforce.com", "https://notsalesforce.com", "https://salesforce.com.evil.example", "https://login.salesforce.com:8443",
        "https://login.salesforce.com@evil.example", "https://evil.example/login.salesforce.com", "https://evil.example#.salesforce.com", "https://login.salesforce.com.",
        "https://evil.example\\.salesforce.com", "https://evil.example%2f.salesforce.com", "https://evil.example;.salesforce.com", "https://[::1", "https://.com", None,
    ],
)  # fmt: skip
def test_whatever_only_looks_like_it_does_not(address: str | None) -> None:
    assert not foreign.beneath(address, DOMAINS)


def test_where_no_domain_is_named_none_counts() -> None:
    assert not foreign.beneath("https://login.salesforce.com", ())
