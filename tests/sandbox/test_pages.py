"""The pages, as a person with a browser and no script uses them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from sandbox.body_html import plain, render
from tests.sandbox.helpers import to_contact

TASKS = "/crm/objects/2026-09/tasks"
PAGES = (
    "/", "/network", "/network/threads/50", "/network/accounts/acme", "/network/messages", "/network/messages/1-2", "/crm",
    "/crm?view=completed", "/crm?view=all&owner=7", "/crm/contacts", "/crm/contacts?q=bob", "/crm/contacts/101",
)  # fmt: skip


class Checker(HTMLParser):
    """What no page may have, and the links that it has."""

    def __init__(self):
        super().__init__()
        self.bad, self.links, self.labels, self.unlabelled = [], [], 0, []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "script" or any(name.startswith("on") or name == "style" for name in given):
            self.bad.append((tag, given))
        if tag == "a":
            self.links.append(given.get("href"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_without_script_or_inline_style(world, path):
    page = world.client.get(path)
    assert page.status_code == 200
    checker = Checker()
    checker.feed(page.text)
    assert checker.bad == []
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert '<html lang="en">' in page.text
    assert 'name="viewport"' in page.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_in_an_empty_sandbox_too(empty, path):
    assert empty.client.get(path).status_code in (200, 404)


@pytest.mark.parametrize("path", PAGES)
def test_no_link_is_dead(world, path):
    checker = Checker()
    checker.feed(world.client.get(path).text)
    for link in checker.links:
        if link and link.startswith("/"):
            assert world.client.get(link, follow_redirects=True).status_code == 200, link


def post(world, path, **form):
    answer = world.client.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return world.client.get(answer.location)


def test_a_customer_writes_the_brand_answers_and_both_stand_in_the_thread(world):
    page = post(world, "/network/posts", **{"as": "@bob", "text": "@Acme my saw is blunt\r\nreally"})
    assert "my saw is blunt\nreally" in page.text
    asked = world.x().ids("/2/users/1/mentions")[0]
    page = post(world, "/network/posts", **{"as": "Acme", "text": "Send it in", "in_reply_to": asked})
    answered = (
        world.x()
        .get("/2/tweets", ids=world.x().ids("/2/users/1/tweets")[0], **{"tweet.fields": "conversation_id"})
        .json["data"][0]
    )
    assert answered["text"] == "@bob Send it in"
    assert answered["conversation_id"] == asked
    assert page.text.index("my saw is blunt") < page.text.index("Send it in")


def test_a_handle_that_nobody_has_joins_as_a_customer(world):
    page = post(world, "/network/posts", **{"as": "zoe", "text": "@acme hi"})
    assert "@zoe" in page.text
    assert len(world.x().ids("/2/users/1/mentions")) == 4
    page = post(world, "/network/posts", **{"as": "Zoë!", "text": "@acme hi"})
    assert "is not one: letters, digits and _ only" in page.text
    assert len(world.x().ids("/2/users/1/mentions")) == 4


@pytest.mark.parametrize(
    ("form", "words"),
    [({"as": "bob", "text": "  "}, "Write something first."), ({"as": "", "text": "x"}, "Say who is writing.")],
)
def test_a_form_that_lacks_something_says_so(world, form, words):
    assert words in post(world, "/network/posts", **form).text
    assert world.client.get("/control/counts").json["posts"] == 6


def test_a_deleted_post_leaves_a_gap_while_answers_hang_below_it(world):
    page = post(world, "/network/posts/50/delete")
    assert "This post was deleted." in page.text
    assert "is my drill covered" not in page.text
    assert "yes, send it in" in page.text
    assert "Nobody" not in post(world, "/network/posts/20/delete").text
    assert "gone already" in post(world, "/network/posts/20/delete").text


def test_messages_go_back_and_forth(world):
    page = post(world, "/network/messages", **{"as": "bob", "to": "acme", "text": "psst"})
    assert "psst" in page.text
    post(world, "/network/messages", **{"as": "acme", "to": "bob", "text": "yes?"})
    assert len(world.x().ids("/2/dm_events")) == 2
    assert "Bob Rivers" in world.client.get("/network/messages").text
    assert "has no account here" in post(world, "/network/messages", **{"as": "bob", "to": "nobody", "text": "x"}).text


def test_threads_come_in_pages_newest_first_and_once(world):
    world.load(
        posts=[
            {
                "id": str(1000 + n),
                "author_id": "3",
                "text": f"thread number {n}.",
                "created_at": f"2026-05-{1 + n % 28:02d}T{n % 24:02d}:00:00Z",
            }
            for n in range(50)
        ]
    )
    seen, path = [], "/network"
    while path:
        checker = Checker()
        checker.feed(world.client.get(path).text)
        seen += [link for link in checker.links if "/network/threads/" in link]
        path = next((link for link in checker.links if "before=" in link), None)
    assert len(seen) == len(set(seen)) == 53
    assert seen[:2] == ["/network/threads/20", "/network/threads/70"]


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/x/bob/status/60", "/network/threads/60#p60"),
        ("/x/i/web/status/60", "/network/threads/60#p60"),
        ("/x/Acme", "/network/accounts/Acme"),
        ("/x/i/user/1", "/network/accounts/1"),
        ("/x/messages/1-2", "/network/messages/1-2"),
        ("/hubspot/contacts/8790001", "/crm"),
        ("/hubspot/contacts/8790001/record/0-1/101", "/crm/contacts/101"),
        ("/contacts/8790001/record/0-27/5", "/crm/tasks/5"),
        ("/hubspot/tasks/8790001/view/all/task/5", "/crm/tasks/5"),
    ],
)
def test_the_vendors_deep_links_lead_to_the_pages(world, address, target):
    assert world.client.get(address).location == target


@pytest.mark.parametrize(
    "path",
    [
        "/network/threads/4711",
        "/crm/tasks/4711",
        "/crm/contacts/99999999999999999999",
        "/network/accounts/nobody",
        "/x/nobody",
    ],
)
def test_what_is_not_there_gets_a_page_that_says_so(world, path):
    page = world.client.get(path, follow_redirects=True)
    assert page.status_code == 404
    assert "There is nothing here" in page.text


# -- the CRM


@pytest.fixture
def task(world):
    body = '<p>Bob asks: <b>“covered?”</b></p><p><a href="http://127.0.0.1/x/bob/status/50">Answer</a></p><script>alert(1)</script>'
    properties = {
        "hs_task_subject": "Answer Bob",
        "hs_task_body": body,
        "hs_task_priority": "HIGH",
        "hubspot_owner_id": "7",
        "hs_timestamp": "2026-06-29T09:00:00Z",
    }
    return world.hubspot().tasks({"properties": properties, "associations": to_contact("101")}).json["results"][0]["id"]


def state(world, task, *names):
    return world.hubspot().get(f"{TASKS}/{task}", properties=",".join(names)).json["properties"]


def test_the_list_shows_what_a_salesperson_needs(world, task):
    page = world.client.get("/crm").text
    for words in ("Answer Bob", "Bob Rivers", "High", "Olga Winter", "due 1 day ago", "late"):
        assert words in page, words
    assert "Answer Bob" not in world.client.get("/crm?view=completed").text


def test_a_tasks_page_shows_its_body_with_links_and_runs_nothing(world, task):
    page = world.client.get(f"/crm/tasks/{task}").text
    assert '<a href="http://127.0.0.1/x/bob/status/50" rel="noopener">Answer</a>' in page
    assert "<b>“covered?”</b>" in page
    assert "alert(1)" not in page


def test_a_task_is_completed_and_reopened_by_hand(world, task):
    post(world, f"/crm/tasks/{task}/complete")
    assert state(world, task, "hs_task_status")["hs_task_status"] == "COMPLETED"
    page = post(world, f"/crm/tasks/{task}/reopen", **{"from": "list", "view": "open"})
    assert "Answer Bob" in page.text
    assert state(world, task, "hs_task_status")["hs_task_status"] == "NOT_STARTED"


def form_of(world, task):
    """The edit form as the page fills it."""

    class Fields(HTMLParser):
        def __init__(self):
            super().__init__()
            self.values, self.select, self.area = {}, None, None

        def handle_starttag(self, tag, attrs):
            given = dict(attrs)
            if tag == "input" and given.get("name"):
                self.values[given["name"]] = given.get("value", "")
            if tag == "select":
                self.select = given["name"]
            if tag == "option" and "selected" in given:
                self.values[self.select] = given["value"]
            if tag == "textarea":
                self.area, self.values[given["name"]] = given["name"], ""

        def handle_endtag(self, tag):
            self.area = None if tag == "textarea" else self.area

        def handle_data(self, data):
            if self.area:
                self.values[self.area] += data

    fields = Fields()
    fields.feed(world.client.get(f"/crm/tasks/{task}").text)
    return fields.values


def test_saving_an_untouched_form_changes_nothing(world, task):
    before = world.hubspot().get(f"{TASKS}/{task}", properties="hs_task_body").json
    post(world, f"/crm/tasks/{task}", **form_of(world, task))
    assert world.hubspot().get(f"{TASKS}/{task}", properties="hs_task_body").json == before


def test_an_edit_writes_what_differs(world, task):
    values = {
        **form_of(world, task),
        "hs_task_subject": "Ring Bob",
        "due": "2026-07-02T08:30",
        "hubspot_owner_id": "",
        "hs_task_priority": "LOW",
    }
    assert "Ring Bob" in post(world, f"/crm/tasks/{task}", **values).text
    now = state(world, task, "hs_task_subject", "hs_timestamp", "hubspot_owner_id", "hs_task_priority", "hs_task_body")
    assert (now["hs_task_subject"], now["hs_timestamp"]) == ("Ring Bob", "2026-07-02T08:30:00.000Z")
    assert (now["hubspot_owner_id"], now["hs_task_priority"]) == (None, "LOW")
    assert now["hs_task_body"].startswith("<p>Bob asks")


def test_an_edit_that_cant_be_says_why(world, task):
    page = post(world, f"/crm/tasks/{task}", **{**form_of(world, task), "due": ""})
    assert "Required property" in page.text
    assert state(world, task, "hs_timestamp")["hs_timestamp"] == "2026-06-29T09:00:00.000Z"


def test_a_task_is_deleted_by_hand(world, task):
    assert "Nothing to do." in post(world, f"/crm/tasks/{task}/delete").text
    assert world.client.get(f"/crm/tasks/{task}").status_code == 404
    assert world.hubspot().get(f"{TASKS}/{task}").status_code == 404


def test_a_logged_call_stands_with_the_contact_and_on_the_wire(world):
    connected = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
    page = post(
        world, "/crm/contacts/101/calls", outcome=connected, minutes="12", note="Wants a quote", at="2026-06-30T11:00"
    )
    assert "Wants a quote" in page.text
    (call,) = world.hubspot().get(
        "/crm/objects/2026-09/calls", properties="hs_call_disposition,hs_call_duration,hs_timestamp,hs_call_status,hubspot_owner_id", associations="contacts"
    ).json["results"]  # fmt: skip
    assert call["associations"]["contacts"]["results"][0]["id"] == "101"
    assert call["properties"]["hs_call_disposition"] == connected
    assert (call["properties"]["hs_call_duration"], call["properties"]["hs_call_status"]) == ("720000", "COMPLETED")
    assert (call["properties"]["hs_timestamp"], call["properties"]["hubspot_owner_id"]) == (
        "2026-06-30T11:00:00.000Z",
        "7",
    )
    assert "Choose how the call went." in post(world, "/crm/contacts/101/calls", outcome="well").text


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            "a\nhttps://a.example/b?c=1&d=2.",
            'a<br><a href="https://a.example/b?c=1&amp;d=2" rel="noopener">https://a.example/b?c=1&amp;d=2</a>.',
        ),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ('<a href="javascript:alert(1)">x</a>', "<span>x</span>"),
        ("<p onclick='x()'>y", "<p>y</p>"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("<p><img src=x onerror=alert(1)>z</p>", "<p>z</p>"),
        ("<b><a href='https://a.example'>q</b>", '<b><a href="https://a.example" rel="noopener">q</a></b>'),
        ("<p>see https://a.example</p>", '<p>see <a href="https://a.example" rel="noopener">https://a.example</a></p>'),
    ],
)
def test_a_body_is_shown_and_never_obeyed(body, html):
    assert str(render(body)) == html


def test_a_rich_body_reads_as_lines():
    assert plain("<p>one &amp; two</p><blockquote>three</blockquote>four<br>five") == "one & two\nthree\nfour\nfive"
    assert plain('<p><a href="https://a.example">Answer</a></p><script>x</script>') == "Answer https://a.example"
    assert (
        plain('<a href="https://a.example">https://a.example</a> <a href="javascript:x">y</a>') == "https://a.example y"
    )
    assert plain("just text\nhere") == "just text\nhere"
