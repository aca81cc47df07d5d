"""`python -m chaos [--faults N] [--posts N] [--seed S]`. Returns 0 when nothing was lost, missing, twice, stale, overwritten or
wrongly marked, and everything was back to normal in time."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

from chaos import report
from chaos.episode import run
from chaos.plan import KINDS
from chaos.record import Episode, Size

FAULTS, POSTS, LEASE = 1050, 50_000, 12  # a few find nothing to strike
LIMIT = 20 * 60.0  # seconds of everything together
KEYLESS = 0.05  # the share of the second run, against a CRM that does not keep our key unique


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("chaos", description="The whole system under faults; at the end, what differs.")
    parser.add_argument("--faults", type=int, default=FAULTS, help="how many (default: %(default)s)")
    parser.add_argument(
        "--posts", type=int, default=POSTS, help="how many are written meanwhile (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, help="of the plan of faults and of what people do (default: another each time, printed)"
    )
    parser.add_argument("--seconds", type=float, help="how long faults go on (default: what the numbers need)")
    parser.add_argument("--lease", type=int, default=LEASE, help="seconds (default: %(default)s)")
    parser.add_argument(
        "--limit", type=float, default=LIMIT, help="seconds after which it ends in any case (default: %(default)s)"
    )
    parser.add_argument(
        "--only", action="append", choices=tuple(KINDS), help="this kind of fault alone; may be repeated"
    )
    parser.add_argument("--keyless", choices=("after", "only", "never"), default="after",
                        help="whether to run against a CRM without a unique key as well (default: %(default)s)")  # fmt: skip
    parser.add_argument("--plan", action="store_true", help="print the plan and inject nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; progress goes to stderr")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and data where it is")
    options = parser.parse_args(argv)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    without = tuple(name for name in KINDS if options.only and name not in options.only)
    size = Size(seed, options.faults, options.posts, options.seconds, options.lease, without, keep=options.keep)
    if options.plan:
        for fault in size.plan():
            print(fault)
        return 0
    deadline = time.monotonic() + options.limit
    sizes = []
    if options.keyless != "only":
        sizes.append(size)
    if options.keyless != "never":
        sizes.append(size.smaller(1.0 if options.keyless == "only" else KEYLESS))
    found: list[Episode] = []
    for each in sizes:
        found.append(run(each, deadline, say))
        if not options.json:
            print(report.words(found[-1]), end="\n\n", flush=True)  # at once: the next one may fail
    if options.json:
        print(json.dumps([each.as_json() for each in found]))
    return 0 if all(each.well for each in found) else 1


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
