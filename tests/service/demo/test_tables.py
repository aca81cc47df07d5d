"""CSV files of one's own: what they become, and one plain sentence for whatever cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.demo import tables
from service.errors import PlainError
from tests.service.demo.conftest import demo, held_in, rows, warmline

OWNER = "olivia@acme.test"
HEADER = "message_id,author,inbound,created_at,in_reply_to,text\n"
GOOD = HEADER + "1,ann,1,2026-03-01T09:00:00Z,,@acme Do you ship?\n2,acme,0,2026-03-01T10:00:00Z,1,Yes.\n"
CONTACTS = "contact_id,first_name,last_name,full_name,email\n"


def folder(tmp_path: Path, messages: str | bytes | None = GOOD, contacts: str | None = None) -> Path:
    for name, text in (("messages.csv", messages), ("contacts.csv", contacts)):
        if text is not None:
            (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return tmp_path


def write(path: Path, columns: Sequence[str], records: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(records)


def test_who_writes_as_inbound_0_is_a_brand_and_the_others_are_customers(tmp_path: Path) -> None:
    load, last = tables.read(folder(tmp_path), OWNER)
    assert [(each["handle"], each["brand"]) for each in load.accounts] == [("acme", True), ("ann", False)]
    assert load.brands == {"acme": "acme"}
    assert last == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_without_contacts_every_second_customer_is_one_with_the_handle_on_file(tmp_path: Path) -> None:
    more = "".join(f"1{n},c{n},1,2026-03-01T09:0{n}:00Z,,@acme hi?\n" for n in range(3))
    load, _ = tables.read(folder(tmp_path, GOOD + more), OWNER)
    assert [each["twitterhandle"] for each in load.contacts] == ["ann", "c1"]


def test_a_full_name_alone_is_taken_apart(tmp_path: Path) -> None:
    load, _ = tables.read(folder(tmp_path, contacts=CONTACTS + "7,,,Ann Marie Lee,\n"), OWNER)
    assert load.contacts == [{"id": "7", "firstname": "Ann Marie", "lastname": "Lee"}]


@pytest.mark.parametrize(
    ("messages", "contacts", "sentence"),
    [
        (None, None, "messages.csv is not there."),
        ("", None, "messages.csv has no column 'message_id'. It needs message_id, author, inbound, created_at, in_reply_to, text."),
        (HEADER, None, "messages.csv holds no messages."),
        (GOOD.replace("created_at", "date"), None, "messages.csv has no column 'created_at'. It needs message_id"),
        (GOOD.replace(",", ";"), None, "Its columns are kept apart by something else than commas."),
        (GOOD.replace(",0,", ",nope,"), None, "Line 3 of messages.csv: inbound is 'nope'. Write 1 where"),
        (GOOD.replace("2026-03-01T10:00:00Z", "yesterday"), None,
         "Line 3 of messages.csv: 'yesterday' is not a time such as 2017-10-04T18:32:42Z."),
        (GOOD.replace("2026-03-01T10:00:00Z", ""), None, "Line 3 of messages.csv: '' is not a time"),
        (GOOD.replace("2026-03-01T10:00:00Z", "0001-01-01T00:00:00Z"), None, "Line 3 of messages.csv: '0001-01-01T00:00:00Z' is not a time"),
        (GOOD.replace("2026-03-01T10:00:00Z", "9999-12-31T23:59:59Z"), None, "Line 3 of messages.csv: '9999-12-31T23:59:59Z' is not a time"),
        (GOOD.replace("2,acme", "2,"), None, "Line 3 of messages.csv has no author."),
        (GOOD.replace(",0,", ",1,"), None, "messages.csv holds no post of a brand (inbound 0), so there is no account to connect."),
        (GOOD.encode("utf-16"), None, "messages.csv is not in UTF-8."),
        (GOOD, "contact_id,email\n1,a@b.example\n", "contacts.csv has no column 'first_name'."),
        (GOOD, CONTACTS + ",Ann,Lee,,\n", "Line 2 of contacts.csv has no contact_id."),
        (HEADER + '1,ann,1,2026-03-01T09:00:00Z,,"' + "a" * 200_000 + '"\n', None, "messages.csv cannot be read from line 2 on: field larger than field limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_plain_sentence(
    tmp_path: Path, messages: str | bytes | None, contacts: str | None, sentence: str
) -> None:
    with pytest.raises(PlainError) as refused:
        tables.read(folder(tmp_path, messages, contacts), OWNER)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_in_place_of_the_file_is_one_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "messages.csv").mkdir()
    with pytest.raises(PlainError, match="cannot be read"):
        tables.read(tmp_path, OWNER)


def test_the_command_says_so_before_it_starts_anything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = warmline(home, "demo", "--json", "--data", str(folder(tmp_path, GOOD.replace("inbound", "in"))))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("warmline: ")
    assert "has no column 'inbound'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not home.exists()


# Posts, people and contacts of every odd shape, through the whole of it.
ODD = (
    "", " ", "a" * 10_000 + "?", "\u202eهل يتوفر الإطار؟ \u200f", "❤️❤️👩‍👩‍👧‍👦?", "before\x00after?", "\ufffe\uffff?", "=1+1?", "<script>alert(1)</script>?",
    "line\r\none\u2028two?", '"; DROP TABLE tasks; --?', "\u0000", "&lt;b&gt; &amp;amp; ?",
)  # fmt: skip
NAMES = ("ann", "Ünsal Öz", "🦊", "=cmd|calc", "x" * 80, "O'Brien", "ann\x00b", "نور", "a,b", "<b>", "%s%n", "007", "-")


def test_odd_posts_people_and_contacts_go_through_and_none_is_lost(tmp_path: Path) -> None:
    posts = [
        {
            "message_id": 100 + n,
            "author": name,
            "inbound": 1,
            "created_at": f"2026-03-01T09:{n:02}:00Z",
            "text": f"@acme {text}",
        }
        for n, (name, text) in enumerate(zip(NAMES, ODD, strict=True))
    ]
    posts += [
        {"message_id": 1, "author": "acme", "inbound": 0, "created_at": "2026-03-01T08:00:00Z", "text": ""},
        {"message_id": 2, "author": "ann", "inbound": 1, "created_at": "2026-03-01T08:30:00Z", "in_reply_to": 2, "text": "@acme myself?"},
        {"message_id": 3, "author": "ann", "inbound": 1, "created_at": "2026-03-01T08:31:00", "in_reply_to": 999, "text": "@acme gone?"},
        {"message_id": "post four", "author": "ann", "inbound": 1, "created_at": "2026-03-01T08:32:00+02:00", "in_reply_to": 1, "text": "@acme why?"},
    ]  # fmt: skip
    write(tmp_path / "messages.csv", tables.MESSAGES, posts)
    contacts = [
        {"contact_id": 1, "full_name": "Ann"},
        {"contact_id": 2, "email": "same@mail.example"},
        {"contact_id": 3, "email": "same@mail.example", "first_name": "🦊", "last_name": "نور"},
        {"contact_id": "four", "first_name": "Null\x00Name", "email": "not an address"},
        {"contact_id": 5},
    ]
    write(tmp_path / "contacts.csv", tables.CONTACTS, contacts)
    home = tmp_path / "home"

    found = demo(home, "--data", str(tmp_path))

    assert found["pulled"] == len(posts)
    assert found["crm_tasks"] == found["tasks"]["unanswered"] + found["tasks"]["ready_for_call"]
    [data] = home.glob("demo-*")
    with held_in(data) as connection:
        assert rows(connection, "SELECT count(*) FROM contacts") == [(len(contacts),)]
        [(longest,)] = rows(connection, "SELECT max(length(text)) FROM engagements")
        assert longest >= 10_000
        assert rows(connection, "SELECT DISTINCT state FROM tasks WHERE held_reason = ''") == [("open",)]
        assert rows(connection, "SELECT error FROM streams WHERE error <> ''") == []
