"""What a task says: who and what in its subject; why, the last lines of the talk and where to answer in its body."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from integrations.records import Kind, TaskKind
from service.rules.model import Answered, Finding, Person, Post
from service.rules.readiness.cues import at_stake, mourns
from service.rules.spoken import is_tender
from service.rules.words import MONTHS, act, at_sign, clip, ended, moment, name_of, open_act, plain, sentences, where

SUBJECT_LIMIT = 60
QUOTED = 4  # posts
QUOTE_LIMIT = 280  # of each
WEIGHED = 20  # of their newest posts, when looking for what matters to them
TELLING = 12  # letters: a shorter sentence tells nothing about what somebody cares about

TextMode = Literal["quote", "summary", "link"]

_VERB = {TaskKind.UNANSWERED: "Answer", TaskKind.READY_FOR_CALL: "Call"}
_LINK = {TaskKind.UNANSWERED: "Answer here", TaskKind.READY_FOR_CALL: "The talk so far"}
_DONE = {TaskKind.UNANSWERED: "No reply needed?", TaskKind.READY_FOR_CALL: "No call needed?"}
_PHONE = "Phone"
_ON_VIDEO = "video"  # the wish of whoever is not to be called
_WISH = {
    "asked": ": they asked to talk",
    "accepted": ": they said yes to a call",
    _ON_VIDEO: ": they want a video meeting",
}


def _any_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


# Lines that hold a link or a number and nothing that was said: where to answer, where to say no, the number, and `closing_line`. What is quoted
# stands behind ", 12 March at 09:00: " and so fits none of them, whatever its author is called.
_OURS = re.compile(
    rf"{_any_of(_LINK.values())}: \S+|{_any_of(_DONE.values())} \S+|{_PHONE}: (?:(?!: ).)+"
    rf"|[^,:]+ on \d+ {_any_of(MONTHS)} at \d\d:\d\d: \S+"
)


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
        "\n".join(_at_heart(finding, said)) if text_mode == "quote" else "",
        "\n".join(_about(finding, person)),
        f"{_LINK[finding.kind]}: {link}" if link else "",
        f"{_DONE[finding.kind]} {done_url}" if done_url else "",
    ]
    return Draft(_subject(finding, person, said), "\n\n".join(part for part in parts if part))


def is_ours(line: str) -> bool:
    """Whether this line of a task's body is one of ours that quotes nobody: a label, and a link or a telephone number."""
    return _OURS.fullmatch(line) is not None


def closing_line(answer: Answered, timezone: str) -> str:
    """The line that a task gets when it is completed because somebody answered: what was done, when, and where it stands."""
    did, at = ended(answer)
    line = f"{did[0].upper()}{did[1:]} on {moment(at, timezone)}"
    return f"{line}: {answer.url}" if isinstance(answer, Post) and answer.url else f"{line}."


def _subject(finding: Finding, person: Person, said: Sequence[Post]) -> str:
    what = _what(finding, person, said)
    start = "Meet " if finding.wish == _ON_VIDEO else f"{_VERB[finding.kind]} "
    # The name gives way before what they want does.
    name = clip(name_of(person.name, at_sign(person.handle)), max(SUBJECT_LIMIT - len(start) - len(what), 12))
    return clip(f"{start}{name}{what}", SUBJECT_LIMIT)


def _what(finding: Finding, person: Person, said: Sequence[Post]) -> str:
    network = where(plain(person.network))
    counting = [post for post in said if post.id in set(finding.evidence) and not post.ours]
    if finding.tender or not counting:
        return network
    if finding.kind is TaskKind.READY_FOR_CALL:
        return _WISH.get(finding.wish, f": you keep talking{network}")
    return f": {max(map(act, counting))[1]}{network}"


def _about(finding: Finding, person: Person) -> Iterator[str]:
    """What somebody who picks up the phone wants at hand: no number of whoever is not to be called."""
    if finding.kind is TaskKind.READY_FOR_CALL:
        work = ", ".join(plain(each) for each in (person.title, person.company) if plain(each))
        if work:
            yield f"{name_of(person.name, at_sign(person.handle))}: {work}"
        if plain(person.phone) and finding.wish != _ON_VIDEO:
            yield f"{_PHONE}: {plain(person.phone)}"


def _deep_link(finding: Finding, said: Sequence[Post]) -> str:
    """The newest post of theirs that counts; failing that, the newest post that has an address."""
    counting = set(finding.evidence)
    linked = [post for post in said if post.url]
    return next((post.url for post in reversed(linked) if post.id in counting and not post.ours),
                linked[-1].url if linked else "")  # fmt: skip


# --- what they want from a call -------------------------------------------------------------------------------


def _at_heart(finding: Finding, said: Sequence[Post]) -> Iterator[str]:
    """For whoever calls: what they have asked and nobody has answered, and what matters to them, in their own words."""
    if finding.kind is not TaskKind.READY_FOR_CALL or finding.tender:
        return
    theirs = [*islice((post for post in _quotable(reversed(said)) if not post.ours), WEIGHED)][::-1]
    question = _left_open(said, theirs)
    if question:
        yield f"Left open: “{clip(question, QUOTE_LIMIT)}”"
    if care := _cares_about(theirs, besides=question):
        yield f"What matters to them: “{clip(care, QUOTE_LIMIT)}”"


def _left_open(said: Sequence[Post], theirs: Sequence[Post]) -> str:
    """The newest question or request of theirs to which we have said nothing since."""
    answered = max((post.at for post in said if post.ours), default=None)
    waiting = [post for post in theirs if (answered is None or post.at > answered) and open_act(post.signals)]
    asked = sentences(waiting[-1].text) if waiting else []
    return next((each for each in reversed(asked) if each.endswith("?")), asked[-1] if asked else "")


def _cares_about(theirs: Sequence[Post], besides: str) -> str:
    """The sentence of theirs in which most is at stake, the newest of those; none where nothing is."""
    found = [each for post in theirs for each in sentences(post.text) if len(each) >= TELLING and each != besides]
    best = max(reversed(found), key=at_stake, default="")
    return best if at_stake(best) else ""


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
    return [*islice(_quotable(reversed(said)), QUOTED)][::-1]


def _quotable(posts: Iterable[Post]) -> Iterator[Post]:
    held = list(posts)
    tender = {post.native_id for post in held if post.signals.tender}
    return (post for post in held if not (post.kind is Kind.CONTEXT or _touches(post, tender) or mourns(post.text)))


def _touches(post: Post, tender: set[str]) -> bool:
    """Whether a post is on tender ground. Ours carry no signals, and what we answer to a tender post may say as much."""
    return post.native_id in tender or post.in_reply_to in tender or (post.ours and is_tender(post.text))


def _who(post: Post, person: Person) -> str:
    return name_of(post.author_name) if post.ours else name_of(post.author_name, person.name, at_sign(person.handle))
