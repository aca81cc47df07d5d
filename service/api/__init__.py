"""The REST API below /v1: one module per noun; `noun` declares routes, `answers` makes what goes out, `problems` what went
wrong, `auth` says who may."""

from __future__ import annotations

from flask import Flask

from service.api import (
    audit,
    brands,
    calendars,
    comparisons,
    connections,
    contacts,
    conversations,
    document,
    figures,
    handing,
    handle_fields,
    health,
    invitations,
    judge,
    matches,
    me,
    members,
    noun,
    pausing,
    person_requests,
    persons,
    providers,
    relationships,
    rhythm,
    runs,
    sessions,
    sources,
    tasks,
    tryout,
)

NOUNS = (
    me.me,
    members.members,
    invitations.invitations,
    sessions.sessions,
    health.health,
    brands.brands,
    tryout.settings,
    runs.noun,
    providers.providers,
    connections.connections,
    pausing.pausing,
    handle_fields.handle_fields,
    handing.engagements,
    conversations.conversations,
    contacts.contacts,
    relationships.relationships,
    persons.persons,
    person_requests.person_requests,
    rhythm.rhythm,
    matches.matches,
    sources.sources,
    tasks.tasks,
    judge.judge,
    calendars.calendars,
    figures.figures,
    audit.audit,
    comparisons.comparisons,
    document.openapi,
)
VERSION = "1"


def register(app: Flask) -> None:
    """Mounts the API and generates its document."""
    spec = noun.mount(
        app,
        NOUNS,
        title=document.TITLE,
        version=VERSION,
        info={"description": document.ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": "/"}],
        tags=[{"name": each.name, "description": each.about} for each in NOUNS],
    )
    app.extensions[document.EXTENSION] = document.finish(spec)
