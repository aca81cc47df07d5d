"""What the API shows of one person, and all that an export of everything about them holds."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from service.api.answers import Flag, Fraction, Free, Id, Instant, Number, Text, Texts, about, choice


class OnePersonSchema(Schema):
    """One person. Each of the ids names all of them."""

    id = Text(metadata=about("contact:<id>, or author:<id> of somebody whom no CRM knows."))
    name = Text()
    author_ids = fields.List(fields.UUID(), required=True)
    contact_ids = fields.List(fields.UUID(), required=True)
    perhaps = fields.List(
        fields.UUID(),
        required=True,
        metadata=about(
            "Contacts that may be the same person, by a match or by a shared address and a like name, and were never confirmed."
        ),
    )
    perhaps_authors = fields.List(
        fields.UUID(),
        required=True,
        metadata=about("Profiles on networks that may be the same person, likewise."),
    )
    objects = Flag(metadata=about("They asked never to be judged."))
    ours = Flag(metadata=about("An account of the team's own: it can be neither erased nor left alone."))


class ExportedProfileSchema(Schema):
    id = Id()
    provider = Text()
    place = Text(metadata=about("The server or place, for a network that has many."))
    native_id = Text()
    handle = Text()
    former_handles = fields.List(
        fields.String(),
        required=True,
        metadata=about("Handles that they went by before, in lower case, the newest first."),
    )
    name = Text()
    bio = Text()
    url = Text()
    website = Text()
    location = Text()
    bot = Flag()
    followers = Number(allow_none=True)
    objected_at = Instant(allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class ExportedContactSchema(Schema):
    id = Id()
    crm = Text()
    native_id = Text()
    fields_ = Free(data_key="fields", metadata=about("As `contacts` shows them, by the same names."))
    updated_at = Instant(allow_none=True)
    deleted_at = Instant(allow_none=True)
    objected_at = Instant(allow_none=True)
    created_at = Instant()


class ExportedMatchSchema(Schema):
    id = Id()
    author_id = Id()
    contact_id = Id()
    state = choice("suggested", "confirmed", "rejected")
    score = Fraction()
    evidence = fields.List(fields.Dict(), required=True)
    decided_by = Text()
    decided_at = Instant()
    handle_state = Text(metadata=about("Whether the handle was written into the CRM contact."))


class ExportedPostSchema(Schema):
    id = Id()
    provider = Text()
    place = Text()
    native_id = Text()
    kind = Text()
    thread = Text()
    in_reply_to = Text(allow_none=True)
    text = Text()
    url = Text()
    language = Text(allow_none=True)
    posted_at = Instant()
    edited_at = Instant(allow_none=True)
    received_at = Instant()
    deleted_at = Instant(allow_none=True, metadata=about("Gone at its source: the text is erased here too."))
    text_erased_at = Instant(allow_none=True, metadata=about("Kept as long as it may be: the text is erased."))


class ExportedTheirPostSchema(ExportedPostSchema):
    signals = Texts(metadata=about("What was read from it: asks, requests, problem, wants_talk, ..."))


class ExportedConversationSchema(Schema):
    id = Id()
    author_id = Id()
    thread = Text()
    waiting_since = Instant(allow_none=True)
    last_post_at = Instant()
    dealt_with_until = Instant(allow_none=True)
    reasons = Texts()
    decided_at = Instant(allow_none=True)


class ExportedStageSchema(Schema):
    at = Instant()
    stage = Text()
    reason = Text()


class ExportedRelationshipSchema(Schema):
    id = Id()
    brand_id = Id()
    stage = Text()
    stage_at = Instant(allow_none=True)
    score = Fraction(allow_none=True)
    reasons = Texts()
    decided_at = Instant(allow_none=True)
    stages = fields.List(fields.Nested(ExportedStageSchema), required=True)


class ExportedTaskSchema(Schema):
    id = Id()
    kind = Text()
    crm = Text(allow_none=True)
    external_id = Text(allow_none=True)
    external_url = Text()
    wanted = Text()
    state = Text()
    subject = Text(allow_none=True)
    body = Text(allow_none=True)
    reasons = Texts()
    urgency = Number()
    since = Instant()
    due_at = Instant()
    held_reason = Text()
    trial = Text(metadata=about("given or held_back, where calls are compared."))
    created_at = Instant()
    pushed_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    closed_by = Text()
    close_reason = Text()


class ExportedActivitySchema(Schema):
    id = Id()
    native_id = Text()
    kind = Text()
    at = Instant()
    ends_at = Instant(allow_none=True)
    direction = Text()
    outcome = Text()
    owner_id = Text(allow_none=True)
    deleted_at = Instant(allow_none=True)


class ExportedRequestSchema(Schema):
    id = Id()
    kind = Text()
    state = Text()
    created_at = Instant()
    done_at = Instant(allow_none=True)


def _rows(schema: type[Schema]) -> Any:
    return fields.List(fields.Nested(schema), required=True)


class PersonExportSchema(Schema):
    """Everything that is held about one person. It is written while it is read, so that it may be long; `complete` comes last, and an
    answer without it was cut off."""

    person = fields.Nested(OnePersonSchema, required=True)
    exported_at = Instant()
    profiles = _rows(ExportedProfileSchema)
    contacts = _rows(ExportedContactSchema)
    matches = _rows(ExportedMatchSchema)
    posts = _rows(ExportedTheirPostSchema)
    answers = _rows(ExportedPostSchema)
    conversations = _rows(ExportedConversationSchema)
    relationships = _rows(ExportedRelationshipSchema)
    tasks = _rows(ExportedTaskSchema)
    activities = _rows(ExportedActivitySchema)
    requests = _rows(ExportedRequestSchema)
    complete = Flag()
