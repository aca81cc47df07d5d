"""The plan of faults: how many of which kind, when, and how bad, all drawn from one seed before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.board import Trap

HOSTS = ("a", "b")
WORK = ("worker-a", "worker-b")
PROGRAMS = (*WORK, "scheduler", "web")


@dataclass(frozen=True)
class Fault:
    """One fault. `at` and `lasts` are seconds: since the beginning, and how long it goes on (0: an instant)."""

    at: float
    kind: str
    how: Mapping[str, Any]
    lasts: float = 0.0

    @property
    def ends(self) -> float:
        return self.at + self.lasts

    def __str__(self) -> str:
        words = " ".join(f"{name}={value}" for name, value in self.how.items())
        return f"{self.at:7.1f} s  {self.kind} {words}" + (f" for {self.lasts:.1f} s" if self.lasts else "")


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how often it comes beside the others, how long it lasts, and what else is drawn for one."""

    weight: float
    draw: Callable[[Random], Mapping[str, Any]]
    lasts: tuple[float, float] = (0.0, 0.0)  # seconds, at least and at most
    leases: tuple[float, float] | None = None  # instead: lengths of a lease


def _one_of(**choices: Sequence[Any]) -> Callable[[Random], Mapping[str, Any]]:
    return lambda random: {name: random.choice(options) for name, options in choices.items()}


def _child(random: Random) -> Mapping[str, Any]:
    """A child of a program: which one, as a share of those there are."""
    return {"program": random.choice((*WORK, *WORK, "web")), "which": round(random.random() * 0.999, 3)}


def _answers(random: Random) -> Mapping[str, Any]:
    return {"provider": random.choice(("x", "hubspot", "hubspot")), "count": random.randint(1, 5)}


def _storm(random: Random) -> Mapping[str, Any]:
    return {"provider": random.choice(("x", "hubspot")), "count": random.randint(5, 40), "status": random.choice(("429", "500", "502", "503")), "seconds": random.randint(1, 4)}  # fmt: skip


def _clock(random: Random) -> Mapping[str, Any]:
    return {"host": random.choice(HOSTS), "seconds": round(random.choice((-1, 1)) * random.uniform(2, 90), 1)}


def _nothing(random: Random) -> Mapping[str, Any]:
    return {}


KINDS: Mapping[str, Kind] = {
    "kill a child": Kind(14, _child),
    "kill a program": Kind(6, _one_of(program=PROGRAMS)),
    "kill at a step": Kind(14, _one_of(host=HOSTS, trap=[each.name for each in Trap])),
    "stop a child": Kind(3, _child, leases=(2.0, 2.0)),
    "stop a program": Kind(2, _one_of(program=PROGRAMS), leases=(2.0, 2.0)),
    "restart PostgreSQL": Kind(2, _one_of(signal=("SIGINT", "SIGQUIT", "SIGKILL"))),
    "end a connection to PostgreSQL": Kind(5, lambda random: {"which": round(random.random() * 0.999, 3), "signal": random.choice(("SIGTERM", "SIGTERM", "SIGTERM", "SIGKILL"))}),
    "leave PostgreSQL no connections": Kind(3, _nothing, (2.0, 8.0)),
    "restart Valkey": Kind(3, _one_of(signal=("SIGTERM", "SIGKILL"))),
    "empty Valkey": Kind(4, _nothing),
    "lose answers": Kind(9, _answers),
    "drop calls": Kind(6, _answers),
    "delay answers": Kind(5, lambda random: {**_answers(random), "seconds": round(random.uniform(0.5, 8.0), 1)}),
    "hang calls": Kind(3, lambda random: {**_answers(random), "seconds": round(random.uniform(1.0, 12.0), 1), "done": random.random() < 0.5}),
    "do calls twice": Kind(6, _answers),
    "answer garbage": Kind(2, _answers),
    "storm of refusals": Kind(6, _storm),
    "end tokens": Kind(5, _one_of(provider=("x", "hubspot"))),
    "step a clock": Kind(6, _clock, (3.0, 20.0)),
    "fill the disk": Kind(2, _nothing, (1.0, 8.0)),
    "deploy": Kind(1, lambda random: {"order": random.sample(PROGRAMS, len(PROGRAMS)), "pause": round(random.uniform(0.2, 4.0), 1)}),
    "cut a host off": Kind(2, _one_of(host=HOSTS), leases=(0.3, 2.0)),
}  # fmt: skip


def plan(seed: int, faults: int, seconds: float, lease: float, without: Sequence[str] = ()) -> list[Fault]:
    """`faults` of them within `seconds`, in order. The same arguments give the same plan. Every kind comes once before chance
    has its way, where there are enough; `without` leaves kinds out that cannot be had here."""
    random = Random(seed)
    kinds = [name for name in KINDS if name not in without]
    chosen = random.sample(kinds, len(kinds))[:faults]
    chosen += random.choices(kinds, [KINDS[name].weight for name in kinds], k=faults - len(chosen))
    return sorted((_draw(random, name, seconds, lease) for name in chosen), key=lambda fault: fault.at)


def _draw(random: Random, name: str, seconds: float, lease: float) -> Fault:
    kind = KINDS[name]
    shortest, longest = (each * lease for each in kind.leases) if kind.leases else kind.lasts
    how = kind.draw(random)
    return Fault(random.uniform(0.0, seconds), name, how, round(random.uniform(shortest, longest), 1))
