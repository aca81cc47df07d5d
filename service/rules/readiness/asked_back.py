"""When somebody wants us to come back to them: "shout after Easter", "nach den Ferien bitte melden".

Three things must stand in a text: that we should do it, a time with a name, and both close together. Whoever says that they will come
back themselves asks us for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import islice
from typing import Final, NamedTuple

from dateutil.easter import easter

from service.rules.readiness.cues import LONGEST, folded

# What asks us to come back, over folded text, in any language. Nobody's own promise: see _PROMISED.
_ASK: Final = (
    # English
    r"(?:shout|holler|ping|nudge|try|ask|chase|remind|poke|buzz|message|e-?mail|text|call|ring|phone|contact|catch) (?:me|us)|(?:give|gie|gimme|drop|send) (?:(?:me|us) )?(?:a )?(?:quick )?(?:shout|call|ring|bell|buzz|line|nudge|ping|holler|message|reminder)|shout|(?:get|come|circle|check|report) back|(?:check|touch) (?:base|in)|(?:get|be|keep) in touch"
    r"|(?:let's|lets|let us|can we|could we|we can|we could|we should|happy to|glad to|maybe|perhaps|better) (?:talk|speak|chat|meet|revisit|reconnect|catch up|discuss|pick (?:it|this|that) (?:back )?up|look at (?:it|this|that)|do (?:it|this|that))|(?:pick (?:it|this|that) (?:back )?up|revisit (?:it|this|that)?|reach out|follow up|talk again|speak again)"
    # German
    r"|meld(?:e|et|en)? (?:dich|euch|sie sich)|(?:bitte|gerne?|einfach|lieber|dann) (?:\w+ ){0,5}?(?:melden|anrufen|nachfragen|nachhaken|sprechen)|(?:ruf\w*|kontaktier\w*|frag\w*|erinner\w*) (?:sie |ihr )?(?:mich|uns|nochmal|noch mal|wieder)|komm\w* (?:sie )?(?:\w+ )?auf (?:mich|uns) zu|(?:sprechen|reden|telefonieren) wir"
    # French
    r"|(?:recontact|rappel|contact|relanc|ecriv|appel)\w{1,4}[- ](?:moi|nous)|(?:me|nous) (?:re)?(?:contacter|relancer|rappeler|appeler)|revenez (?:vers|me|nous)|fai(?:tes|s)[- ]moi signe|on (?:en |s'en )?reparle|reparlons"
    # Spanish
    r"|(?:escrib|llam|contact|avis|record)\w{1,4}(?:me|nos)|(?:me|nos) (?:escrib|llam|contact|avis|record)(?:as|es|a|e|an|en|ais|eis)|(?:lo |volvemos a )?(?:retomamos|hablamos|hablar)"
    # Italian
    r"|(?:scriv|ricontatt|contatt|richiam|chiam)(?:etemi|etici|atemi|ateci|imi|ici|ami|aci)|(?:ci )?risenti(?:amo|amoci)|(?:ne )?riparliamo(?:ne)?|fat(?:evi|ti) (?:vivi|vivo|viva|sentire)"
    # Dutch
    r"|(?:bel|mail|app|contacteer|herinner) (?:me|mij|ons)|neem (?:\w+ ){0,2}contact op|meld je|kom (?:er )?(?:\w+ )?op terug|(?:spreken|bellen) we (?:elkaar )?|hebben we het er"
    # Portuguese
    r"|(?:me|nos) (?:chama|chame|chamem|liga|ligue|liguem|procura|procure|procurem|escreve|escreva|contacta|contate|avisa|avise)|(?:chama|liga|contacta|contate|fala|procura|ligue|chame|escreva)-(?:me|nos)|volt(?:a|e|em|amos) a (?:falar|contactar|ligar)|a gente (?:se fala|conversa|retoma)|falamos|retomamos"
    # Polish
    r"|odezwij(?:cie)?|(?:za)?dzwon(?:cie)?|napisz(?:cie)?|przypomnij(?:cie)?|prosze (?:o kontakt|sie odezwac|zadzwonic|napisac)|(?:wrocmy|porozmawiajmy|pogadajmy|zdzwonmy)"
    # Swedish
    r"|hor (?:garna )?av (?:dig|er)|(?:ring|mejla|maila|kontakta|paminn|skriv till) (?:mig|oss)|(?:kan vi|lat oss|ska vi|vi kan) (?:\w+ )?(?:prata|ta det|ta upp|horas|ses)|(?:aterkom|hors vi)"
)  # fmt: skip
# Before or after it, this makes it their own promise or a question to others.
_PROMISED: Final = re.compile(
    r"(?:i|we|they|he|she)(?:'ll|ll| will| shall|'ve|'d| would| can| have| had|'re| are| need to| to)? (?:\w+ )?$|(?:let me|going to|gonna|want to|need to|have to|to|ich|wir|je|ik|jag|vi ska|ja|io|yo|eu|not|don't|never|did you|didn't) (?:\w+ )?$"
)
_MONTHS: Final = (
    "january|jan|januar|janner|janvier|enero|gennaio|januari|janeiro|styczniu|stycznia|januar[iy]",
    "february|feb|februar|feber|fevrier|febrero|febbraio|februari|fevereiro|lutym|lutego",
    "march|mar|marz|mars|marzo|maart|marco|marcu|marca",
    "april|apr|avril|abril|aprile|kwietniu|kwietnia",
    "may|mai|mayo|maggio|mei|maio|maj|maju|maja",
    "june|jun|juni|juin|junio|giugno|junho|czerwcu|czerwca",
    "july|jul|juli|juillet|julio|luglio|julho|lipcu|lipca",
    "august|aug|aout|agosto|augustus|augusti|sierpniu|sierpnia",
    "september|sep|sept|septembre|septiembre|settembre|setembro|wrzesniu|wrzesnia",
    "october|oct|oktober|okt|octobre|octubre|ottobre|outubro|pazdzierniku|pazdziernika",
    "november|nov|novembre|noviembre|novembro|listopadzie|listopada",
    "december|dec|dezember|dez|decembre|diciembre|dicembre|dezembro|grudniu|grudnia",
)
# Seasons by the month in which they begin, in the north.
_SEASONS: Final[Mapping[int, str]] = {
    3: "spring|springtime|fruhjahr|fruhling|printemps|primavera|voorjaar|lente|wiosn\\w+|varen",
    6: "summer|sommer|ete|verano|estate|zomer|verao|lecie|lata|sommaren",
    9: "autumn|fall|herbst|automne|otono|autunno|herfst|najaar|outono|jesien\\w*|hosten",
    12: "winter|hiver|invierno|inverno|zim\\w+|vintern",
}
_WEEKDAYS: Final = (
    "monday|montag|lundi|lunes|lunedi|maandag|segunda|poniedzia[lł]\\w+|mandag",
    "tuesday|dienstag|mardi|martes|martedi|dinsdag|terca|wtor\\w+|tisdag",
    "wednesday|mittwoch|mercredi|miercoles|mercoledi|woensdag|quarta|srod\\w+|onsdag",
    "thursday|donnerstag|jeudi|jueves|giovedi|donderdag|quinta|czwart\\w+|torsdag",
    "friday|freitag|vendredi|viernes|venerdi|vrijdag|sexta|piat\\w+|fredag",
)
_NEXT: Final = r"(?:next|following|kommende\w?|nachste[rnsm]?|komende|volgende?|przysz[lł]\w+|nasta|prochaine?|proxim[oa]|prossim[oa]|que vem)"
_AFTER: Final = r"(?:after|once|post|past|nach|apres|despues de|tras|pasad[oa]s?|dopo|na|depois d\w+|apos|po|efter)"
_UNITS: Final[Mapping[str, str]] = {
    "week": r"weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken|tydzie\w+|tygodni\w*|veck\w+",
    "month": r"months?|monat\w*|mois|mes(?:es)?|mes[ei]|maand(?:en)?|miesiac\w*|manad\w*",
    "quarter": r"quarters?|quartal\w*|trimestres?|kwartaal|kwartal\w*|trimestri?|kvartal\w*",
    "year": r"years?|jahr\w*|annees?|an|ano|anos|anno|jaar|rok\w*|ar(?:et)?",
}  # fmt: skip
_EARLY, _LATE = (
    r"(?:early|start of|beginning of|anfang|debut|principios de|inizio|begin|inicio de|poczatk\w+|borjan av) (?:in )?",
    r"(?:late|end of|the end of|ende|fin|finales de|fine|eind|final de|fim de|koni?ec|koncu|slutet av) (?:in )?",
)
_MID: Final = r"(?:mid|middle of|mitte|mi|mediados de|meta|midden|medio|meados de|po[lł]owi\w+|mitten av)[- ](?:in )?"
_COUNTED: Final[Mapping[str, int]] = {
    "a": 1, "one": 1, "an": 1, "two": 2, "three": 3, "four": 4, "six": 6, "couple of": 2, "a couple of": 2, "few": 3, "a few": 3,
    "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "sechs": 6, "un": 1, "une": 1, "deux": 2, "trois": 3, "una": 1, "dos": 2, "tres": 3,
    "due": 2, "tre": 3, "een": 1, "twee": 2, "drie": 3, "um": 1, "uma": 1, "dois": 2, "duas": 2, "en": 1, "ett": 1, "tva": 2,
}  # fmt: skip
_MOST_ASKS: Final = 8  # of one text are looked at: nobody asks more often, and time stays in bounds
_CLOSE: Final = 6  # words between what they ask and the time
_OPENING, _BETWEEN = 2, 3  # words before a time that a sentence begins with, and between it and what they ask
_SENTENCE_ENDS: Final = re.compile(r"[.!?](?: |$)")
_THEN: Final = re.compile(r"(?: \w+){0,3} (?:then|dann|alors|entonces|allora|dan|entao|wtedy|da)\b")
_MOST: Final = timedelta(days=400)  # whatever lies further off is no appointment
_SPRING_FEAST: Final = r"easter|ostern|paques|semana santa|pasqua|pasen|pascoa|wielkanoc\w*|pask\w*"
_YEAR_END: Final = r"christmas|xmas|(?:the )?new year'?s?|weihnachten|weihnachtsferien|neujahr|jahreswechsel|noel|fetes|navidad(?:es)?|(?:las )?fiestas|reyes|natale|(?:le )?feste|kerst|(?:de )?feestdagen|natal|ano novo|(?:as )?festas|swiet\w*|nowym roku|jul|jul(?:en|helgen)|nyar"
_HOLIDAYS: Final = r"(?:(?:the|my|our|den|der|dem|die|les|mes|nos|las|mis|le|as|minhas|de|mijn|m'n|het|summer|school) )*(?:holidays?|vacation|break|ferien|sommerferien|sommerpause|urlaub|sommerurlaub|vacances|rentree|vacaciones|ferie|vacanze|vakantie|zomervakantie|bouwvak|ferias|urlopi\w*|wakacj\w*|semester\w*)"


class _Kind(NamedTuple):
    """One way to name a time: what it looks like, and the day that it means, said on another."""

    pattern: str
    day: Callable[[re.Match[str], date], date | None]


@lru_cache(maxsize=4096)  # a talk is read anew at each decision
def asked_back(text: str, at: datetime) -> datetime | None:
    """From when on they want to hear from us, where a text of theirs of `at` names that; None where it does not."""
    plain = folded(text[:LONGEST])
    day = next((day for ask in islice(_asks(plain), _MOST_ASKS) for day in _near(plain, ask, at.date())), None)
    if day is None or not at.date() < day <= at.date() + _MOST:
        return None
    return datetime.combine(day, time(), UTC)


def _asks(plain: str) -> Iterator[re.Match[str]]:
    for found in _ask().finditer(plain):
        if not _PROMISED.search(plain[: found.start()][-40:]):
            yield found


def _near(plain: str, ask: re.Match[str], said: date) -> Iterator[date]:
    """The time in or close behind what they ask; failing that, one before it, where they say "then" or begin with it."""
    rest, before = plain[ask.start() :], plain[: ask.start()]
    close = len(ask[0].split()) + _CLOSE
    for found, day in _times(rest, said):
        if len(rest[: found.start()].split()) <= close and not _SENTENCE_ENDS.search(rest[: found.start()]):
            yield day
            return
    then = _THEN.match(plain, ask.end()) is not None
    for found, day in reversed(_times(before, said)):
        opening = _SENTENCE_ENDS.split(before[: found.start()])[-1]
        between = before[found.end() :]
        begins = len(opening.split()) <= _OPENING and not _SENTENCE_ENDS.search(between)
        if then or (begins and len(between.split()) <= _BETWEEN):
            yield day
            return


def _times(text: str, said: date) -> list[tuple[re.Match[str], date]]:
    found = [(match, day) for kind in _kinds() for match in kind[0].finditer(text) if (day := kind[1](match, said))]
    return sorted(found, key=lambda each: (each[0].start(), -each[0].end()))


@cache
def _ask() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{_ASK})(?!\w)")


@cache
def _kinds() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...]:
    return tuple((re.compile(rf"(?<![\w'])(?:{kind.pattern})(?!\w)"), kind.day) for kind in _KINDS)


# --- what a named time means ----------------------------------------------------------------------------------


def _month(found: re.Match[str], said: date) -> date | None:
    number = next(n for n, names in enumerate(_MONTHS, 1) if re.fullmatch(names, found["month"]))
    first = date(said.year + (number <= said.month), number, 1)
    if found["after"]:
        return _next_month(first)
    if said.month == number and (found["mid"] or found["late"]):
        first = date(said.year, number, 1)
    return first.replace(day=25 if found["late"] else 15 if found["mid"] else 1)


def _dated(found: re.Match[str], said: date) -> date | None:
    number = next(n for n, names in enumerate(_MONTHS, 1) if re.fullmatch(names, found["month"]))
    wanted = int(found["nth"])
    with_year = [_made(year, number, wanted) for year in (said.year, said.year + 1)]
    return next(
        (day + timedelta(days=bool(found["after"])) for day in with_year if day is not None and day > said), None
    )


def _day_of_month(found: re.Match[str], said: date) -> date | None:
    wanted, first = int(found["nth"]), said.replace(day=1)
    named = [_made(month.year, month.month, wanted) for month in (first, _next_month(first))]
    return next((day + timedelta(days=bool(found["after"])) for day in named if day is not None and day > said), None)


def _season(found: re.Match[str], said: date) -> date | None:
    number = next(n for n, names in _SEASONS.items() if re.fullmatch(names, found["season"]))
    begins = date(said.year + (number <= said.month), number, 1)
    if not found["after"]:
        return begins
    over = (number + 3) % 12  # summer is over in September, winter in March
    return date(said.year + (over <= said.month), over, 1)


def _easter_over(found: re.Match[str], said: date) -> date | None:
    over: list[date] = [easter(year) + timedelta(days=2) for year in (said.year, said.year + 1)]
    return next(day for day in over if day > said)


def _year_over(found: re.Match[str], said: date) -> date | None:
    return date(said.year + 1, 1, 2) if said.month > 1 else None


def _holidays_over(found: re.Match[str], said: date) -> date | None:
    """In winter the holidays are those at the turn of the year, otherwise the long ones of summer."""
    if said.month >= 11:
        return date(said.year + 1, 1, 7)
    return date(said.year, 9, 1) if 5 <= said.month <= 8 else None


def _quarter(found: re.Match[str], said: date) -> date | None:
    number = int(found["quarter"])
    begins = date(said.year, 3 * number - 2, 1)
    return begins if begins > said else begins.replace(year=said.year + 1)


def _next_unit(found: re.Match[str], said: date) -> date | None:
    unit = next(name for name, words in _UNITS.items() if re.fullmatch(words, found["unit"]))
    first = said.replace(day=1)
    return {
        "week": said + timedelta(days=7 - said.weekday()),
        "month": _next_month(first),
        "quarter": date(said.year + said.month // 10, (3 * ((said.month - 1) // 3) + 3) % 12 + 1, 1),
        "year": date(said.year + 1, 1, 2),
    }[unit]


def _counted(found: re.Match[str], said: date) -> date | None:
    unit = next(name for name, words in _UNITS.items() if re.fullmatch(words, found["unit"]))
    number = int(found["n"]) if found["n"].isdigit() else _COUNTED[found["n"]]
    days = {"week": 7, "month": 30, "quarter": 91, "year": 365}[unit]
    return said + timedelta(days=number * days) if number * days <= _MOST.days else None


def _weekday(found: re.Match[str], said: date) -> date | None:
    number = next(n for n, names in enumerate(_WEEKDAYS) if re.fullmatch(names, found["weekday"]))
    return said + timedelta(days=(number - said.weekday() - 1) % 7 + 1)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_MONTH: Final = "|".join(_MONTHS)
_IN: Final = r"(?:(?:in|from|around|about|till|until|come|ab|im|en|a partir de|em|vanaf|w|we|od|i|fran|a|le|early|by) )"
_ARTICLE: Final = r"(?:(?:the|den|dem|der|das|le|la|les|l'|el|il|lo|o|de|het|next|kommenden|nachsten) ?)"
_KINDS: Final = (
    _Kind(rf"(?:(?P<after>{_AFTER}) )?{_ARTICLE}?(?P<nth>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of |de )?(?P<month>{_MONTH})", _dated),
    _Kind(rf"(?:(?P<after>{_AFTER}) (?!the \d)|{_IN}){_ARTICLE}?(?:(?P<early>{_EARLY})|(?P<mid>{_MID})|(?P<late>{_LATE}))?(?P<month>{_MONTH})", _month),
    _Kind(rf"(?P<after>(?!))?(?:(?P<early>{_EARLY})|(?P<mid>{_MID})|(?P<late>{_LATE}))(?P<month>{_MONTH})", _month),
    _Kind(rf"(?:(?P<after>{_AFTER})|on|from|am|ab|vanaf|le|el|il|od|den) {_ARTICLE}?(?P<nth>\d{{1,2}})(?:st|nd|rd|th|\.|er|e)?(?! ?(?:of )?(?:\d|%|{_MONTH}|am|pm|h|uhr|days?|weeks?|months?|tagen|wochen))", _day_of_month),
    _Kind(rf"(?:(?P<after>{_AFTER}) |{_IN}){_ARTICLE}?(?P<season>{'|'.join(_SEASONS.values())})(?! (?:sale|menu|holiday|holidays))", _season),
    _Kind(rf"(?:{_AFTER}|uber|over) {_ARTICLE}?(?:{_SPRING_FEAST})", _easter_over),
    _Kind(rf"(?:{_AFTER}|in|im|w|na|for) {_ARTICLE}?(?:{_YEAR_END})|new year|(?:im |ins )?neue[nms]? jahr|ano que viene|annee prochaine|nouvelle annee|anno nuovo|nieuwe jaar|nya aret", _year_over),
    _Kind(rf"{_AFTER} {_HOLIDAYS}", _holidays_over),
    _Kind(r"(?:in |from |start of |im |ab )?q(?P<quarter>[1-4])", _quarter),
    _Kind(rf"{_NEXT} (?P<unit>{'|'.join(_UNITS.values())})", _next_unit),
    _Kind(r"(?P<unit>semaine|mois|annee|trimestre|semana|mes|trimestre|ano|anno|mese|settimana) (?:prochaine?|que viene|que vem|prossim[oa])", _next_unit),
    _Kind(rf"(?:in|dans|en|tra|fra|over|daqui a|em|za|om|dentro de) (?:about |another )?(?P<n>\d{{1,2}}|{'|'.join(_COUNTED)}) (?P<unit>{'|'.join(_UNITS.values())})", _counted),
    _Kind(rf"(?:on |am |this |next |le |el |op |na |w |we |pa )?(?P<weekday>{'|'.join(_WEEKDAYS)})", _weekday),
)  # fmt: skip
