"""What a network and a workspace allow matching to use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from integrations.records import Contact
from service.rules import names
from service.rules.evidence import Basis


@dataclass(frozen=True, slots=True)
class Terms:
    """`given_or_public_only`: the network allows matching only to what the person gave or shows, so that bought contacts stay out
    until an administrator vouches for them; `attested` are the sources, in the CRM's words, that somebody vouches for.
    `confirm_by_handle_only`: the workspace wants nothing confirmed by itself but by a handle, profile or decision on file."""

    given_or_public_only: bool = False
    attested: frozenset[str] = frozenset()
    confirm_by_handle_only: bool = False


# Words of a CRM's "source" field that mean a list which was bought, imported or filled in by a vendor, and those that mean that the
# person came by themselves.
_BOUGHT_WORDS = frozenset(
    names.words(
        """
    import imported imports importer upload uploaded list lists csv spreadsheet enrichment enriched enrich purchased bought scraped scraper scrape
    prospecting prospector append appended broker vendor
    apollo breeze clearbit cognism crunchbase datanyze discoverorg dropcontact insideview kaspr leadiq lusha peopledatalabs rocketreach
    seamless snov snovio uplead zoominfo amplemarket apify dealfront echobot fullenrich hoovers lemlist phantombuster surfe waalaxy wiza
    importiert importierte importierter gekauft gekaufte kaufliste adressliste liste angereichert kaltakquise
    importado importada importados importadas importacao importacion comprado comprada comprados compradas lista listas listado enriquecido enriquecida
    importe importee importes importation achete achetee achetes achetees listes enrichi enrichie
    importato importata importati importazione acquistato acquistata acquistati comprata arricchito
    geimporteerd ingekocht gekocht lijst lijsten importerad importeret importert inkopt kobt
    zaimportowano zaimportowany zakupiona spis importovano importalt vasarolt satinalma
    импорт импортирован купленная список インポート リスト 导入 导入名单 가져오기
    """
    )
)
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")  # DataEnrichment
_BOUGHT_PHRASES = ("data com", "hunter io", "people data labs", "sales navigator", "data provider", "third party")
_GIVEN_WORDS = frozenset(
    """
    form forms signup registration registered subscribed subscription newsletter optin webinar event meeting call chat conversation inbound referral
    demo trial checkout purchase order customer download website landing
    """.split()  # noqa: SIM905
)


@lru_cache(maxsize=4096)
def bought(source: str) -> bool:
    """Whether a CRM's words for a contact's source say that it came from an imported list or from enrichment."""
    found = [*names.words(source), *names.words(_JOINED.sub(" ", source))]
    return not _BOUGHT_WORDS.isdisjoint(found) or any(each in " ".join(found) for each in _BOUGHT_PHRASES)


def eligible(contact: Contact, terms: Terms) -> bool:
    """Whether the contact may take part in matching under these terms."""
    return not terms.given_or_public_only or contact.source in terms.attested or not bought(contact.source)


def basis_of(contact: Contact, terms: Terms) -> Basis:
    """The basis on which what the CRM holds about a contact is used."""
    if bought(contact.source):
        return Basis.ATTESTED if contact.source in terms.attested else Basis.UNSTATED
    return Basis.GIVEN if not _GIVEN_WORDS.isdisjoint(names.words(contact.source)) else Basis.UNSTATED
