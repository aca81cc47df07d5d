"""Learns `service/rules/linking_weights.py` from channels whose links people have marked.

    python -m training.links FOLDER [--write]

FOLDER holds `messages.csv` (message_id, channel_day, author, created_at, text) and `truth.csv` (message_id, reply_to with
ids between spaces, starts_conversation, status, near_end), as the Ubuntu IRC data of Kummerfeld et al. (ACL 2019, CC BY 4.0)
do. Prints how well weights do on days that they were not learnt from. Needs the packages of requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import minimize

from service.backtest.judged import LIKELY
from service.backtest.scoring import score
from service.rules import linking
from service.rules.channel import Channel, Message
from service.rules.linking import answered, link
from service.rules.linking_features import FEATURES

FOLDS = 5
RIDGE = 1.0  # the weights' squares, as a prior that few things matter; .3 and 3 do about as well
TARGET = Path(__file__).parents[1] / "service/rules/linking_weights.py"
HEAD = '''"""The weights of `linking`, one for each feature of `channel`: positive speaks for the link. Written by `training/links.py`.

Learnt from the reply links that people marked in days of an Ubuntu support channel: Kummerfeld et al., "A Large-Scale Corpus
for Conversation Disentanglement" (ACL 2019), https://github.com/jkkummerfeld/irc-disentanglement, CC BY 4.0. No text of
theirs is in here.

{figures}
"""

from __future__ import annotations

from typing import Final

WEIGHTS: Final[dict[str, float]] = {{
{rows}
}}
'''

Days = Mapping[str, Sequence[Message]]
Truth = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Examples:
    """Every message that could be answered, by message (`group`): its features, and its share of being the one."""

    features: Any
    group: Any
    share: Any


def load(folder: Path) -> tuple[Days, Truth]:
    days: dict[str, list[Message]] = defaultdict(list)
    for row in _rows(folder / "messages.csv"):
        at = datetime.fromisoformat(row["created_at"])
        days[row["channel_day"]].append(Message(row["message_id"], row["author"], at, row["text"]))
    return days, {row["message_id"]: row for row in _rows(folder / "truth.csv")}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def examples(messages: Sequence[Message], truth: Truth, read: Mapping[str, str | None] | None) -> Examples:
    """The examples of one day. What came before a message is settled as people marked it or, where given, as a model has
    `read` it, which is what the weights will meet in earnest."""
    channel = Channel(sorted(messages, key=lambda each: each.at))
    ids = [each.message.id for each in channel.said]
    at = {id_: number for number, id_ in enumerate(ids)}
    masks: list[int] = []
    groups: list[int] = []
    shares: list[float] = []
    for number, id_ in enumerate(ids):
        options = channel.options(number)
        marked = truth.get(id_)
        parents = [at[each] for each in marked["reply_to"].split() if at.get(each, number) < number] if marked else []
        right = [option in (parents or [number]) for option, _ in options]
        if marked and any(right) and bool(parents) == bool(marked["reply_to"]):
            masks += [mask for _, mask in options]
            groups += [number] * len(options)
            shares += [each / sum(right) for each in right]
        settled = max(parents, default=number) if read is None else at.get(read.get(id_) or "", number)
        channel.settle(number, settled)
    bits = np.array([[mask >> bit & 1 for bit in range(len(FEATURES))] for mask in masks], dtype=np.float64)
    return Examples(sparse.csr_matrix(bits), np.array(groups), np.array(shares))


def learn(parts: Iterable[Examples]) -> dict[str, float]:
    """The weights under which what people marked is the likeliest."""
    parts = list(parts)
    features = sparse.vstack([each.features for each in parts]).tocsr()
    transposed = features.T.tocsr()
    share = np.concatenate([each.share for each in parts])
    edges = np.concatenate([np.r_[True, np.diff(each.group) != 0] for each in parts])
    starts, group = np.flatnonzero(edges), np.cumsum(edges) - 1

    def loss(weights: Any) -> tuple[float, Any]:
        scores = features @ weights
        scores -= np.maximum.reduceat(scores, starts)[group]
        total = np.add.reduceat(np.exp(scores), starts)[group]
        found = np.exp(scores) / total
        value = -(share * (scores - np.log(total))).sum() + RIDGE * weights @ weights
        return value, -(transposed @ (share - found)) + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return {name: round(float(weight), 3) for name, weight in zip(FEATURES, found.x, strict=True)}


def out_of_fold(days: Days, parts: Mapping[str, Examples]) -> tuple[dict[str, str | None], dict[str, float]]:
    """What each message answers, and how likely it was answered, by weights that were learnt on other days."""
    parents: dict[str, str | None] = {}
    chances: dict[str, float] = {}
    names = sorted(days)
    for fold in range(FOLDS):
        held_out = names[fold::FOLDS]
        use(learn(parts[name] for name in names if name not in held_out))
        for name in held_out:
            links = link(days[name])
            parents.update({each.id: each.parent for each in links})
            chances.update(answered(days[name], links))
    return parents, chances


def use(weights: Mapping[str, float]) -> None:
    """Has `linking` score with these weights from now on."""
    linking.WEIGHTS.clear()
    linking.WEIGHTS.update(weights)
    linking._scores.clear()


def figures(truth: Truth, parents: Mapping[str, str | None], chances: Mapping[str, float]) -> str:
    """How good links and answers are, as a sentence."""
    right = [(parents[id_] or "") in (row["reply_to"].split() or [""]) for id_, row in truth.items()]
    starts = [row for row in truth.values() if row["starts_conversation"] == "1" and row["near_end"] == "0"]
    pairs = [(chances[row["message_id"]] >= LIKELY, row["status"] == "answered") for row in starts]
    told, untold = score(pairs), score([(not said, not true) for said, true in pairs])
    return (
        f"On days held out, {sum(right) / len(right):.3f} of {len(right)} links are right; whether one of {len(starts)} beginnings"
        f" was answered has F1 {told.f1:.3f} (answered) and {untold.f1:.3f} (unanswered)."
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("training.links", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    options = parser.parse_args(arguments)
    days, truth = load(options.folder)
    marked = {name: examples(messages, truth, None) for name, messages in days.items()}
    parents, _ = out_of_fold(days, marked)
    lived = {name: examples(messages, truth, parents) for name, messages in days.items()}
    said = figures(truth, *out_of_fold(days, lived))
    sys.stdout.write(f"{said}\n")
    weights = learn(lived[name] for name in sorted(lived))
    if options.write:
        rows = "\n".join(f'    "{name}": {weight},' for name, weight in weights.items())
        TARGET.write_text(HEAD.format(figures=fill(said, 118), rows=rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
