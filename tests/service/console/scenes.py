"""Rows as the workers leave them, so that pages have something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import models as m
from service.clock import real_now
from service.ids import new_id
from service.runtime import Runtime

QUESTION = "Does the Baltic jacket come in a tall size? I have asked twice now."
HEBREW = "שלום, מתי תהיה ההזמנה שלי מוכנה?"


@dataclass(frozen=True)
class Scene:
    """A workspace in the middle of a working day."""

    workspace_id: UUID
    brand: UUID
    social: UUID
    crm: UUID
    waiting: UUID  # Mara's conversation
    task: UUID  # hers, open in the CRM
    held: UUID
    call: UUID
    suggested: UUID  # a match
    other_suggested: UUID
    run: UUID  # a change of settings that is held
    person: UUID  # Mara
    relationship: UUID  # hers


@dataclass
class Stage:
    """Adds rows to one workspace."""

    session: Session
    workspace_id: UUID
    now: datetime

    def add(self, model: Any, **columns: Any) -> UUID:
        row_id = columns.setdefault("id", new_id())
        self.session.add(model(workspace_id=self.workspace_id, **columns))
        self.session.flush()
        return row_id  # type: ignore[no-any-return]

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)

    def author(self, handle: str, name: str, provider: str = "chirp") -> UUID:
        return self.add(
            m.Author, provider=provider, native_id=f"n-{handle}", handle=handle, name=name, match_due=False,
            url=f"https://chirp.test/{handle}", updated_at=self.now,
        )  # fmt: skip

    def post(self, scene: dict[str, UUID], author: UUID, thread: str, text: str, at: datetime, **columns: Any) -> UUID:
        row_id = columns.pop("id", None) or new_id()
        return self.add(
            m.Engagement, id=row_id, connection_id=scene["social"], brand_id=scene["brand"], native_id=columns.pop("native_id", f"p-{row_id}"),
            kind=columns.pop("kind", "mention"), ours=columns.pop("ours", False), author_id=author, thread=thread, text=text,
            url=columns.pop("url", f"https://chirp.test/p/{row_id}"), posted_at=at, received_at=at, checked_at=at, **columns,
        )  # fmt: skip

    def conversation(self, scene: dict[str, UUID], author: UUID, thread: str, *, since: datetime | None, last: datetime, reasons: list[str]) -> UUID:  # fmt: skip
        return self.add(
            m.Conversation, brand_id=scene["brand"], connection_id=scene["social"], author_id=author, thread=thread, decide_at=None,
            waiting_since=since, last_post_at=last, reasons=reasons, settings_version=1, rules_version=1, decided_at=self.now,
        )  # fmt: skip

    def contact(self, scene: dict[str, UUID], name: str, company: str) -> UUID:
        native = name.lower().replace(" ", "-")
        return self.add(
            m.Contact, connection_id=scene["crm"], native_id=native, name=name, company=company, owner_id="7",
            fields={"id": native, "name": name, "emails": [], "phones": [], "handles": [], "url": f"https://rolodex.test/contacts/{native}"},
        )  # fmt: skip

    def match(self, author: UUID, contact: UUID, state: str, score: float, evidence: list[str]) -> UUID:
        crm = self.session.get_one(m.Contact, (self.workspace_id, contact)).connection_id
        return self.add(
            m.Match, author_id=author, contact_id=contact, connection_id=crm, state=state, score=score, rules_version=1,
            evidence=[{"sentence": each, "kind": "name", "source": "profile", "basis": "shown publicly by the person"} for each in evidence],
            decided_by="rules", decided_at=self.now,
        )  # fmt: skip

    def relationship(
        self,
        scene: dict[str, UUID],
        *,
        author: UUID | None = None,
        contact: UUID | None = None,
        stage: str,
        reasons: list[str],
        steps: list[tuple[str, datetime, str]],
    ) -> UUID:
        """Of a contact, or of an author whom no CRM knows. `steps` are (stage, instant, reason), oldest first."""
        made = self.add(
            m.Relationship,
            brand_id=scene["brand"],
            person=f"contact:{contact}" if contact else f"author:{author}",
            contact_id=contact,
            author_id=author,
            stage=stage,
            stage_at=steps[-1][1] if steps else None,
            reasons=reasons,
            decided_at=self.now,
            settings_version=1,
            rules_version=1,
        )
        for to, at, reason in steps:
            self.session.add(
                m.StageChange(workspace_id=self.workspace_id, relationship_id=made, at=at, stage=to, reason=reason)
            )
        self.session.flush()
        return made

    def held_run(self, scene: dict[str, UUID], *tasks: UUID) -> UUID:
        """A change of settings that makes these tasks."""
        run = self.add(
            m.Run, kind="settings", state="held", settings_version=1, rules_version=1, from_settings_version=1, from_rules_version=1,
            started_by="user:x", counts={str(scene["crm"]): {"create": 51, "change": 1}},
        )  # fmt: skip
        for task in tasks:
            self.session.add(
                m.RunChange(workspace_id=self.workspace_id, run_id=run, task_id=task, before={}, kept_at=self.now)
            )
        self.session.flush()
        return run

    def task(self, scene: dict[str, UUID], author: UUID, *, kind: str = "unanswered", **columns: Any) -> UUID:
        since = columns.pop("since", self.ago(hours=5))
        row_id = new_id()
        return self.add(
            m.Task, id=row_id, key=f"warmline:{row_id}", kind=kind, brand_id=scene["brand"], person=f"author:{author}", author_id=author,
            crm_connection_id=scene["crm"], wanted=columns.pop("wanted", "open"), state=columns.pop("state", "open"),
            content={"subject": columns.pop("subject", "Answer Mara Lind on Chirp"), "body": columns.pop("body", "She asked twice."), "owner_id": "7"},
            reasons=columns.pop("reasons", ["Mara asked a question 5 hours ago and nobody has answered."]), urgency=60, since=since,
            due_at=columns.pop("due_at", self.now + timedelta(hours=1)), settings_version=1, rules_version=1, decided_at=self.now, **columns,
        )  # fmt: skip


def connect(stage: Stage, *, preview: bool = False) -> dict[str, UUID]:
    """A network and a CRM, both in good health."""
    brand = stage.session.scalars(select(m.Brand.id).where(m.Brand.workspace_id == stage.workspace_id)).first()
    assert brand
    social = stage.add(
        m.Connection, brand_id=brand, provider="chirp", kind="social", account_id="id-acme", handle="acme", name="Acme Outdoor",
        status="active", status_at=stage.now, responder_email="olga@acme.test", ready_at=stage.ago(days=2),
    )  # fmt: skip
    crm = stage.add(
        m.Connection, brand_id=None, provider="rolodex", kind="crm", account_id="42", handle="acme.rolodex.test", name="Acme Ltd",
        status="active", status_at=stage.now, ready_at=stage.ago(days=2), preview=preview,
    )  # fmt: skip
    for connection, names in ((social, ("mentions", "messages", "recheck")), (crm, ("contacts", "recheck"))):
        for name in names:
            stage.add(
                m.Stream, connection_id=connection, name=name, next_pull_at=stage.now + timedelta(minutes=2), status="active",
                first_done_at=stage.ago(days=2), last_pulled_at=stage.ago(minutes=1), last_item_at=stage.ago(minutes=3, seconds=5), items=1240,
                reads={"post": 1240} if connection == social else {}, notes=[],
            )  # fmt: skip
    stage.add(m.Owner, connection_id=crm, native_id="7", email="olga@acme.test", name="Olga Berg")
    return {"brand": brand, "social": social, "crm": crm}


def busy_day(held: Runtime, workspace_id: UUID, *, preview: bool = False) -> Scene:
    """People who wait, tasks in every state, matches to decide; names and texts of many kinds."""
    with held.db.tenant(workspace_id) as session:
        stage = Stage(session, workspace_id, real_now())
        place = connect(stage, preview=preview)
        us, mara = stage.author("acme", "Acme Outdoor"), stage.author("maralind", "Mara Lind")
        sunny, liat, blank = (
            stage.author("sunny", "🌻 Sunny 🌻"),
            stage.author("liat_k", "ליאת כהן"),
            stage.author("user8841", ""),
        )
        ben, ghost = stage.author("benfrost", "Ben Frost"), stage.author("", "")

        stage.post(
            place,
            us,
            "t1",
            "Our Baltic jacket is back in every colour.",
            stage.ago(days=1, hours=2),
            kind="own",
            ours=True,
        )
        stage.post(place, mara, "t1", "Lovely! Does it come in a tall size?", stage.ago(days=1), kind="reply")
        stage.post(place, ben, "t1", "I would like that too.", stage.ago(hours=20), kind="context")
        stage.post(place, mara, "t1", QUESTION, stage.ago(hours=5), kind="reply", edited_at=stage.ago(hours=4))
        waiting = stage.conversation(place, mara, "t1", since=stage.ago(days=1), last=stage.ago(hours=5),
                                     reasons=["Mara asked a question a day ago and nobody has answered.", "She has asked twice."])  # fmt: skip
        lind = stage.contact(place, "Mara Lind", "Lind & Daughters")
        stage.match(mara, lind, "confirmed", 0.99, ["The CRM has @maralind on file for Mara Lind."])
        task = stage.task(place, mara, conversation_id=waiting, contact_id=lind, external_id="t-1", external_url="https://rolodex.test/tasks/t-1",
                          pushed_at=stage.now, since=stage.ago(days=1), reasons=["Mara asked a question a day ago and nobody has answered."])  # fmt: skip

        stage.post(place, liat, "t2", HEBREW, stage.ago(hours=3), kind="direct", url="https://chirp.test/messages/2")
        other = stage.conversation(
            place,
            liat,
            "t2",
            since=stage.ago(hours=3),
            last=stage.ago(hours=3),
            reasons=["ליאת wrote to you directly 3 hours ago."],
        )
        held_task = stage.task(place, liat, conversation_id=other, state="absent", subject="Answer ליאת כהן on Chirp", since=stage.ago(hours=3),
                               held_reason="Its owner has been given 5 new tasks today, which is the limit.", held_until=stage.now + timedelta(hours=14))  # fmt: skip
        stage.post(place, sunny, "t3", "love love LOVE 🧡🧡🧡 https://chirp.test/" + "a" * 300, stage.ago(minutes=40))
        stage.conversation(
            place,
            sunny,
            "t3",
            since=stage.ago(minutes=40),
            last=stage.ago(minutes=40),
            reasons=["Sunny named you 40 minutes ago."],
        )
        stage.post(place, blank, "t4", "", stage.ago(minutes=20))
        stage.conversation(
            place,
            blank,
            "t4",
            since=stage.ago(minutes=20),
            last=stage.ago(minutes=20),
            reasons=["@user8841 named you 20 minutes ago."],
        )
        stage.post(place, ghost, "t5", "<script>alert('x')</script> & <b>bold</b>", stage.ago(minutes=2))
        stage.conversation(
            place,
            ghost,
            "t5",
            since=stage.ago(minutes=2),
            last=stage.ago(minutes=2),
            reasons=["Somebody named you 2 minutes ago."],
        )

        call = stage.task(place, ben, kind="ready_for_call", state="parked", subject="Call Ben Frost of Frostworks", detail="Owner 7 may not own tasks.", parked_at=stage.ago(hours=3),
                          reasons=["You and Ben have gone back and forth 6 times over 3 weeks.", "He asked what a team plan costs."])  # fmt: skip
        stage.task(
            place,
            ben,
            wanted="completed",
            state="completed",
            closed_at=stage.ago(hours=30),
            closed_by="rules",
            close_reason="you answered on Chirp",
            subject="Answer Ben Frost on Chirp",
        )
        stage.task(
            place,
            sunny,
            wanted="withdrawn",
            state="withdrawn",
            closed_at=stage.ago(hours=50),
            closed_by="rules",
            close_reason="the post was deleted",
            subject="Answer Sunny on Chirp",
        )
        frost, berg = stage.contact(place, "Ben Frost", "Frostworks"), stage.contact(place, "Sunniva Berg", "")
        talking = stage.relationship(
            place, contact=lind, stage="conversing", reasons=["You go back and forth, and nobody has asked to talk."],
            steps=[("in contact", stage.ago(days=9), "You answered them for the first time."), ("conversing", stage.ago(days=2), "You had gone back and forth 3 times.")],
        )  # fmt: skip
        stage.relationship(place, author=ben, stage="ready to talk", reasons=["He asked what a team plan costs."],
                           steps=[("ready to talk", stage.ago(days=1), "He asked what a team plan costs.")])  # fmt: skip
        for silent in (liat, ghost):
            stage.relationship(place, author=silent, stage="", reasons=[], steps=[])
        suggested = stage.match(ben, frost, "suggested", 0.74, ["The names are the same.", "Both are in Tromsø."])
        other_suggested = stage.match(sunny, berg, "suggested", 0.41, ["The first names begin alike."])
        return Scene(
            workspace_id,
            place["brand"],
            place["social"],
            place["crm"],
            waiting,
            task,
            held_task,
            call,
            suggested,
            other_suggested,
            stage.held_run(place, task, held_task),
            mara,
            talking,
        )
