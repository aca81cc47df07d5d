"""What an author's profile says, read once for all candidates."""

from __future__ import annotations

import re

from msgspec import Struct

from integrations.records import Author
from service.rules import names, romanising
from service.rules.matching import disowning, handles, places
from service.rules.matching.keys import author_keys, other_spellings
from service.rules.model import KnownAuthor

_TITLE = re.compile("|".join(sorted((each for each in names.TITLES if len(each) > 2), key=len, reverse=True)))


class Profile(Struct, frozen=True):
    """`text` is the bio, what follows the display name and the location, as words between spaces: a phrase is sought in it."""

    author: Author
    keys: frozenset[str]
    name_words: tuple[str, ...]
    spellings: tuple[tuple[str, ...], ...]  # the same without umlauts (mueller), and read from another script
    native: str  # its letters, in a script of which several names are one in Latin letters
    begun: frozenset[str]  # the two letters with which they begin, as they stand
    name_letters: str
    handle_letters: str
    handle_words: tuple[str, ...]  # as far as capitals and hyphens show them
    disowned: bool  # it says that it is not the person's own: a parody, an admirer's
    beside: frozenset[str]  # words of the display name that make something else of a person's name: a foundation, fans
    generation: str  # "jr" or "sr", where they say so
    of_several: bool  # people: a couple's account
    says_more: bool  # whether there is any of these three; most say nothing
    repeats_handle: bool  # the display name is but the handle in words, and begins with no given name
    on_stage: frozenset[str]  # words by which they say to be a performer or an athlete
    titles: frozenset[str]
    text: str
    states: frozenset[str]
    countries: frozenset[str]
    said_states: frozenset[str]  # in the location itself: where they are, rather than what they talk about
    said_countries: frozenset[str]


def read(known: KnownAuthor) -> Profile:
    author = known.author
    said_states, said_countries = places.read(author.location, location=True)
    states, countries = places.read(author.bio, location=False)
    handle, tokens = handles.letters(author.handle), handles.tokens(author.handle)
    said = _said(author.bio, author)
    if not disowning.RELATIVES.isdisjoint(said):
        said = _said(disowning.without_relatives(author.bio), author)
    disowned, beside = disowning.disowns(author.name, author.bio), disowning.beside(author.name)
    words, letters = names.name_words(author.name) if not author.bot else (), names.compact(author.name)
    generation = names.generation(author.name) or names.generation_in_handle(tokens)
    return Profile(
        author=author,
        keys=frozenset(author_keys(known)),
        name_words=words,
        spellings=other_spellings(author.name) if not author.bot else (),
        native=romanising.in_another_script(names.without_aside(author.name)),
        begun=frozenset([each[:2].lower() for each in author.name.split()]),
        name_letters=letters,
        handle_letters=handle,
        handle_words=tokens,
        disowned=disowned,
        beside=beside,
        generation=generation,
        of_several=names.of_several(author.name),
        says_more=bool(disowned or beside or generation),
        repeats_handle=letters == handle
        and not (disowned or beside or generation or any(map(names.is_given, words[:1]))),
        on_stage=disowning.on_stage((*said, *words, *tokens)),
        titles=names.titles(author.name) | _title_before(handle) | names.TITLES.intersection(tokens),
        text=f" {' '.join(said)} ",
        states=states | said_states,
        countries=countries | said_countries,
        said_states=said_states,
        said_countries=said_countries,
    )


def _said(bio: str, author: Author) -> tuple[str, ...]:
    return names.words(f"{bio} {names.aside(author.name)} {author.location}")


def _title_before(handle: str) -> frozenset[str]:
    found = _TITLE.match(handle)
    return frozenset({found[0]}) if found else frozenset()
