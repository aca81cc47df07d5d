"""Taking the words of a post that was deleted or edited, or is kept no longer, out of a text that quotes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from service.rules.wording import is_ours
from service.rules.words import plain, sentences

# What stands where a quote stood.
GONE, EDITED, LAPSED = MARKS = "(deleted by its author)", "(edited by its author)", "(no longer kept)"
# So many letters in a row are a quote and no accident: a line of ours that shares them shares them because it quotes.
RUN = 24
# What is shorter says nothing by itself ("Thanks"): it is a quote where it is all that follows such a mark, up to the line's end. A sentence
# out of a longer text is quoted in marks alone.
_WHOLE = [(before, after) for before in (": ", "“", '"') for after in ("”", '"', "")]
_SENTENCE = [(": “", "”")]


def redact(body: str, texts: Sequence[str], mark: str = GONE) -> str:
    """`body` without what its lines quote of these texts, in whole or in part, and `mark` instead; the rest of each line stays, and so do
    our own lines: a text that is but the link or the number in one of them was not quoted there."""
    quoted = [_Quoted(clean) for text in texts if (clean := plain(text))]
    return "\n".join(line if is_ours(line) else _line(line, quoted, mark) for line in body.split("\n"))


class _Quoted:
    """How a text (in one line) stands in lines that quote it."""

    def __init__(self, text: str) -> None:
        self._runs = {text[at : at + RUN] for at in range(len(text) - RUN + 1)}
        marked = [*_marked([text], _WHOLE), *_marked(sentences(text), _SENTENCE)]
        self._ends = [(f"{before}{rest}", len(rest)) for before, rest in marked]

    def starts(self, line: str) -> Iterator[int]:
        """Where in the line quotes of it begin."""
        yield from (len(line) - length for end, length in self._ends if line.endswith(end))
        if self._runs:
            yield from (at for at in range(len(line) - RUN + 1) if line[at : at + RUN] in self._runs)


def _marked(quotes: Iterable[str], marks: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What stands before each of those quotes that are too short to be known by themselves, and the end of a line that they make."""
    return ((before, f"{each}{after}") for each in quotes if len(each) < RUN for before, after in marks)


def _line(line: str, texts: Sequence[_Quoted], mark: str) -> str:
    at = min((at for text in texts for at in text.starts(line)), default=None)
    return line if at is None else f"{line[:at]}{mark}"
