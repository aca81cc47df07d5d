"""Evidence that fits several people: company, place, title."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from service.rules import names
from service.rules.evidence import Basis, Evidence, Signal, Source
from service.rules.matching import places, rarity, workplaces
from service.rules.matching.identity import MOST_FOR_WORKPLACE
from service.rules.matching.keys import K, company_token, phrase
from service.rules.matching.pair import Pair
from service.rules.matching.workplaces import Named
from service.rules.words import plain

S = Signal
_COMPANY_SHOWN, _PLACE_SHOWN, _TITLE_SHOWN = (
    0.3,
    0.5,
    0.3,
)  # m: of the profiles that are a contact's, the share that shows it
# What a place and a title can weigh at most: those who speak to one team live and work closer together than people in general do.
_MOST_PLACE, _MOST_COUNTRY, _MOST_TITLE, _MOST_FIRM_IN_TEXT = 100.0, 5.0, 10.0, 30.0
LEAST_TOLD = 1.5  # what weighs less is worth no sentence
# A former workplace, or a word that may be no firm's: enough to be told and to come first among namesakes, too little to confirm.
_LESS_PLAINLY: Mapping[Named, str] = {
    Named.LEFT: "Their profile says that they have left the company {}.",
    Named.PERHAPS: "Their profile may name the company {}.",
}
_COLLEAGUES = 2.0  # with whom a company's name is shared, and who are in no CRM
# Likelihood ratios of disagreement. People move, and write a joke for a place; an office is seldom two.
OTHER_PLACE, _UNMATCHED_PLACE, _OTHER_OFFICE = 0.1, 0.2, 0.15
_OFFICES: Mapping[str, str] = {
    "rep": "representative", "congressman": "representative", "congresswoman": "representative", "representative": "representative",
    "assemblyman": "representative", "assemblywoman": "representative", "assemblymember": "representative", "delegate": "representative", "sen": "senator",
    "senator": "senator", "gov": "governor", "governor": "governor", "mayor": "mayor", "mp": "mp", "msp": "msp", "cllr": "councillor", "councillor": "councillor",
    "dr": "doctor", "doctor": "doctor", "prof": "professor", "professor": "professor", "rev": "reverend", "reverend": "reverend", "judge": "judge",
    "sheriff": "sheriff", "attorney": "attorney", "atty": "attorney", "esq": "attorney",
}  # fmt: skip
_AND = " and "  # which many write as a sign
_NONE = frozenset[str]()


def company(pair: Pair) -> Evidence | None:
    """The contact's company, or the organisation that it is, in what the profile says."""
    contact, name, seen, text = pair.contact, pair.name, pair.seen, pair.profile.text
    if len(text) < 3:  # nothing but spaces
        return None
    token = company_token(contact.company) or (" ".join(name.words) if name.organisation else "")
    if len(token) < 3 or f" {token} " not in text:
        return None
    key = f"{K.COMPANY}:{token}"
    ratio = _COMPANY_SHOWN / max(rarity.strangers(seen, key, _COLLEAGUES), seen.others(key) / (seen.contacts + 1))
    most = MOST_FOR_WORKPLACE
    sentence = "Their profile names the company {}."
    if name.organisation:  # a firm's name may be a word like any other
        sentence, most = "Their profile names {}.", min(_MOST_FIRM_IN_TEXT, _COMPANY_SHOWN / rarity.by_chance(token))
    elif (how := _named(token, pair)) is not Named.PLAINLY:
        if how is Named.NOT:
            return None
        sentence, most = _LESS_PLAINLY[how], LEAST_TOLD
    return _shown(S.COMPANY, sentence.format(plain(contact.company or contact.name)), min(max(ratio, 1.0), most))


def _named(token: str, pair: Pair) -> Named:
    author = pair.profile.author
    return workplaces.named(tuple(token.split()), (author.bio, names.aside(author.name), author.location))


def place(pair: Pair) -> Evidence | None:
    """The closest place that both name, or that they name different ones."""
    profile, contact, in_handle = pair.profile, pair.contact, pair.like.state
    if not (contact.city or contact.region or contact.country):
        return None
    region, country = places.region(contact.region, contact.country), places.country(contact.country)
    states = profile.states | {in_handle} if in_handle else profile.states
    share, where = min(_places(pair, region, country, states), default=(1.0, ""))
    other_state = region.startswith("us-") and bool(states) and region not in states
    abroad = bool(country) and bool(profile.said_countries) and country not in profile.said_countries
    # A county or a country may be called as the town is: Norfolk, in Virginia.
    abroad = abroad and phrase(profile.author.location) != phrase(contact.city)
    if abroad or (other_state and (not where or where == contact.country)):
        elsewhere = plain(contact.region or contact.country)
        return _shown(S.PLACE, f"Their profile names another place than {elsewhere}.", OTHER_PLACE)
    if where and not (where == contact.country and contact.city and places.names_a_town(profile.author.location)):
        most = _MOST_COUNTRY if where == contact.country else _MOST_PLACE
        return _shown(S.PLACE, f"Both are in {plain(where)}.", min(max(_PLACE_SHOWN / share, 1.0), most))
    if profile.author.location and (contact.city or region):
        return _shown(
            S.PLACE, f"Their profile does not name {plain(contact.city or contact.region)}.", _UNMATCHED_PLACE
        )
    return None


def _places(pair: Pair, region: str, country: str, states: frozenset[str]) -> Iterator[tuple[float, str]]:
    """The places that both name, each with the share of people who are there."""
    profile, contact, seen = pair.profile, pair.contact, pair.seen
    city = phrase(contact.city)
    if len(city) > 2 and (
        f" {city} " in profile.text or (_AND in city and f" {city.replace(_AND, ' ')} " in profile.text)
    ):
        yield rarity.share_of(seen, K.CITY, city), contact.city
    if region in states or (len(region) > 2 and f" {region} " in profile.text):
        yield rarity.share_of(seen, K.REGION, region), contact.region
    if country and country in profile.countries:
        yield rarity.share_of(seen, K.COUNTRY, country), contact.country


def title(pair: Pair) -> Evidence | None:
    """The same job or office, or two different offices."""
    profile, contact, seen = pair.profile, pair.contact, pair.seen
    said = phrase(contact.title) if contact.title else ""
    if not said:
        return None
    theirs = _offices(profile.titles) if profile.titles else _NONE
    ours = _offices(said.split())
    if not theirs.isdisjoint(ours) or f" {said} " in profile.text:
        ratio = _TITLE_SHOWN / rarity.share_of(seen, K.TITLE, said)
        return _shown(S.TITLE, f"Both say {plain(contact.title)}.", min(max(ratio, 1.0), _MOST_TITLE))
    if theirs and ours:
        return _shown(S.TITLE, f"Their profile says another office than {plain(contact.title)}.", _OTHER_OFFICE)
    return None


def _offices(titles: Iterable[str]) -> frozenset[str]:
    return frozenset([_OFFICES[each] for each in titles if each in _OFFICES])


def _shown(signal: Signal, sentence: str, ratio: float) -> Evidence:
    return Evidence(signal, sentence, Source.PROFILE, Basis.PUBLIC, ratio)
