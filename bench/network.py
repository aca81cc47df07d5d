"""The sandbox filled with accounts and posts, and connected as people connect it, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from bench.place import Member
from bench.words import Writer
from integrations.registry import AnyProvider
from service import connect
from service.demo import consent
from service.demo.sandbox import Load, Sandbox
from service.runtime import Runtime

END = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)
CUSTOMERS = 40  # of one account


def shops(number: int, posts: int) -> Load:
    """Accounts, each with a brand of its own: threads of a customer and the shop, half of the posts by either."""
    load = Load()
    for index in range(1, number + 1):
        load.brands[f"shop{index}"] = f"Shop {index}"
        load.accounts += [_account(index * 1000, f"shop{index}", brand=True)]
        load.accounts += [_account(index * 1000 + each, f"customer{index}_{each}") for each in range(1, CUSTOMERS + 1)]
        load.posts += _threads(index, posts)
    return load


def _account(number: int, handle: str, *, brand: bool = False) -> dict[str, Any]:
    return {"id": str(number), "handle": handle, "name": f"Name of {handle}", "bio": "Likes bicycles", "brand": brand}


def _threads(shop: int, posts: int) -> Iterator[dict[str, Any]]:
    writer, begin = Writer(shop, f"shop{shop}"), END - timedelta(days=60)
    parent = None
    for number in range(posts):
        customer = number // 4 % CUSTOMERS + 1
        turn = number % 4
        by_shop = turn % 2 == 1
        id_ = str(shop * 10**15 + number)
        yield {
            "id": id_, "author_id": str(shop * 1000 + (0 if by_shop else customer)),
            "text": writer.answer(f"customer{shop}_{customer}") if by_shop else writer.opener() if turn == 0 else writer.follow_up(),
            "created_at": (begin + timedelta(days=59) * number / posts).isoformat(), "in_reply_to": parent if turn else None,
        }  # fmt: skip
        parent = id_


def connect_all(runtime: Runtime, who: Member, sandbox: Sandbox, load: Load) -> dict[str, list[UUID]]:
    """Connects every shop and the CRM through the sandbox's consent pages. Returns the connections by kind."""
    spoken = consent.register(runtime, sandbox)
    visitor = consent.Visitor(runtime, who.caller, "")
    made: dict[str, list[UUID]] = {"social": [], "crm": []}
    for provider in spoken:
        for handle, name in load.brands.items() if provider.kind == "social" else [("portal", "")]:
            brand_id = consent.brand(visitor, name, []) if name else None
            made[provider.kind] += _connect(runtime, who, sandbox, provider, handle, brand_id)
    return made


def _connect(
    runtime: Runtime, who: Member, sandbox: Sandbox, provider: AnyProvider, account: str, brand_id: UUID | None
) -> list[UUID]:
    ticket = connect.start(runtime, who.caller, provider=provider.key, brand_id=brand_id).rsplit("/", 1)[1]
    back = sandbox.consent(connect.open_ticket(runtime, who.caller, ticket), account)
    return list(connect.finish(runtime, who.caller, provider.key, dict(parse_qsl(urlsplit(back).query))).ids)
