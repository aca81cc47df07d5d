"""Progress on a terminal: sentences, and one line that changes in place."""

from __future__ import annotations

from typing import TextIO


class Screen:
    """Where it is no terminal, a changed line is a new one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._shown = ""

    def say(self, sentence: str) -> None:
        """A line of its own."""
        self._clear()
        self._out.write(sentence + "\n")
        self._out.flush()

    def progress(self, line: str) -> None:
        """The line that changes in place."""
        if line == self._shown:
            return
        self._clear()
        self._out.write(line if self._live else line + "\n")
        self._out.flush()
        self._shown = line

    def _clear(self) -> None:
        if self._live and self._shown:
            self._out.write("\r\x1b[2K")
        self._shown = ""
