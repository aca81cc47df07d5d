"""Who wrote a post that a person pasted. The page tells no id: it is made from the handle, or from the name and the page where no handle
was given; the name then stands in the handle's place."""

from __future__ import annotations

import re

from integrations.records import Author

_ON_PAGE = re.compile(r" on page-[0-9a-f]{32}\Z")


def writer(name: str, handle: str, page: str) -> Author:
    """Who has this name, and this handle or "", on the page of this hash (32 hexadecimal digits). Many bear one name: without a handle, who
    writes twice on one page is one person, and who bears that name elsewhere another."""
    return Author(id=(handle or f"{name} on page-{page}").casefold(), handle=handle or name, name=name)


def nameless(author: Author, page: str) -> str:
    """The id of whoever bears this author's name on the page of this hash, and whose handle nobody gave."""
    return writer(author.name, "", page).id


def has_handle(author: Author) -> bool:
    """Whether an author at a place was given with a handle, pasted or not. The handle and the name may well be spelt alike; but the name
    stands for a handle that was not handed in, too, and no handle has a blank."""
    named = " " in author.handle and author.handle == author.name and not is_made(author)
    return bool(author.handle) and not named and not _ON_PAGE.search(author.id)


def is_made(author: Author) -> bool:
    """Whether the id of an author at a place is made from the handle or the name, or tells no more than the handle does."""
    return author.id.casefold() == author.handle.casefold() or bool(_ON_PAGE.search(author.id))
