"""What a task says: who and what in its subject; why, the last lines of the talk and where to answer in its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from integrations.records import Kind, TaskKind
from service.rules.model import Answered, Finding, Person, Post
from service.rules.signals import read
from service.rules.words import act, at_sign, clip, ended, moment, name_of, plain, where

SUBJECT_LIMIT = 60
QUOTED = 4  # posts
QUOTE_LIMIT = 280  # of each

TextMode = Literal["quote", "summary", "link"]

_VERB = {TaskKind.UNANSWERED: "Answer", TaskKind.READY_FOR_CALL: "Call"}
_LINK = {TaskKind.UNANSWERED: "Answer here", TaskKind.READY_FOR_CALL: "The talk so far"}
_DONE = {TaskKind.UNANSWERED: "No reply needed?", TaskKind.READY_FOR_CALL: "No call needed?"}


@dataclass(frozen=True, slots=True)
class Draft:
    subject: str  # plain text, 60 characters at most
    body: str  # plain text; links stand bare


def draft(
    finding: Finding, person: Person, *, talk: Sequence[Post], text_mode: TextMode, done_url: str, timezone: str
) -> Draft:
    """The words of a task. `talk` is what was said, in any order; `text_mode` how much of it the task may hold; `done_url`
    the signed link for "no reply needed" (left out where empty); times are shown in `timezone`. A tender finding holds
    the link alone, and deleted or tender posts are never quoted."""
    said = sorted((post for post in talk if not post.deleted), key=lambda post: (post.at, post.id))
    lines = [] if finding.tender else list(_SHOW[text_mode](said, person, timezone))
    link = _deep_link(finding, said)
    parts = [
        "\n".join(finding.reasons),
        "\n".join(lines),
        "\n".join(_about(finding.kind, person)),
        f"{_LINK[finding.kind]}: {link}" if link else "",
        f"{_DONE[finding.kind]} {done_url}" if done_url else "",
    ]
    return Draft(_subject(finding, person, said), "\n\n".join(part for part in parts if part))


def closing_line(answer: Answered, timezone: str) -> str:
    """The line that a task gets when it is completed because somebody answered: what was done, when, and where it stands."""
    did, at = ended(answer)
    line = f"{did[0].upper()}{did[1:]} on {moment(at, timezone)}"
    return f"{line}: {answer.url}" if isinstance(answer, Post) and answer.url else f"{line}."


def _subject(finding: Finding, person: Person, said: Sequence[Post]) -> str:
    what = _what(finding, person, said)
    start = f"{_VERB[finding.kind]} "
    # The name gives way before what they want does.
    name = clip(name_of(person.name, at_sign(person.handle)), max(SUBJECT_LIMIT - len(start) - len(what), 12))
    return clip(f"{start}{name}{what}", SUBJECT_LIMIT)


def _what(finding: Finding, person: Person, said: Sequence[Post]) -> str:
    network = where(plain(person.network))
    counting = [post for post in said if post.id in set(finding.evidence) and not post.ours]
    if finding.tender or not counting:
        return network
    if finding.kind is TaskKind.READY_FOR_CALL:
        return (
            ": they asked to talk"
            if any(post.signals.wants_talk for post in counting)
            else f": you keep talking{network}"
        )
    return f": {max(map(act, counting))[1]}{network}"


def _about(kind: TaskKind, person: Person) -> Iterator[str]:
    """What somebody who picks up the phone wants at hand."""
    if kind is TaskKind.READY_FOR_CALL:
        work = ", ".join(plain(each) for each in (person.title, person.company) if plain(each))
        if work:
            yield f"{name_of(person.name, at_sign(person.handle))}: {work}"
        if plain(person.phone):
            yield f"Phone: {plain(person.phone)}"


def _deep_link(finding: Finding, said: Sequence[Post]) -> str:
    """The newest post of theirs that counts; failing that, the newest post that has an address."""
    counting = set(finding.evidence)
    linked = [post for post in said if post.url]
    return next((post.url for post in reversed(linked) if post.id in counting and not post.ours),
                linked[-1].url if linked else "")  # fmt: skip


# --- the last lines of the talk -------------------------------------------------------------------------------


def _quote(said: Sequence[Post], person: Person, timezone: str) -> Iterator[str]:
    for post in _last(said):
        if text := plain(post.text):
            yield f"{_who(post, person)}, {moment(post.at, timezone)}: {clip(text, QUOTE_LIMIT)}"


def _summary(said: Sequence[Post], person: Person, timezone: str) -> Iterator[str]:
    for post in _last(said):
        did = "wrote" if post.ours else act(post)[1]
        yield f"{_who(post, person)} {did}{where(post.network)} on {moment(post.at, timezone)}."


def _nothing(said: Sequence[Post], person: Person, timezone: str) -> Iterator[str]:
    return iter(())


_SHOW: Mapping[TextMode, Callable[[Sequence[Post], Person, str], Iterator[str]]] = {
    "quote": _quote,
    "summary": _summary,
    "link": _nothing,
}


def _last(said: Sequence[Post]) -> Sequence[Post]:
    tender = {post.native_id for post in said if post.signals.tender}
    fit = (post for post in reversed(said) if post.kind is not Kind.CONTEXT and not _touches(post, tender))
    return [*islice(fit, QUOTED)][::-1]


def _touches(post: Post, tender: set[str]) -> bool:
    """Whether a post is on tender ground. Ours carry no signals, and what we answer to a tender post may say as much."""
    return post.native_id in tender or post.in_reply_to in tender or (post.ours and read(post.text).tender)


def _who(post: Post, person: Person) -> str:
    return name_of(post.author_name) if post.ours else name_of(post.author_name, person.name, at_sign(person.handle))
