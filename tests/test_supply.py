"""What the running program stands on is pinned, known by its licence, and listed; what the linter is told to pass over has its reason."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("service", "workers", "integrations", "sandbox", ".ci")
_SILENCED = re.compile(r"# noqa: ([A-Z0-9, ]*\bS\d{3}\b[A-Z0-9, ]*)(.*)")


@pytest.fixture(scope="module")
def supply() -> ModuleType:
    spec = importlib.util.spec_from_file_location("supply", ROOT / ".ci" / "supply.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def pins(supply: ModuleType) -> Mapping[str, str]:
    found: Mapping[str, str] = supply.pinned(supply.wanted())
    return found


@pytest.fixture(scope="module")
def hashes(supply: ModuleType) -> Mapping[str, list[str]]:
    found: Mapping[str, list[str]] = supply.hashed(supply.wanted())
    return found


@pytest.fixture(scope="module")
def everything(supply: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = supply.installed()
    return found


@pytest.fixture(scope="module")
def materials(
    supply: ModuleType, everything: dict[str, Any], pins: Mapping[str, str], hashes: Mapping[str, list[str]]
) -> dict[str, Any]:
    found: dict[str, Any] = supply.bill(everything, pins, hashes)
    return found


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.txt", 20),
        ("requirements-otel.txt", 10),
        ("requirements-dev.txt", 20),
        ("requirements-bench.txt", 20),
    ],
)
def test_every_requirement_is_pinned_with_hashes_and_names_no_registry(name: str, least: int) -> None:
    text = (ROOT / name).read_text()
    wanted = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(wanted) > least
    for each in wanted:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", each), each
        assert "--hash=sha256:" in each, each
    assert "://" not in text
    assert "index-url" not in text


def test_the_bill_lists_what_is_pinned_with_versions_and_what_needs_what(
    materials: dict[str, Any], pins: Mapping[str, str]
) -> None:
    """It has been validated against CycloneDX's schema: `bill` refuses one that is not valid."""
    assert (materials["bomFormat"], materials["specVersion"]) == ("CycloneDX", "1.6")
    listed = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in materials["components"]}
    here = {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower() for each in metadata.distributions()}
    assert listed == {name: version for name, version in pins.items() if name in here}
    needs = {each["ref"]: each["dependsOn"] for each in materials["dependencies"]}
    [flask] = [ref for ref in needs if ref.lower().startswith("flask==")]
    assert any(each.lower().startswith("werkzeug==") for each in needs[flask])
    assert materials["metadata"]["component"]["name"] == "warmline"


def test_the_bill_has_the_hash_of_every_file_that_pip_may_take(supply: ModuleType, materials: dict[str, Any]) -> None:
    """Each stands in the lock file beside its package, and none of the lock's is left out."""
    text = supply.wanted()
    assert all(each["hashes"] for each in materials["components"])
    listed = {
        (each["name"].lower(), one["alg"], one["content"]) for each in materials["components"] for one in each["hashes"]
    }
    for name, algorithm, content in listed:
        before = text[: text.index(f"--hash=sha256:{content}")]
        assert algorithm == "SHA-256"
        assert supply.normal(re.findall(r"^([A-Za-z0-9._-]+)==", before, re.MULTILINE)[-1]) == supply.normal(name)
    elsewhere = {each for name, found in supply.hashed(text).items() if name in supply.ELSEWHERE for each in found}
    assert {content for _, _, content in listed} == set(re.findall(r"--hash=sha256:(\w+)", text)) - elsewhere


def test_what_two_files_pin_they_pin_alike(supply: ModuleType) -> None:
    """One bill tells of both, and pip takes both at once."""
    base, more = (path.read_text() for path in supply.REQUIREMENTS)
    both = supply.pinned(base).keys() & supply.pinned(more).keys()
    assert "requests" in both
    for name in both:
        assert supply.pinned(base)[name] == supply.pinned(more)[name], name
        assert supply.hashed(base)[name] == supply.hashed(more)[name], name


def test_a_package_that_is_pinned_without_a_hash_is_refused(
    supply: ModuleType, everything: dict[str, Any], pins: Mapping[str, str], hashes: Mapping[str, list[str]]
) -> None:
    with pytest.raises(supply.RefusedError, match=r"No hash is pinned of Flask"):
        supply.bill(everything, pins, {**hashes, "flask": []})


def test_the_bill_tells_no_address_and_no_path(materials: dict[str, Any]) -> None:
    said = json.dumps({key: value for key, value in materials.items() if key != "$schema"})
    assert "://" not in said
    assert str(ROOT) not in said


def test_an_environment_that_is_not_what_is_pinned_is_refused(
    supply: ModuleType, everything: dict[str, Any], pins: Mapping[str, str], hashes: Mapping[str, list[str]]
) -> None:
    with pytest.raises(
        supply.RefusedError, match=r"is not what requirements\.txt and requirements-otel\.txt pin \(Flask\)"
    ):
        supply.bill(everything, {**pins, "flask": "0.1"}, hashes)


@pytest.mark.parametrize(
    ("change", "instead"), [({"bomFormat": "Another"}, {}), ({}, {"flask": ["not hexadecimal"]})], ids=["form", "hash"]
)
def test_a_bill_that_is_not_valid_is_refused(
    supply: ModuleType, everything: dict[str, Any], pins: Mapping[str, str], hashes: Mapping[str, list[str]], change: dict[str, str],
    instead: dict[str, list[str]],
) -> None:  # fmt: skip
    with pytest.raises(supply.RefusedError, match="not valid"):
        supply.bill({**everything, **change}, pins, {**hashes, **instead})


def test_the_list_of_licences_is_what_is_pinned(
    supply: ModuleType, materials: dict[str, Any], pins: Mapping[str, str]
) -> None:
    listed = dict(re.findall(r"^\| (\S+) \| (.+) \|$", supply.LICENCES.read_text(), re.MULTILINE))
    found = supply.licences(materials)
    assert {name: licence for name, licence in listed.items() if name in found} == found
    assert set(listed) - {"package", "---"} == set(pins)


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ([{"license": {"id": "MIT"}}], "MIT"),
        ([{"expression": "Apache-2.0 OR BSD-3-Clause"}], "Apache-2.0 OR BSD-3-Clause"),
        ([{"license": {"name": "License :: OSI Approved :: BSD License"}}], "BSD-3-Clause"),
        ([{"license": {"id": "AGPL-3.0-only"}}], None),
        ([{"expression": "MIT AND GPL-3.0-or-later"}], None),
        ([{"license": {"name": "Do as we say"}}], None),
        ([], None),
    ],
)
def test_a_licence_that_is_not_allowed_or_not_declared_is_refused(
    supply: ModuleType, said: list[Any], licence: str | None
) -> None:
    components = {"components": [{"name": "Some.Package", "version": "1", "licenses": said}]}
    if licence is not None:
        assert supply.licences(components) == {"some-package": licence}
        return
    with pytest.raises(supply.RefusedError, match="some-package is under"):
        supply.licences(components)


def test_what_the_security_rules_are_told_to_pass_over_has_its_reason() -> None:
    """In the line; for S608 (statements that are put together) once, in pyproject.toml."""
    silenced = [
        (path, codes, reason)
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        for codes, reason in _SILENCED.findall(path.read_text())
    ]
    assert len(silenced) > 20
    for path, codes, reason in silenced:
        assert re.search(r"[a-z]{3}", reason) or "S608" in codes, f"{path}: {codes}"
    assert re.search(r"# S608 \w+", (ROOT / "pyproject.toml").read_text())
