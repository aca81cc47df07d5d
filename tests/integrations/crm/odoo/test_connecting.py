"""What is Odoo's own in connecting: two APIs, errors with status 200, fields and types of activity."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from integrations.crm.odoo import PROVIDER
from integrations.crm.odoo.meaning import meaning
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.provider import Access
from integrations.records import (
    PushOutcome,
    TaskState,
)
from tests.integrations.crm.faults import status
from tests.integrations.crm.odoo.asked import DUE, TASK, Make, drain, made
from tests.integrations.crm.odoo.conftest import World
from tests.integrations.crm.odoo.server import BOT, CALL, KEY, LOGIN, TODO, WEB

# --- two APIs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [14, 16, 17, 18, 19, 20])
def test_every_version_is_spoken_to_its_own_way(make: Make, version: int) -> None:
    world = make(version=version)
    row = made(world)

    assert (world.options["version"], world.options["uid"]) == (version, BOT)
    [state] = world.client().read_tasks([str(row["id"])])
    assert isinstance(state, TaskState)
    assert (state.key, state.body, state.due_at) == (TASK.key, TASK.body, DUE)


def test_an_odoo_without_the_older_api_is_spoken_to_by_the_newer(make: Make) -> None:
    world = make(prepared=False)
    world.server.faults.add("POST", "common/version", status(404, "<html>404</html>"), times=9)

    assert world.client().whoami().id == "acme.odoo.com/acme"


@pytest.mark.parametrize(
    "body", ["<html>Welcome</html>", "[]", '{"hello": 1}', '{"jsonrpc": "2.0", "result": {"server_version": "new"}}']
)
def test_what_is_no_odoo_is_told_from_one(make: Make, body: str) -> None:
    world = make(prepared=False)
    world.server.faults.add("POST", "common/version", status(200, body))

    with pytest.raises(UnexpectedResponseError):
        world.client().whoami()


@pytest.mark.parametrize("version", [17, 19])
def test_a_key_that_is_wrong_is_a_consent_that_is_gone(make: Make, version: int) -> None:
    world = make(version=version)
    stranger = {"api_key": "another-key-that-nobody-knows", "login": LOGIN}

    for options in ({}, world.options):
        with pytest.raises(AuthenticationError) as raised:
            list(world.client(credentials=stranger, options=options).pull("contacts", None))
        assert "another-key" not in str(raised.value)


def test_a_database_that_nobody_named_is_asked_for(make: Make) -> None:
    world = make(version=17, prepared=False)
    world.server.faults.add("POST", "common/version", lambda work: work())
    own = world.client(hosts={"web": WEB.replace("acme.odoo.com", "acme.odoo.com:8069")})
    own._api.database = ""

    with pytest.raises(InvalidRequestError, match="Name the database"):
        assert own._api.uid


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("odoo.exceptions.AccessDenied", AuthenticationError),
        ("odoo.http.SessionExpiredException", AuthenticationError),
        ("odoo.exceptions.AccessError", PermissionDeniedError),
        ("odoo.exceptions.MissingError", NotFoundError),
        ("odoo.exceptions.UserError", InvalidRequestError),
        ("odoo.exceptions.ValidationError", InvalidRequestError),
        ("builtins.ValueError", InvalidRequestError),
        ("psycopg2.errors.SerializationFailure", TemporaryError),
        ("", TemporaryError),
    ],
)
@pytest.mark.parametrize("version", [17, 19])
def test_what_odoo_names_means_the_same_by_either_api(
    make: Make, version: int, name: str, error: type[IntegrationError]
) -> None:
    world = make(version=version)
    told = f'{{"name": "{name}", "message": "Not with {KEY}.\\nTraceback", "debug": "secret"}}'
    rpc = f'{{"jsonrpc": "2.0", "error": {{"code": 200, "message": "Odoo Server Error", "data": {told}}}}}'
    given = status(200, rpc) if version < 19 else status(500, told, {"Content-Type": "application/json"})
    world.server.faults.add("POST", "res.users/search_read", given)

    with pytest.raises(error) as raised:
        drain(world, "owners")
    assert KEY not in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert isinstance(meaning(name, "so it is"), error)


def test_an_odoo_that_was_upgraded_deletes_no_task(make: Make) -> None:
    world = make(version=17)
    row = made(world)
    world.server.faults.add("POST", "mail.activity", status(404, "<html>404</html>"), times=9)

    with pytest.raises(UnexpectedResponseError, match="connect again"):
        world.client().push_tasks([replace(TASK, subject="Another", external_id=str(row["id"]))])


def test_a_server_without_this_database_says_nothing_about_a_record(world: World) -> None:
    world.server.faults.add("POST", "mail.activity/search_read", status(404, "<html>no such database</html>"))

    with pytest.raises(UnexpectedResponseError):
        world.client().read_tasks(["5"])


# --- what connecting finds out ---------------------------------------------------------------------------------------


def test_connecting_finds_fields_and_types(make: Make) -> None:
    world = make(prepared=False)
    known = world.server.fields["res.partner"]
    known |= {
        "x_no_calls": {"type": "boolean", "string": "Do not call"},
        "x_hobby": {"type": "char", "string": "Hobby"},
    }
    world.prepare()

    options = world.options
    assert options["contact_properties"] == [{"name": "x_studio_twitter", "network": "x"}]
    assert (options["text_properties"], options["do_not_call"]) == (
        [{"name": "x_hobby", "label": "Hobby"}],
        ["x_no_calls"],
    )
    assert (options["types"], options["calls"]) == ({"todo": TODO, "call": CALL}, [CALL])
    assert (options["keeps_done"], options["activity_fields"]) == (True, ["active", "date_done"])


def test_version_17_is_asked_to_keep_what_is_done(make: Make) -> None:
    world = make(version=17, keeps_done=False)

    assert [row["keep_done"] for row in world.server.rows["mail.activity.type"].values()] == [True, True]
    assert world.client().missing() == []


def test_a_version_17_that_may_not_be_asked_lacks_nothing(make: Make) -> None:
    world = make(version=17, keeps_done=False, read_only={"mail.activity.type"})

    assert (world.options["keeps_done"], world.client().missing()) == (False, [])


def test_a_type_that_no_longer_keeps_what_is_done_is_told_where_it_cannot_be_mended(make: Make) -> None:
    world = make(version=17)
    world.server.put("mail.activity.type", {"keep_done": False}, TODO)
    world.server.read_only.add("mail.activity.type")
    assert PROVIDER.check is not None

    told = PROVIDER.check(Access({"web": WEB}, {"api_key": KEY, "login": LOGIN}, options=world.options))

    assert len(told) == 1
    assert "tick Keep Done" in told[0]


def test_the_model_is_learnt_from_the_defaults_of_an_activity_where_models_are_hidden(make: Make) -> None:
    for version in (17, 19):
        world = make(version=version, hidden_models={"ir.model"})
        made(world)
        assert world.client().missing() == []


def test_a_user_who_may_not_learn_the_model_is_told(world: World) -> None:
    world.options["model_id"] = None

    assert "no task can be made" in world.client().missing()[0]
    [refused] = world.client().push_tasks([TASK])
    assert refused.outcome is PushOutcome.REFUSED
