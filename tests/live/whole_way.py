"""What the story of the whole way needs of a real CRM, and how it is found in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.live.bottlecrm import Bottle
from tests.live.espocrm import RealEspo
from tests.live.odoo import RealOdoo


@dataclass(frozen=True)
class Stands:
    """A task of Warmline's as it stands in the CRM."""

    id: str
    key: str
    body: str
    contact: str
    owner: str
    link: str  # where the CRM shows it


class There(Protocol):
    """A real CRM, and what people do in it."""

    form: Mapping[str, str]  # what a person types to connect it
    owner: str  # whom the tasks go to

    def adds_ana(self) -> str:
        """A contact with the handle that Ana has on X. Returns its id."""

    def tasks(self) -> list[Stands]:
        """Those that are open."""

    def ever(self) -> set[str]:
        """The ids of all that it tells of, done ones too where it keeps them."""

    def completes(self, task: Stands) -> None: ...

    def was_completed(self, task: Stands) -> bool: ...


class InBottleCRM:
    def __init__(self, bottle: Bottle) -> None:
        self._bottle, self.owner = bottle, bottle.olga
        self.form = {"server": bottle.server, "token": bottle.token}

    def adds_ana(self) -> str:
        return self._bottle.adds_contact(first_name="Ana", last_name="Ferrer", custom_fields={"twitter_handle": "ana"})

    def tasks(self) -> list[Stands]:
        return [
            Stands(
                row["id"], row["custom_fields"]["warmline_key"], row["description"], row["contacts"][0]["id"],
                row["assigned_to"][0]["id"], f"{self._bottle.server}/tasks/{row['id']}",
            )
            for row in self._bottle.tasks() if row["status"] == "New" and "warmline_key" in (row["custom_fields"] or {})
        ]  # fmt: skip

    def ever(self) -> set[str]:
        return {row["id"] for row in self._bottle.tasks()}

    def completes(self, task: Stands) -> None:
        self._bottle.sets(task.id, status="Completed")

    def was_completed(self, task: Stands) -> bool:
        return [row["status"] for row in self._bottle.tasks() if row["id"] == task.id] == ["Completed"]


class InEspoCRM:
    def __init__(self, espo: RealEspo) -> None:
        self._espo, self.form, self.owner = espo, espo.form, espo.olga

    def adds_ana(self) -> str:
        handle = {self._espo.fields["twitterHandle"]: "ana"}
        return self._espo.adds_contact("Ana", assignedUserId=self._espo.olga, **handle)

    def tasks(self) -> list[Stands]:
        key = self._espo.fields["warmlineKey"]
        return [
            Stands(
                row["id"], row[key], row["description"], row["parentId"], row["assignedUserId"],
                f"{self._espo.server}/#Task/view/{row['id']}",
            )
            for row in self._espo.tasks(key) if row["status"] == "Not Started"
        ]  # fmt: skip

    def ever(self) -> set[str]:
        return {row["id"] for row in self._espo.tasks()}

    def completes(self, task: Stands) -> None:
        self._espo.completes(task.id)

    def was_completed(self, task: Stands) -> bool:
        return bool(self._espo.reads("Task", task.id)["status"] == "Completed")


class InOdoo:
    def __init__(self, odoo: RealOdoo) -> None:
        self._odoo, self.form, self.owner = odoo, odoo.form, str(odoo.olga)

    def adds_ana(self) -> str:
        return self._odoo.adds_contact("Ana Ferrer", x_twitter="ana", user_id=self._odoo.olga)

    def tasks(self) -> list[Stands]:
        return [
            Stands(
                str(row["id"]), row["note"].partition("Warmline reference: ")[2], row["note"], str(row["res_id"]),
                str(row["user_id"][0]), f"{self._odoo.server}/web#id={row['res_id']}&model=res.partner&view_type=form",
            )
            for row in self._odoo.tasks("active") if row.get("active", True)
        ]  # fmt: skip

    def ever(self) -> set[str]:
        return {str(row["id"]) for row in self._odoo.tasks()}

    def completes(self, task: Stands) -> None:
        self._odoo.ticks_off(task.id, "Answered her by phone")

    def was_completed(self, task: Stands) -> bool:
        """Such an activity is gone, or archived; what tells that it was done is a message of its kind beside the contact."""
        about = [
            ["res_id", "=", int(task.contact)],
            ["model", "=", "res.partner"],
            ["mail_activity_type_id", "!=", False],
        ]
        told = self._odoo.act("mail.message", "search_read", about, ["body"])
        return task.id not in {each.id for each in self.tasks()} and any(task.key in each["body"] for each in told)
