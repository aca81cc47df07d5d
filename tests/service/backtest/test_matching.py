"""`warmline backtest matching`: contacts and profiles in, matches out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.backtest.matching import command
from service.errors import PlainError

CONTACTS = """contact_id,first_name,last_name,full_name,nickname,email,company,website,phone,city,region,country,title,source
c1,Orla,Quennell,Orla Quennell,,orla@quennell-mills.com,Quennell Mills,https://quennell-mills.com,+351 912 345 678,Porto,,Portugal,Director,
c2,John,Smith,John Smith,,,Acme,,,Leeds,,UK,Engineer,
c3,John,Smith,John Smith,,,,,,Dayton,OH,US,,
c4,,,,,,Zuveriolytics Inc.,https://zuveriolytics.com,,,,,,
c5,,,,,,,,,,,,,
c6,James,Whitlocke,James Whitlocke,Jim,,,,,,,,,
"""
PROFILES = """profile_id,network,handle,display_name,bio,url,location
p1,twitter,orlaq,Orla Quennell,Director of Quennell Mills,https://quennell-mills.com,"Porto, Portugal"
p2,linkedin,john-smith-12345a78,John Smith,,,
p3,github,zuveriolytics,,,,
p4,mastodon,sunflower@birds.example,🌻,,,
p5,twitter,jsmith,John Smith,Engineer at Acme,,Leeds
"""
TRUTH = "profile_id,contact_id,why\np1,c1,\np2,,\np3,c4,\np4,,\np5,c2,\n"
Run = Callable[..., tuple[Result, list[dict[str, str]]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(
        *options: str, contacts: str = CONTACTS, profiles: str = PROFILES, truth: str = ""
    ) -> tuple[Result, list[dict[str, str]]]:
        for name, text in (("contacts", contacts), ("profiles", profiles), ("truth", truth)):
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
            if text and name in ("contacts", "profiles", "truth"):
                options = (*options, f"--{name}", str(tmp_path / f"{name}.csv"))
        out = tmp_path / "out.csv"
        done = CliRunner().invoke(command, [*options, "--out", str(out)])
        if not out.exists():
            return done, []
        with out.open(encoding="utf-8") as file:
            return done, list(csv.DictReader(file))

    return run


def test_each_match_is_a_row_with_its_reasons_and_the_likeliest_comes_first(run: Run) -> None:
    done, rows = run()
    assert done.exit_code == 0
    assert list(rows[0]) == ["profile_id", "contact_id", "state", "score", "reasons"]
    first: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(row["profile_id"], row)
    assert (first["p1"]["contact_id"], first["p1"]["state"]) == ("c1", "confirmed")
    assert "The website quennell-mills.com is the same." in first["p1"]["reasons"]
    assert {row["contact_id"] for row in rows if row["profile_id"] == "p2"} == {"c2", "c3"}
    assert {row["state"] for row in rows if row["profile_id"] == "p2"} == {"suggested"}
    assert first["p5"]["contact_id"] == "c2"
    assert "p4" not in first
    scores = [float(row["score"]) for row in rows if row["profile_id"] == "p5"]
    assert scores == sorted(scores, reverse=True)
    assert "5 profiles judged against 6 contacts: " in done.output


def test_truth_adds_precision_and_recall_of_what_is_confirmed_and_of_the_first_one(run: Run) -> None:
    done, rows = run("--json", truth=TRUTH)
    said: dict[str, Any] = json.loads(done.stdout)
    confirmed = sum(row["state"] == "confirmed" for row in rows)
    assert said["confirmed"]["said"] == confirmed
    assert said["confirmed"]["there"] == said["with_first_suggestion"]["there"] == 3
    assert said["confirmed"]["precision"] == 1.0
    assert said["with_first_suggestion"]["recall"] == 1.0
    assert said["wrong"] == 0
    plain, _ = run(truth=TRUTH)
    assert "with first suggestion: precision " in plain.output


def test_a_wrong_confirmation_is_counted(run: Run) -> None:
    done, _ = run("--json", truth="profile_id,contact_id\np1,c2\nmissing,c1\n")
    said = json.loads(done.stdout)
    assert (said["wrong"], said["confirmed"]["there"]) == (1, 1)


def test_two_columns_of_contacts_and_three_of_profiles_are_enough(run: Run) -> None:
    done, rows = run(
        contacts="contact_id,full_name\nc1,Orla Quennell\n", profiles="profile_id,network,handle\np1,x,orlaquennell\n"
    )
    assert done.exit_code == 0
    assert [row["contact_id"] for row in rows] == ["c1"]


@pytest.mark.parametrize(
    ("contacts", "profiles", "sentence"),
    [
        ("name\nx\n", PROFILES, "contacts.csv has no column 'contact_id'."),
        (CONTACTS, "profile_id,handle\np,x\n", "profiles.csv has no column 'network'."),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(contacts: str, profiles: str, sentence: str, run: Run) -> None:
    done, rows = run(contacts=contacts, profiles=profiles)
    assert isinstance(done.exception, PlainError)
    assert sentence in str(done.exception)
    assert rows == []


def test_the_help_names_every_column_that_is_read() -> None:
    shown = CliRunner().invoke(command, ["--help"]).output
    columns = {*CONTACTS.splitlines()[0].split(","), "handles", *PROFILES.splitlines()[0].split(",")}
    assert [each for each in columns if each not in shown] == []


def test_no_contacts_give_no_matches(run: Run) -> None:
    done, rows = run(contacts="contact_id\n", truth=TRUTH)
    assert done.exit_code == 0
    assert rows == []


# Precision of what is confirmed, its recall, and the recall of the first suggestion: the goals, less what chance may take.
@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("us_congress_2016", (0.995, 0.97, 0.985)),
        ("uk_mps", (0.995, 0.97, 0.99)),
        ("us_officials", (0.995, 0.62, 0.86)),
        ("orgs", (0.985, 0.58, 0.75)),
    ],
)
def test_people_and_firms_are_found_on_real_profiles(
    name: str, least: tuple[float, ...], shared: Path, tmp_path: Path
) -> None:
    folder = shared / "data" / f"identity_{name}"
    options = [
        part for kind in ("contacts", "profiles", "truth") for part in (f"--{kind}", str(folder / f"{kind}.csv"))
    ]
    done = CliRunner().invoke(command, [*options, "--json", "--out", str(tmp_path / "out.csv")])
    said = json.loads(done.stdout)
    figures = (said["confirmed"]["precision"], said["confirmed"]["recall"], said["with_first_suggestion"]["recall"])
    assert all(figure >= goal for figure, goal in zip(figures, least, strict=True)), figures


def test_what_somebody_is_called_is_read_where_no_full_name_stands_beside_it(run: Run) -> None:
    contacts = "contact_id,first_name,last_name,nickname\nc1,Ekundayoluwa,Quennellade,Dayo\n"
    profiles = "profile_id,network,handle,display_name\np1,x,dq,Dayo Quennellade\np2,x,eq,Ekundayoluwa Quennellade\n"
    _, rows = run(contacts=contacts, profiles=profiles)
    assert [(each["profile_id"], each["contact_id"]) for each in rows] == [("p1", "c1"), ("p2", "c1")]
