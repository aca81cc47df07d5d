"""HubSpot's official SDK as the judge of what is sent and answered: a body goes into its model and must come out unchanged."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from functools import cache
from typing import Any

with warnings.catch_warnings():  # the SDK's own escapes are not ours to mend
    warnings.simplefilter("ignore")
    from hubspot.crm.associations.v4 import ApiClient as Associations
    from hubspot.crm.objects import ApiClient as Objects
    from hubspot.crm.owners import ApiClient as Owners
    from hubspot.crm.properties import ApiClient as Properties

_BATCHES = {  # verb: (request, answer, answer with errors)
    "read": ("BatchReadInputSimplePublicObjectId", "BatchResponseSimplePublicObject"),
    "create": ("BatchInputSimplePublicObjectBatchInputForCreate", "BatchResponseSimplePublicObject"),
    "update": ("BatchInputSimplePublicObjectBatchInput", "BatchResponseSimplePublicObject"),
    "archive": ("BatchInputSimplePublicObjectId", None),
}
_CLIENTS: dict[str, Any] = {
    "objects": Objects(),
    "associations": Associations(),
    "owners": Owners(),
    "properties": Properties(),
}
for _client in (
    _CLIENTS.values()
):  # the same instants come again and again, and dateutil takes longer over one than all else does over a row
    _client._ApiClient__deserialize_datetime = cache(_client._ApiClient__deserialize_datetime)


def check(method: str, path: str, sent: Any, status: int, answered: Any) -> None:
    """Raises AssertionError when a request or a successful answer has a field that HubSpot's model does not."""
    family = next((name for name in _CLIENTS if path.startswith(f"/crm/{name}/")), None)
    if family is None or status >= 300:
        return
    request, answer = _models(method, path, status, sent)
    if request and sent is not None:
        unchanged(family, request, sent)
    if answer and answered is not None:
        unchanged(family, answer, answered)


def _models(method: str, path: str, status: int, sent: Any) -> tuple[str | None, str | None]:
    if match := re.search(r"/objects/.*/batch/(\w+)$", path):
        request, answer = _BATCHES[match[1]]
        return request, f"{answer}WithErrors" if answer and status == 207 else answer
    if path.endswith("/search"):
        return "PublicObjectSearchRequest", "CollectionResponseWithTotalSimplePublicObjectForwardPaging"
    if "/associations/" in path and path.endswith("/create"):
        return "BatchInputPublicAssociationMultiPost", None
    if "/associations/" in path and path.endswith("/archive"):
        return "BatchInputPublicAssociationMultiArchive", None
    if "/associations/" in path:
        answer = "BatchResponsePublicAssociationMultiWithLabel"
        return "BatchInputPublicFetchAssociationsBatchRequest", f"{answer}WithErrors" if status == 207 else answer
    if "/owners/" in path:
        return None, "CollectionResponsePublicOwnerForwardPaging"
    if "/properties/" in path:
        return ("PropertyCreate", None) if method == "POST" else (None, None)
    return None, "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging"


def unchanged(family: str, model: str, body: dict[str, Any]) -> None:
    """The body, read into the model and written again, is what it was."""
    client = _CLIENTS[family]
    again = client.sanitize_for_serialization(client._ApiClient__deserialize(body, model))
    assert _plain(again) == _plain(body), f"{model} does not have all of {body}"


def _plain(value: Any) -> Any:
    """Without what is null, and with instants, ids and the SDK's mistyped `sorts` in one form."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None and name != "sorts"}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        return datetime.fromisoformat(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
