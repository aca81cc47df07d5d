"""Reads the histories of this folder: Markdown that people edit, as `README.md` here says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOW = "2026-05-20T10:00:00Z"
NETWORKS = frozenset({"x", "facebook", "instagram", "bluesky", "mastodon", "linkedin", "reddit", "youtube"})
_SAID = re.compile(r"([\d.]+)d (they|we)(?: \(([^)]*)\))?: (.+)")
_LOGGED = re.compile(r"([\d.]+)d (call|meeting|email|text|note)(?: (in|out))?: (\w+)")
_PLANNED = re.compile(r"in ([\d.]+)d meeting( with them)?")


@dataclass
class Told:
    """One history in the form that `warmline backtest call` reads, and what is expected of it."""

    id: str
    item: dict[str, Any] = field(default_factory=dict)
    ready: bool = False
    stage: str = ""
    why: str = ""
    file: str = ""


def table() -> list[Told]:
    """Every history of this folder. Raises ValueError, which names the file and the line, for one that cannot be read."""
    return [told for path in sorted(HERE.glob("*.md")) if path.name != "README.md" for told in _file(path)]


def _file(path: Path) -> Iterator[Told]:
    told: Told | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            if told is not None:
                yield told
            told = Told(line[3:].strip(), _empty(line[3:].strip()), file=path.stem)
        elif told is not None and line.strip():
            try:
                _line(told, line.strip())
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}: {line!r} cannot be read: {error}") from error
    if told is not None:
        yield told


def _empty(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "now": NOW,
        "timezone": "Europe/London",
        "contact": None,
        "author": {},
        "posts": [],
        "activities": [],
        "meetings": [],
    }


def _line(told: Told, line: str) -> None:
    word, _, rest = line.partition(": ")
    if word in _READ:
        _READ[word](told, rest)
    elif match := _SAID.fullmatch(line):
        _said(told, *match.groups())
    elif match := _LOGGED.fullmatch(line):
        days, kind, direction, outcome = match.groups()
        told.item["activities"].append(
            {"at": _at(told, -float(days)), "kind": kind, "direction": direction or "none", "outcome": outcome}
        )
    elif match := _PLANNED.fullmatch(line):
        days, them = match.groups()
        start = float(days)
        told.item["meetings"].append(
            {"start": _at(told, start), "end": _at(told, start + 1 / 24), "with_contact": bool(them)}
        )
    else:
        raise ValueError("it is none of the lines that README.md names")


def _at(told: Told, days: float, number: int = 0) -> str:
    """So many days from now; posts of one moment follow each other by a second, as they stand in the file."""
    return (datetime.fromisoformat(told.item["now"]) + timedelta(days=days, seconds=number)).isoformat()


def _said(told: Told, days: str, who: str, manner: str | None, text: str) -> None:
    posts, words = told.item["posts"], (manner or "").split()
    before = posts[-1] if posts else None
    network = next((word for word in words if word in NETWORKS), before["network"] if before else "x")
    ours = who == "we"
    usual = "direct" if before and before["kind"] == "direct" else "reply" if before else "mention"
    kind = next((word for word in words if word not in NETWORKS), usual)
    fresh = before is None or kind in ("mention", "comment") or (kind != before["kind"] and kind == "direct")
    thread = f"t{len({post['thread'] for post in posts}) + 1}" if fresh else before["thread"]
    posts.append(
        {
            "at": _at(told, -float(days), len(posts)),
            "network": network,
            "kind": kind,
            "direction": "out" if ours else "in",
            "thread": thread,
            "text": text,
        }
    )


def _brand(told: Told, rest: str) -> None:
    name, _, what = rest.partition(", ")
    told.item["brand"] = {"name": name, "handle": name.lower(), "what": what}


def _who(told: Told, rest: str) -> None:
    name, _, bio = rest.partition(", ")
    told.item["author"] = {
        "network": "x",
        "handle": name.lower().replace(" ", "_"),
        "name": name,
        "bio": bio.strip('"'),
    }


def _crm(told: Told, rest: str) -> None:
    words = [word.strip() for word in rest.split(",")]
    deals = [word for word in words if word in ("open", "won", "lost", "none")]
    told.item["contact"] = {
        "name": told.item["author"]["name"], "title": words[0], "company": words[1], "deal": deals[0],
        "phone": "+44 7700 900000" if "phone" in words else None, "do_not_call": "do not call" in words, "unsubscribed": "unsubscribed" in words,
    }  # fmt: skip


def _now(told: Told, rest: str) -> None:
    told.item["now"] = rest


def _expect(told: Told, rest: str) -> None:
    ready, stage, why = (*(word.strip() for word in rest.split(",")), "", "")[:3]
    if ready not in ("ready", "no"):
        raise ValueError("say ready or no")
    told.ready, told.stage, told.why = ready == "ready", stage, why


_READ = {"brand": _brand, "who": _who, "crm": _crm, "now": _now, "expect": _expect}
