"""`warmline backtest call`: would a call have been suggested, how surely, and where does each relationship stand?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from integrations.records import ActivityKind, Direction, Kind
from service import settings
from service.backtest.files import beforehand, instant, must_meet, must_say, objects, rows, said, told, write
from service.backtest.forms import faults
from service.backtest.scoring import kappa, score
from service.errors import PlainError
from service.models import Settings
from service.rules.model import History, LoggedActivity, Policy, Post, Signals, Verdict
from service.rules.readiness import ready_for_call
from service.rules.signals import read
from service.sentences import count_of

COLUMNS = ("id", "ready", "score", "stage", "reasons")
# As the files spell the stages.
STAGES = {"in contact": "in_contact", "ready to talk": "ready"}
RECALL = 0.65  # at which precision is asked for
TOP = 4  # the highest quarter
_HELP = "`warmline backtest call --help` shows one."
_FIELDS = ("id", "now", "posts")


@dataclass(frozen=True, slots=True)
class Judged:
    id: str
    verdict: Verdict

    @property
    def ready(self) -> bool:
        return self.verdict.finding is not None

    @property
    def stage(self) -> str:
        stage = self.verdict.stage or ""
        return STAGES.get(stage, stage)

    def as_row(self) -> dict[str, object]:
        return {
            "id": self.id, "ready": int(self.ready), "score": f"{self.verdict.score or 0.0:.4f}", "stage": self.stage,
            "reasons": " ".join(self.verdict.reasons),
        }  # fmt: skip


@click.command()
@click.option("--histories", type=click.Path(path_type=Path), required=True, help="One relationship a line, in JSON.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the verdicts are written, as CSV.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help="id, ready and, if there are any, stage1 to stage3: what people said.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(histories: Path, out: Path, truth: Path | None, as_json: bool) -> None:
    """Say who would have been suggested for a call, and why.

    Each line has an id, now (the instant to judge for) and posts, a list. What is wrapped here stands in one line:

    \b
    {"id": "1", "now": "2026-03-12T15:00:00Z", "timezone": "Europe/Lisbon",
     "contact": {"name": "Ana Ferrer", "deal": "open",
                 "do_not_call": false, "unsubscribed": false},
     "author": {"handle": "ana", "name": "Ana Ferrer", "bio": ""},
     "posts": [{"at": "2026-03-12T09:00:00Z", "network": "x", "kind": "mention",
                "direction": "in", "thread": "t1", "text": "Can we talk?"}],
     "activities": [{"at": "2025-11-03T14:00:00Z", "kind": "call",
                     "direction": "out", "outcome": "connected"}],
     "meetings": [{"start": "2026-03-16T09:00:00Z",
                   "end": "2026-03-16T09:30:00Z", "with_contact": true}]}

    \b
    contact     null where the CRM knows nobody; deal: none, open, won or lost
    posts       direction: in (theirs) or out (the brand's); kind: mention,
                reply, comment, quote, direct or own
    activities  kind: call, meeting, email, text or note; direction: in, out or
                none; outcome: connected, no_answer, held, cancelled, sent,
                replied or none
    meetings    those with_contact that stand in the calendar

    All but id, now and posts may be left out, and of a post its network, thread and text."""
    beforehand(out, histories, truth)
    true = rows(truth, ("id", "ready")) if truth else []
    lines = list(objects(histories))
    found = [
        judge(item, f"Line {number} of {histories}") for number, item in enumerate(told(lines, len(lines), "line"), 1)
    ]
    write(out, COLUMNS, (each.as_row() for each in found))
    figures: dict[str, Any] = {"histories": len(found), "ready": sum(each.ready for each in found)}
    if truth is not None:
        must_say(truth, "ready", true, lambda cell: said(cell) is not None, "yes or no")
        must_meet(truth, "id", true, {each.id for each in found})
        figures |= agreement(found, true)
    click.echo(json.dumps(figures) if as_json else "\n".join(_lines(figures)))


def judge(item: Mapping[str, Any], where: str) -> Judged:
    """The verdict about one history as a file has it. Raises PlainError, which begins with `where`."""
    if missing := [name for name in _FIELDS if name not in item]:
        raise PlainError(f"{where} has no {missing[0]!r}. It needs {', '.join(_FIELDS)}.")
    if fault := next(faults(item), None):
        raise PlainError(f"{where} is not a history: {fault}. {_HELP}")
    now = instant(item["now"], where)
    return Judged(
        str(item["id"]), ready_for_call(history(item, where), now=now, policy=policy_of(item.get("timezone")))
    )


def history(item: Mapping[str, Any], where: str) -> History:
    """One history of a file as the rules see it: what is planned counts as an activity to come."""
    contact, author = item.get("contact"), item.get("author") or {}
    planned = [
        LoggedActivity(
            ActivityKind.MEETING,
            instant(each["start"], where),
            outcome="scheduled",
            ends_at=instant(each["end"], where),
        )
        for each in item.get("meetings") or ()
        if each.get("with_contact")
    ]
    done = [
        LoggedActivity(ActivityKind(each["kind"]), instant(each["at"], where), _direction(each), _outcome(each))
        for each in item.get("activities") or ()
    ]
    known = contact or {}
    deal = known.get("deal") or "none"
    return History(
        person_name=known.get("name") or author.get("name") or "",
        posts=_posts(item, where),
        activities=(*done, *planned),
        do_not_call=bool(known.get("do_not_call")), unsubscribed=bool(known.get("unsubscribed")),
        known=contact is not None, deal="" if deal == "none" else deal, bio=author.get("bio") or "",
    )  # fmt: skip


def _direction(each: Mapping[str, Any]) -> Direction:
    return Direction(each.get("direction") or "none")


def _outcome(each: Mapping[str, Any]) -> str:
    outcome = each.get("outcome") or ""
    return "" if outcome == "none" else outcome


def _posts(item: Mapping[str, Any], where: str) -> tuple[Post, ...]:
    """What was said, each post once however often the file has it. Ours all speak to this person: the file holds no others."""
    author = item.get("author") or {}
    them = str(author.get("handle") or "them")
    seen: dict[tuple[object, ...], Post] = {}
    for each in item["posts"]:
        ours = each["direction"] == "out"
        text, at, network = str(each.get("text") or ""), instant(each["at"], where), str(each.get("network") or "")
        kind = Kind(each["kind"])
        key = (at, network, kind, ours, each.get("thread"), text)
        number = json.dumps([at.isoformat(), *map(str, key[1:])])
        seen[key] = Post(
            id=number, native_id=number, kind=kind, ours=ours, author_id="us" if ours else them, at=at, text=text,
            signals=Signals() if ours else read(text), in_reply_to_author=them if ours else None,
            author_name=str(author.get("name") or ""), network=network.capitalize(),
        )  # fmt: skip
    return tuple(seen.values())


def policy_of(timezone: str | None) -> Policy:
    values = settings.SCHEMA.load({"timezone": ZoneInfo(timezone or "UTC").key})
    return settings.policy(Settings(version=0, values=settings.SCHEMA.dump(values)))


# --- how well it agrees ---------------------------------------------------------------------------------------


def agreement(found: Sequence[Judged], truth: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Kappa, precision, recall and F1 of the verdicts, how precise the highest scores are, and how often the stage is the one
    that most readers named."""
    told = {each.id: each for each in found}
    pairs = [
        (told[row["id"]], wanted, row)
        for row in truth
        if row["id"] in told and (wanted := said(row["ready"])) is not None
    ]
    ready = [(each.ready, wanted) for each, wanted, _ in pairs]
    scores = [(each.verdict.score or 0.0, wanted) for each, wanted, _ in pairs]
    ranked = [wanted for _, wanted in sorted(scores, key=lambda pair: -pair[0])]
    stages = [(each.stage, majority) for each, _, row in pairs if (majority := _majority(row))]
    quarter = max(1, len(ranked) // TOP)
    return {
        "scored": len(pairs), "kappa": kappa(ready), **score(ready).as_json(),
        "precision_at_recall_65": _precision_at(ranked, RECALL),
        "top_quarter": {"said": quarter, "right": sum(ranked[:quarter])},
        "stage": _share(stages),
    }  # fmt: skip


def _precision_at(ranked: Sequence[bool], recall: float) -> float:
    """The best precision at this recall or more, over all thresholds."""
    there = sum(ranked)
    cuts = [
        score([(True, each) for each in ranked[:size]] + [(False, each) for each in ranked[size:]])
        for size in range(1, len(ranked) + 1)
    ]
    return max((cut.precision for cut in cuts if there and cut.recall >= recall), default=0.0)


def _majority(row: Mapping[str, str]) -> str:
    votes = [row[name] for name in ("stage1", "stage2", "stage3") if row.get(name)]
    best = max(votes, key=votes.count, default="")
    return best if votes.count(best) * 2 > len(votes) else ""


def _share(pairs: Sequence[tuple[str, str]]) -> float:
    return sum(one == other for one, other in pairs) / len(pairs) if pairs else 0.0


def _lines(figures: Mapping[str, Any]) -> Iterable[str]:
    yield f"{count_of(figures['histories'], 'history', 'histories')}, {figures['ready']} ready for a call."
    if "kappa" in figures:
        top = figures["top_quarter"]
        yield f"Kappa {figures['kappa']:.2f}, precision {figures['precision']:.2f}, recall {figures['recall']:.2f}, F1 {figures['f1']:.2f}."
        yield f"Precision at recall {RECALL}: {figures['precision_at_recall_65']:.2f}. Of the {top['said']} scored highest {top['right']} right."
        yield f"Stage as most readers said: {figures['stage']:.2f}."
