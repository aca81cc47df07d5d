"""Pages put together, so that a transaction, which costs the same for any number of rows, is spent on many of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from integrations.records import Gone, GoneBetween, Page
from service.watch import tracing

ENOUGH = 800  # rows
PATIENCE = 1.0  # seconds that a page waits for the next ones: where they are slow to come, each is stored by itself


def handfuls(pages: Iterable[Page[Any]], clock: Callable[[], float] = time.monotonic) -> Iterator[Page[Any]]:
    """The same rows in the same order, in fewer pages. What came before an error is handed on before it is raised."""
    held: list[Page[Any]] = []
    begun = 0.0
    try:
        for page in pages:
            begun = begun if held else clock()
            held.append(page)
            rows = sum(len(each.items) for each in held)
            if rows >= ENOUGH or clock() - begun >= PATIENCE or _names_gone(page):
                yield _together(held)
                held = []
    except Exception:
        if held:
            yield _together(held)
        raise
    if held:
        yield _together(held)


def _names_gone(page: Page[Any]) -> bool:
    """What is gone on one page may be there again on the next: the two stay apart."""
    return any(isinstance(item, (Gone, GoneBetween)) for item in page.items)


def _together(pages: Sequence[Page[Any]]) -> Page[Any]:
    reads: Counter[str] = Counter()
    for page in pages:
        reads.update(page.reads)
    return Page(
        tuple(item for page in pages for item in page.items),
        pages[-1].cursor,
        tuple(_notes(pages)),
        dict(reads),
        tuple(each for page in pages for each in page.answered),
        max((page.renamed for page in pages if page.renamed), key=lambda each: each.at, default=None),
        next((page.budget for page in reversed(pages) if page.budget), None),
        tuple(dict.fromkeys(note for page in pages for note in page.over)),
        tuple(each for page in pages for each in page.named),
    )


def _notes(pages: Sequence[Page[Any]]) -> list[str]:
    """Each note once, but for those of which a later page says that they are over."""
    notes: list[str] = []
    for page in pages:
        notes = [*(each for each in notes if each not in page.over), *page.notes]
    return list(dict.fromkeys(notes))


def read_ahead(pages: Iterable[Page[Any]]) -> Iterator[Page[Any]]:
    """The same pages in the same order: while one is being stored, the next is already asked for. An error is raised where
    it would have been: after the pages before it."""
    source, end = iter(pages), object()
    with ThreadPoolExecutor(1) as reader:
        coming: Future[Any] = reader.submit(tracing.here(next), source, end)
        while (page := coming.result()) is not end:
            coming = reader.submit(tracing.here(next), source, end)
            yield page
