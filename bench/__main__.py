"""`python -m bench [NAME ...] [--scale small|full] [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from importlib import import_module
from itertools import repeat
from multiprocessing import get_context
from typing import Any

from bench import latency, place, worker
from bench.figures import Figure, described, machine, notes, table
from bench.scale import SCALES
from service import logs

BENCHMARKS = (
    "pull", "decide", "push", "api", "latency", "matching", "identity", "waiting", "texts", "talking", "mapping", "calls", "contacts", "polling", "due", "cost", "fleet", "doors", "neighbour", "release",
)  # fmt: skip
ON_FILES = {"identity", "waiting", "texts", "talking"}  # and on no server
ON_A_STACK = {"latency", "neighbour", "fleet"}  # that run on everything, as `latency.running` starts it
LANES = 3  # at a time, where nothing is measured
Outcome = tuple[str, list[dict[str, Any]] | None]
_FIELDS = tuple(Figure.__dataclass_fields__)


def main(argv: list[str]) -> int:
    """Runs the benchmarks named, or all. Returns 0 whatever came of them: goals are shown, not enforced."""
    parser = argparse.ArgumentParser("bench", description="Speed and memory, each beside a reference in the same run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--scale", choices=SCALES, default="full", help="how much is measured (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; progress goes to stderr")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # one benchmark, in this process
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if options.here:
        print(json.dumps(_figures(options.names[0], options.scale)))
        return 0
    # Names that the environment gives to servers would lead workers away from the benchmark's own.
    for each in ("DATABASE_URL", "REDIS_URL", "WARMLINE_NOW"):
        os.environ.pop(each, None)
    return _all(options.names or list(BENCHMARKS), options.scale, options.json)


def _log_nowhere() -> None:
    """Lines cost here what they cost anywhere, and standard output is the figures'."""
    logs.write(open(os.devnull, "w"), as_json=True)  # noqa: SIM115


def _figures(name: str, scale: str) -> list[dict[str, Any]]:
    _log_nowhere()
    return [each.as_json() for each in import_module(f"bench.{name}").measure(SCALES[scale])]


def _started(name: str, scale: str) -> list[dict[str, Any]]:
    """Its figures, of a program of its own. Raises RuntimeError when that fails."""
    command = [sys.executable, "-m", "bench", name, "--scale", scale, "--here"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode} (see above)")
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _forked(name: str, scale: str) -> list[dict[str, Any]]:
    """The same, of a fork of this one: what all of them import is imported once."""
    found: list[dict[str, Any]] = worker.fork(_figures, name, scale)
    return found


@contextmanager
def _way(scale: str, names: list[str]) -> Iterator[Callable[[list[str], str], list[Outcome]]]:
    """How benchmarks are run."""
    if SCALES[scale].apart:
        yield _one_by_one
        return
    from workers import jobs

    for name in names:
        import_module(f"bench.{name}")
    jobs.preload()
    worker.forking = True
    _log_nowhere()
    with ExitStack() as exits:
        if not ON_FILES.issuperset(names):
            exits.enter_context(place.shared())
        yield _side_by_side


def _one_by_one(names: list[str], scale: str) -> list[Outcome]:
    """Each in programs of its own."""
    return [_outcome(_started, name, scale) for name in names]


def _side_by_side(names: list[str], scale: str) -> list[Outcome]:
    """All at a time, those on one stack one after the other: most of them wait most of the time, and nothing is measured."""
    together = [name for name in names if name in ON_A_STACK]
    lanes = [*([together] if together else []), *([name] for name in names if name not in ON_A_STACK)]
    with ProcessPoolExecutor(LANES, mp_context=get_context("fork")) as pool:
        return [each for lane in pool.map(_lane, lanes, repeat(scale)) for each in lane]


def _lane(names: list[str], scale: str) -> list[Outcome]:
    with latency.shared() if ON_A_STACK & {*names} else nullcontext():
        return [_outcome(_forked, name, scale) for name in names]


def _outcome(run: Callable[[str, str], list[dict[str, Any]]], name: str, scale: str) -> Outcome:
    """A benchmark and its figures; None where it did not run to its end."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        return name, run(name, scale)
    except Exception:
        traceback.print_exc()
        return name, None


def _all(names: list[str], scale: str, as_json: bool) -> int:
    host = machine()
    with _way(scale, names) as run:
        outcomes = dict(run(names, scale))
    failed = [name for name in names if outcomes[name] is None]
    figures = [Figure(**{field: each[field] for field in _FIELDS}) for name in names for each in outcomes[name] or ()]
    if as_json:
        shown = [each.as_json() for each in figures]
        print(json.dumps({"machine": host, "scale": scale, "figures": shown, "failed": failed}))
    else:
        print(f"\n{described(host)}; scale {scale}\n\n{notes(figures)}\n\n{table(figures)}")
    if failed:
        print(f"Did not run to its end: {', '.join(failed)} (see above).", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
