"""Links of the OpenAPI document (OpenAPI 3.1, Link Object): which ids of an answer fit which paths, found in the document itself.

The `id` that a list or what makes a new one answers with fits the paths below its own noun; a member such as `brand_id` fits the route that shows one of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = "{"


def add(document: Json) -> None:
    """Puts links beside every answer of success that names what another path takes."""
    below, shows = _takers(document["paths"])
    for path, inside in document["paths"].items():
        noun = path.split("/")[2] if _PARAMETER not in path else ""  # what is shown under its id was found by it
        for method in METHODS:
            for status, response in inside.get(method, {}).get("responses", {}).items():
                found = dict(_links(document, noun, response, below, shows)) if status.startswith("2") else {}
                if found:
                    response["links"] = found


def _takers(paths: Json) -> tuple[Mapping[str, list[tuple[str, str]]], Mapping[str, str]]:
    """By noun, (operation, parameter) of the paths below it that take one id; by parameter, the operation that shows one."""
    below: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    shows: dict[str, str] = {}
    for path, inside in paths.items():
        parts = path.split("/")
        if path.count(_PARAMETER) != 1 or not parts[3].startswith(_PARAMETER):
            continue
        name = parts[3].strip("{}")
        for method in METHODS:
            if method in inside:
                below[parts[2]].append((inside[method]["operationId"], name))
                if method == "get" and len(parts) == 4:
                    shows[name] = inside[method]["operationId"]
    return below, shows


def _links(
    document: Json, noun: str, response: Json, below: Mapping[str, list[tuple[str, str]]], shows: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for member, pointer in _members(document, response):
        takers = below.get(noun, []) if member == "id" else [(shows[member], member)] if member in shows else []
        for operation, name in takers:
            yield operation, {"operationId": operation, "parameters": {name: f"$response.body#{pointer}"}}


def _members(document: Json, response: Json) -> Iterator[tuple[str, str]]:
    """The members of an answer, or of the first row of a page, each with where it stands."""
    schema = _resolved(document, response.get("content", {}).get("application/json", {}).get("schema", {}))
    rows = schema.get("properties", {}).get("items", {})
    if rows.get("type") == "array":
        for member in _resolved(document, rows.get("items", {})).get("properties", {}):
            yield member, f"/items/0/{member}"
        return
    for member in schema.get("properties", {}):
        yield member, f"/{member}"


def _resolved(document: Json, schema: Json) -> Json:
    reference = schema.get("$ref", "")
    found: Json = document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    return found
