"""Taking the words of a post that was deleted or edited out of a text that quotes them."""

from __future__ import annotations

from collections.abc import Sequence

from service.rules.words import plain

GONE, EDITED = MARKS = "(deleted by its author)", "(edited by its author)"  # what stands where a quote stood
# So many letters in a row are a quote and no accident: a line of ours that shares them shares them because it quotes.
RUN = 24
_BEFORE = (": ", "“", '"')  # what stands before a quote in our own sentences
_AFTER = ("”", '"', "")


def redact(body: str, texts: Sequence[str], mark: str = GONE) -> str:
    """`body` without what its lines quote of these texts, in whole or in part, and `mark` instead; the rest of each line stays."""
    quoted = [clean for text in texts if (clean := plain(text))]
    return "\n".join(_line(line, quoted, mark) for line in body.split("\n"))


def _line(line: str, texts: Sequence[str], mark: str) -> str:
    for text in texts:
        at = _start(line, text)
        if at is not None:
            return f"{line[:at]}{mark}"
    return line


def _start(line: str, text: str) -> int | None:
    """Where in the line the quote of this text begins; None where there is none."""
    if len(text) < RUN:
        # A short text says nothing by itself ("Thanks"): it is a quote where it is all that follows such a mark.
        return next(
            (len(line) - len(text + after) for before in _BEFORE for after in _AFTER if line.endswith(f"{before}{text}{after}")),
            None,
        )  # fmt: skip
    windows = {text[at : at + RUN] for at in range(len(text) - RUN + 1)}
    return next((at for at in range(len(line) - RUN + 1) if line[at : at + RUN] in windows), None)
