"""A workspace's settings: one marshmallow schema that says names, bounds, defaults and meaning. Versioned: a change is a
new row, and each verdict keeps the version that it was made under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.clock import real_now
from service.models import Settings
from service.rules.model import Policy
from service.settings_parts import (
    DAYS,
    CallSchema,
    HoursSchema,
    PatienceSchema,
    PersonSchema,
    StagePatienceSchema,
    YesOrNo,
    about,
    holidays_of,
    known_holidays,
    known_timezone,
)
from service.store import errands

KEPT_FROM = timedelta(hours=1)  # after a change: so long may somebody think better of it before texts go


class SettingsSchema(Schema):
    """All settings of a workspace, with their defaults."""

    class Meta:
        unknown = RAISE

    timezone = fields.String(load_default="UTC", metadata=about("IANA name, such as Europe/Paris."))
    hours = fields.Nested(HoursSchema, load_default=lambda: HoursSchema().load({}))
    holidays_country = fields.String(
        load_default="",
        metadata=about(
            "ISO 3166 country, with a subdivision after a dash if wanted (DE-BY), whose public holidays are days off."
        ),
    )
    holidays = fields.List(
        fields.Date(), load_default=list, validate=validate.Length(max=200), metadata=about("More days off.")
    )
    patience = fields.Nested(PatienceSchema, load_default=lambda: PatienceSchema().load({}))
    patience_by_stage = fields.Nested(StagePatienceSchema, load_default=lambda: StagePatienceSchema().load({}))
    people = fields.List(
        fields.Nested(PersonSchema),
        load_default=list,
        validate=validate.Length(max=500),
        metadata=about("People whose time zone or hours differ from the workspace's."),
    )
    lapse_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(1, 730),
        metadata=about("A wait older than this makes no task any more."),
    )
    call = fields.Nested(CallSchema, load_default=lambda: CallSchema().load({}))
    first_pull_days = fields.Integer(
        strict=True,
        load_default=90,
        validate=validate.Range(1, 36_500),
        metadata=about("How far back the first pull of a new social account goes."),
    )
    retention_days = fields.Integer(
        strict=True,
        load_default=365,
        validate=validate.Range(1, 36_500),
        metadata=about(
            "For how long texts are kept: of posts and of closed tasks, and the profiles of people whom no CRM knows. What an open"
            " task rests on is kept until it closes. Counts stay."
        ),
    )
    retention_by_network = fields.List(
        fields.String(
            validate=validate.Regexp(
                r"\A[a-z0-9_]{1,60}:[1-9]\d{0,4}\Z", error="Write a network and its days, such as x:30."
            )
        ),
        load_default=list,
        validate=validate.Length(max=50),
        metadata=about("Networks whose texts are kept for another number of days, such as x:30."),
    )
    poll_seconds = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(2, 86_400),
        metadata=about("How often to look for new posts; null is what suits each network and its prices."),
    )
    monthly_ceiling = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, 1_000_000),
        metadata=about(
            "US dollars that reading may cost in a calendar month (UTC), all accounts together; it is never passed. null is no ceiling."
        ),
    )
    daily_cap = fields.Integer(
        strict=True,
        load_default=5,
        allow_none=True,
        validate=validate.Range(1, 1000),
        metadata=about("New tasks a day for one owner; the rest are held. null is no limit."),
    )
    meeting_shield = YesOrNo(
        load_default=True,
        metadata=about("Push nothing to somebody who sits in a meeting or is outside working hours."),
    )
    call_holdout = YesOrNo(
        load_default=False,
        metadata=about(
            "Suggest nine calls of ten and hold one back, to see whether suggesting them changes anything. Somebody who asked"
            " for a call is never held back."
        ),
    )
    preview = YesOrNo(
        load_default=True,
        metadata=about("A new CRM connection shows what it would do and writes nothing until somebody approves."),
    )
    text_mode = fields.String(
        load_default="quote",
        validate=validate.OneOf(["quote", "summary", "link"]),
        metadata=about("What a task's text holds of what people wrote."),
    )

    confirm_only_by_handle = fields.List(
        fields.String(validate=validate.Length(1, 60)),
        load_default=list,
        validate=validate.Length(max=50),
        metadata=about(
            "Networks, such as x, on which nobody is matched to a contact without your decision, unless the CRM has the handle on file."
        ),
    )
    write_handles = YesOrNo(
        load_default=False,
        metadata=about(
            "Write a confirmed handle into the CRM contact, where the CRM has an empty property for that network."
        ),
    )

    @validates("timezone")
    def _known_zone(self, value: str, **_: Any) -> None:
        known_timezone(value)

    @validates("holidays_country")
    def _known_country(self, value: str, **_: Any) -> None:
        known_holidays(value)

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


# Built once: nearly every job asks for it.
_NEWEST = select(Settings).where(Settings.workspace_id == bindparam("w")).order_by(Settings.version.desc()).limit(1)


def current(session: Session, workspace_id: UUID) -> Settings:
    """The newest version. A workspace gets its first one when it is made."""
    return session.scalars(_NEWEST, {"w": workspace_id}).one()


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
    return frozenset().union(*(holidays_of(country, year) for year in range(2015, 2036))) if country else frozenset()
