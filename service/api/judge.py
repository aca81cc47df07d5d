"""Judge: what the rules say of a talk that Warmline need not hold. Nothing of it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Response
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from integrations.records import ActivityKind, Direction, Kind, TaskKind
from service import settings as workspace_settings
from service.api import trial
from service.api.answers import Flag, Fraction, Instant, Number, Text, Texts, about, answer, choice
from service.api.auth import caller
from service.api.noun import Noun
from service.api.words import Line, Prose
from service.clock import business_now
from service.models import Settings
from service.rules.model import RULES_VERSION, Conversation, History, LoggedActivity, Person, Policy, Post, Verdict
from service.rules.readiness import ready_for_call
from service.rules.signals import read
from service.rules.standing import deal_of
from service.rules.threads import by_person, linked, unique
from service.rules.unanswered import unanswered
from service.rules.wording import draft
from service.runtime import runtime
from service.settings_parts import YesOrNo

judge = Noun("judge", "What the rules say of one talk that is handed in. Nothing of it is stored.")

MOST_POSTS, LONGEST, MOST_LOGGED = 500, 10_000, 500
STAGES = ("aware", "in contact", "conversing", "ready to talk", "talked", "met")
US, THEM = "us", "them"  # authors of posts where none is named
NAMELESS = "Somebody"  # what people read where an author has no name
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def instant(sentence: str, **kwargs: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(
        format="iso",
        validate=validate.Range(EARLIEST, LATEST, error="Give a time from 2000 to 2100."),
        metadata=about(f"{sentence} ISO 8601 with its offset, from 2000 to 2100."),
        **kwargs,
    )


def line(sentence: str, longest: int = 200, **kwargs: Any) -> Line:
    return Line(longest=longest, sentence="Give one line of text.", metadata=about(sentence), **kwargs)


class JudgedPost(Schema):
    """One post of the talk."""

    class Meta:
        unknown = RAISE

    id = line("The network's id, which others name in `in_reply_to`; without one, its place in the list, from 1.")
    at = instant("When it was written.", required=True)
    direction = fields.String(
        load_default="in",
        validate=validate.OneOf(["in", "out"]),
        metadata=about("in: somebody wrote it to the brand; out: the brand wrote it."),
    )
    author = line("Who wrote it: any name that stays the same. Without one: one and the same person, or the brand.")
    author_name = line("The author's name for people.")
    author_bio = Prose(longest=5000, metadata=about("What the author's profile says."))
    bot = YesOrNo(load_default=False, metadata=about("The network says that a program writes here."))
    network = line("Where it was written, for people: X, a forum.", 50)
    kind = fields.String(
        validate=validate.OneOf([each.value for each in Kind]),
        metadata=about(
            "How it concerns the brand. Without one: own for the brand's, reply where it answers one of the brand's, else mention."
        ),
    )
    text = Prose(longest=LONGEST, load_default="", metadata=about("Plain text."))
    in_reply_to = line("The id of the post that it answers.", allow_none=True)
    mentions = fields.List(line("An author."), validate=validate.Length(max=50), metadata=about("Authors it names."))
    language = line("BCP 47.", 35, allow_none=True)
    url = line("Where a person can answer it.", 2000)
    is_repost = YesOrNo(load_default=False)
    window_closes_at = instant("After this the network lets nobody answer.", allow_none=True)


class JudgedContact(Schema):
    """What the CRM knows of the person."""

    class Meta:
        unknown = RAISE

    name = line("")
    company = line("")
    title = line("")
    phone = line("", 50)
    lifecycle = line(
        "Lead, opportunity, customer, ... in the CRM's words: a deal under way, or a customer, waits less."
    )
    do_not_call = YesOrNo(load_default=False)
    unsubscribed = YesOrNo(load_default=False)


class _Lasting(Schema):
    """What has a beginning and perhaps an end."""

    @validates_schema
    def _forwards(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("ends_at") is not None and "at" in data and data["ends_at"] < data["at"]:
            raise ValidationError("It ends before it begins.", "ends_at")


class JudgedActivity(_Lasting):
    """Something that the CRM has logged with the person."""

    class Meta:
        unknown = RAISE

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in ActivityKind]))
    at = instant("When it began.", required=True)
    ends_at = instant("When it ended.", allow_none=True)
    direction = fields.String(
        load_default=Direction.NONE.value, validate=validate.OneOf([each.value for each in Direction])
    )
    outcome = fields.String(
        load_default="",
        validate=validate.OneOf(["", "connected", "no_answer", "held", "cancelled", "scheduled", "sent", "replied"]),
    )


class JudgedMeeting(_Lasting):
    """A meeting with the person, past or coming."""

    class Meta:
        unknown = RAISE

    at = instant("When it begins.", required=True)
    ends_at = instant("When it ends.", allow_none=True)


EXAMPLE = {
    "posts": [
        {"id": "1", "at": "2026-03-12T09:00:00Z", "author": "ana", "text": "Do you ship to Porto?", "network": "X"},
        {
            "id": "2",
            "at": "2026-03-12T09:40:00Z",
            "direction": "out",
            "in_reply_to": "1",
            "text": "We do, in two days.",
        },
        {
            "id": "3",
            "at": "2026-03-12T09:50:00Z",
            "author": "ana",
            "in_reply_to": "2",
            "text": "And what does it cost?",
        },
    ],
    "contact": {"name": "Ana Ferrer", "company": "Ferrer Bikes"},
    "activities": [{"kind": "call", "at": "2025-11-03T14:00:00Z", "outcome": "connected"}],
    "meetings": [],
    "now": "2026-03-12T15:00:00Z",
    "settings": {"patience": {"question": 60}},
}


class TalkSchema(Schema):
    """One talk between one person and the brand."""

    class Meta:
        unknown = RAISE

    posts = fields.List(
        fields.Nested(JudgedPost),
        required=True,
        validate=validate.Length(1, MOST_POSTS),
        metadata=about("The whole thread that is known, in any order."),
    )
    person = line("The author who is judged. Without one: whoever wrote to the brand last.")
    contact = fields.Nested(JudgedContact, allow_none=True)
    activities = fields.List(fields.Nested(JudgedActivity), validate=validate.Length(max=MOST_LOGGED))
    meetings = fields.List(fields.Nested(JudgedMeeting), validate=validate.Length(max=MOST_LOGGED))
    dealt_with_until = instant("Posts up to then were dealt with, as when somebody says: no reply needed.")
    call_task_closed_at = instant("When somebody last dealt with a call task about this person.")
    now = instant("The moment for which to judge. Without one: this moment.")
    settings = trial.overrides()

    @validates_schema
    def _somebody_spoke(self, data: Mapping[str, Any], **_: Any) -> None:
        theirs = {post.get("author", THEM) for post in data["posts"] if post["direction"] == "in"}
        if not theirs:
            raise ValidationError("Nobody but the brand speaks here. At least one post has to be `in`.", "posts")
        if "person" in data and data["person"] not in theirs:
            raise ValidationError("No post that is `in` has this author.", "person")
        if len(set(_ids(data["posts"]))) < len(data["posts"]):
            raise ValidationError("Two posts have the same id.", "posts")


class FindingSchema(Schema):
    """The task that should exist."""

    kind = choice(*TaskKind)
    episode = Text(metadata=about("The id of the post that opened the wait, or that made the person ready."))
    since = Instant()
    due_at = Instant()
    urgency = Number(metadata=about("0 to 100; ranks the tasks of one owner."))
    evidence = Texts(metadata=about("Ids of the posts that count."))
    tender = Flag(metadata=about("It touches tender ground: the task holds a link only."))
    subject = Text(metadata=about("What the task would say."))
    body = Text()


class UnansweredSchema(Schema):
    """Is the person waiting for an answer?"""

    finding = fields.Nested(FindingSchema, required=True, allow_none=True)
    reasons = Texts(metadata=about("Why there is a finding, or why there is none."))
    waiting_since = Instant(allow_none=True, metadata=about("The person waits since then, patience or no patience."))
    look_again_at = Instant(allow_none=True, metadata=about("When time alone could change the answer."))


class ReadySchema(Schema):
    """Is it time to talk?"""

    finding = fields.Nested(FindingSchema, required=True, allow_none=True)
    score = Fraction(
        allow_none=True, metadata=about("The probability that people who read it would have somebody call.")
    )
    reasons = Texts(metadata=about("Why there is a finding, or why there is none."))
    stage = choice(*STAGES)
    look_again_at = Instant(allow_none=True, metadata=about("When time alone could change the answer."))


class JudgementSchema(Schema):
    person = Text(metadata=about("The author who was judged."))
    now = Instant()
    unanswered = fields.Nested(UnansweredSchema, required=True)
    ready_for_call = fields.Nested(ReadySchema, required=True)
    settings_version = Number(metadata=about("The settings that stand; those of the request were laid over them."))
    rules_version = Number()


_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}


@judge.post("", body=TalkSchema, returns=JudgementSchema, doc=_EXAMPLE)
def talk(body: dict[str, Any]) -> Response:
    """Judge one talk: is the person waiting, and is it time to talk? Nothing is stored"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = trial.chosen(session, who.workspace_id)
    return answer(judgement(body, row))


def judgement(body: Mapping[str, Any], row: Settings) -> dict[str, Any]:
    """The answer to a loaded body, under these settings."""
    policy, now = workspace_settings.policy(row), body.get("now") or business_now()
    posts = unique(_posts(body["posts"]))
    person = body.get("person") or next(post.author_id for post in reversed(posts) if not post.ours)
    said = by_person(linked(posts)).get(person, [])
    words = _person(body.get("contact") or {}, person, posts)
    history = _history(body, words.name, person, said)
    ready = ready_for_call(history, now=now, policy=policy)
    talk = Conversation(
        author_id=person, author_name=words.name, author_handle="", author_is_ours=False, posts=tuple(said),
        dealt_with_until=body.get("dealt_with_until"), elsewhere=history.activities,
        author_is_bot=any(each["bot"] for each in body["posts"] if each.get("author", THEM) == person and each["direction"] == "in"),
        deal=history.deal, stage=ready.stage or "",
    )  # fmt: skip
    waits = unanswered(talk, now=now, policy=policy)
    mode = row.values["text_mode"]
    shown = [_verdict(each, words, said, policy, mode) for each in (waits, ready)]
    return {
        "person": person,
        "now": now,
        "unanswered": {**shown[0], "waiting_since": waits.waiting_since},
        "ready_for_call": {**shown[1], "stage": ready.stage, "score": ready.score},
        "settings_version": row.version,
        "rules_version": RULES_VERSION,
    }


# --- from JSON to what the rules read -------------------------------------------------------------------------


def _ids(given: Sequence[Mapping[str, Any]]) -> list[str]:
    return [each.get("id") or str(number) for number, each in enumerate(given, 1)]


def _posts(given: Sequence[Mapping[str, Any]]) -> list[Post]:
    ids = _ids(given)
    ours = {id_ for id_, each in zip(ids, given, strict=True) if each["direction"] == "out"}
    order = sorted(range(len(given)), key=lambda index: (given[index]["at"], index))
    found, last = [], None
    for index in order:
        each, mine = given[index], ids[index] in ours
        # A post of ours that answers nobody by name answers whoever spoke last: in a talk of two nobody says more.
        linked = bool(each.get("in_reply_to") or each.get("mentions"))
        found.append(_post(ids[index], each, ours, None if linked or not mine else last))
        last = last if mine else found[-1].author_id
    return found


def _post(id_: str, each: Mapping[str, Any], ours: set[str], spoken_to: str | None) -> Post:
    mine, mentions = each["direction"] == "out", tuple(each.get("mentions", ()))
    author = each.get("author") or (US if mine else THEM)
    default = Kind.OWN if mine else Kind.REPLY if each.get("in_reply_to") in ours else Kind.MENTION
    signals = read(each["text"], mentions=len(mentions), is_repost=each["is_repost"], language=each.get("language"))
    return Post(
        id=id_, native_id=id_, kind=Kind(each.get("kind") or default), ours=mine, author_id=author, at=each["at"].astimezone(UTC),
        text=each["text"], signals=read("") if mine else signals, in_reply_to=each.get("in_reply_to"), in_reply_to_author=spoken_to,
        mentions=mentions, url=each.get("url", ""), window_closes_at=each.get("window_closes_at"),
        author_name=each.get("author_name") or each.get("author") or (US if mine else NAMELESS), network=each.get("network", ""),
    )  # fmt: skip


def _person(contact: Mapping[str, Any], author: str, posts: Sequence[Post]) -> Person:
    newest = next(post for post in reversed(posts) if post.author_id == author and not post.ours)
    return Person(
        name=contact.get("name") or newest.author_name, network=newest.network, company=contact.get("company", ""),
        title=contact.get("title", ""), phone=contact.get("phone", ""), known=bool(contact),
    )  # fmt: skip


def _history(body: Mapping[str, Any], name: str, person: str, said: Sequence[Post]) -> History:
    contact = body.get("contact") or {}
    logged = [
        LoggedActivity(
            ActivityKind(each["kind"]), each["at"], Direction(each["direction"]), each["outcome"], each.get("ends_at")
        )
        for each in body.get("activities", ())
    ]
    logged += [
        LoggedActivity(ActivityKind.MEETING, each["at"], ends_at=each.get("ends_at"))
        for each in body.get("meetings", ())
    ]
    return History(
        name, tuple(said), tuple(logged), do_not_call=contact.get("do_not_call", False), unsubscribed=contact.get("unsubscribed", False),
        last_call_task_closed_at=body.get("call_task_closed_at"), known=bool(contact), deal=deal_of(contact.get("lifecycle", "")),
        bio=" ".join(dict.fromkeys(each["author_bio"] for each in body["posts"] if each.get("author_bio") and each.get("author", THEM) == person)),
    )  # fmt: skip


def _verdict(verdict: Verdict, person: Person, said: Sequence[Post], policy: Policy, text_mode: Any) -> dict[str, Any]:
    finding = verdict.finding
    shown = None
    if finding is not None:
        words = draft(finding, person, talk=said, text_mode=text_mode, done_url="", timezone=policy.timezone)
        shown = {name: getattr(finding, name) for name in ("kind", "episode", "since", "due_at", "urgency", "tender")}
        shown |= {"evidence": list(finding.evidence), "subject": words.subject, "body": words.body}
    return {"finding": shown, "reasons": list(verdict.reasons), "look_again_at": verdict.look_again_at}
