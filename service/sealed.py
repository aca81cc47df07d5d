"""What rests sealed: one table, which those who seal, whoever rotates keys and the tests read. A column that is not in it would be lost
when its key goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sealed:
    """One column whose values are envelopes of `service.vault`. `keys` is the primary key of its table: a value is bound to it, so
    one that is moved to another row does not open."""

    table: str
    keys: tuple[str, ...]
    column: str = "sealed"

    @property
    def tenants(self) -> bool:
        """Whether the rows belong to workspaces."""
        return self.keys[0] == "workspace_id"

    def place(self, *key: object) -> tuple[object, ...]:
        """What the value in the row with this key is bound to; digests as hexadecimal digits."""
        return self.table, self.column, *(each.hex() if isinstance(each, bytes) else each for each in key)


CREDENTIALS = Sealed("credentials", ("workspace_id", "connection_id"))
CALENDARS = Sealed("calendar_feeds", ("workspace_id", "id"))  # their addresses
ANSWERS = Sealed("idempotency_keys", ("workspace_id", "key"))  # that were given to writes, for a day
APPS = Sealed("provider_apps", ("provider", "host"))  # our client secrets
CONSENTS = Sealed("oauth_states", ("token_hash",))  # under way, for ten minutes
SUPPRESSION = Sealed("suppression_keys", ("workspace_id",))  # under which the list of people to leave out is hashed
FACTORS = Sealed("second_factors", ("id",))  # what somebody's authenticator app holds
SETUPS = Sealed("factor_setups", ("session_id",))  # one that is being set up
SEALED = (CREDENTIALS, CALENDARS, ANSWERS, APPS, CONSENTS, SUPPRESSION, FACTORS, SETUPS)
