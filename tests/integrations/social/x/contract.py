"""Checks requests against X's published contract, where that is at hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from openapi_core.exceptions import OpenAPIError

FILE = "vendor-specs/x/openapi-{version}.json"
OLD_NAMES, NEW_NAMES = "2.166", "2.167"  # the last version with the tweet names, and the first without


class Contract:
    """X's document of one version."""

    def __init__(self, path: Path) -> None:
        self._document: dict[str, Any] = json.loads(path.read_text())
        for operations in self._document["paths"].values():
            for operation in operations.values():
                operation.pop(
                    "security", None
                )  # openapi-core knows no OAuth 2 and warns; `check` looks at the token itself
        # The document of 2.167 lists a value twice, which a document must not: it is taken as it is.
        self._api = OpenAPI.from_dict(self._document, config=Config(spec_validator_cls=None))

    def check(self, request: requests.PreparedRequest) -> None:
        """Raises AssertionError where X would not know the call, one of its values, or one of its parameters."""
        try:
            self._api.validate_request(RequestsOpenAPIRequest(request))
        except OpenAPIError as error:
            raise AssertionError(f"{request.url}: {error!r} {error.__cause__!r}") from None
        call = urlsplit(str(request.url))
        unknown = parse_qs(call.query).keys() - self._known(call.path, str(request.method).lower())
        assert not unknown, f"{call.path} takes no {sorted(unknown)}"
        assert str(request.headers["Authorization"]).startswith("Bearer ")

    def _known(self, path: str, method: str) -> set[str]:
        parts = path.split("/")
        for template, operations in self._document["paths"].items():
            names = template.split("/")
            same = len(names) == len(parts) and all(
                a == b or a.startswith("{") for a, b in zip(names, parts, strict=True)
            )
            if same and method in operations:
                return {self._parameter(each)["name"] for each in operations[method].get("parameters", ())}
        raise AssertionError(f"{path} is not in the contract")

    def _parameter(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in value:
            return self._document["components"]["parameters"][value["$ref"].rpartition("/")[2]]  # type: ignore[no-any-return]
        return value


@cache
def contract(folder: Path, version: str = OLD_NAMES) -> Contract | None:
    """The contract in the shared folder, or None where it is absent."""
    path = folder / FILE.format(version=version)
    return Contract(path) if path.is_file() else None
