"""`python -m fuzz [--minutes M] [--cases N] [--requests N] [--seed S] [--only NAME]`. Returns 0 when nothing was found.

Parsers first, for so many minutes; then the API as its document has it, with so many calls; then every route of the web server, with so many
requests. Finds are written to a folder, each the smallest input that shows it.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from fuzz import doors, engine
from fuzz.every import targets

FOLDER = Path("build/fuzz")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("fuzz", description="What strangers may send, drawn at random.")
    parser.add_argument("--minutes", type=float, default=60.0, help="for all parsers together; 0: none (default: %(default)s)")  # fmt: skip
    parser.add_argument("--cases", type=int, default=20_000, help="calls of the API; 0: none (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=20_000, help="at pages, forms, callbacks, webhooks and the API; 0: none (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, help="of what is drawn (default: another each time, printed)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="targets whose names hold this; may be repeated")  # fmt: skip
    parser.add_argument("--finds", type=Path, default=FOLDER, help="where finds are written (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="name the targets and try none")
    options = parser.parse_args(argv)

    def is_meant(name: str) -> bool:
        return not options.only or any(part in name for part in options.only)

    chosen, routes = [each for each in targets() if is_meant(each.name)], [*filter(is_meant, doors.names())]
    if options.list:
        print("\n".join([*(each.name for each in chosen), *routes]))
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    finds: list[engine.Found] = []

    def keep(found: engine.Found) -> Path:
        finds.append(found)
        return found.keep(options.finds)

    if options.minutes and chosen:
        counts = engine.fuzz(chosen, options.minutes, seed, say, keep)
        for name, number in sorted(counts.items()):
            print(f"{number:>9,}  {name}")
        print(f"{sum(counts.values()):>9,}  inputs of {len(counts)} targets")
    if options.cases:
        from fuzz import calls

        tried, found = calls.run(options.cases, seed, say)
        print(f"{tried:>9,}  calls of the API")
        for each in found:
            keep(each)
    if options.requests and routes:
        tried, found = doors.run(options.requests, seed, say, routes)
        print(f"{tried:>9,}  requests at {len(routes)} doors")
        for each in found:
            keep(each)
    print(f"{len(finds):>9,}  finds" + (f", in {options.finds}" if finds else ""))
    return 1 if finds else 0


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
