"""Commands run in this process, with an environment of their own."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service import cli
from service.config import Config
from service.db import Database

KEY = f"k1:{base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()}"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs `warmline ARGUMENTS` with this environment and no other setting: exit code, stdout, stderr."""
    for name in (
        "DATABASE_URL",
        "DATABASE_ADMIN_URL",
        "DATABASE_SCHEDULER_URL",
        "REDIS_URL",
        "PORT",
        "WARMLINE_SECRET_KEYS",
        "WARMLINE_URL",
        "WEB_CONCURRENCY",
        "WARMLINE_SANDBOX_PORT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WARMLINE_HOME", str(tmp_path / "home"))

    opened: list[Database] = []  # a command leaves closing to the end of its process
    init = Database.__init__

    def opening(self: Database, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        opened.append(self)

    monkeypatch.setattr(Database, "__init__", opening)

    def call(*arguments: str, **env: str) -> tuple[int, str, str]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["warmline", *arguments])
        capsys.readouterr()  # what the test itself has logged
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    yield call
    for each in opened:
        each.engine.dispose()


def on_the_database(config: Config) -> dict[str, str]:
    return {
        "DATABASE_URL": config.need("database_url"),
        "DATABASE_ADMIN_URL": config.need("database_admin_url"),
        "DATABASE_SCHEDULER_URL": config.need("database_scheduler_url"),
        "REDIS_URL": config.need("redis_url"),
        "WARMLINE_SECRET_KEYS": KEY,
    }
