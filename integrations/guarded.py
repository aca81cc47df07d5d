"""Hosts that users type: whatever a name leads to, nothing is sent to an address inside."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.connection import allowed_gai_family

from integrations import deadline
from integrations.punctual import OnTime

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
        "2001:20::/28",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: before the IPv4 address that such an interface leads to
_TRIES = 4  # addresses of one name that are tried: somebody may list a hundred that do not answer


def is_public(address: str) -> bool:
    """Whether an IP address (with or without a zone) lies on the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv6Address) and int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
        return False
    return (
        ip.is_global and not ip.is_multicast and not any(ip in net for net in _NOT_PUBLIC if net.version == ip.version)
    )


class PeerNotAllowedError(NewConnectionError):
    """The name led to no address that is public."""


def guard(session: requests.Session, allow: tuple[str, ...]) -> None:
    """From now on this session reaches only hosts whose addresses are public, and those that `allow` names as they are called."""
    adapter = GuardedAdapter(allow)
    session.mount("http://", adapter)
    session.mount("https://", adapter)


def _addresses(connection: HTTPConnection, allow: tuple[str, ...]) -> list[str]:
    """Where this connection's host may be called: numbers, since a name could lead elsewhere when it is asked again."""
    host = connection.host
    try:
        found = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError:  # a label that is empty or too long
        raise LocationParseError(host) from None
    numbers = list(dict.fromkeys(str(each[4][0]) for each in found))
    good = numbers if host in allow else [each for each in numbers if is_public(each)]
    if not good:
        raise PeerNotAllowedError(connection, "that host leads to an address that is not public")
    return good[:_TRIES]


def _connected(
    connection: HTTPConnection, connect: Callable[[], socket.socket], allow: tuple[str, ...]
) -> socket.socket:
    """A socket to the first of the good addresses that answers. TLS asks for the name as before: only `connect` sees the number."""
    name, failure = connection.host, None
    for address in _addresses(connection, allow):
        connection.host = address
        try:
            sock = connect()
        except (NewConnectionError, ConnectTimeoutError) as error:
            failure = error
        else:
            deadline.watched(sock)
            return sock
        finally:
            connection.host = name
    assert failure is not None  # there is one address at least
    raise failure


class GuardedAdapter(HTTPAdapter):
    """Resolves a name once and calls only what it has looked at, so neither DNS that changes nor a redirect gets by, and nobody
    inside sees so much as a connection. The sockets are watched by the deadline of the exchange, those that are used once more
    as well."""

    def __init__(self, allow: tuple[str, ...] = ()) -> None:
        class Plain(OnTime):
            def _new_conn(self) -> socket.socket:
                return _connected(self, super()._new_conn, allow)

            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself has it
                deadline.watched(self.sock)
                return super().getresponse()

        class TLS(OnTime, HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, super()._new_conn, allow)

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
