"""A chat service for the real servers to pass calls on to: Bluesky's own is not to be had. It believes the token by which a server says for whom it asks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

SERVICE = "bsky_chat"


@dataclass
class Chat:
    """Conversations of two. `url` is where it listens."""

    url: str = ""
    asked: list[str] = field(default_factory=list)  # methods, as they came
    _messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # conversation -> messages, oldest first

    def writes(self, sender: str, to: str, text: str) -> str:
        """A message from one DID to another. Returns its id."""
        convo = " ".join(sorted((sender, to)))
        number = sum(map(len, self._messages.values())) + 1
        sent = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {
            "$type": "chat.bsky.convo.defs#messageView",
            "id": f"m{number}",
            "rev": f"22{number:06d}",
            "text": text,
            "sender": {"did": sender},
            "sentAt": sent,
        }
        self._messages.setdefault(convo, []).append(row)
        return str(row["id"])

    @Request.application
    def serve(self, request: Request) -> Response:
        method = request.path.rpartition("/")[2]
        self.asked.append(method)
        claims = _claims(request.headers.get("Authorization", ""))
        if claims.get("lxm") != method:
            return _json(401, {"error": "BadJwtLexiconMethod", "message": "for another method"})
        answers: dict[str, Callable[[str, Request], dict[str, Any]]] = {
            "chat.bsky.convo.listConvos": self._list,
            "chat.bsky.convo.getMessages": self._read,
        }
        return _json(200, answers[method](str(claims["iss"]), request))

    def _list(self, who: str, request: Request) -> dict[str, Any]:
        convos = []
        for convo, messages in self._messages.items():
            if who in convo.split():
                members = [{"did": did, "handle": "handle.invalid"} for did in convo.split()]
                convos.append(
                    {"id": _id(convo), "rev": messages[-1]["rev"], "members": members, "muted": False, "unreadCount": 0}
                )
        return {"convos": sorted(convos, key=lambda each: str(each["rev"]), reverse=True)}

    def _read(self, who: str, request: Request) -> dict[str, Any]:
        [found] = [each for convo, each in self._messages.items() if _id(convo) == request.args["convoId"]]
        return {"messages": found[::-1]}


def _id(convo: str) -> str:
    return base64.urlsafe_b64encode(convo.encode()).rstrip(b"=").decode()


def _claims(header: str) -> dict[str, Any]:
    part = header.split(".")[1] if header.count(".") == 2 else "e30"
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def chatting() -> Iterator[Chat]:
    """The service, until the block ends."""
    chat = Chat()
    server = make_server("127.0.0.1", 0, chat.serve, threaded=True, request_handler=_Quiet)
    chat.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
