"""Parts of a workspace's settings: hours, patience, people and calls, and what their fields have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any
from zoneinfo import available_timezones

import holidays
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates, validates_schema

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
AROUND_THE_CLOCK = {day: ["00:00-24:00"] for day in DAYS}


def about(text: str) -> dict[str, str]:
    """What a field is for, as the API's description and the console's page tell it."""
    return {"description": text}


_WHOLE = "_schema"  # marshmallow's name for what concerns no field in particular
_SPAN = validate.Regexp(
    r"\A([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)\Z",
    error="Write a span such as 09:00-17:00.",
)


def _spans_in_order(spans: list[str], where: str = _WHOLE) -> None:
    edges = [edge for span in spans for edge in span.split("-")]
    if edges != sorted(set(edges)):
        raise ValidationError("Spans must be in order and must not overlap.", where)


@cache
def timezones() -> frozenset[str]:
    """The names of all time zones there are. Asked once: the standard library walks through a folder of 600 files each time, which
    took longer than everything else in a look at settings."""
    return frozenset(available_timezones())


def known_timezone(value: str) -> None:
    """Raises ValidationError unless it is the name of a time zone."""
    if value not in timezones():
        raise ValidationError("Not a time zone's name. Use one such as Europe/Paris.")


def known_holidays(country: str) -> None:
    """Raises ValidationError unless holidays are known for the country (or its part); empty: none are wanted."""
    if country and not holidays_of(country, 2026):
        raise ValidationError("No holidays are known for that country. Use a code such as FR or DE-BY.")


class YesOrNo(fields.Boolean):
    """true or false, and nothing that merely reads like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class HoursSchema(Schema):
    """Opening hours of each weekday, as spans "09:00-17:00" in the workspace's time zone. An empty list is a day off."""

    class Meta:
        unknown = RAISE

    @staticmethod
    def _spans(default: list[str]) -> Any:
        return fields.List(
            fields.String(validate=_SPAN),
            load_default=lambda: list(default),
            validate=validate.Length(max=6),
        )

    monday = _spans(["09:00-17:00"])
    tuesday = _spans(["09:00-17:00"])
    wednesday = _spans(["09:00-17:00"])
    thursday = _spans(["09:00-17:00"])
    friday = _spans(["09:00-17:00"])
    saturday = _spans([])
    sunday = _spans([])

    @validates_schema
    def _in_order(self, data: Mapping[str, list[str]], **_: Any) -> None:
        for day, spans in data.items():
            _spans_in_order(spans, day)


class PatienceSchema(Schema):
    """How long somebody may wait before it becomes a task, in minutes of working time."""

    class Meta:
        unknown = RAISE

    direct = fields.Integer(
        strict=True,
        load_default=60,
        validate=validate.Range(0, 60_000),
        metadata=about("Direct messages, in minutes."),
    )
    problem = fields.Integer(
        strict=True,
        load_default=60,
        validate=validate.Range(0, 60_000),
        metadata=about("Problems and complaints, in minutes."),
    )
    question = fields.Integer(
        strict=True,
        load_default=120,
        validate=validate.Range(0, 60_000),
        metadata=about("Questions and requests, in minutes."),
    )
    other = fields.Integer(
        strict=True,
        load_default=480,
        validate=validate.Range(0, 60_000),
        metadata=about("Everything else, in minutes."),
    )


def _percent(default: int, who: str) -> fields.Integer:
    return fields.Integer(
        strict=True,
        load_default=default,
        validate=validate.Range(5, 500),
        metadata=about(f"{who}, in percent of the times above."),
    )


class StagePatienceSchema(Schema):
    """How long somebody may wait at each stage of a relationship, in percent of the usual patience. By default whoever is in
    conversation with you, or has been, waits half as long as a stranger."""

    class Meta:
        unknown = RAISE

    aware = _percent(100, "They know of you")
    in_contact = _percent(100, "They have been answered")
    conversing = _percent(50, "They are in conversation with you")
    ready_to_talk = _percent(50, "They are ready for a call")
    talked = _percent(50, "You have talked")
    met = _percent(50, "You have met")


class PersonSchema(Schema):
    """One person whose clock differs from the workspace's. Their patience runs, and their tasks fall due, by it."""

    class Meta:
        unknown = RAISE

    email = fields.Email(required=True, metadata=about("As the CRM has it; upper and lower case are the same."))
    timezone = fields.String(required=True, metadata=about("IANA name, such as America/New_York."))
    hours = fields.List(
        fields.String(validate=_SPAN),
        load_default=list,
        validate=validate.Length(max=6),
        metadata=about("Spans such as 08:00-12:00 on the workspace's working days; empty is the workspace's hours."),
    )
    days_off = fields.List(
        fields.String(validate=validate.OneOf(DAYS)),
        load_default=list,
        validate=validate.Length(max=6),
        metadata=about("Weekdays on which they don't work."),
    )
    holidays_country = fields.String(
        load_default="",
        metadata=about("ISO 3166 country whose public holidays they keep; empty is the workspace's."),
    )

    @validates("timezone")
    def _known_zone(self, value: str, **_: Any) -> None:
        known_timezone(value)

    @validates("holidays_country")
    def _known_country(self, value: str, **_: Any) -> None:
        known_holidays(value)

    @validates("hours")
    def _in_order(self, value: list[str], **_: Any) -> None:
        _spans_in_order(value)


class CallSchema(Schema):
    """When a relationship is ready for a call."""

    class Meta:
        unknown = RAISE

    certainty = fields.Integer(
        strict=True,
        load_default=50,
        validate=validate.Range(5, 95),
        metadata=about(
            "How sure to be, in percent, that people who read the talk would have somebody call. Lower suggests more calls."
        ),
    )
    exchanges = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(1, 100),
        metadata=about(
            "Times that they wrote and we answered, before a call is suggested to somebody who did not ask for one."
        ),
    )
    recent_days = fields.Integer(
        strict=True,
        load_default=21,
        validate=validate.Range(1, 365),
        metadata=about("What makes somebody ready is no older."),
    )
    quiet_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(0, 730),
        metadata=about("Silence after a call, a meeting or a call task dealt with."),
    )


@lru_cache(maxsize=512)
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Public holidays of a country or its part ("FR", "DE-BY") in one year; none where it is not known."""
    code, _, subdivision = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(code, subdiv=subdivision or None, years=year))
    except NotImplementedError:
        return frozenset()
