"""`python -m chaos.process COMMAND ...`: a process of Warmline as `warmline COMMAND ...` starts it, on a host whose board
(CHAOS_BOARD) may step its clock and set traps."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from chaos.board import Board, Trap

VARIABLE = "CHAOS_BOARD"


def main(argv: Sequence[str]) -> None:
    board = Board(Path(os.environ[VARIABLE]))
    _step_clock(board)
    _lay_traps(board)
    os.execv = _run_here  # type: ignore[assignment] # the commands replace themselves with the module that does the work: with our clock, please
    from service.cli import main as command

    sys.argv = ["warmline", *argv]
    command()


def _step_clock(board: Board) -> None:
    """Before anybody takes the function from there by name."""
    from service import clock

    clock.real_now = lambda: datetime.now(UTC) + timedelta(seconds=board.clock)


def _lay_traps(board: Board) -> None:
    import requests
    from sqlalchemy import Engine, event
    from sqlalchemy.orm import Session

    def die(trap: Trap) -> None:
        if board.sprung(trap):
            os.kill(os.getpid(), signal.SIGKILL)

    send = requests.Session.send

    def trapped(self: requests.Session, request: Any, **options: Any) -> requests.Response:
        die(Trap.CALL_BEFORE)
        answer = send(self, request, **options)
        die(Trap.CALL_AFTER)
        return answer

    requests.Session.send = trapped  # type: ignore[method-assign]
    event.listen(Engine, "commit", lambda _: die(Trap.COMMIT_BEFORE))
    event.listen(Session, "after_commit", lambda _: die(Trap.COMMIT_AFTER))


def _run_here(_: str, argv: Sequence[str]) -> NoReturn:
    assert argv[1] == "-m"
    sys.argv = list(argv[2:])
    runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
