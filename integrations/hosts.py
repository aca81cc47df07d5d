"""Servers that people name: what they typed becomes a name that can be called, and a provider's addresses follow from it.

A named server is kept as `mastodon.social` or `crm.example:8443`, in punycode; one that is called over plain http, which only
hosts in WARMLINE_ALLOW_HOSTS are, as `http://127.0.0.1:8080`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping, Sequence
from string import Formatter
from urllib.parse import SplitResult, urlsplit

import idna

from integrations.errors import InvalidRequestError
from integrations.provider import App, FormField
from integrations.registry import AnyProvider

_PLAIN = "http://"
_PORTS = {"https": 443, "http": 80}  # what goes without saying
_SYSTEM_PORTS = (
    1024  # below it, IANA has assigned ports to other protocols (RFC 6335, 6), which may make sense of what we send
)
_INSIDE = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "arpa",
)  # RFC 6761, RFC 6762, ICANN's for private use, RFC 3172
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")  # RFC 1123, 2.1
_LONGEST = 253  # RFC 1035, 2.3.4, without the dot at the end
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label like this is read as an IPv4 address (WHATWG URL, 3.5)
# Letters of these alphabets look alike (a, o, e...), so no honest name mixes them (UTS 39, 5.1). Others may stand beside Latin.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")


def server(typed: str, allow: Sequence[str] = ()) -> str:
    """The server that a person means, as it is kept: from a name, an address, or a handle such as @me@mastodon.social.

    Hosts in `allow` may be IP addresses, `localhost` or without a dot, and http:// is believed of them alone. Raises
    InvalidRequestError with a sentence that says what to type instead.
    """
    parts = _parts(typed)
    host, port, scheme = _host(parts), _port(parts), parts.scheme
    if host not in allow:
        check_public(host, port)
        if scheme == "http":
            raise InvalidRequestError(f"{host} is called over https only. Leave the http:// away")
    return _kept(scheme, host, port)


def check_public(host: str, port: int | None) -> None:
    """Raises InvalidRequestError for what is no name of a server on the internet (its address, when it is called, is looked at once
    more), or a port where none speaks HTTP."""
    labels = host.removesuffix(".").split(".")
    if _address(host) is not None or _NUMBER.fullmatch(labels[-1]):
        raise InvalidRequestError("A server is named, not numbered. Type its name, such as mastodon.social")
    if len(labels) < 2 or labels[-1] in _INSIDE:
        raise InvalidRequestError(
            f"{host} is not the name of a server on the internet. One inside your own network has to be in"
            " WARMLINE_ALLOW_HOSTS, which whoever runs Warmline sets"
        )
    if port is not None and port < _SYSTEM_PORTS and port not in _PORTS.values():
        raise InvalidRequestError(f"Port {port} belongs to another kind of server. Leave it away")


def place(kept: str) -> str:
    """Host and port of a server as `server` returned it, for people and for the connection's `host`."""
    return kept.removeprefix(_PLAIN)


def resolve(provider: AnyProvider, app: App, form: Mapping[str, str]) -> dict[str, str]:
    """The provider's addresses: the servers that `form` names (an empty one means the field's default) put into the templates,
    then what our registration says instead. A template whose server nobody named is left out."""
    named = {field.name: form.get(field.name) or field.default for field in host_fields(provider)}
    filled = {key: _fill(template, named) for key, template in provider.hosts.items()}
    return {**{key: address for key, address in filled.items() if address}, **app.hosts}


def host_fields(provider: AnyProvider) -> list[FormField]:
    """The fields that name a server, of all ways in."""
    return [field for field in (*provider.form, *provider.also_form) if field.type == "host"]


def named(provider: AnyProvider, fields: Sequence[FormField], app: App, form: Mapping[str, str]) -> dict[str, set[str]]:
    """Those of the provider's addresses that lead where a person said in these fields, each with the servers (as `place` has them) that it
    follows from. What our registration says itself nobody else named."""
    typed = {field.name: place(form.get(field.name) or field.default) for field in fields if field.type == "host"}
    asked = {key: _wanted(template) for key, template in provider.hosts.items() if key not in app.hosts}
    found = {key: {typed[name] for name in wanted if typed.get(name)} for key, wanted in asked.items()}
    return {key: servers for key, servers in found.items() if servers}


def trusted(app: App) -> tuple[str, ...]:
    """Hosts that whoever runs Warmline put into our registration: nobody else named them, so they may be anywhere."""
    return tuple(filter(None, (urlsplit(address).hostname for address in app.hosts.values())))


def _fill(template: str, named: Mapping[str, str]) -> str:
    servers = {name: named.get(name, "") for name in _wanted(template)}
    if not all(servers.values()):
        return ""
    address = template.format(**{name: place(kept) for name, kept in servers.items()})
    plain = any(kept.startswith(_PLAIN) for kept in servers.values())
    return address.replace("https://", _PLAIN, 1) if plain else address


def _wanted(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


# --- what was typed -------------------------------------------------------------------------------------------


def _parts(typed: str) -> SplitResult:
    text = typed.strip()
    if text.startswith("@"):
        text = text.rpartition("@")[2]  # of a handle, the server
    if not text or not text.isprintable() or any(each.isspace() or each == "\\" for each in text):
        raise _not_a_name(typed)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise _not_a_name(typed) from None
    if parts.scheme not in _PORTS or "@" in parts.netloc or "." in parts.path:
        raise _not_a_name(typed)
    return parts


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").removesuffix(".")
    if _address(name) is not None:
        return name
    _check_alphabets(name)
    try:
        encoded = name if name.isascii() else idna.encode(name, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        raise _not_a_name(name) from None
    encoded = encoded.removesuffix(".")
    if len(encoded) > _LONGEST or not all(_LABEL.fullmatch(label) for label in encoded.split(".")):
        raise _not_a_name(name)
    return encoded


def _check_alphabets(name: str) -> None:
    for label in name.split("."):
        names = {unicodedata.name(each, "").partition(" ")[0] for each in unicodedata.normalize("NFKC", label)}
        if len(names.intersection(_ALIKE)) > 1:
            raise InvalidRequestError(
                "That name mixes letters of alphabets that look alike, so it may not be the server that it seems to be."
                " Type it by hand"
            )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        raise _not_a_name(parts.netloc) from None
    if port == 0:
        raise _not_a_name(parts.netloc)
    return port


def _kept(scheme: str, host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    if port not in (None, _PORTS[scheme]):
        name = f"{name}:{port}"
    return f"{_PLAIN}{name}" if scheme == "http" else name


def _not_a_name(typed: str) -> InvalidRequestError:
    shown = "".join(each if each.isprintable() else " " for each in typed.strip())[:60]
    if "@" in shown:  # there may be a password in front of it
        shown = "That"
    what = f"{shown} is not a server's name" if shown else "The server's name is missing"
    return InvalidRequestError(f"{what}. Type it alone, such as mastodon.social")
