"""The stream of posts, and people in the CRM. Written to the sandbox, as the world would; Warmline hears of it as it may."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import requests

from chaos.ledger import Edit, Ledger, Thread
from service.demo.sandbox import Load

EPOCH = 1288834974657  # milliseconds: where X's ids begin
BEAT = 0.5  # seconds between two handfuls of posts
DOINGS = 0.4  # seconds between two things that people do in the CRM
OWNERS = ({"id": "71", "email": "olivia@brand.example", "first_name": "Olivia", "last_name": "Berg"},
          {"id": "72", "email": "pavel@brand.example", "first_name": "Pavel", "last_name": "Novak"})  # fmt: skip
FIRST_BRAND, FIRST_CUSTOMER = 7_000, 1_000_000
ASKS = ("Do you ship to Porto?", "What does the large one cost?", "When is the repair shop open on Saturday?", "My parcel never arrived, what happened?",
        "Which charger fits the old frame?", "Can I pay by invoice?")  # fmt: skip
NUDGES = ("Anybody there?", "I am still waiting for an answer.", "Hello?")
ANSWERS = (
    "Yes, within three days.",
    "We have looked it up for you: it is in stock.",
    "Sorry for the wait. Write to us with your number, please.",
)
AFTERWORDS = ("Thank you!", "Thanks, perfect.")
CAST = ("Photos from the workshop.", "We are at the fair today.", "Rain again, and the bikes do not mind.")
# What comes next in a talk, by weight.
_DOES = (("ask", 34), ("nudge", 14), ("answer", 34), ("thank", 6), ("edit", 4), ("delete", 3), ("cast", 5))


def brands(number: int) -> list[str]:
    return [f"brand{each}" for each in range(number)]


def most_customers(posts: int) -> int:
    """Nobody comes twice, so that nobody's task waits behind another one about them."""
    return max(50, posts * 7 // 10)


def world(posts: int, brand_names: list[str]) -> Load:
    """Accounts, and a contact for every other customer, before anything is said."""
    customers = range(most_customers(posts))
    return Load(
        accounts=[
            *({"id": str(FIRST_BRAND + at), "handle": name, "name": name.title(), "brand": True} for at, name in enumerate(brand_names)),
            *({"id": str(FIRST_CUSTOMER + each), "handle": f"customer{each}", "name": f"Customer {each}"} for each in customers),
        ],
        contacts=[
            {"id": str(500_000 + each), "firstname": "Customer", "lastname": str(each), "twitterhandle": f"customer{each}",
             "email": f"customer{each}@customers.example", "hubspot_owner_id": str(71 + each % 8 // 4)}
            for each in customers if each % 4 == 0
        ],
        owners=list(OWNERS),
        brands={name: name.title() for name in brand_names},
    )  # fmt: skip


class Traffic(threading.Thread):
    """Says `posts` posts within `seconds`, and does things in the CRM meanwhile. `ledger` holds what was done."""

    def __init__(
        self, url: str, database: Path, *, seed: int, posts: int, seconds: float, brand_names: list[str]
    ) -> None:
        super().__init__(name="traffic", daemon=True)
        self.ledger = Ledger()
        self.said = 0
        self.failure: Exception | None = None
        self._url, self._database = url, database
        self._random = Random(seed)
        self._posts, self._seconds, self._brands = posts, seconds, brand_names
        self._http = requests.Session()
        self._http.trust_env = False
        self._id = (int(time.time() * 1000) - EPOCH) << 22
        self._said_at = 0.0
        self._fresh = 0
        self._recent: deque[Thread] = deque(maxlen=400)
        self._halt = threading.Event()

    def halt(self) -> None:
        """Says nothing more."""
        self._halt.set()

    def run(self) -> None:
        try:
            self._run()
        except Exception as error:
            self.failure = error

    def _run(self) -> None:
        crm = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=30)
        begun, next_doing = time.monotonic(), 0.0
        while self.said < self._posts and not self._halt.wait(BEAT):
            passed = time.monotonic() - begun
            wanted = min(self._posts, int(self._posts * passed / self._seconds) + 1)
            if wanted > self.said:
                self._say(wanted - self.said)
            while next_doing < passed:
                next_doing += DOINGS
                self._do_something(crm)
        crm.close()

    # --- on the network ---------------------------------------------------------------------------------------

    def _say(self, number: int) -> None:
        batch: list[dict[str, Any]] = []
        gone: list[str] = []
        while len(batch) < number:
            self._step(batch, gone)
        self._call("POST", "/control/load", {"posts": batch})
        self.said += len(batch)
        for each in gone:
            self._call("DELETE", f"/control/posts/{each}")

    def _step(self, batch: list[dict[str, Any]], gone: list[str]) -> None:
        """What comes next in some talk. What chance asks for and cannot be there becomes a question."""
        does = self._random.choices([each for each, _ in _DOES], [weight for _, weight in _DOES])[0]
        thread = self._random.choice(self._recent) if self._recent else self._stranger()
        old = [id_ for id_, _ in thread.unanswered if not any(each["id"] == id_ for each in batch)]
        if does == "cast":
            self._post(batch, self._brand_id(thread.brand), self._random.choice(CAST))
        elif does == "nudge" and thread.unanswered:
            self._speak(thread, batch, self._random.choice(NUDGES))
        elif does == "answer" and thread.unanswered:
            self._answer(thread, batch)
        elif does == "thank" and thread.posts and not thread.unanswered:
            thread.posts.append(
                self._post(
                    batch, thread.customer, f"@{thread.brand} {self._random.choice(AFTERWORDS)}", self._parent(thread)
                )
            )
        elif does == "edit" and old:
            self._edit(thread, batch)
        elif does == "delete" and old and len(thread.unanswered) == 1:
            [(id_, _)] = thread.unanswered
            gone.append(id_)
            self.ledger.deleted.add(id_)
            self.ledger.posted.discard(id_)
            self.ledger.texts.pop(id_, None)
            thread.unanswered = []
        else:
            self._speak(
                thread if not thread.unanswered and self._random.random() < 0.3 else self._stranger(),
                batch,
                self._random.choice(ASKS),
            )

    def _stranger(self) -> Thread:
        number, self._fresh = self._fresh, self._fresh + 1
        thread = Thread(str(FIRST_CUSTOMER + number), self._random.choice(self._brands))
        self.ledger.threads.append(thread)
        self._recent.append(thread)
        return thread

    def _speak(self, thread: Thread, batch: list[dict[str, Any]], text: str) -> None:
        """Something that wants an answer."""
        id_ = self._post(batch, thread.customer, f"@{thread.brand} {text}", self._parent(thread))
        thread.posts.append(id_)
        thread.openers.append(id_)
        thread.unanswered.append((id_, self._said_at))

    def _parent(self, thread: Thread) -> str | None:
        return next((each for each in reversed(thread.posts) if each not in self.ledger.deleted), None)

    def _answer(self, thread: Thread, batch: list[dict[str, Any]]) -> None:
        number = int(thread.customer) - FIRST_CUSTOMER
        self._post(
            batch, self._brand_id(thread.brand), f"@customer{number} {self._random.choice(ANSWERS)}", thread.posts[-1]
        )
        thread.unanswered = []

    def _edit(self, thread: Thread, batch: list[dict[str, Any]]) -> None:
        id_, at = thread.unanswered[0]
        at_place = thread.posts.index(id_)
        parent = thread.posts[at_place - 1] if at_place else None
        text = f"@{thread.brand} {self._random.choice(ASKS)} (edited)"
        self.ledger.texts[id_] = text
        batch.append(self._record(id_, thread.customer, text, parent, at))

    def _brand_id(self, name: str) -> str:
        return str(FIRST_BRAND + self._brands.index(name))

    def _post(self, batch: list[dict[str, Any]], author: str, text: str, parent: str | None = None) -> str:
        # Never two in one millisecond: which of them came first, nobody could tell.
        now = self._said_at = max(time.time(), self._said_at + 0.001)
        self._id = max(self._id + 1, (int(now * 1000) - EPOCH) << 22)
        batch.append(self._record(str(self._id), author, text, parent, now))
        self.ledger.posted.add(str(self._id))
        return str(self._id)

    def _record(self, id_: str, author: str, text: str, parent: str | None, at: float) -> dict[str, Any]:
        return {
            "id": id_,
            "author_id": author,
            "text": text,
            "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
            "in_reply_to": parent,
        }

    # --- in the CRM -------------------------------------------------------------------------------------------

    def _do_something(self, crm: sqlite3.Connection) -> None:
        """Somebody completes an open task, words it anew, or gives it to a colleague."""
        row = crm.execute(
            "SELECT id, props FROM records WHERE type = 'tasks' AND archived_at IS NULL AND json_extract(props, '$.hs_task_status') <> 'COMPLETED'"
            " ORDER BY updated_at DESC LIMIT 1 OFFSET ?",
            (self._random.randrange(40),),
        ).fetchone()
        if row is None:
            return
        props: Mapping[str, str] = json.loads(row[1])
        does = self._random.choice(("complete", "reword", "reassign"))
        if does == "complete":
            if self._form(f"/crm/tasks/{row[0]}/complete", {}):
                self.ledger.completed[str(row[0])] = time.time()
            return
        name, value = ("hs_task_subject", f"Ring them about this, no. {self._random.randrange(10**6)}") if does == "reword" else (
            "hubspot_owner_id", "72" if props.get("hubspot_owner_id") == "71" else "71")  # fmt: skip
        at = time.time()
        if self._form(f"/crm/tasks/{row[0]}", {name: value, "due": (props.get("hs_timestamp") or "")[:16]}):
            self.ledger.edited(str(row[0]), Edit(name, value, at, was=props.get(name) or ""))

    def _form(self, path: str, fields: Mapping[str, str]) -> bool:
        """Whether it was done: a task may have been withdrawn meanwhile."""
        answer = self._http.post(self._url + path, data=fields, allow_redirects=False, timeout=30)
        if answer.status_code == 404:
            return False
        answer.raise_for_status()
        return True

    def _call(self, method: str, path: str, body: Any = None) -> None:
        self._http.request(method, self._url + path, json=body, timeout=30).raise_for_status()
