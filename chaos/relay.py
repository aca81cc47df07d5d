"""`python -m chaos.relay BOARD LISTEN=TARGET ...`: passes bytes on, from `host:port` to `host:port` or to a socket's path. While
the board says `cut`, nothing passes either way and nobody is told: as when a cable is pulled."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from chaos.board import Board

LOOK = 0.05  # seconds
CHUNK = 256 * 1024


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, board: Board) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            while board.cut:
                await asyncio.sleep(LOOK)
            writer.write(data)
            await writer.drain()
    writer.close()


async def _serve(listen: str, target: str, board: Board) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while board.cut:
            await asyncio.sleep(LOOK)
        try:
            there = await _open(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, there[1], board), _pass_on(there[0], writer, board))

    host, _, port = listen.rpartition(":")
    return await asyncio.start_server(answer, host, int(port))


async def _open(target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if target.startswith("/"):
        return await asyncio.open_unix_connection(target)
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _run(board: Board, pairs: list[str]) -> None:
    ways = [pair.split("=", 1) for pair in pairs]
    servers = [await _serve(listen, target, board) for listen, target in ways]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_run(Board(Path(sys.argv[1])), sys.argv[2:]))
