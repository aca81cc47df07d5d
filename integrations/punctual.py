"""Connections that send nothing once the time of their exchange is over.

A process can be held up between any two lines (a stopped container, a laptop that sleeps), and whoever waited for it has
gone on by then. What it still sends could spend a token a second time, so time is looked at last of all: when the connection
stands, right before the bytes go out.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integrations import deadline


class OnTime(HTTPConnection):
    """For a connection class to inherit first."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        deadline.sending(self.sock)
        super().send(data)


class _Plain(OnTime):
    pass


class _TLS(OnTime, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLS


class _PunctualAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}


def punctual(session: requests.Session) -> None:
    """From now on this session sends nothing after the `Deadline` within which it is used."""
    adapter = _PunctualAdapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
