"""Reading what is to be judged and writing what was judged: CSV and JSON lines, with plain sentences for what is wrong."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from service.errors import PlainError
from service.sentences import count_of

Each = TypeVar("Each")
PAUSE = 5.0  # seconds between two lines about how far long work has come
_SAVE_AS = "Save it anew as UTF-8; spreadsheets call that CSV UTF-8."
_QUOTING = "A cell that holds a quotation mark stands between two, and has its own twice."
_BEYOND = "\x00"  # what stands beyond the last column
_COMMA = "A cell that holds a comma stands between two quotation marks."
_SAID = {
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y"), True),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n"), False),
}


def rows(path: Path, needs: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a header, every cell a string. Raises PlainError for a file that is not there, cannot be
    read or lacks one of the columns."""
    needs, began = list(needs), 2  # the first row below the header
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Else a quotation mark that nobody closes takes all that follows for its own cell, without a word.
            reader = csv.DictReader(file, restkey=_BEYOND, restval="", strict=True)
            names = reader.fieldnames or ()
            if missing := [name for name in needs if name not in names]:
                raise PlainError(
                    f"{path} has no column {missing[0]!r}. It needs {', '.join(needs)}. {_first_line(names)}"
                )
            if twice := next((name for name in names if name and names.count(name) > 1), None):
                raise PlainError(
                    f"{path} has the column {twice!r} twice. Take one of them out, or give it another name."
                )
            found: list[dict[str, str]] = []
            for row in reader:
                if any(row.pop(_BEYOND, ())):  # a list, under a name that no column has
                    raise PlainError(f"{path} has more cells in line {began} than columns. {_COMMA}")
                began = reader.line_num + 1
                found.append(row)
            return found
    except FileNotFoundError:
        raise PlainError(f"{path} is not there.") from None
    except UnicodeDecodeError:
        raise PlainError(f"{path} is not in UTF-8. {_SAVE_AS}") from None
    except csv.Error as error:
        raise PlainError(f"{path} cannot be read from line {began} on: {error}. {_QUOTING}") from None
    except OSError as error:
        raise PlainError(f"{path} cannot be read: {error.strerror or error}.") from None


def _first_line(names: Sequence[str]) -> str:
    """What stands where the columns' names should, for somebody who wonders why they are not seen."""
    if not names:
        return "The file is empty."
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        return "Its columns are kept apart by something else than commas."
    return f"It has {', '.join(names)}."


def by_id(path: Path, column: str, found: Iterable[dict[str, str]]) -> dict[str, dict[str, str]]:
    """The rows of a file by their id. Of several with one id the last counts, which is said on stderr: two people would be one."""
    found = list(found)
    kept = {row[column]: row for row in found}
    if len(kept) < len(found):
        click.echo(
            f"{path} has {count_of(len(found), 'row')} and only {len(kept):,} different {column}. Of rows with the same one the last "
            "counts.",
            err=True,
        )
    return kept


def must_say(
    path: Path, column: str, truth: Collection[Mapping[str, str]], known: Callable[[str], bool], words: str
) -> None:
    """Raises PlainError where no row of a truth says anything that is known (`words`) in this column: it would score 0 of 0."""
    if truth and not any(known(row[column]) for row in truth):
        raise PlainError(f"Nothing is scored: no {column} in {path} is {words}.")


def must_meet(path: Path, column: str, truth: Collection[Mapping[str, str]], judged: Collection[str]) -> None:
    """Raises PlainError where a truth speaks of nothing that was judged: its scores would all be 0, as if all were wrong."""
    if truth and not any(row[column] in judged for row in truth):
        raise PlainError(f"Nothing is scored: no {column} in {path} is among those that were judged.")


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line; empty lines are skipped. Raises PlainError."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(path, number, line)
    except FileNotFoundError:
        raise PlainError(f"{path} is not there.") from None
    except UnicodeDecodeError:
        raise PlainError(f"{path} is not in UTF-8. {_SAVE_AS}") from None
    except OSError as error:
        raise PlainError(f"{path} cannot be read: {error.strerror or error}.") from None


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PlainError(f"Line {number} of {path} is not a JSON object.")
    return found


def beforehand(out: Path, *read: Path | None) -> None:
    """Raises PlainError where `out` cannot be written, or is one of the files that are `read`: before anything is judged, which may take
    minutes, and before somebody's contacts are written over."""
    if any(each and each.exists() and out.exists() and each.samefile(out) for each in read):
        raise PlainError(
            f"{out} is one of the files that are read, and would be written over. Name another file for --out."
        )
    is_new = not out.exists()
    if out.is_fifo() or out.is_char_device():
        return  # a pipe would be at its end once it was opened and closed
    try:
        out.open("ab").close()
    except OSError as error:
        raise _unwritten(out, error) from None
    if is_new:
        out.unlink()


def _unwritten(path: Path, error: OSError) -> PlainError:
    return PlainError(f"{path} cannot be written: {error.strerror or error}.")


def told(found: Iterable[Each], total: int, noun: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Each]:
    """The same, one after the other; every few seconds stderr is told how many there were, so that nobody takes long work for dead."""
    said = clock()
    for number, each in enumerate(found):
        if (now := clock()) - said >= PAUSE:
            said = now
            click.echo(f"{number:,} of {count_of(total, noun)} judged", err=True)
        yield each


def write(path: Path, columns: Sequence[str], found: Iterable[Mapping[str, object]]) -> int:
    """Writes a CSV file with these columns, and says how many rows. Raises PlainError where it cannot be written."""
    count = 0
    try:
        # Half of a surrogate pair, which JSON may hold and no file in UTF-8, becomes a question mark.
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            for row in found:
                writer.writerow(row)
                count += 1
    except OSError as error:
        raise _unwritten(path, error) from None
    return count


def inbound(text: str, where: str) -> bool:
    """Whether a message was written to a brand (1, or nothing) and not by one (0). Raises PlainError, which begins with `where`: read the wrong way,
    what a brand wrote would wait for an answer of its own."""
    inbound = said(text) if text.strip() else True
    if inbound is None:
        raise PlainError(
            f"{where}: inbound is {text!r}. Write 1 where somebody wrote to the brand, and 0 where the brand wrote."
        )
    return inbound


def said(text: str) -> bool | None:
    """Whether a cell says yes or no, however a spreadsheet spells that; None for anything else."""
    return _SAID.get(text.strip().lower())


def instant(text: str, where: str) -> datetime:
    """A time such as 2017-10-04T18:32:42Z as an aware UTC instant; without a zone it is taken for UTC. Raises PlainError,
    which begins with `where`."""
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1, say, lie before it elsewhere
        raise PlainError(f"{where}: {text!r} is not a time such as 2017-10-04T18:32:42Z.") from None
