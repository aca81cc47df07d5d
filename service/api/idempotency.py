"""`Idempotency-Key` on writes: the same key with the same request gets the same answer, and is done once.

Only answers of success are kept, for a day: a request that was refused changed nothing, and may be mended and sent again.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from flask import Response, g, request
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.accounts import Caller
from service.api.auth import caller
from service.api.problems import refuse
from service.clock import real_now
from service.models import IdempotencyKey
from service.runtime import runtime
from service.sealed import ANSWERS
from service.store import replays
from service.store.replays import KEPT
from service.vault import SealBrokenError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LOST = timedelta(minutes=2)  # longer than the web server lets a request run: whoever began is gone
_HEADERS = ("Content-Type", "Location", "ETag")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SHAPE = r"[\x21-\x7e]{1,255}"


def before() -> Response | None:
    """Claims the key, or answers with what it was answered before."""
    key = request.headers.get(HEADER)
    if key is None or request.method not in WRITES:
        return None
    if not re.fullmatch(SHAPE, key):
        refuse(400, f"{HEADER} takes 1 to 255 printable ASCII characters without spaces, such as a UUID.")
    who, fingerprint = caller(), _fingerprint(caller())
    with runtime().db.tenant(who.workspace_id) as session:
        if fingerprint.startswith("00"):  # now and then: one request in 256
            replays.sweep(session, who.workspace_id)
        if _claim(session, who, key, fingerprint):
            g.idempotency_key = key
            return None
        row = session.execute(
            select(IdempotencyKey.request_hash, IdempotencyKey.status, IdempotencyKey.sealed).where(
                IdempotencyKey.workspace_id == who.workspace_id, IdempotencyKey.key == key
            )
        ).one_or_none()
    if row is None:  # let go of between the two statements
        refuse(409, "The first request with this key has just come to nothing. Send it again.")
    if row.request_hash != fingerprint:
        refuse(422, f"This {HEADER} was used for another request. Use a new one for each new request.")
    if row.status is None:
        refuse(409, "The first request with this key is still under way. Try again in a moment.")
    return _replay(who, key, row.status, row.sealed)


def after(response: Response) -> Response:
    """Keeps the answer, if it is one of success."""
    if "idempotency_key" in g and 200 <= response.status_code < 300:
        who, key = caller(), g.pop("idempotency_key")
        headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
        answer = {"text": response.get_data(as_text=True), "headers": headers}
        with runtime().db.tenant(who.workspace_id) as session:
            session.execute(
                update(IdempotencyKey)
                .where(IdempotencyKey.workspace_id == who.workspace_id, IdempotencyKey.key == key)
                .values(
                    status=response.status_code,
                    sealed=runtime().vault.seal(answer, *ANSWERS.place(who.workspace_id, key)),
                )
            )
    return response


def teardown(_: BaseException | None) -> None:
    """Lets go of a key whose request came to nothing."""
    key = g.pop("idempotency_key", None)
    if key is not None:
        who = caller()
        with runtime().db.tenant(who.workspace_id) as session:
            session.execute(
                delete(IdempotencyKey).where(IdempotencyKey.workspace_id == who.workspace_id, IdempotencyKey.key == key)
            )


def _replay(who: Caller, key: str, status: int, answer: bytes | None) -> Response:
    try:
        held = runtime().vault.open(answer or b"", *ANSWERS.place(who.workspace_id, key))
    except SealBrokenError:
        refuse(409, "This request was done, but its answer can no longer be read. Look at what stands now.")
    response = Response(held["text"], status=status, headers=held["headers"])
    response.headers[REPLAYED] = "true"
    return response


def _fingerprint(who: Caller) -> str:
    parts = (who.actor.encode(), request.method.encode(), request.full_path.encode(), request.get_data())
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _claim(session: Session, who: Caller, key: str, fingerprint: str) -> bool:
    """Whether this request is the one to do it: the key is new, or too old to count, or its first request was lost."""
    now = real_now()
    fresh = {"request_hash": fingerprint, "status": None, "sealed": None, "created_at": now}
    statement = insert(IdempotencyKey).values(workspace_id=who.workspace_id, key=key, **fresh)
    lost = (
        IdempotencyKey.status.is_(None)
        & (IdempotencyKey.created_at < now - LOST)
        & (IdempotencyKey.request_hash == fingerprint)
    )
    claimed = session.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "key"],
            set_=fresh,
            where=(IdempotencyKey.created_at < now - KEPT) | lost,
        ).returning(IdempotencyKey.key)
    )
    return claimed.one_or_none() is not None
