"""Looking for secrets where none may be: in a dump of the database, in Valkey, in what was logged and shown, and in `repr`.

A secret is found in clear, and as bytes, hexadecimal, Base64 or percent-encoded text of it, or packed by zlib (as RQ packs jobs).
"""

from __future__ import annotations

import base64
import binascii
import functools
import gc
import io
import json
import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql
from redis import Redis

from service import logs

OURS = ("service", "integrations", "workers")
_HEX = re.compile(rb"\\+x((?:[0-9a-f]{2})+)")  # how COPY and JSON write bytes


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, down to what libraries say when they are asked to say everything."""
    out, root = io.StringIO(), logging.getLogger()
    before = root.handlers, root.level
    logs.write(out, as_json=True)
    root.setLevel(logging.DEBUG)
    try:
        yield out
    finally:
        structlog.reset_defaults()
        root.handlers, root.level = before


@dataclass
class Planted:
    """Secrets by what they are, and what was searched. `found` says where which of them stood."""

    secrets: dict[str, str] = field(default_factory=dict)
    found: set[tuple[str, str]] = field(default_factory=set)  # (what it is, where)
    searched: dict[str, int] = field(default_factory=dict)  # place -> how many pieces

    def plant(self, what: str, secret: str) -> str:
        assert len(secret) >= 12, "too short to be told from other text"
        self.secrets[what] = secret
        return secret

    def look(self, where: str, content: str | bytes, *, leave: Iterable[str] = ()) -> None:
        """Searches one piece. `leave`: what this place is meant to show, as the start of its name."""
        self.searched[where] = self.searched.get(where, 0) + 1
        for raw in _readings(content.encode() if isinstance(content, str) else content):
            for what, secret in self.secrets.items():
                if not what.startswith(tuple(leave) or ("\0",)) and any(form in raw for form in _written(secret)):
                    self.found.add((what, where))

    # --- places -------------------------------------------------------------------------------------------------

    def look_into_database(self, connection: psycopg.Connection[Any]) -> None:
        """Every row of every table, as a dump has it. `connection` is a superuser's."""
        ours = (
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in connection.execute(ours).fetchall():
            statement = sql.SQL("COPY {}.{} TO STDOUT").format(sql.Identifier(schema), sql.Identifier(table))
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                self.look(f"table {table}", b"".join(map(bytes, copy)))

    def look_into_valkey(self, redis: Redis) -> None:
        """Every key and value."""
        for key in redis.scan_iter():
            self.look("valkey", key)
            for value in _values(redis, key):
                self.look("valkey", value)

    def look_at_objects(self) -> None:
        """`repr` of all objects of ours that are alive: call it while something is going on."""
        said: dict[str, list[str]] = {}
        alive = _everything_alive()
        telling = {kind for kind in set(map(type, alive)) if _tells(kind)}
        for each in alive:
            kind = type(each)
            if kind in telling:
                with suppress(Exception):  # half made, or about to go
                    said.setdefault(kind.__name__, []).append(repr(each))
        for name, texts in said.items():
            self.look(f"repr {name}", "\n".join(texts))


def forget() -> None:
    """Lets go of what the rules keep: of texts that they were asked about before, and their tables of each language. These are hundreds of thousands
    of objects, none of which can hold a secret that is planted from now on, and each of which would be searched at each look."""
    for each in _everything_alive():
        if isinstance(each, functools._lru_cache_wrapper) and str(each.__module__).startswith("service.rules."):
            each.cache_clear()


def _everything_alive() -> list[Any]:
    gc.unfreeze()  # what was there before the first test may hold something since
    alive = gc.get_objects()
    gc.freeze()  # or whatever tests come after pays for going through all of it
    return alive


def _tells(kind: type) -> bool:
    """Whether it is a class of ours that says something in `repr`. Asked once of each class, and not of every object that is alive."""
    return str(kind.__module__).partition(".")[0] in OURS and kind.__repr__ is not object.__repr__


def _readings(content: bytes) -> Iterator[bytes]:
    yield content
    for digits in _HEX.findall(content):
        raw = binascii.unhexlify(digits)
        yield raw
        with suppress(zlib.error):
            yield zlib.decompress(raw)
    with suppress(zlib.error):
        yield zlib.decompress(content)


@cache
def _written(secret: str) -> set[bytes]:
    raw = secret.encode()
    # Base64 of a longer text that holds it, at each of three offsets: the letters that belong to it alone.
    packed = {
        base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : (shift + len(raw)) // 3 * 4] for shift in range(3)
    }
    packed |= {each.replace(b"+", b"-").replace(b"/", b"_") for each in packed}
    return {raw, raw.hex().encode(), json.dumps(secret)[1:-1].encode(), quote(secret, safe="").encode(), *packed}


def _values(redis: Redis, key: bytes) -> list[bytes]:
    read: dict[bytes, Any] = {
        b"string": lambda: [redis.get(key)],
        b"hash": lambda: [part for pair in redis.hgetall(key).items() for part in pair],  # type: ignore[union-attr]
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"stream": lambda: [repr(redis.xrange(key)).encode()],
    }
    kind: Any = redis.type(key)
    return [value for value in read.get(kind, list)() if value is not None]
