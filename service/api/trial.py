"""Settings as a caller wants to try them out: those that stand, with some of them changed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import request
from marshmallow import ValidationError, fields
from sqlalchemy.orm import Session

from service import settings
from service.api.answers import about
from service.models import Settings
from service.settings import SettingsSchema

OVERRIDES = "settings"


class SettingsChange(SettingsSchema):
    """Some of a workspace's settings."""


def overrides(*, required: bool = False) -> fields.Nested:
    """The field of a body that holds the changed settings; what is left out stays as it stands."""
    return fields.Nested(
        SettingsChange(partial=True),
        required=required,
        metadata=about("Settings to try instead of those that stand. What is left out, also of a group, stays."),
    )


def chosen(session: Session, workspace_id: UUID) -> Settings:
    """The workspace's settings with this request's changes. Raises marshmallow's ValidationError, which names them."""
    body = request.get_json(silent=True)
    changes = body.get(OVERRIDES, {}) if isinstance(body, Mapping) else {}
    try:
        return settings.tried(settings.current(session, workspace_id), changes)
    except ValidationError as error:
        raise ValidationError({OVERRIDES: error.messages}) from None
