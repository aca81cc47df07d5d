"""What can be connected, and what is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from integrations import consents
from integrations.provider import HANDED_IN
from integrations.registry import providers
from service import health, naming, unread, when
from service.clock import real_now
from service.doctor.patient import Patient, answers
from service.errors import PlainError
from service.models import ProviderApp, Workspace
from service.sealed import APPS
from service.sentences import count_of
from service.store import listing
from service.vault import SealBrokenError

SHOWN = 20  # connections in trouble that are named


def registered(patient: Patient) -> str:
    with patient.database.globally() as session:
        patient.apps = list(session.scalars(select(ProviderApp)))
        session.expunge_all()
    for app in patient.apps:
        try:
            patient.vault.open(app.sealed, *APPS.place(app.provider, app.host))
        except SealBrokenError:
            raise PlainError(
                f"The client secret of {app.provider} was sealed with another key. Put that key into WARMLINE_SECRET_KEYS"
                f" behind the new one, or register again with `warmline providers set {app.provider}`."
            ) from None
    have = {app.provider for app in patient.apps}
    # Where posts are handed in there is nothing to register.
    known = [each for each in providers().values() if HANDED_IN not in each.capabilities]
    ready = [each for each in known if each.key in have or not all(way.needs_app for way in consents.ways(each))]
    lacking = [each for each in known if each not in ready]
    for kind, what in (("social", "network"), ("crm", "CRM")):
        if not any(each.kind == kind for each in ready):
            choice = " or ".join(f"`warmline providers set {each.key}`" for each in lacking if each.kind == kind)
            raise PlainError(f"No {what} is registered, so none can be connected. Run {choice}.")
    rest = f" Not registered: {', '.join(each.name for each in lacking)}." if lacking else ""
    names = [each.name for each in ready]
    return f"{' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))} can be connected.{rest}"


def connections(patient: Patient) -> str:
    rows = _all_connections(patient)
    now = real_now()
    troubled = [
        f"{naming.provider_name(row['provider'])} {row['handle'] or row['name']}: {health.line(row, now)}"
        for row in rows
        if row["status"] == "needs_reauth" or health.unwritten(row) or unread.in_trouble(row, now) or any(stream["failures"] or stream["error"] for stream in row["streams"])
    ]  # fmt: skip
    if troubled:
        more = f" And {len(troubled) - SHOWN} more." if len(troubled) > SHOWN else ""
        raise PlainError(f"{' '.join(troubled[:SHOWN])}{more} See Connections at {patient.known.base_url}/connections.")
    if not rows:
        return f"None yet. Connect accounts at {patient.known.base_url}/connections."
    newest = max(
        (stream["last_pulled_at"] for row in rows for stream in row["streams"] if stream["last_pulled_at"]),
        default=None,
    )
    looked = f"; last looked {when.ago(newest, now)}" if newest else ""
    return f"{count_of(len(rows), 'account')} connected, all well{looked}."


def _all_connections(patient: Patient) -> list[Mapping[str, Any]]:
    """Of every workspace, one after the other, as row-level security wants it."""
    with patient.database.globally() as session:
        workspaces: Sequence[Any] = session.scalars(select(Workspace.id).order_by(Workspace.id)).all()
    rows: list[Mapping[str, Any]] = []
    for workspace_id in workspaces:
        with patient.database.tenant(workspace_id) as session:
            found, _ = listing.connections(session, workspace_id, limit=1000)
            rows += [row for row in found if row["status"] != "disconnected"]
    return rows


def sandbox(patient: Patient) -> str:
    """Its addresses stand in place of the vendors' own."""
    roots = {f"{parts.scheme}://{parts.netloc}" for app in patient.apps for parts in map(urlsplit, app.hosts.values())}
    silent = [root for root in sorted(roots) if not answers(f"{root}/control/counts")]
    if silent:
        raise PlainError(
            f"Accounts are connected to the sandbox at {silent[0]}, which does not answer. Start it with `warmline sandbox"
            f" --port {urlsplit(silent[0]).port}`."
        )
    return f"The sandbox answers at {', '.join(sorted(roots))}." if roots else "Not used here."
