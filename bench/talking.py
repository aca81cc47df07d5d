"""Is it time to talk: whole histories judged, against a count of exchanges and a look for call words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from bench import shared
from bench.figures import Figure
from bench.scale import Scale
from service.backtest.call import agreement, judge
from service.backtest.scoring import kappa, score

KAPPA, PRECISION, TOP_RIGHT = 0.75, 0.90, 0.95  # 19 of the 20 scored highest
_CALL_WORDS = re.compile(r"\b(call|phone|talk|chat|meet|meeting|zoom|demo)\b", re.IGNORECASE)


def measure(scale: Scale) -> list[Figure]:
    """Agreement with what most of three readers said."""
    where = shared.folder("call_histories")
    if where is None:
        return []
    histories = [
        json.loads(line) for line in (where / "histories.jsonl").read_text("utf-8").splitlines() if line.strip()
    ]
    truth = shared.rows(where / "truth.csv")
    ready = {row["id"]: row["ready"] == "1" for row in truth}
    told = agreement([judge(each, each["id"]) for each in histories], truth)
    counted, at_recall = _best_count(histories, ready)
    words = kappa([(_says_call(each), ready[each["id"]]) for each in histories])
    top = told["top_quarter"]
    size = f"{len(ready)} histories, {sum(ready.values())} of them ready"
    return [
        Figure("call: kappa with the readers", told["kappa"], "", size, counted, 'the best "n exchanges in m weeks" (fitted to these very histories)', of="value", at_least=KAPPA),
        Figure("call: kappa with the readers, again", told["kappa"], "", size, words, "a look for call words in the last three posts", of="value"),
        Figure("call: precision at recall .65", told["precision_at_recall_65"], "", size, at_recall, 'the best "n exchanges in m weeks"', of="value", at_least=PRECISION),
        Figure("call: right among the highest scored", top["right"] / top["said"], "", f"the {top['said']} scored highest", of="value", at_least=TOP_RIGHT),
    ]  # fmt: skip


def _exchanges(history: Mapping[str, Any]) -> Iterator[datetime]:
    """When each of theirs was answered."""
    waiting = False
    for post in sorted(history["posts"], key=lambda each: each["at"]):
        if post["direction"] == "out" and waiting:
            yield datetime.fromisoformat(post["at"])
        waiting = post["direction"] == "in"


def _best_count(histories: list[dict[str, Any]], ready: Mapping[str, bool]) -> tuple[float, float]:
    """Kappa and precision of the rule "n exchanges in the last m weeks", with the n and m that suit these histories best."""
    best = (0.0, 0.0)
    for least, weeks in product(range(1, 11), (1, 2, 3, 4, 6, 8, 12, 26)):
        pairs = []
        for each in histories:
            since = datetime.fromisoformat(each["now"]) - timedelta(weeks=weeks)
            pairs.append((sum(at >= since for at in _exchanges(each)) >= least, ready[each["id"]]))
        best = max(best, (kappa(pairs), score(pairs).precision))
    return best


def _says_call(history: Mapping[str, Any]) -> bool:
    theirs = [
        each["text"] for each in sorted(history["posts"], key=lambda each: each["at"]) if each["direction"] == "in"
    ]
    return any(_CALL_WORDS.search(text) for text in theirs[-3:])
