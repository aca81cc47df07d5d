"""What a text says: probabilities against keywords and a plain classifier, and how fast they come."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench import shared
from bench.corpus import HANDLE
from bench.figures import Figure
from bench.rounds import in_turns, median
from bench.scale import Scale
from bench.words import Writer
from service.backtest.scoring import score
from service.rules.intents import intents
from service.rules.signals import read

Pairs = Sequence[tuple[float, bool]]

SPEED = 10_000  # texts a second on one core
_QUESTION = re.compile(r"\?")
_CALL = re.compile(r"\b(call|phone|talk|chat|meet|meeting|zoom|demo)\b", re.IGNORECASE)


def measure(scale: Scale) -> list[Figure]:
    """Precision, recall and F1 on sets that people have labelled, and texts a second."""
    return [*_needs_answer(), *_call(), *(_learnt() if scale.learn else ()), *_speed(scale)]


def _needs_answer() -> list[Figure]:
    where = shared.folder("text_needs_answer_400")
    if where is None:
        return []
    rows = shared.rows(where / "messages.csv")
    truth = [row["label"] == "yes" for row in rows]
    told = [intents(row["text"], row["reply_to_text"] or None, _by_brand(row)).needs_answer for row in rows]
    return _ranked(
        "needs an answer",
        list(zip(told, truth, strict=True)),
        0.80,
        "a question mark",
        [bool(_QUESTION.search(row["text"])) for row in rows],
    )


def _by_brand(row: Mapping[str, str]) -> bool | None:
    return row["reply_to_author"] == "brand" if row["reply_to_text"] else None


def _call() -> list[Figure]:
    where = shared.folder("text_call_intent")
    if where is None:
        return []
    rows = [row for row in shared.rows(where / "messages.csv") if row["call"] in ("yes", "no")]
    pairs = [(intents(row["text"]).call, row["call"] == "yes") for row in rows]
    return _ranked("wish to talk", pairs, 0.75, "call words", [bool(_CALL.search(row["text"])) for row in rows])


def _ranked(name: str, pairs: Pairs, recall: float, what: str, simple: Sequence[bool]) -> list[Figure]:
    truth = [true for _, true in pairs]
    reference = score(zip(simple, truth, strict=True))
    size = f"{len(pairs)} texts, {sum(truth)} of them so"
    return [
        Figure(f"{name}: precision at recall {recall:.2f}", _precision(pairs, recall), "", size, reference.precision,
               f"{what} (its recall is {reference.recall:.2f})", of="value", at_least=0.90),
        Figure(f"{name}: recall at precision .90", _recall(pairs, 0.90), "", size, of="value"),
    ]  # fmt: skip


def _cuts(pairs: Pairs) -> list[tuple[float, float]]:
    """Precision and recall at every threshold."""
    there, right, found = sum(true for _, true in pairs), 0, []
    for said, (_, true) in enumerate(sorted(pairs, key=lambda pair: -pair[0]), 1):
        right += true
        found.append((right / said, right / there))
    return found


def _precision(pairs: Pairs, recall: float) -> float:
    return max(precision for precision, reached in _cuts(pairs) if reached >= recall)


def _recall(pairs: Pairs, precision: float) -> float:
    return max((recall for reached, recall in _cuts(pairs) if reached >= precision), default=0.0)


# --- sets that the weights are learnt from: out of fold -------------------------------------------------------


def _learnt() -> list[Figure]:
    """F1 of the intents on sets that are learnt from, by models that have not seen the text; beside a plain classifier on the
    same folds."""
    figures = []
    for intent, source, folder, yes, no, goal in (
        ("request", "mail", "text_requests_email", "request", "other", 0.78),
        ("purchase", "phones", "text_purchase_tweets", "purchase_intent", "none", 0.82),
    ):
        where = shared.folder(folder)
        if where is None:
            continue
        told = _out_of_fold(intent, where.parents[1]).get(source)
        if not told:
            raise RuntimeError(f"the training knows no source {source!r}")
        rows = [row for row in shared.rows(where / "messages.csv") if row["label"] in (yes, no)]
        plain = _plain([row["text"] for row in rows], [row["label"] == yes for row in rows])
        ours = score((each > 0, true) for each, true in told).f1
        figures.append(
            Figure(f"{intent}: F1, out of fold", ours, "", f"{len(told)} texts of {folder}", plain,
                   "TF-IDF of words and logistic regression, the same number of folds", of="value", at_least=goal)
        )  # fmt: skip
    return figures


def _out_of_fold(intent: str, folder: Any) -> dict[str, list[tuple[float, bool]]]:
    import numpy as np

    from training import train

    chosen = train.samples(folder)
    texts = [train.taken_apart(sample) for sample in chosen]
    kept = np.flatnonzero([intent in sample.truth and text.english for sample, text in zip(chosen, texts, strict=True)])
    x = train.Columns([text for text in texts if text.english]).matrix(texts)
    _, _, told = train.learn(x, kept, chosen, intent, train.SMOOTH[intent])
    found: dict[str, list[tuple[float, bool]]] = {}
    for at, odds in zip(kept, told, strict=True):
        found.setdefault(chosen[at].source, []).append((float(odds), bool(chosen[at].truth[intent])))
    return found


def _plain(texts: Sequence[str], truth: Sequence[bool]) -> float:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    from training.train import FOLDS

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    said = cross_val_predict(model, texts, truth, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0))
    return score((bool(one), true) for one, true in zip(said, truth, strict=True)).f1


# --- speed ----------------------------------------------------------------------------------------------------


def _speed(scale: Scale) -> list[Figure]:
    writer = Writer(1, HANDLE)
    texts = [f"{writer.opener()} {writer.follow_up()}" for _ in range(scale.texts)]
    read("")  # the tables are made once in a process

    def timed(work: Callable[[str], object]) -> Callable[[int], float]:
        def run(_: int) -> float:
            begun = time.process_time()
            for text in texts:
                work(text)
            return len(texts) / (time.process_time() - begun)

        return run

    ours, words = in_turns(scale.rounds, timed(read), timed(lambda text: re.findall(r"\w+", text.lower())))
    size = f"{len(texts)} texts of {sum(map(len, texts)) // len(texts)} characters, {scale.rounds} rounds"
    return [Figure("texts read", median(ours), "texts/s", size, median(words), "splitting them into words", of="value", at_least=SPEED)]  # fmt: skip
