"""The proxy that cuts a host off where no network can be made: nothing passes while it is cut, and nothing is lost."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.place import free_port
from chaos.board import Board

ROOT = Path(__file__).parents[2]


@pytest.fixture
def there() -> Iterator[int]:
    """Somebody who says back what they hear."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            caller, _ = server.accept()
            with caller:
                while heard := caller.recv(100):
                    caller.sendall(heard)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_nothing_passes_while_it_is_cut_and_everything_after(there: int, tmp_path: Path) -> None:
    board, port = Board(tmp_path / "board"), free_port()
    words = [sys.executable, "-m", "chaos.relay", str(tmp_path / "board"), f"127.0.0.1:{port}=127.0.0.1:{there}"]
    with subprocess.Popen(words, cwd=ROOT) as relay:
        with connected(port, relay) as caller:
            caller.sendall(b"one")
            assert caller.recv(100) == b"one"
            board.cut = True
            caller.sendall(b"two")
            caller.settimeout(0.3)
            with pytest.raises(TimeoutError):
                caller.recv(100)
            board.cut = False
            caller.settimeout(10)
            assert caller.recv(100) == b"two"
        relay.terminate()


def connected(port: int, relay: subprocess.Popen[bytes]) -> socket.socket:
    """As soon as somebody listens there."""
    while relay.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            continue
    raise AssertionError("the relay has ended")
