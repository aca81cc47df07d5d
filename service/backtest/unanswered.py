"""`warmline backtest unanswered`: which messages of a file were answered, and which of them need an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from service.backtest import brand_talks, channel_talks, files
from service.backtest.judged import COLUMNS, Judged
from service.backtest.scoring import Score, score
from service.errors import PlainError
from service.rules.linking import Message
from service.sentences import count_of

NEEDS = ("message_id", "author", "created_at", "text")
LINKED = ("inbound", "in_reply_to")
CHANNELS = ("channel_day", "channel", "thread")  # columns that may say which channel a message stands in
NAMED = 10  # messages that are left out, by their ids
STATUSES = ("answered", "unanswered")  # anything else in a truth file is not known
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--messages",
    required=True,
    type=FILE,
    help="CSV with message_id, author, created_at and text; with inbound (0: by a brand, else 1) and in_reply_to, or without both.",
)
@click.option("--out", required=True, type=FILE, help=f"CSV to write: {', '.join(COLUMNS)}.")
@click.option(
    "--truth", type=FILE, help="CSV with message_id and status (answered, unanswered); adds precision, recall and F1."
)
@click.option(
    "--now", "until", help="Judge as of this instant, such as 2017-12-01T09:00:00Z. Without it, as of the last message."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(messages: Path, out: Path, truth: Path | None, until: str | None, as_json: bool) -> None:  # fmt: skip
    """Say of every message that could wait for an answer whether it got one, and whether it needs one.

    With inbound and in_reply_to, the accounts of messages that are not inbound are brands, each by itself. Without both,
    everybody is an author, and who answers whom is worked out from nicks, turns, times and words, for each channel
    (channel_day, channel or thread, where there is such a column)."""
    files.beforehand(out, messages, truth)
    true = files.rows(truth, ("message_id", "status")) if truth else []
    rows = list(files.by_id(messages, "message_id", files.rows(messages, NEEDS)).values())
    now = files.instant(until, "--now") if until else None
    found = list(files.told(judge(rows, messages, now), len(rows), "message"))
    count = files.write(out, COLUMNS, (each.as_row() for each in found))
    if truth:
        files.must_say(truth, "status", true, _is_status, " or ".join(STATUSES))
        files.must_meet(truth, "message_id", true, {each.id for each in found})
    scores = scored(found, true) if truth else {}
    waiting = sum(each.unanswered for each in found)
    asking = sum(each.unanswered and each.needs_answer for each in found)
    if as_json:
        said = {"messages": count, "unanswered": waiting, "unanswered_and_needs_answer": asking}
        click.echo(json.dumps({**said, **{name: each.as_json() for name, each in scores.items()}}))
        return
    click.echo(
        f"{count_of(count, 'message')} judged: {waiting} without an answer, {asking} of them in need of one. Written to {out}."
    )
    for name, each in scores.items():
        click.echo(
            f"{name}: precision {each.precision:.3f}, recall {each.recall:.3f}, F1 {each.f1:.3f} ({each.there} in the truth)"
        )


def judge(rows: Sequence[dict[str, str]], path: Path, now: datetime | None) -> Iterator[Judged]:
    """Every message that could wait for an answer. `path` is named where a row is wrong. Raises PlainError."""
    rows, times = _timed(rows, path)
    now = now or max(times, default=datetime.now(UTC))
    has = [name for name in LINKED if rows and name in rows[0]]
    if len(has) == 1:
        raise PlainError(
            f"{path} has a column {has[0]!r} and none {next(name for name in LINKED if name not in has)!r}. It needs both, or neither."
        )
    if has:
        return brand_talks.judge(_linked(rows, times, path), now=now)
    channel = next((name for name in CHANNELS if rows and name in rows[0]), None)
    return channel_talks.judge(
        ((row[channel] if channel else "", Message(row["message_id"], _author(row), at, row["text"])) for row, at in zip(rows, times, strict=True)),
        now=now,
    )  # fmt: skip


def _timed(rows: Sequence[dict[str, str]], path: Path) -> tuple[Sequence[dict[str, str]], Sequence[datetime]]:
    """The rows that say when they were written, and when that was. Those that do not are left out, and stderr is told which: one of
    ten thousand stops nobody. Raises PlainError where no row says so: the column holds something else."""
    kept: list[tuple[dict[str, str], datetime]] = []
    wrong: list[tuple[str, PlainError]] = []
    for row in rows:
        try:
            kept.append((row, files.instant(row["created_at"], f"{path}, message {row['message_id']}")))
        except PlainError as error:
            wrong.append((row["message_id"], error))
    if wrong and not kept:
        raise wrong[0][1]
    if wrong:
        ids = ", ".join(id_ for id_, _ in wrong[:NAMED]) + (", …" if len(wrong) > NAMED else "")
        click.echo(
            f"Left out for want of a time such as 2017-10-04T18:32:42Z: {count_of(len(wrong), 'message')} of {path} ({ids}).",
            err=True,
        )
    return [row for row, _ in kept], [at for _, at in kept]


def _linked(rows: Sequence[dict[str, str]], times: Sequence[datetime], path: Path) -> Iterator[brand_talks.Message]:
    for row, at in zip(rows, times, strict=True):
        yield brand_talks.Message(
            row["message_id"], _author(row), files.inbound(row["inbound"], f"{path}, message {row['message_id']}"), at,
            row["in_reply_to"].strip() or None, row["text"],
        )  # fmt: skip


def _author(row: Mapping[str, str]) -> str:
    """As others write it behind an @."""
    return row["author"].strip().removeprefix("@")


def _is_status(cell: str) -> bool:
    return cell.strip().lower() in STATUSES


def scored(found: Iterable[Judged], truth: Iterable[dict[str, str]]) -> dict[str, Score]:
    """How right the verdicts are, for each of the two statuses. Where the truth says which messages begin a talk, and which
    stand so near the end that nobody can know, only the beginnings that are not near the end count."""
    told = {each.id: "unanswered" if each.unanswered else "answered" for each in found}
    counted = [
        (told[row["message_id"]], status)
        for row in truth
        if (status := row["status"].strip().lower()) in STATUSES and row["message_id"] in told
        and row.get("starts_conversation", "1") == "1" and row.get("near_end", "0") == "0"
    ]  # fmt: skip
    return {status: score((said == status, true == status) for said, true in counted) for status in STATUSES}
