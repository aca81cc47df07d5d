"""A worker host as `warmline worker` starts it, that also reads a network which does not answer before it is let.

`python -m tests.workers.slow_host FOLDER`: every page of the network "slow" leaves a file `page-N` in the folder when it is
asked for, and comes once there is a file `let-N`. Once this process has heard meanwhile that it is to stop, there is a file `heard`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from integrations.clients import SocialClient
from integrations.provider import Provider, Secret, Stream
from integrations.records import Author, Engagement, Gone, Kind, Page
from integrations.registry import providers
from service.clock import business_now
from workers import stopping

ACCOUNT = Author("brand-1", "brand", "Brand", url="https://slow.example/brand")
PAGES = 3


class SlowNetwork:
    """Keeps the contract of `SocialClient`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def whoami(self) -> Author:
        return ACCOUNT

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        for number in range(int(cursor or 0) + 1, PAGES + 1):
            (self._folder / f"page-{number}").touch()
            while not (self._folder / f"let-{number}").exists():
                if stopping.asked():
                    (self._folder / "heard").touch()
                time.sleep(0.02)
            yield Page((self._post(number),), str(number))

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone]:
        return []

    def _post(self, number: int) -> Engagement:
        author = Author(f"a{number}", f"ana{number}", "Ana", url="https://slow.example/ana")
        return Engagement(
            id=f"p{number}", kind=Kind.MENTION, author=author, text="@brand do you ship?", thread=f"p{number}",
            created_at=business_now() - timedelta(minutes=number), url=f"https://slow.example/p{number}", mentions=(ACCOUNT.id,),
        )  # fmt: skip


def manifest(folder: Path) -> Provider[SocialClient]:
    address = {"api": "https://slow.example", "web": "https://slow.example"}
    streams = (Stream("mentions", "mentions", timedelta(minutes=5)),)
    network = SlowNetwork(folder)
    return Provider(
        key="slow", kind="social", name="Slow", hosts=address, auth=Secret(), client=lambda _: network, streams=streams
    )


if __name__ == "__main__":
    from workers.__main__ import main

    providers()["slow"] = manifest(Path(sys.argv[1]))
    sys.exit(main(["worker"]))
