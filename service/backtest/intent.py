"""`warmline backtest intent`: what each message of a file wants, as probabilities."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from service.backtest import files
from service.backtest.scoring import Score, score
from service.errors import PlainError
from service.rules.intents import Intents, intents
from service.sentences import count_of

NEEDS = ("id", "text")
WANTS = ("needs_answer", "call", "price", "question", "request", "purchase")
COLUMNS = ("id", *WANTS)
LABEL = "label"  # a truth file's name for whether a message needs an answer
FILE = click.Path(path_type=Path, dir_okay=False)
_OURS: Mapping[str, bool] = {"brand": True, "customer": False}
_LEAST = 0.5  # a probability from here on says yes


@click.command()
@click.option(
    "--messages",
    required=True,
    type=FILE,
    help="CSV with id and text; reply_to_text (the post it replies to) and reply_to_author (brand or customer) help.",
)
@click.option("--out", required=True, type=FILE, help=f"CSV to write: {', '.join(COLUMNS)}.")
@click.option(
    "--truth",
    type=FILE,
    help=f"CSV with id and any of {', '.join(WANTS)} (or label, for needs_answer), each yes or no; anything else is left out of the score. Adds precision, recall and F1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(messages: Path, out: Path, truth: Path | None, as_json: bool) -> None:
    """Say of every message how likely it is that it needs an answer, wants a call, asks a price, is a question, is a
    request, and shows that somebody wants to buy: probabilities from 0 to 1, each by itself."""
    files.beforehand(out, messages, truth)
    true = files.rows(truth, ("id",)) if truth else []
    rows = files.by_id(messages, "id", files.rows(messages, NEEDS))
    found = {id_: judged(row) for id_, row in files.told(rows.items(), len(rows), "message")}
    count = files.write(out, COLUMNS, _rows(found))
    scores = scored(found, true, truth) if truth else {}
    if as_json:
        click.echo(json.dumps({"messages": count, **{name: each.as_json() for name, each in scores.items()}}))
        return
    click.echo(f"{count_of(count, 'message')} judged. Written to {out}.")
    for name, each in scores.items():
        click.echo(
            f"{name}: precision {each.precision:.3f}, recall {each.recall:.3f}, F1 {each.f1:.3f} ({each.there} in the truth)"
        )


def judged(row: Mapping[str, str]) -> Intents:
    """What the message of a row wants."""
    before = row.get("reply_to_text", "").strip()
    ours = _OURS.get(row.get("reply_to_author", "").strip().lower())
    return intents(row["text"], before or None, ours)


def _rows(found: Mapping[str, Intents]) -> Iterator[dict[str, object]]:
    for id_, wants in found.items():
        yield {"id": id_, **{name: f"{getattr(wants, name):.4f}" for name in WANTS}}


def scored(found: Mapping[str, Intents], rows: Sequence[Mapping[str, str]], path: Path) -> dict[str, Score]:
    """How right a yes from one half on is, for each column of the truth; nothing of a truth without rows. Raises PlainError
    where the truth (`path`) has no column that can be scored."""
    if not rows:
        return {}
    has = rows[0].keys()
    columns = {name: name for name in WANTS if name in has}
    if LABEL in has:
        columns.setdefault("needs_answer", LABEL)
    if not columns:
        raise PlainError(f"{path} has none of the columns {', '.join(WANTS)} or {LABEL}.")
    files.must_meet(path, "id", rows, found)
    # A column that says nothing is left out, and one of them has to say something.
    says = {
        name: column for name, column in columns.items() if any(files.said(row[column]) is not None for row in rows)
    }
    if not says:
        raise PlainError(f"Nothing is scored: nothing in {path} is yes or no.")
    return {name: score(_pairs(found, rows, name, column)) for name, column in says.items()}


def _pairs(
    found: Mapping[str, Intents], rows: Iterable[Mapping[str, str]], name: str, column: str
) -> Iterator[tuple[bool, bool]]:
    for row in rows:
        true = files.said(row[column])
        if row["id"] in found and true is not None:
            yield getattr(found[row["id"]], name) >= _LEAST, true
