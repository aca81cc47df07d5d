"""Where somebody stands as a buyer, from what the CRM calls their stage of life."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

OPEN, WON = "open", "won"
# Parts of what CRMs call the stages of a contact, in lower case without marks, the first that fits decides. A stage that is
# over, or that says nothing of a deal (lead, subscriber, other), is none.
_STAGES: Final = (
    (("former", "churn", "lost", "closedlost", "disqualif", "unqualified", "inactive", "ex-"), ""),
    (("opportunity", "salesqualified", "sql", "negotiat", "proposal", "quote", "trial", "evaluat", "contract", "deal", "prospect"), OPEN),
    (("customer", "client", "evangelist", "won", "account", "subscription", "partner"), WON),
)  # fmt: skip


@lru_cache(maxsize=1024)
def deal_of(lifecycle: str) -> str:
    """`open` for somebody with a deal under way, `won` for a customer, "" for anybody else."""
    words = "".join(char for char in lifecycle.lower() if char.isalnum() or char == "-")
    return next((found for parts, found in _STAGES if any(part in words for part in parts)), "")
