"""What really happened: who asked, who was answered, what people did in the CRM. What the system says is held against this."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass
class Thread:
    """One customer's talk with one brand."""

    customer: str  # the author's id on the network
    brand: str  # its handle
    posts: list[str] = field(default_factory=list)  # ids of theirs, in order
    unanswered: list[tuple[str, float]] = field(
        default_factory=list
    )  # those since our last answer, and when (seconds since the epoch)
    openers: list[str] = field(default_factory=list)  # every post that may have opened a wait

    def waits_since(self, dealt_with: float) -> str | None:
        """The post that opened the wait that goes on, where what was written until `dealt_with` needs no answer."""
        return next((id_ for id_, at in self.unanswered if at > dealt_with), None)


@dataclass(frozen=True)
class Edit:
    """What a person changed in a task."""

    property: str  # as HubSpot calls it
    value: str
    at: float
    was: str = ""  # before the first of them


@dataclass
class Ledger:
    """Filled by the traffic, read by the comparison, one after the other."""

    threads: list[Thread] = field(default_factory=list)
    posted: set[str] = field(default_factory=set)  # every post that stands and concerns a brand
    texts: dict[str, str] = field(default_factory=dict)  # of posts that were edited, as they read now
    deleted: set[str] = field(default_factory=set)
    edits: dict[str, dict[str, Edit]] = field(default_factory=dict)  # task's id -> property -> what it was last set to
    completed: dict[str, float] = field(default_factory=dict)  # task's id -> when a person ticked it off

    def edited(self, task: str, edit: Edit) -> None:
        """Somebody changed a task. Who puts back what stood there before has changed nothing: nobody could tell."""
        of_task = self.edits.setdefault(task, {})
        first = of_task.get(edit.property, edit)
        of_task[edit.property] = replace(edit, was=first.was)
        if edit.value == first.was:
            del of_task[edit.property]
        if not of_task:
            del self.edits[task]
