"""Learns what speaks for a call, and against one: `python -m training.calls` writes `service/rules/weights/calls.json` and prints how well
the verdicts of each file of histories are told by weights that were learnt without it.

The histories (`tests/service/rules/histories/*.md`) and their verdicts are our own. One logistic regression over what `readiness.score`
sees at the strongest moment of a talk and what `readiness.doubts` says, with weights that cannot be negative: what speaks for a call
never speaks against one (see `score`). Somebody whom a refusal stands against, or who asks plainly, teaches nothing: that is decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.optimize import minimize

from service.backtest.call import history, policy_of
from service.backtest.files import instant
from service.backtest.scoring import kappa
from service.rules.readiness import look
from service.rules.readiness.doubts import doubts_of
from service.rules.readiness.refusals import refusal
from service.rules.readiness.score import PLAINLY_ASKED, REFUSED
from service.rules.readiness.talk import worth_reading
from tests.service.rules.histories import table

WEIGHTS = Path(__file__).parent.parent / "service" / "rules" / "weights" / "calls.json"
SMOOTH = 0.002  # strength of the regularisation, for each history
ROUNDS = 6  # the strongest moment depends on the weights


@dataclass(frozen=True, slots=True)
class Sample:
    """A history as it is learnt from."""

    file: str
    ready: bool
    decided: float | None  # the odds where a refusal stands against it, they ask plainly, or nobody has answered
    moments: np.ndarray  # what speaks for a call: a row for each moment, a column for each name
    doubts: np.ndarray


@dataclass(frozen=True, slots=True)
class Names:
    speaks_for: list[str]
    against: list[str]


def samples() -> tuple[list[Sample], Names]:
    """The histories, and the names of the columns."""
    read = [(told.file, told.ready, *_looked(told.item)) for told in table()]
    names = Names(
        sorted({name for *_, shown, _ in read for each in shown for name in each} - {PLAINLY_ASKED}),
        sorted({name for *_, against in read for name in against}),
    )
    return [
        Sample(file, ready, decided, _rows(shown, names.speaks_for), _rows([against], names.against)[0])
        for file, ready, decided, shown, against in read
    ], names


def _looked(item: Mapping[str, Any]) -> tuple[float | None, list[Mapping[str, float]], dict[str, float]]:
    """What is decided without weights, what speaks for a call, and what makes one doubtful."""
    told, now = history(item, item["id"]), instant(item["now"], item["id"])
    if not worth_reading(told):
        return REFUSED, [{}], {}
    seen = look(told, now, policy_of(item.get("timezone")))
    plainly = any(PLAINLY_ASKED in each for each in seen.shown)
    decided = REFUSED if refusal(seen.case) or not seen.two_way else -REFUSED if plainly else None
    return decided, seen.shown, {each.name: each.much for each in doubts_of(seen.case)}


def _rows(shown: Sequence[Mapping[str, float]], names: Sequence[str]) -> np.ndarray:
    return np.array([[each.get(name, 0.0) for name in names] for each in shown])


def fit(chosen: Sequence[Sample]) -> np.ndarray:
    """The base, what each thing that is to be seen adds, and what each doubt takes away."""
    wide, deep = chosen[0].moments.shape[1], chosen[0].doubts.shape[0]
    ready = np.array([each.ready for each in chosen], float)
    weights = np.concatenate([[-3.0], np.full(wide, 0.5), np.zeros(deep)])
    bounds = [(None, None), *[(0, None)] * (wide + deep)]
    for _ in range(ROUNDS):
        strongest = [each.moments[np.argmax(each.moments @ weights[1 : 1 + wide])] for each in chosen]
        x = np.array([[1.0, *row, *-each.doubts] for row, each in zip(strongest, chosen, strict=True)])

        def loss(tried: np.ndarray, x: np.ndarray = x) -> tuple[float, np.ndarray]:
            odds = x @ tried
            kept = np.concatenate([[0.0], tried[1:]])
            wrong = np.mean(np.logaddexp(0, odds) - ready * odds) + SMOOTH / 2 * kept @ kept
            return wrong, x.T @ (1 / (1 + np.exp(-odds)) - ready) / len(ready) + SMOOTH * kept

        weights = minimize(loss, weights, jac=True, method="L-BFGS-B", bounds=bounds).x
    return weights


def odds_of(sample: Sample, weights: np.ndarray) -> float:
    if sample.decided is not None:
        return sample.decided
    wide = sample.moments.shape[1]
    return float(weights[0] + (sample.moments @ weights[1 : 1 + wide]).max() - sample.doubts @ weights[1 + wide :])


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def main(out: Path) -> None:
    every, names = samples()
    open_ones = [each for each in every if each.decided is None]
    told: list[tuple[bool, bool]] = []
    for file in sorted({each.file for each in every}):
        weights = fit([each for each in open_ones if each.file != file])
        here = [(odds_of(each, weights) > 0, each.ready) for each in every if each.file == file]
        told += here
        click.echo(f"{file:40} {len(here):4} histories, kappa without it {kappa(here):.2f}")
    click.echo(f"{'all':40} {len(told):4} histories, kappa {kappa(told):.3f}")
    base, *rest = fit(open_ones)
    speaks_for = _table(names.speaks_for, rest)
    against = _table(names.against, rest[len(names.speaks_for) :])
    out.write_text(
        json.dumps({"base": round(base, 2), "for": speaks_for, "against": against}, indent=2) + "\n", "utf-8"
    )


def _table(names: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    found = {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=False)}
    return {name: weight for name, weight in found.items() if weight}


if __name__ == "__main__":
    main()
