"""`python -m bench.asking URL`: asks the API for the same page as fast as it answers, over a few kept connections, until its input ends; then
prints how often each status came ("broken off" where none did). The key stands in BENCH_KEY.

Such a caller is usually on another machine. This one shares processors with whom it asks, so it does as little as a caller can: it sends
the same bytes again and again and reads what comes, which costs a tenth of what a client library does. It is a session of its own, since
Linux shares processors out among sessions."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

THREADS = 4


def main(url: str) -> None:
    os.setsid()
    to, key = urlsplit(url), os.environ["BENCH_KEY"]
    stop, answers = threading.Event(), Counter[str]()

    def ask() -> None:
        line = HTTPConnection(to.hostname or "", to.port, timeout=60)
        while not stop.is_set():
            try:
                line.request("GET", f"{to.path}?{to.query}", headers={"Authorization": f"Bearer {key}"})
                answer = line.getresponse()
                answer.read()
                answers[str(answer.status)] += 1
            except (
                OSError,
                HTTPException,
            ):  # a server closes what nobody has used for a while, and the next call opens anew
                answers["broken off"] += 1
                line.close()
        line.close()

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for each in threads:
        each.start()
    sys.stdin.read()
    stop.set()
    for each in threads:
        each.join()
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])
