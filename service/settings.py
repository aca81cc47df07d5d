"""A workspace's settings: one marshmallow schema that says names, bounds, defaults and meaning. Versioned: a change is a
new row, and each verdict keeps the version that it was made under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import holidays
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates, validates_schema
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.clock import real_now
from service.models import Settings
from service.rules.model import Policy
from service.store import errands

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEPT_FROM = timedelta(hours=1)  # after a change: so long may somebody think better of it before texts go
AROUND_THE_CLOCK = {day: ["00:00-24:00"] for day in DAYS}


def _about(text: str) -> dict[str, str]:
    return {"description": text}


_WHOLE = "_schema"  # marshmallow's name for what concerns no field in particular
_SPAN = validate.Regexp(r"\A([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)\Z")


def _spans_in_order(spans: list[str], where: str = _WHOLE) -> None:
    edges = [edge for span in spans for edge in span.split("-")]
    if edges != sorted(set(edges)):
        raise ValidationError("Spans must be in order and must not overlap.", where)


@cache
def timezones() -> frozenset[str]:
    """The names of all time zones there are. Asked once: the standard library walks through a folder of 600 files each time, which
    took longer than everything else in a look at settings."""
    return frozenset(available_timezones())


def _known_timezone(value: str) -> None:
    if value not in timezones():
        raise ValidationError("Not a time zone's name. Use one such as Europe/Paris.")


def _known_holidays(country: str) -> None:
    if country and not _holidays_of(country, 2026):
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
        metadata=_about("Direct messages, in minutes."),
    )
    problem = fields.Integer(
        strict=True,
        load_default=60,
        validate=validate.Range(0, 60_000),
        metadata=_about("Problems and complaints, in minutes."),
    )
    question = fields.Integer(
        strict=True,
        load_default=120,
        validate=validate.Range(0, 60_000),
        metadata=_about("Questions and requests, in minutes."),
    )
    other = fields.Integer(
        strict=True,
        load_default=480,
        validate=validate.Range(0, 60_000),
        metadata=_about("Everything else, in minutes."),
    )


def _percent(default: int, who: str) -> fields.Integer:
    return fields.Integer(
        strict=True,
        load_default=default,
        validate=validate.Range(5, 500),
        metadata=_about(f"{who}, in percent of the times above."),
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

    email = fields.Email(required=True, metadata=_about("As the CRM has it; upper and lower case are the same."))
    timezone = fields.String(required=True, metadata=_about("IANA name, such as America/New_York."))
    hours = fields.List(
        fields.String(validate=_SPAN),
        load_default=list,
        validate=validate.Length(max=6),
        metadata=_about("Spans such as 08:00-12:00 on the workspace's working days; empty is the workspace's hours."),
    )
    days_off = fields.List(
        fields.String(validate=validate.OneOf(DAYS)),
        load_default=list,
        validate=validate.Length(max=6),
        metadata=_about("Weekdays on which they don't work."),
    )
    holidays_country = fields.String(
        load_default="",
        metadata=_about("ISO 3166 country whose public holidays they keep; empty is the workspace's."),
    )

    @validates("timezone")
    def _known_zone(self, value: str, **_: Any) -> None:
        _known_timezone(value)

    @validates("holidays_country")
    def _known_country(self, value: str, **_: Any) -> None:
        _known_holidays(value)

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
        metadata=_about(
            "How sure to be, in percent, that people who read the talk would have somebody call. Lower suggests more calls."
        ),
    )
    exchanges = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(1, 100),
        metadata=_about(
            "Times that they wrote and we answered, before a call is suggested to somebody who did not ask for one."
        ),
    )
    recent_days = fields.Integer(
        strict=True,
        load_default=21,
        validate=validate.Range(1, 365),
        metadata=_about("What makes somebody ready is no older."),
    )
    quiet_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(0, 730),
        metadata=_about("Silence after a call, a meeting or a call task dealt with."),
    )


class SettingsSchema(Schema):
    """All settings of a workspace, with their defaults."""

    class Meta:
        unknown = RAISE

    timezone = fields.String(load_default="UTC", metadata=_about("IANA name, such as Europe/Paris."))
    hours = fields.Nested(HoursSchema, load_default=lambda: HoursSchema().load({}))
    holidays_country = fields.String(
        load_default="",
        metadata=_about(
            "ISO 3166 country, with a subdivision after a dash if wanted (DE-BY), whose public holidays are days off."
        ),
    )
    holidays = fields.List(
        fields.Date(), load_default=list, validate=validate.Length(max=200), metadata=_about("More days off.")
    )
    patience = fields.Nested(PatienceSchema, load_default=lambda: PatienceSchema().load({}))
    patience_by_stage = fields.Nested(StagePatienceSchema, load_default=lambda: StagePatienceSchema().load({}))
    people = fields.List(
        fields.Nested(PersonSchema),
        load_default=list,
        validate=validate.Length(max=500),
        metadata=_about("People whose time zone or hours differ from the workspace's."),
    )
    lapse_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(1, 730),
        metadata=_about("A wait older than this makes no task any more."),
    )
    call = fields.Nested(CallSchema, load_default=lambda: CallSchema().load({}))
    first_pull_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(1, 36_500),
        metadata=_about("How far back the first pull of a new social account goes."),
    )
    retention_days = fields.Integer(
        strict=True,
        load_default=365,
        validate=validate.Range(1, 36_500),
        metadata=_about(
            "For how long texts are kept: of posts and of closed tasks, and the profiles of people whom no CRM knows. What an open"
            " task rests on is kept until it closes. Counts stay."
        ),
    )
    retention_by_network = fields.List(
        fields.String(validate=validate.Regexp(r"\A[a-z0-9_]{1,60}:[1-9]\d{0,4}\Z")),
        load_default=list,
        validate=validate.Length(max=50),
        metadata=_about("Networks whose texts are kept for another number of days, such as x:30."),
    )
    poll_seconds = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(2, 86_400),
        metadata=_about("How often to look for new posts; null is what suits each network and its prices."),
    )
    monthly_ceiling = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, 1_000_000),
        metadata=_about(
            "US dollars that reading may cost in a calendar month (UTC), all accounts together; it is never passed. null is no ceiling."
        ),
    )
    daily_cap = fields.Integer(
        strict=True,
        load_default=5,
        allow_none=True,
        validate=validate.Range(1, 1000),
        metadata=_about("New tasks a day for one owner; the rest are held. null is no limit."),
    )
    meeting_shield = YesOrNo(
        load_default=True,
        metadata=_about("Push nothing to somebody who sits in a meeting or is outside working hours."),
    )
    call_holdout = YesOrNo(
        load_default=False,
        metadata=_about(
            "Suggest nine calls of ten and hold one back, to see whether suggesting them changes anything. Somebody who asked"
            " for a call is never held back."
        ),
    )
    preview = YesOrNo(
        load_default=True,
        metadata=_about("A new CRM connection shows what it would do and writes nothing until somebody approves."),
    )
    text_mode = fields.String(
        load_default="quote",
        validate=validate.OneOf(["quote", "summary", "link"]),
        metadata=_about("What a task's text holds of what people wrote."),
    )

    confirm_only_by_handle = fields.List(
        fields.String(validate=validate.Length(1, 60)),
        load_default=list,
        validate=validate.Length(max=50),
        metadata=_about(
            "Networks, such as x, on which nobody is matched to a contact without your decision, unless the CRM has the handle on file."
        ),
    )
    write_handles = YesOrNo(
        load_default=False,
        metadata=_about(
            "Write a confirmed handle into the CRM contact, where the CRM has an empty property for that network."
        ),
    )

    @validates("timezone")
    def _known_zone(self, value: str, **_: Any) -> None:
        _known_timezone(value)

    @validates("holidays_country")
    def _known_country(self, value: str, **_: Any) -> None:
        _known_holidays(value)

    @validates("people")
    def _once_each(self, value: list[Mapping[str, Any]], **_: Any) -> None:
        emails = [each["email"].lower() for each in value if "email" in each]
        if twice := next((email for email in emails if emails.count(email) > 1), None):
            raise ValidationError(f"{twice} stands here twice.")

    @validates("retention_by_network")
    def _known_keepers(self, value: list[str], **_: Any) -> None:
        networks = [each.partition(":")[0] for each in value]
        if twice := next((each for each in networks if networks.count(each) > 1), None):
            raise ValidationError(f"{twice} stands here twice.")
        self._known_networks(networks)

    @validates("confirm_only_by_handle")
    def _known_networks(self, value: list[str], **_: Any) -> None:
        known = sorted(key for key, each in providers().items() if each.kind == "social")
        if unknown := sorted(set(value).difference(known)):
            raise ValidationError(f"There is no network {unknown[0]!r}. Use some of: {', '.join(known)}.")


SCHEMA = SettingsSchema()


def current(session: Session, workspace_id: UUID) -> Settings:
    """The newest version. A workspace gets its first one when it is made."""
    return session.scalars(
        select(Settings).where(Settings.workspace_id == workspace_id).order_by(Settings.version.desc()).limit(1)
    ).one()


def change(session: Session, workspace_id: UUID, values: Mapping[str, Any], *, by: str) -> Settings:
    """Stores a whole new version (`values` in the schema's JSON form; what is missing takes its default). Marks all of the
    workspace's decisions due. Raises marshmallow's ValidationError."""
    clean = SCHEMA.dump(SCHEMA.load(dict(values)))
    newest = session.scalar(select(func.max(Settings.version)).where(Settings.workspace_id == workspace_id)) or 0
    row = Settings(workspace_id=workspace_id, version=newest + 1, values=clean, changed_by=by)
    session.add(row)
    session.flush()
    errands.run_at(session, workspace_id, errands.KEEP, real_now() + KEPT_FROM)
    return row


def tried(row: Settings, changes: Mapping[str, Any]) -> Settings:
    """These settings with some of them changed (in the schema's JSON form; a group may be given in part), to see what they
    would do. It is stored nowhere and keeps the version that it began from. Raises marshmallow's ValidationError."""
    merged = {
        name: {**row.values.get(name, {}), **value} if _is_group(name) and isinstance(value, Mapping) else value
        for name, value in {**row.values, **changes}.items()
    }
    clean = SCHEMA.dump(SCHEMA.load(merged))
    return Settings(workspace_id=row.workspace_id, version=row.version, values=clean, changed_by=row.changed_by)


def _is_group(name: str) -> bool:
    return isinstance(SCHEMA.fields.get(name), fields.Nested)


def policy(row: Settings) -> Policy:
    """The settings as the rules see them."""
    return _policy(row.version, _Frozen(row.values))


class _Frozen(dict[str, Any]):
    """Settings values as a cache key: a version's values never change, but versions of two workspaces may share a number."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(sorted(self.items())))


@lru_cache(maxsize=256)
def _policy(version: int, frozen: _Frozen) -> Policy:
    values = SCHEMA.load(dict(frozen))
    call = values["call"]
    shared = Policy(
        version=version,
        timezone=ZoneInfo(values["timezone"]).key,
        hours={index: tuple(map(_span, values["hours"][day])) for index, day in enumerate(DAYS)},
        holidays=frozenset(values["holidays"]) | _public_holidays(values["holidays_country"]),
        patience={kind: timedelta(minutes=minutes) for kind, minutes in values["patience"].items()},
        lapse_after=timedelta(days=values["lapse_days"]),
        call_score=call["certainty"] / 100,
        call_min_exchanges=call["exchanges"],
        call_recent=timedelta(days=call["recent_days"]),
        call_quiet=timedelta(days=call["quiet_days"]),
        stage_patience={name.replace("_", " "): percent / 100 for name, percent in values["patience_by_stage"].items()},
    )
    return replace(shared, people={each["email"].lower(): _clock(shared, each) for each in values["people"]})


def _clock(shared: Policy, person: Mapping[str, Any]) -> Policy:
    """The workspace's policy by one person's clock."""
    spans = tuple(map(_span, person["hours"]))
    hours = {
        index: () if DAYS[index] in person["days_off"] else spans if spans and usual else usual
        for index, usual in shared.hours.items()
    }
    own = _public_holidays(person["holidays_country"])
    return replace(shared, timezone=ZoneInfo(person["timezone"]).key, hours=hours, holidays=own or shared.holidays)


def _span(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    # The rules read an end of midnight as the end of the day.
    return time.fromisoformat(start), time(0, 0) if end == "24:00" else time.fromisoformat(end)


def _public_holidays(country: str) -> frozenset[date]:
    return frozenset().union(*(_holidays_of(country, year) for year in range(2015, 2036))) if country else frozenset()


@lru_cache(maxsize=512)
def _holidays_of(country: str, year: int) -> frozenset[date]:
    code, _, subdivision = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(code, subdiv=subdivision or None, years=year))
    except NotImplementedError:
        return frozenset()
