"""What the running program stands on: its licences, and a bill of materials (CycloneDX).

    python .ci/supply.py licences [--check]    # docs/licences.md, which make check compares
    python .ci/supply.py sbom FILE             # JSON, validated

Both say what requirements.txt and requirements-otel.txt pin, which the image has, as it is installed in the environment of this Python. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-otel.txt")  # the image has both
LICENCES = ROOT / "docs" / "licences.md"
SPECIFICATION = "1.6"  # ECMA-424
# What may stand beside Apache-2.0 in one program, by SPDX's names.
ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PostgreSQL", "PSF-2.0", "Unlicense", "Zlib",
        # These ask that the library itself stays free and may be exchanged for another build of it, which pip does.
        "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0",
    }
)  # fmt: skip
# By the old names of trove classifiers, where a package declares nothing better. "BSD License" does not say which; all of them are allowed.
CLASSIFIED = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# By the words of the field "License", which cyclonedx-py passes over where they are no name of SPDX's.
WORDED = {"3-Clause BSD License": "BSD-3-Clause"}
# What no metadata of an environment can say: packages that this one has no use for.
ELSEWHERE = {"async-timeout": "Apache-2.0"}  # Python below 3.11.3
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_WORDS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]")


class RefusedError(Exception):
    """One sentence on what is wrong."""


def wanted() -> str:
    """All requirements of the running program. What two files pin stands in both, alike."""
    return "\n".join(path.read_text().strip() for path in REQUIREMENTS)


def pinned(requirements: str) -> dict[str, str]:
    """Packages that these requirements pin, by normalised name (PEP 503), with their versions."""
    return {normal(name): version for name, version in _PIN.findall(requirements)}


def hashed(requirements: str) -> dict[str, list[str]]:
    """The SHA-256 of each file that pip may take for a package (one a platform, and the source), by its normalised name."""
    found: dict[str, list[str]] = {}
    for each in re.split(r"\n(?=[A-Za-z0-9])", requirements):
        if pin := _PIN.match(each):
            found[normal(pin[1])] = _HASH.findall(each)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, Any]:
    """A bill of materials of all that this environment has, tools for tests and checks included."""
    command = [
        str(Path(sys.executable).parent / "cyclonedx-py"),
        "environment",
        sys.executable,
        "--pyproject",
        str(ROOT / "pyproject.toml"),
    ]
    more = ["--sv", SPECIFICATION, "--output-reproducible", "--no-validate", "-o", "-"]
    found: dict[str, Any] = json.loads(
        subprocess.run([*command, *more], check=True, capture_output=True, text=True).stdout
    )
    for each in found["components"]:
        if not each.get("licenses") and (licence := _worded(each["name"])):
            each["licenses"] = [{"license": {"acknowledgement": "declared", "id": licence}}]
    return found


def _worded(name: str) -> str | None:
    return WORDED.get(metadata.metadata(name).get("License", ""))


def bill(everything: Mapping[str, Any], pins: Mapping[str, str], hashes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The part of it that is pinned, with the licence, the dependencies and the hashes of each. Raises RefusedError where another
    version is installed, where something has no hash, or what came of it is not valid."""
    found = {**everything, "metadata": {key: value for key, value in everything["metadata"].items() if key != "tools"}}
    parts = [each for each in found["components"] if normal(each["name"]) in pins]
    kept = {each["bom-ref"] for each in [*parts, found["metadata"]["component"]]}
    # Addresses that packages tell of themselves say nothing about what is in them, and some lead to registries.
    found["components"] = [
        {
            **{key: value for key, value in each.items() if key not in ("externalReferences", "properties")},
            "hashes": [{"alg": "SHA-256", "content": content} for content in hashes.get(normal(each["name"]), ())],
        }
        for each in parts
    ]
    found["dependencies"] = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", ()) if ref in kept]}
        for each in found["dependencies"]
        if each["ref"] in kept
    ]
    if wrong := [each["name"] for each in parts if each["version"] != pins[normal(each["name"])]]:
        raise RefusedError(
            f"This environment is not what requirements.txt and requirements-otel.txt pin ({', '.join(wrong)}). Run make dev."
        )
    if bare := [each["name"] for each in found["components"] if not each["hashes"]]:
        raise RefusedError(f"No hash is pinned of {', '.join(bare)}. Run make lock.")
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found)):
        raise RefusedError(f"The bill of materials is not valid: {error}")
    return found


def licences(materials: Mapping[str, Any]) -> dict[str, str]:
    """The licence of each package by SPDX's names. Raises RefusedError where one is not known or not allowed."""
    found = {normal(each["name"]): _licence(each) for each in materials["components"]}
    for name, licence in found.items():
        if not licence or not set(filter(None, _WORDS.split(licence))) <= ALLOWED:
            raise RefusedError(
                f"{name} is under {licence or 'a licence that it does not declare'}, which .ci/supply.py does not allow."
            )
    return found


def _licence(component: Mapping[str, Any]) -> str:
    said = component.get("licenses", ())
    for each in said:
        if "expression" in each or "id" in each["license"]:
            return str(each.get("expression") or each["license"]["id"])
    named = [CLASSIFIED.get(each["license"].get("name", ""), each["license"].get("name", "")) for each in said]
    return " OR ".join(dict.fromkeys(named))


def page(found: Mapping[str, str]) -> str:
    """The list, for people."""
    rows = "\n".join(f"| {name} | {licence} |" for name, licence in sorted(found.items()))
    return (
        "# Licences of what Warmline stands on\n\nWarmline itself is under the Apache License 2.0. `make licences` writes this list from what"
        " `requirements.txt` and `requirements-otel.txt` pin, which is what\nthe image has, and `make check` refuses a package whose licence `.ci/supply.py` does not allow. `make sbom` writes a bill of"
        f" materials (CycloneDX {SPECIFICATION})\nwith versions and the hash of every file that pip may take for each, as they are pinned there.\n\n| package | licence |\n|---|---|\n{rows}\n"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("supply", description="Licences and a bill of materials of the running program.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("licences").add_argument("--check", action="store_true")
    commands.add_parser("sbom").add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    try:
        requirements = wanted()
        pins = pinned(requirements)
        materials = bill(installed(), pins, hashed(requirements))
        text = page({name: licence for name, licence in ELSEWHERE.items() if name in pins} | licences(materials))
        if options.command == "sbom":
            options.file.parent.mkdir(parents=True, exist_ok=True)
            options.file.write_text(json.dumps(materials, indent=2) + "\n")
        elif not options.check:
            LICENCES.write_text(text)
        elif LICENCES.read_text() != text:
            raise RefusedError("docs/licences.md is not what is pinned. Run make licences.")
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
