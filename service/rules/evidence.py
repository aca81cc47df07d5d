"""What a match rests on: each piece with its sentence, where it came from and on what basis it may be used."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Signal(StrEnum):
    """Kinds of evidence."""

    HANDLE = "handle"  # on file in the CRM, for this network
    LOOSE_HANDLE = "loose handle"  # on file without a network
    PROFILE = "profile"  # the profile's address is on file
    ELSEWHERE = "elsewhere"  # the same person's account on another network is confirmed
    EMAIL = "email"
    PHONE = "phone"
    WEBSITE = "website"
    DOMAIN = "domain"
    NAME = "name"
    COMPANY = "company"
    TITLE = "title"
    PLACE = "place"


class Source(StrEnum):
    """Where the author's side of it came from."""

    PROFILE = "profile"  # the public profile
    CRM = "crm"  # what the CRM has on file about this very account
    PERSON = "person"  # somebody's decision in Warmline


class Basis(StrEnum):
    """On what basis it may be used."""

    PUBLIC = "shown publicly by the person"
    GIVEN = "given to the workspace by the person"
    ATTESTED = "attested by an administrator of the workspace"
    DECIDED = "decided by a person of the workspace"
    UNSTATED = "on file in the CRM, which does not say how it came there"


class Evidence(Struct, frozen=True):
    """One piece. `ratio` is the likelihood ratio that it counted for: above 1 it speaks for the match, below 1 against."""

    signal: Signal
    sentence: str
    source: Source
    basis: Basis
    ratio: float
