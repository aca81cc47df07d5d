"""Learns what a seller would hear in a text: `python -m training.cues` writes `service/rules/weights/cues.json` and prints how
well each label is told in trades that the model was not shown. It needs word vectors (`training/vectors.py`).

The examples (`training/examples/cues/*.tsv`, one trade a file; those of no one trade begin with "any") are our own. One logistic regression per label, over the
features that `service/rules/readiness/heard.py` takes from a text and the word vectors of its words, calibrated on trades that it has not seen
(Platt, 1999). What the vectors say of a word is summed up in its weight, so that words of no example are heard by their kin, at no cost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from service.rules.readiness.heard import LABELS, apart, named
from training.cue_examples import examples
from training.train import scores
from training.vectors import SIZE, Vectors

WEIGHTS = Path(__file__).parent.parent / "service" / "rules" / "weights" / "cues.json"
FOLDS = 10  # of whole trades
SCALE = 1 / 24  # log-odds of one step
SMOOTH = 4.0  # inverse strength of the regularisation
SHARES = {"words": 1.0, "pairs": 0.7, "parts": 0.5, "classes": 1.5, "marks": 0.5}  # how readily each table is believed
KIN = 0.1  # how readily the vectors are
SEEN = {"pairs": 4, "parts": 4}  # texts that a feature must stand in; any other in two

Feature = tuple[str, str]  # table, name


def features(text: str) -> dict[Feature, float]:
    """The features of a text with their values, as `heard.hear` sees them."""
    words, marks = apart(text)
    found: Counter[Feature] = Counter()
    for name in named(words):
        found[name] += SHARES[name[0]] / len(words) ** 0.5
    return {**found, **{("marks", mark): SHARES["marks"] for mark in marks}}


def matrix(rows: Sequence[dict[Feature, float]], names: Sequence[Feature]) -> csr_matrix:
    number = {name: at for at, name in enumerate(names)}
    cells = [
        (row, number[name], value) for row, each in enumerate(rows) for name, value in each.items() if name in number
    ]
    at, columns, values = zip(*cells, strict=True)
    return csr_matrix((values, (at, columns)), shape=(len(rows), len(names)))


def fit(x: csr_matrix, y: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=SMOOTH, solver="liblinear", max_iter=2000).fit(x, y)


def out_of_trade(x: csr_matrix, y: np.ndarray, trades: np.ndarray) -> np.ndarray:
    """The log-odds that each text gets from a model that has not seen its trade."""
    found = np.zeros(len(y))
    for train, test in GroupKFold(FOLDS).split(x, y, trades):
        found[test] = fit(x[train], y[train]).decision_function(x[test])
    return found


@click.command()
@click.option(
    "--vectors", type=click.Path(path_type=Path, exists=True), help="The folder with the files of word vectors."
)
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def main(vectors: Path | None, out: Path) -> None:
    alike, chosen = Vectors(vectors), list(examples())
    rows = [features(each.text) for each in chosen]
    trades = np.array([each.trade for each in chosen])
    seen = Counter(name for row in rows for name in row)
    names = sorted(name for name, count in seen.items() if count >= SEEN.get(name[0], 2))
    placed = alike.matrix([apart(each.text)[0] for each in chosen])
    x = hstack([matrix(rows, names), csr_matrix(placed * KIN)]).tocsr()
    learnt, biases = [], []
    for label in LABELS:
        y = np.array([label in each.says for each in chosen])
        told = out_of_trade(x, y, trades)
        steady = LogisticRegression(C=1e6).fit(told.reshape(-1, 1), y)
        slope, start = float(steady.coef_[0, 0]), float(steady.intercept_[0])
        model = fit(x, y)
        learnt.append(model.coef_[0] * slope)
        biases.append(float(model.intercept_[0]) * slope + start)
        click.echo(f"{label:10} {scores(told * slope + start, y)}")
    _write(out, _named(names, np.array(learnt), alike), biases)


def _named(names: Sequence[Feature], learnt: np.ndarray, alike: Vectors) -> dict[Feature, np.ndarray]:
    """What each feature says for each label, and each frequent word by its kin, in log-odds."""
    found = {name: learnt[:, number] * SHARES[name[0]] for number, name in enumerate(names)}
    for word, told in alike.weights(
        learnt[:, -SIZE:].T * KIN, [word for table, word in names if table == "words"]
    ).items():
        found["words", word] = found.get(("words", word), 0.0) + told
    return found


def _write(out: Path, found: Mapping[Feature, np.ndarray], biases: Sequence[float]) -> None:
    tables: dict[str, dict[str, list[int]]] = {table: {} for table in SHARES}
    for (table, name), told in found.items():
        steps = [round(each / SCALE) for each in told]
        if any(steps):
            tables[table][name] = steps
    stored = {"labels": LABELS, "scale": SCALE, "bias": [round(each / SCALE) for each in biases], "weights": tables}
    out.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    sizes = ", ".join(f"{len(table)} {name}" for name, table in tables.items())
    click.echo(f"{out.name}: {sizes}, {out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
