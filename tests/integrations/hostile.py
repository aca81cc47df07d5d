"""What somebody may type where a server's name is asked for, and mean a server inside: spellings, names and addresses that lead
there, and addresses that seem to lead elsewhere. All of them end at one port on loopback where nobody may arrive."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

LOOPBACK = "127.0.0.1"
PUBLIC = "198.51.99.7"  # an address on the internet that nobody calls: the resolver of these tests hands it out
# Loopback, private networks, shared address space, link-local with the metadata services of clouds, "this host", multicast.
INSIDE = (LOOPBACK, "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "224.0.0.1")  # fmt: skip


def _wide(text: str) -> str:
    return text.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789"})


def _circled(text: str) -> str:
    return text.translate({ord(each): 0x2460 + int(each) - 1 for each in "123456789"} | {ord("0"): 0x24EA})


def _bold(text: str) -> str:
    return text.translate({ord(each): 0x1D7CE + int(each) for each in "0123456789"})


def spellings(address: str) -> Iterator[str]:
    """An IPv4 address as resolvers, browsers and C libraries read it (inet_aton(3); WHATWG URL, 3.5), and beyond."""
    a, b, c, d = map(int, address.split("."))
    number = int(ipaddress.IPv4Address(address))
    yield from (
        address,
        f"{address}.",
        str(number),
        hex(number),
        f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
    )
    yield from (
        f"0X{a:X}.{b}.{c}.0{d:o}",
        f"{a}.{b}.{c << 8 | d}",
        f"{a}.{b << 16 | c << 8 | d}",
        f"{a:03}.{b:03}.{c:03}.{d:03}",
    )
    yield from (
        _wide(address),
        _wide(address).replace(".", "。"),
        _circled(address),
        _bold(address),
        address.replace(".", "．"),
        address.replace(".", "｡"),
    )
    yield from (address.replace(".", "%2e"), "".join(f"%{ord(each):02x}" for each in address))
    yield from (
        f"[::ffff:{address}]",
        f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[64:ff9b:1::{address}]",
    )
    yield from (f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]", f"[2001:0:{number >> 16:x}:{number & 0xFFFF:x}::]", f"[::ffff:0:{address}]", f"[2001:4860::5efe:{address}]")  # fmt: skip


SIX = ("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::1%25lo]", "[::1%lo]", "[fe80::1%25lo]", "[fe80::1]", "[fd00:ec2::254]", "[fc00::1]", "[fec0::1]", "[ff02::1]",
       "[2001:db8::1]", "[100::1]", "[3fff::1]", "::1", "fe80::1", "[v1.127.0.0.1]", "[::1]]", "[[::1]]", "[::1")  # fmt: skip
# The resolver of these tests leads every name inside, whatever it is.
NAMES = ("localhost", "LocalHost", "localhost.", "localhost.localdomain", "ip6-localhost", "a.localhost", "ｌｏｃａｌｈｏｓｔ", "loc\u00adalhost", "local\u200dhost", "ⓛocalhost", "metadata", "metadata.google.internal",
         "instance-data", "kubernetes.default.svc", "host.docker.internal", "printer.local", "1.0.0.127.in-addr.arpa", "inside.example", "INSIDE.example.", "127.0.0.1.inside.example", "inside6.example", "mapped.example",
         "nat64.example", "metadata.example", "mixed.example", "changes.example", "xn--80ak6aa92e.example", "аррӏе.example", "mаstodon.example", "bücher.example", "inside。example", "inside%2eexample", "_.example")  # fmt: skip
LONG = ("a" * 64 + ".example", "a." * 127 + "example", "a" * 5000, "." * 300, "1" * 400, "0x" + "f" * 200)


def _around(place: str) -> Iterator[str]:
    """Addresses that read as one server and may lead to another; `place` is host and port inside."""
    host, port = place.rsplit(":", 1)
    yield from (
        f"{scheme}://{place}/"
        for scheme in (
            "http",
            "https",
            "HTTP",
            "ftp",
            "gopher",
            "dict",
            "ldap",
            "ws",
            "unix",
            "jar:http",
            "file",
            "webcal",
            "tcp",
        )
    )
    yield from (
        f"//{place}",
        f"https:{place}",
        f"https:/{place}",
        f"https:///{place}",
        f"https:\\\\{place}",
        f"http:/\\{place}",
        f"\\\\{place}",
        f"file:///etc/passwd#{place}",
        "javascript:alert(1)",
        "data:text/plain,x",
    )
    yield from (
        f"good.example@{place}",
        f"https://good.example@{place}",
        f"https://me:pw@{place}",
        f"https://{place}@good.example",
        f"https://good.example:443@{place}",
        f"@me@{place}",
        f"https://good.example%40{place}",
    )
    yield from (
        f"https://good.example#@{place}",
        f"https://good.example?@{place}",
        f"https://good.example\\@{place}",
        f"https://good.example/@{place}",
        f"https://good.example;{place}",
        f"good.example,{place}",
        f"good.example {place}",
    )
    yield from (
        f"{place}\r\nHost: good.example",
        f"good.example\r\nHost: {place}",
        f"{place}%0d%0aX: y",
        f"good.example\n{place}",
        f"{place}\x00.good.example",
        f"{host}\t:{port}",
        f" {place} ",
        f"\u202e{place}",
        f"{place}\ufeff",
    )
    yield from (
        f"{host}:{port}:443",
        f"{host}:0{port}",
        f"{host}:{_wide(port)}",
        f"{host}:+{port}",
        f"{host}:-1",
        f"{host}:0",
        f"{host}:65536",
        f"{host}:{65536 + int(port)}",
        f"{host}:{port}/..;/",
        f"{host}:",
        f"inside.example:{port}",
    )
    yield from (f"inside.example:{number}" for number in (22, 25, 53, 111, 389, 445, 587))
    yield from (
        f"${{{host}}}:{port}",
        f"{{server}}.{place}",
        "{0.__class__}.example",
        f"did:web:{host}%3A{port}",
        f"did:web:localhost%3A{port}",
        f"inside.example%3A{port}",
        f"https://inside.example:{port}/path?x=1",
        f"https://[{host}]:{port}",
    )


def forms(port: int) -> tuple[str, ...]:
    """All of it, each once, meant for this port."""
    hosts = [each for address in INSIDE for each in spellings(address)] + [*SIX, *NAMES]
    return tuple(dict.fromkeys([*(f"{host}:{port}" for host in hosts), *LONG, *_around(f"{LOOPBACK}:{port}")]))


@dataclass
class Inside:
    """A port of loopback that counts who arrives, over either protocol, and a resolver that leads every name there. `called` are the addresses on
    the internet that would have been called: those calls are refused here."""

    sockets: list[socket.socket]
    called: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        found: int = self.sockets[0].getsockname()[1]
        return found

    def arrived(self) -> int:
        """How many have connected since it was asked last: the kernel lets them wait, whether or not anybody lets them in."""
        count = 0
        for sock in self.sockets:
            while True:
                try:
                    accepted, _ = sock.accept()
                except BlockingIOError:
                    break
                accepted.close()
                count += 1
        return count

    def lead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on names lead inside, and nothing leaves this machine."""
        ask, connect = socket.getaddrinfo, socket.socket.connect

        def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
            name = host.decode() if isinstance(host, bytes) else str(host)
            found = []
            for address in self._leads(name):
                found += ask(address, port, *args, **kwargs)
            return found

        def guarded(sock: socket.socket, address: Any) -> None:
            host, port = address[:2] if isinstance(address, tuple) else (LOOPBACK, 0)  # else a socket in a folder
            if ipaddress.ip_address(str(host).partition("%")[0]).is_global:
                self.called.append(str(host))
                raise ConnectionRefusedError
            if port == self.port:
                sock.settimeout(1)  # nobody answers here: whoever did get in is not to wait for an answer
            connect(sock, address)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(socket.socket, "connect", guarded)

    def _leads(self, name: str) -> tuple[str, ...]:
        with suppress(OSError):
            socket.inet_aton(name)
            return (name,)  # as C libraries read it
        with suppress(ValueError):
            return (str(ipaddress.ip_address(name)),)
        self.asked.append(name)
        turn = self.asked.count(name)
        return {
            "inside6.example": ("::1",),
            "mapped.example": (f"::ffff:{LOOPBACK}",),
            "nat64.example": (f"64:ff9b::{LOOPBACK}",),
            "metadata.example": ("169.254.169.254",),
            "mixed.example": (PUBLIC, LOOPBACK),
            "changes.example": (PUBLIC,) if turn % 2 else (LOOPBACK,),  # and again
            "public.example": (PUBLIC,),
        }.get(name, (LOOPBACK,))  # fmt: skip


def listening() -> Inside:
    """Listens on loopback, over IPv6 as well where this machine has it."""
    first = socket.create_server((LOOPBACK, 0))
    found = [first]
    with suppress(OSError):  # no IPv6 here, or the port is taken there
        found.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6))
    for each in found:
        each.setblocking(False)
    return Inside(found)
