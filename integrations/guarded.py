"""Hosts that users type: whatever a name leads to, nothing is sent to an address inside."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

from integrations import deadline

# `is_global` of Python 3.11 says yes to these; each leads, or can be made to lead, inside.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "fec0::/10",
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address (with or without a zone) lies on the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return (
        ip.is_global and not ip.is_multicast and not any(ip in net for net in _NOT_PUBLIC if net.version == ip.version)
    )


class PeerNotAllowedError(NewConnectionError):
    """The name led to an address that is not public."""


def guard(session: requests.Session, allow: tuple[str, ...]) -> None:
    """From now on this session reaches only hosts whose addresses are public, and those in `allow`."""
    adapter = GuardedAdapter(allow)
    session.mount("http://", adapter)
    session.mount("https://", adapter)


def _checked(sock: socket.socket, connection: HTTPConnection, allow: tuple[str, ...]) -> socket.socket:
    try:
        peer = sock.getpeername()[0]
    except OSError:
        sock.close()
        raise NewConnectionError(connection, "the other side was gone at once") from None
    if not is_public(peer) and peer.partition("%")[0] not in allow and connection.host not in allow:
        sock.close()
        raise PeerNotAllowedError(connection, "that host leads to an address that is not public")
    return sock


class GuardedAdapter(HTTPAdapter):
    """Checks the connected peer before a byte is sent, so neither DNS that changes nor a redirect gets by. The sockets are
    watched by the deadline of the exchange, those that are used once more as well."""

    def __init__(self, allow: tuple[str, ...] = ()) -> None:
        def checked(sock: socket.socket, connection: HTTPConnection) -> socket.socket:
            deadline.watched(_checked(sock, connection, allow))
            return sock

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return checked(super()._new_conn(), self)

            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself has it
                deadline.watched(self.sock)
                return super().getresponse()

        class TLS(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return checked(super()._new_conn(), self)

            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself has it
                deadline.watched(self.sock)
                return super().getresponse()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TLSPool(HTTPSConnectionPool):
            ConnectionCls = TLS

        self._pools = {"http": PlainPool, "https": TLSPool}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools
