"""What we read ourselves: calendars, files, cursors, manifests, settings, links, envelopes, addresses that people type."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import requests
from hypothesis import strategies as st
from marshmallow import ValidationError

import service
from fuzz import odd
from fuzz.providers import storable
from fuzz.target import Find, Target, bounded, plain
from integrations import body, calendars, hosts, http
from integrations.errors import InvalidRequestError, UnexpectedResponseError
from service import backups, links, settings
from service.backtest import call, files, intent, matching, unanswered
from service.config import Config
from service.console import onward
from service.demo import tables
from service.errors import PlainError
from service.models import Settings
from service.rules import busy
from service.store import paging
from service.vault import SealBrokenError, Vault

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
KEYS = {"one": b"0123456789abcdef0123456789abcdef"}
CONFIG = Config(Path("."), None, None, None, None, "https://warmline.example", 0, "127.0.0.1", secret_keys=KEYS)


def targets() -> Iterator[Target]:
    """Every parser of ours that reads what others made."""
    yield Target("calendar/feed", _feeds(), plain(_reads_calendar))
    yield Target(
        "calendar/address", _addresses(), plain(partial(_refuses, calendars.clean_address, InvalidRequestError))
    )
    yield Target("address/server", _addresses(), plain(partial(_refuses, hosts.server, InvalidRequestError)))
    yield Target("address/onward", _addresses(), plain(_leads_nowhere_else))
    yield Target("cursor/lists", _cursors(), plain(_reads_cursor))
    yield Target("link/task", _tokens(), plain(partial(_quiet, links.read, CONFIG)))
    yield Target("envelope/vault", _tokens(), plain(_opens))
    yield Target("settings/document", _documents(), plain(_reads_settings))
    yield Target("backup/manifest", _manifests(), partial(_in_folder, _reads_backup))
    yield Target("answer/headers", odd.header_value, plain(_reads_retry_after))
    yield Target("answer/body", odd.octets, plain(_reads_answer))
    yield Target("task/body", _bodies(), plain(_reads_body))
    for name, (columns, read) in READERS.items():
        yield Target(f"file/{name}", _csv(columns), partial(_in_folder, partial(_reads_file, read)))
    yield Target("file/call histories", _histories(), partial(_in_folder, _reads_histories))


def _refuses(read: Callable[..., Any], error: type[Exception], text: str) -> None:
    with bounded(lambda: len(text)):
        try:
            storable(read(text))
        except error:
            return


def _quiet(read: Callable[..., Any], first: Any, text: str) -> None:
    with bounded(lambda: len(text)):
        if read(first, text) is not None:
            raise Find("believed what nobody signed")


@contextmanager
def _in_folder(check: Callable[[Path, Any], None]) -> Iterator[Callable[[Any], None]]:
    with TemporaryDirectory() as folder:
        yield partial(check, Path(folder))


# --- calendars --------------------------------------------------------------------------------------------------

_PROPERTIES = (
    "BEGIN", "END", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "UID", "STATUS", "TRANSP", "ATTENDEE", "FREEBUSY", "TZID", "TZOFFSETFROM", "TZOFFSETTO",
    "X-WR-TIMEZONE", "SEQUENCE", "X-MICROSOFT-CDO-BUSYSTATUS", "DTSTAMP",
)  # fmt: skip
_PARAMS = ("", ";VALUE=DATE", ";TZID=Europe/Berlin", ";TZID=", ";TZID=\"/odd\"", ";VALUE=PERIOD", ";RANGE=THISANDFUTURE", ";PARTSTAT=DECLINED", ";FBTYPE=FREE", ";X=\"")  # fmt: skip
_VALUES = (
    "VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VFREEBUSY", "VALARM", "20261126", "20261126T090000Z", "20261126T090000", "20261126T250000", "00000000", "99991231T235959Z", "00010101T000000", "PT1H",
    "-P1D", "P99999999W", "P", "PT", "FREQ=DAILY", "FREQ=SECONDLY", "FREQ=SECONDLY;COUNT=999999999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;UNTIL=99991231", "FREQ=MINUTELY;BYSECOND=61",
    "FREQ=", "FREQ=MONTHLY;BYDAY=5MO,-6SU", "FREQ=WEEKLY;BYSETPOS=-400", "COUNT=-1", "FREQ=DAILY;COUNT=0", "FREQ=HOURLY;BYHOUR=25", "20261126T090000Z/PT1H", "20261126T090000Z/20261125T090000Z", "/", "+0100", "-9999", "+2400", "TRANSPARENT",
    "CANCELLED", "mailto:olga@acme.test", "Europe/Berlin", "W. Europe Standard Time", "../../etc/passwd", "x", "",
)  # fmt: skip


def _feeds() -> st.SearchStrategy[str]:
    value = st.one_of(st.sampled_from(_VALUES), st.sampled_from(_VALUES), odd.text)
    line = st.tuples(st.sampled_from(_PROPERTIES), st.sampled_from(_PARAMS), value).map(lambda each: f"{each[0]}{each[1]}:{each[2]}")  # fmt: skip
    event = st.lists(line, max_size=6).map(lambda lines: ["BEGIN:VEVENT", "UID:1", "DTSTART:20261120T090000Z", "DTEND:20261120T100000Z", *lines, "END:VEVENT"])  # fmt: skip
    zone = st.lists(line, max_size=6).map(lambda lines: ["BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", *lines, "END:STANDARD", "END:VTIMEZONE"])  # fmt: skip
    parts = st.lists(st.one_of(event, event, zone, line.map(lambda each: [each])), max_size=5)
    whole = parts.map(lambda found: "\r\n".join(["BEGIN:VCALENDAR", *(line for part in found for line in part), "END:VCALENDAR"]))  # fmt: skip
    return st.one_of(whole, whole, odd.octets)


def _reads_calendar(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    with bounded(lambda: len(data)):
        try:
            found = busy.busy(data, start=START, end=END, timezone="Europe/Berlin", owner="olga@acme.test")
        except busy.UnreadableCalendarError:
            return
    storable(found.spans)
    if any(not START <= start < end <= END for start, end in found.spans):
        raise Find("busy outside of the window")


# --- addresses --------------------------------------------------------------------------------------------------


def _addresses() -> st.SearchStrategy[str]:
    piece = st.sampled_from(("https://", "http://", "webcal:", "//", "\\", "@", ":", "/", "[", "]", "::1", "127.0.0.1", "0x7f", "mastodon.social", "xn--", "xn--a", ".", "..", "#", "?", "%", "%00", "\t", "\n", "é", "。", "ﬀ", "a" * 64, ":99999", ":²", "user:pass@", "ß", "\u200d"))  # fmt: skip
    return st.one_of(st.lists(piece, max_size=6).map("".join), odd.text)


def _leads_nowhere_else(text: str) -> None:
    found = onward.local(text)
    if (found and not found.startswith("/")) or found.startswith("//") or urlsplit(found).netloc:
        raise Find(f"leads away: {found!a}")


# --- cursors, tokens --------------------------------------------------------------------------------------------


def _lists() -> list[paging.Listing]:
    found: dict[str, paging.Listing] = {}
    for each in walk_packages(service.__path__, "service."):
        if each.name.startswith(("service.store", "service.api", "service.console")):
            held = vars(import_module(each.name)).values()
            found |= {f"{one.name}/{one.keys}": one for one in held if isinstance(one, paging.Listing)}
    return [found[name] for name in sorted(found)]


def _cursors() -> st.SearchStrategy[Any]:
    value = st.one_of(odd.scalar, st.sampled_from(("0" * 32, "2026-11-26T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-26T00:00:00+00:00:00.000001")))  # fmt: skip
    return st.fixed_dictionaries({"list": st.integers(0, 50), "values": st.lists(value, max_size=4), "raw": st.one_of(st.none(), st.none(), odd.text)})  # fmt: skip


def _reads_cursor(given: Any) -> None:
    lists = _lists()
    chosen = lists[given["list"] % len(lists)]
    text = given["raw"]
    if text is None:
        text = urlsafe_b64encode(json.dumps([chosen.name, *given["values"]]).encode()).rstrip(b"=").decode()
    with bounded(lambda: len(text)):
        try:
            values = paging._read_cursor(chosen, text)
        except paging.BadCursorError:
            return
    for value in values:
        storable(value)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise Find("a number that no column holds")


def _tokens() -> st.SearchStrategy[str]:
    return st.one_of(odd.text, odd.octets, st.text("ABCDEFabcdef0123456789-_=.", max_size=90))


def _opens(text: str) -> None:
    vault = Vault(KEYS)
    for envelope in (text.encode("utf-8", "surrogatepass"), b"one:" + text.encode("utf-8", "surrogatepass")):
        try:
            vault.open(envelope, "table", "column", "row")
        except SealBrokenError:
            continue
        raise Find("opened what nobody sealed")


# --- settings and manifests -------------------------------------------------------------------------------------


def _documents() -> st.SearchStrategy[Any]:
    words = odd.words_of("service.settings")
    return st.one_of(odd.edits(words).map(lambda changes: odd.edited(settings.SCHEMA.dump(settings.SCHEMA.load({})), changes)), odd.values(words))  # fmt: skip


def _reads_settings(document: Any) -> None:
    if not isinstance(document, dict):
        return
    with bounded(lambda: len(repr(document))):
        try:
            clean = settings.SCHEMA.dump(settings.SCHEMA.load(document))
        except ValidationError:
            return
        storable(clean)
        settings.policy(Settings(version=1, values=clean))


MANIFEST = {
    "format": 1, "warmline": "0.1.0", "schema": "0001", "postgres": "16", "made_at": "2026-11-26T00:00:00+00:00", "rows": {"tasks": 1},
    "sha256": {"people.json": "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"},
}  # fmt: skip


def _manifests() -> st.SearchStrategy[Any]:
    made = odd.edits(tuple(MANIFEST)).map(lambda changes: odd.as_bytes(odd.edited(MANIFEST, changes)).decode())
    return st.fixed_dictionaries({"manifest": st.one_of(made, odd.octets), "people": st.one_of(st.just("[]"), odd.octets)})  # fmt: skip


def _reads_backup(folder: Path, given: Any) -> None:
    here = folder / "one"
    here.mkdir(exist_ok=True)
    (here / backups.MANIFEST).write_bytes(given["manifest"].encode("latin-1"))
    (here / backups.PEOPLE).write_bytes(given["people"].encode("latin-1"))
    for read in (backups.read, backups.read_people):
        try:
            read(here)
        except PlainError:
            continue


# --- files ------------------------------------------------------------------------------------------------------

_MESSAGES = ("message_id", "author", "inbound", "created_at", "in_reply_to", "text")


def _unanswered(path: Path) -> None:
    list(unanswered.judge(files.rows(path, _MESSAGES), path, None))


READERS: dict[str, tuple[tuple[str, ...], Callable[[Path], Any]]] = {
    "messages of a demonstration": (_MESSAGES, lambda path: tables.read(path.parent, "olga@acme.test")),
    "messages to judge": (_MESSAGES, _unanswered),
    "messages with intents": (_MESSAGES, lambda path: list(map(intent.judged, files.rows(path, ("text",))))),
    "contacts to match": (("contact_id", "first_name", "last_name", "full_name", "email", "phone", "website", "company", "city", "country", "title"), matching.read_contacts),
    "profiles to match": (("profile_id", "handle", "name", "bio", "url", "location", "network"), matching.read_profiles),
}  # fmt: skip


def _csv(columns: tuple[str, ...]) -> st.SearchStrategy[str]:
    cell = st.one_of(odd.text, st.sampled_from(("1", "0", "2026-11-26T00:00:00Z", '"', '"a\n"', "a,b", "\r", "True")))
    rows = st.lists(st.lists(cell, max_size=len(columns) + 1).map(",".join), max_size=4)
    whole = rows.map(lambda found: "\n".join([",".join(columns), *found]))
    return st.one_of(whole, whole, odd.octets)


def _reads_file(read: Callable[[Path], Any], folder: Path, text: str) -> None:
    path = folder / "messages.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded(lambda: len(text)):
        try:
            read(path)
        except PlainError:
            return


def _histories() -> st.SearchStrategy[str]:
    words = odd.words_of("service.backtest.call")
    row = st.dictionaries(st.sampled_from(words), odd.values(words), max_size=8)
    return st.one_of(st.lists(row, max_size=3).map(lambda rows: "\n".join(odd.as_bytes(each).decode() for each in rows)), odd.octets)  # fmt: skip


def _reads_histories(folder: Path, text: str) -> None:
    path = folder / "histories.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded(lambda: len(text)):
        try:
            for item in files.objects(path):
                call.judge(item, "a history")
        except PlainError:
            return


# --- answers ----------------------------------------------------------------------------------------------------


def _answer(content: bytes, headers: dict[str, str]) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content, made.url = 200, content, "https://there.example/"
    made.headers.update(headers)
    made.request = requests.Request("GET", made.url).prepare()
    return made


def _reads_retry_after(value: str) -> None:
    seconds = http.retry_after_header(_answer(b"", {"Retry-After": value}))
    if seconds is not None and not 0 <= seconds <= http.LONGEST_WAIT:
        raise Find(f"waits {seconds} seconds")


def _reads_answer(text: str) -> None:
    with bounded(lambda: len(text)):
        try:
            http.parse_json(_answer(text.encode("latin-1"), {}))
        except UnexpectedResponseError:
            return


def _bodies() -> st.SearchStrategy[str]:
    piece = st.one_of(st.sampled_from(("<p>", "</p>", "<a href='http://x'>", "</a>", "<br>", "<script>", "<!--", "<![CDATA[", "&amp;", "&#0;", "&#xD800;", "Warmline reference: k", ", due 2026-99-99 99:99 UTC", ", due 0001-01-01 00:00 UTC", "\n\n", "<" * 300)), odd.text)  # fmt: skip
    return st.lists(piece, max_size=8).map("".join)


def _reads_body(text: str) -> None:
    with bounded(lambda: len(text)):
        read = body.to_text(text)
        body.unmark(read)
        body.due_on(START.date(), body.marked_due(read))
