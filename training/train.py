"""Learns the weights of `service/rules/intents.py`: `python -m training.train --shared ../shared` writes
`service/rules/weights/intents.json` and prints how well each intent is told, out of fold. It needs word vectors (`training/vectors.py`).

One logistic regression per intent, over the features that the rules themselves take from a text. Its probabilities are
calibrated on folds that it has not seen (Platt, 1999), and weights that round to nothing are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from service.rules.intents import NAMES, SPEAKS_OF, Before, Text, classes, here, normal, parts, take_apart
from training.data import Sample, samples
from training.vectors import SIZE, Vectors

WEIGHTS = Path(__file__).parent.parent / "service" / "rules" / "weights" / "intents.json"
FOLDS = 10  # the smallest public set has 380 texts: less left out is closer to what is shipped
SCALE = 1 / 24  # log-odds of one step: finer steps change no verdict
# The intent that words weigh for by the place of their text, and by their kin in word vectors. Tried for all: the others gain nothing, or lose.
PLACED = "needs_answer"
# Inverse strength of the regularisation. What needs an answer is said in more ways than there are examples of, and is told no better by more
# trust in single words; all the others are, on every set that they are learnt from.
SMOOTH = dict.fromkeys(NAMES, 4.0) | {PLACED: 1.0}
SMOOTH_ABROAD = 1.0  # over marks alone: two hundred examples teach few weights
SHARES = {
    "words": 1.0,
    "pairs": 1.0,
    "parts": 0.5,
    "classes": 2.0,
    "marks": 0.5,
    "here": 0.5,
    "kin": 0.2,
}  # how readily each table is believed
SEEN = 2  # texts that a word, pair or part must stand in
# The public sets that an intent is told by, and how much an example of ours counts beside one of theirs. What they call a
# request or a wish to buy is wider than what we do, so our yes and no are weighed to be as frequent as theirs.
BESIDE = {"request": ("mail", 0.2), "purchase": ("phones", 0.03)}
_LARGEST = 2000  # steps; keeps LONGEST words within a lane

Feature = tuple[str, str]  # table, name
Learnt = tuple[Mapping[Feature, float], float]  # the weights of an intent, and its bias


def features(text: Text) -> Iterator[tuple[Feature, float]]:
    """The features of a text with their values, as `intents.weigh` sees them."""
    share = 1 / len(text.words) ** 0.5
    for table, name in _named(text.words):
        yield (table, name), share * SHARES[table]
    for mark in text.marks:
        yield ("marks", mark), SHARES["marks"]


def placed(text: Text) -> Iterator[tuple[Feature, float]]:
    """The same, and its words by the place of the text."""
    yield from features(text)
    share = 1 / len(text.words) ** 0.5
    for word in text.words:
        known = normal(word)
        alike = classes().get(known, ())
        for name in here(text.place, known, alike):
            yield ("here", name), share * _share("here", name)


def _share(table: str, name: str) -> float:
    return SHARES[table] * (SHARES["classes"] if table == "here" and SPEAKS_OF in name else 1.0)


def _named(words: Sequence[str]) -> Iterator[Feature]:
    for word in words:
        known = normal(word)
        yield "words", known
        yield from (("parts", part) for part in parts(known))
        yield from (("classes", name) for name in classes().get(known, ()))
    yield from (("pairs", f"{one} {other}") for one, other in pairwise(words))


def taken_apart(sample: Sample) -> Text:
    before = Before.of(sample.reply_to or None, sample.reply_to_ours)
    return take_apart(sample.text, before, sample.language)


class Columns:
    """Features by number: those that enough texts show."""

    def __init__(
        self, texts: Sequence[Text], read: Callable[[Text], Iterable[tuple[Feature, float]]] = features
    ) -> None:
        self._read = read
        seen = Counter(name for text in texts for name in {name for name, _ in read(text)})
        self.names = sorted(name for name, count in seen.items() if count >= SEEN or name[0] == "marks")
        self._number = {name: number for number, name in enumerate(self.names)}

    def matrix(self, texts: Sequence[Text]) -> csr_matrix:
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for name, value in self._read(text):
                if name in self._number:
                    rows.append(row), columns.append(self._number[name]), values.append(value)
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.names)))


def fit(x: csr_matrix, y: np.ndarray, weight: np.ndarray, smooth: float) -> LogisticRegression:
    wide = x.shape[1] > x.shape[0]  # the dual problem is then the smaller one, and solved many times faster
    model = LogisticRegression(
        C=smooth, solver="liblinear", dual=wide, tol=1e-3 if wide else 1e-4, max_iter=2000, random_state=0
    )
    return model.fit(x, y, sample_weight=weight)


def out_of_fold(x: csr_matrix, y: np.ndarray, weight: np.ndarray, smooth: float) -> np.ndarray:
    """The log-odds that each text gets from a model that has not seen it."""
    found = np.zeros(len(y))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y):
        found[test] = fit(x[train], y[train], weight[train], smooth).decision_function(x[test])
    return found


def weights(name: str, chosen: Sequence[Sample], y: np.ndarray) -> np.ndarray:
    """How much each sample counts."""
    counts = np.array([sample.weight for sample in chosen])
    source, share = BESIDE.get(name, ("", 0.0))
    theirs = np.array([sample.source == source for sample in chosen])
    if not theirs.any():
        return counts
    yes = y[theirs].mean()
    for ours, part in ((~theirs & y, yes), (~theirs & ~y, 1 - yes)):
        counts[ours] = share * part * (~theirs).sum() / max(1, ours.sum())
    return counts


def learn(
    x: csr_matrix, kept: np.ndarray, chosen: Sequence[Sample], name: str, smooth: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """The calibrated weights and bias of an intent, and the calibrated out-of-fold log-odds of `kept`."""
    y = np.array([chosen[at].truth[name] for at in kept])
    weight = weights(name, [chosen[at] for at in kept], y)
    told = out_of_fold(x[kept], y, weight, smooth)
    steady = LogisticRegression(C=1e6).fit(told.reshape(-1, 1), y, sample_weight=weight)
    slope, start = float(steady.coef_[0, 0]), float(steady.intercept_[0])
    model = fit(x[kept], y, weight, smooth)
    return model.coef_[0] * slope, float(model.intercept_[0]) * slope + start, told * slope + start


def scores(told: np.ndarray, y: np.ndarray) -> str:
    order = np.argsort(-told)
    right = np.cumsum(y[order])
    precision, recall = right / np.arange(1, len(y) + 1), right / max(1, y.sum())
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).max()
    at_90 = recall[precision >= 0.9].max(initial=0.0)
    half = told > 0
    f1 = 2 * (half & y).sum() / max(1, half.sum() + y.sum())
    return f"{len(y):5} texts  {y.mean():.2f} yes  F1 {f1:.3f}  best F1 {best:.3f}  recall at precision .90 {at_90:.3f}"


def _steps(values: Iterable[float]) -> list[int]:
    return [int(np.clip(round(value / SCALE), -_LARGEST, _LARGEST)) for value in values]


@click.command()
@click.option(
    "--shared", type=click.Path(path_type=Path, exists=True), help="The folder that holds data/ with the public sets."
)
@click.option(
    "--vectors", type=click.Path(path_type=Path, exists=True), help="The folder with the files of word vectors."
)
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def main(shared: Path | None, vectors: Path | None, out: Path) -> None:
    alike = Vectors(vectors)
    chosen = samples(shared)
    texts = [taken_apart(sample) for sample in chosen]
    english = np.array([text.english for text in texts])
    at_home = [text for text in texts if text.english]
    columns, richer = Columns(at_home), Columns(at_home, placed)
    plain, rich = columns.matrix(texts), richer.matrix(texts)
    rich = hstack([rich, csr_matrix(alike.matrix([text.words for text in texts]) * SHARES["kin"])]).tocsr()
    # Classes are of English words: in another language they say nothing.
    marks = [at for at, (table, name) in enumerate(columns.names) if table == "marks" and SPEAKS_OF not in name]
    learnt: list[Learnt] = []
    abroad: list[Learnt] = []
    for name in NAMES:
        asked = np.array([name in sample.truth for sample in chosen])
        kept = np.flatnonzero(asked & english)
        x, names = (rich, richer.names) if name == PLACED else (plain, columns.names)
        weights, bias, told = learn(x, kept, chosen, name, SMOOTH[name])
        found = dict(zip(names, weights, strict=False))
        if name == PLACED:
            seen = [word for table, word in columns.names if table == "words"]
            found |= {("kin", word): weight for word, weight in alike.weights(weights[-SIZE:], seen).items()}
        learnt.append((found, bias))
        sources = np.array([chosen[at].source for at in kept])
        truth = np.array([chosen[at].truth[name] for at in kept])
        for source in sorted(set(sources)):
            click.echo(f"{name:13} {source:10} {scores(told[sources == source], truth[sources == source])}")
        own = np.flatnonzero(np.array([name in sample.truth and sample.source == "own" for sample in chosen]))
        weights, bias, told = learn(plain[:, marks], own, chosen, name, SMOOTH_ABROAD)
        abroad.append((dict(zip([columns.names[at] for at in marks], weights, strict=True)), bias))
        away = ~english[own]
        if away.any():
            click.echo(
                f"{name:13} {'abroad':10} {scores(told[away], np.array([chosen[at].truth[name] for at in own])[away])}"
            )
    _write(out, learnt, abroad)


def _write(out: Path, learnt: Sequence[Learnt], abroad: Sequence[Learnt]) -> None:
    tables: dict[str, dict[str, list[int]]] = {table: {} for table in (*SHARES, "abroad")}
    for table, name in sorted({feature for found, _ in learnt for feature in found}):
        if any(steps := _steps(found.get((table, name), 0.0) * _share(table, name) for found, _ in learnt)):
            tables[table][name] = _shortened(steps)
    for feature in abroad[0][0]:
        if any(steps := _steps(found[feature] * SHARES["marks"] for found, _ in abroad)):
            tables["abroad"][feature[1]] = steps
    stored = {
        "intents": NAMES, "scale": SCALE, "bias": _steps(bias for _, bias in learnt), "abroad bias": _steps(bias for _, bias in abroad),
        "weights": tables,
    }  # fmt: skip
    out.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    click.echo(
        f"{out.name}: {', '.join(f'{len(table)} {name}' for name, table in tables.items())}, {out.stat().st_size // 1000} kB"
    )


def _shortened(steps: list[int]) -> list[int]:
    """Without the noughts at its end, which `pack` does not need."""
    return steps[: max(at for at, step in enumerate(steps, 1) if step)]


if __name__ == "__main__":
    main()
