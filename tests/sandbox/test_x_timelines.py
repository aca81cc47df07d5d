"""X's timelines, look-ups and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

FIELDS = (
    "id,text,author_id,conversation_id,created_at,in_reply_to_user_id,referenced_tweets,entities,lang,"
    "edit_history_tweet_ids,note_tweet"
)
MENTIONS = "/2/users/1/mentions"


def many(count, *, author="2", first=1000, text="@acme hello", start=datetime(2026, 6, 1, tzinfo=UTC)):
    return [
        {
            "id": str(first + number),
            "author_id": author,
            "text": text,
            "created_at": (start + timedelta(minutes=number)).isoformat(),
        }
        for number in range(count)
    ]


def test_mentions_are_what_names_answers_or_quotes_the_account_newest_first(world):
    assert world.x().ids(MENTIONS) == ["70", "60", "50"]  # 30 answers a customer, 40 and 20 are the brand's own


def test_a_repost_is_no_mention(world):
    world.load(
        posts=[
            {
                "id": "80",
                "author_id": "2",
                "text": "RT @acme New saws",
                "created_at": "2026-06-30T10:00:00Z",
                "reposts": "20",
            }
        ]
    )
    assert "80" not in world.x().ids(MENTIONS)
    assert "80" in world.x().ids("/2/users/2/tweets")
    assert "80" not in world.x().ids("/2/users/2/tweets", exclude="retweets")


def test_naming_oneself_is_no_mention(world):
    world.load(posts=[{"id": "80", "author_id": "1", "text": "@acme is us", "created_at": "2026-06-30T10:00:00Z"}])
    assert "80" not in world.x().ids(MENTIONS)


def test_handles_count_in_any_case_and_not_inside_words_links_or_addresses(world):
    texts = {
        "81": "hey @ACME!",
        "82": "me@acme.example",
        "83": "https://x.com/@acme",
        "84": "@acme_tools",
        "85": "(@Acme)",
    }
    world.load(
        posts=[
            {"id": id_, "author_id": "3", "text": text, "created_at": "2026-06-30T10:00:00Z"}
            for id_, text in texts.items()
        ]
    )
    assert [one for one in world.x().ids(MENTIONS) if one in texts] == ["85", "81"]


def test_a_handle_that_is_taken_later_makes_earlier_posts_mentions(world):
    world.load(posts=[{"id": "80", "author_id": "2", "text": "@lateco hello", "created_at": "2026-06-30T10:00:00Z"}])
    world.load(accounts=[{"id": "77", "handle": "LateCo", "brand": True}])
    answer = world.x("lateco").get("/2/users/77/mentions", **{"tweet.fields": "entities"}).json
    assert answer["data"][0]["entities"]["mentions"] == [{"start": 0, "end": 7, "username": "LateCo", "id": "77"}]


def test_own_posts_are_posts_and_replies(world):
    assert world.x().ids("/2/users/1/tweets") == ["20", "40"]
    assert world.x().ids("/2/users/1/tweets", exclude="replies") == ["20"]


def test_pages_hold_everything_once_in_the_order_of_time(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    posts = many(237)
    for number, post in enumerate(posts):  # ids that run against time
        post["id"] = str(5000 - number)
    empty.load(posts=posts)
    caller = empty.x()
    assert caller.all(MENTIONS, max_results=10) == [post["id"] for post in reversed(posts)]
    assert caller.all("/2/users/2/tweets", max_results=100) == [post["id"] for post in reversed(posts)]


def test_posts_of_one_instant_are_paged_without_loss(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    empty.load(posts=[{**post, "created_at": "2026-06-01T00:00:00Z"} for post in many(23)])
    assert empty.x().all(MENTIONS, max_results=5) == [str(1022 - number) for number in range(23)]


def test_since_and_until_compare_ids_even_where_ids_and_time_disagree(world):
    caller = world.x()
    assert caller.ids(MENTIONS, since_id="55") == ["70", "60"]
    assert caller.ids(MENTIONS, until_id="60") == ["50"]
    assert caller.ids("/2/users/1/tweets", since_id="20") == ["40"]  # 20 was written after 40


def test_start_and_end_compare_times(world):
    caller = world.x()
    assert caller.ids(MENTIONS, start_time="2026-06-29T10:09:00Z") == ["70", "60"]
    assert caller.ids(MENTIONS, end_time="2026-06-29T10:09:00Z") == ["50"]


@pytest.mark.parametrize(("path", "author", "depth"), [(MENTIONS, "2", 800), ("/2/users/1/tweets", "1", 3200)])
def test_a_timeline_ends_at_its_depth_whatever_is_asked(empty, path, author, depth):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    empty.load(posts=many(depth + 50, author=author))
    caller = empty.x()
    assert len(caller.all(path, max_results=100)) == depth
    assert caller.ids(path, until_id="1050") == []  # the oldest fifty are out of reach


def test_with_the_whole_history_a_timeline_goes_back_to_the_first_post(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    empty.load(posts=many(850))
    empty.settings(whole_history=True)
    assert len(empty.x().all(MENTIONS, max_results=100)) == 850


def test_a_post_that_comes_between_two_pages_is_not_served_twice(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    empty.load(posts=many(20))
    caller = empty.x()
    first = caller.get(MENTIONS, max_results=10).json
    empty.load(posts=[{"id": "9999", "author_id": "2", "text": "@acme late", "created_at": "2026-06-30T00:00:00Z"}])
    second = caller.get(MENTIONS, max_results=10, pagination_token=first["meta"]["next_token"]).json
    ids = [one["id"] for one in first["data"] + second["data"]]
    assert len(ids) == len(set(ids)) == 20


def test_an_empty_page_has_no_data_and_says_so(world):
    assert world.x().get(MENTIONS, since_id="999").json == {"meta": {"result_count": 0}}


def test_a_thread_shares_its_roots_id_and_names_whom_it_answers(world):
    found = world.x().get("/2/tweets", ids="60,30,40", **{"tweet.fields": FIELDS}).json["data"]
    assert {one["conversation_id"] for one in found} == {"50"}
    assert [one["in_reply_to_user_id"] for one in found] == ["1", "2", "2"]
    assert found[0]["referenced_tweets"] == [{"type": "replied_to", "id": "40"}]


def test_a_reply_loaded_before_its_parent_finds_its_thread_later(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}, {"id": "2", "handle": "bob"}])
    at = "2026-06-29T10:00:00Z"
    empty.load(posts=[{"id": "3", "author_id": "2", "text": "c", "created_at": at, "in_reply_to": "2"}])
    assert empty.x().get("/2/tweets", ids="3", **{"tweet.fields": FIELDS}).json["data"][0]["conversation_id"] == "2"
    empty.load(posts=[{"id": "2", "author_id": "1", "text": "b", "created_at": at, "in_reply_to": "1"}])
    empty.load(posts=[{"id": "1", "author_id": "2", "text": "a", "created_at": at}])
    found = empty.x().get("/2/tweets", ids="3", **{"tweet.fields": FIELDS}).json["data"][0]
    assert (found["conversation_id"], found["in_reply_to_user_id"]) == ("1", "1")
    assert empty.x().ids(MENTIONS) == ["3"]


def test_posts_that_claim_to_answer_each_other_are_still_served(empty):
    empty.load(accounts=[{"id": "1", "handle": "acme", "brand": True}])
    at = "2026-06-29T10:00:00Z"
    empty.load(
        posts=[
            {"id": a, "author_id": "1", "text": "x", "created_at": at, "in_reply_to": b}
            for a, b in (("5", "6"), ("6", "5"))
        ]
    )
    assert sorted(empty.x().ids("/2/users/1/tweets")) == ["5", "6"]


def test_missing_posts_stand_under_errors(world):
    answer = world.x().get("/2/tweets", ids="50,999,50").json
    assert [one["id"] for one in answer["data"]] == ["50"]
    (error,) = answer["errors"]
    assert (error["resource_type"], error["value"], error["parameter"]) == ("tweet", "999", "ids")
    assert error["type"] == "https://api.twitter.com/2/problems/resource-not-found"
    assert "data" not in world.x().get("/2/tweets", ids="999").json


def test_expansions_bring_people_and_posts_and_name_what_is_gone(world):
    world.client.delete("/control/posts/50")
    answer = (
        world.x()
        .get(
            "/2/users/1/tweets",
            expansions="author_id,referenced_tweets.id,in_reply_to_user_id",
            **{"user.fields": "location"},
        )
        .json
    )
    assert {one["id"] for one in answer["includes"]["users"]} == {"1", "2"}
    assert {one.get("location") for one in answer["includes"]["users"]} == {None, "Lyon"}
    assert "tweets" not in answer["includes"]
    assert answer["errors"][0]["value"] == "50"
    answer = world.x().get(MENTIONS, since_id="60", expansions="referenced_tweets.id").json
    assert [one["id"] for one in answer["includes"]["tweets"]] == ["40"]


def test_a_deleted_post_is_gone_everywhere_and_its_thread_holds_together(world):
    assert world.client.delete("/control/posts/50").status_code == 200
    assert world.client.delete("/control/posts/50").status_code == 404
    caller = world.x()
    assert caller.ids(MENTIONS) == ["70", "60"]
    found = caller.get("/2/tweets", ids="40", **{"tweet.fields": FIELDS}).json["data"][0]
    assert (found["conversation_id"], found["in_reply_to_user_id"]) == ("50", "2")
    world.load(posts=[{"id": "50", "author_id": "2", "text": "again", "created_at": "2026-06-29T10:00:00Z"}])
    assert "50" not in caller.ids(MENTIONS)  # what a person deleted, a repeated load does not bring back


def test_only_the_fields_asked_for_are_answered(world):
    caller = world.x()
    assert set(caller.get(MENTIONS).json["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
    assert set(caller.get(MENTIONS, **{"tweet.fields": "lang"}).json["data"][0]) == {
        "id",
        "text",
        "edit_history_tweet_ids",
        "lang",
    }


def test_links_are_shortened_in_the_text_and_whole_in_the_entities(world):
    text = "see https://shop.example/a?b=c&d=é, now <3"
    world.load(posts=[{"id": "80", "author_id": "2", "text": text, "created_at": "2026-06-30T10:00:00Z"}])
    found = world.x().get("/2/tweets", ids="80", **{"tweet.fields": FIELDS}).json["data"][0]
    (entity,) = found["entities"]["urls"]
    assert found["text"] == f"see {entity['url']}, now &lt;3"
    assert entity["expanded_url"] == "https://shop.example/a?b=c&d=é"
    assert found["text"][entity["start"] : entity["end"]] == entity["url"]


def test_a_long_post_comes_short_with_the_whole_beside_it(world):
    text = "@acme " + "word " * 2000
    world.load(posts=[{"id": "80", "author_id": "2", "text": text, "created_at": "2026-06-30T10:00:00Z"}])
    found = world.x().get("/2/tweets", ids="80", **{"tweet.fields": FIELDS}).json["data"][0]
    assert found["note_tweet"]["text"] == text
    assert len(found["text"]) <= 286
    assert found["text"].endswith("…")
    assert "note_tweet" not in world.x().get("/2/tweets", ids="50", **{"tweet.fields": FIELDS}).json["data"][0]


@pytest.mark.parametrize("text", ["", "مرحبا @acme كيف", "👩‍👩‍👧 @acme 🌻", "a\n\nb"])
def test_odd_texts_come_back_as_they_went_in(world, text):
    world.load(posts=[{"id": "80", "author_id": "2", "text": text, "created_at": "2026-06-30T10:00:00Z"}])
    found = world.x().get("/2/tweets", ids="80", **{"tweet.fields": FIELDS}).json["data"][0]
    assert found["text"] == text
    for mention in found.get("entities", {}).get("mentions", ()):
        assert text[mention["start"] : mention["end"]] == "@acme"


def test_a_profile_has_its_link_whole(world):
    me = (
        world.x().get("/2/users/me", **{"user.fields": "url,entities,description,public_metrics,verified"}).json["data"]
    )
    assert me["entities"]["url"]["urls"][0]["expanded_url"] == "https://acme.example"
    assert me["entities"]["url"]["urls"][0]["url"] == me["url"]
    assert (me["description"], me["verified"]) == ("Tools.", True)


def test_a_persons_timeline_that_is_not_there_is_an_error_beside_nothing(world):
    answer = world.x().get("/2/users/4711/mentions")
    assert answer.status_code == 200
    assert answer.json["errors"][0]["resource_type"] == "user"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"max_results": "4"}, "max_results"),
        ({"max_results": "101"}, "max_results"),
        ({"since_id": "abc"}, "since_id"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"pagination_token": "!!"}, "pagination_token"),
        ({"tweet.fields": "id,colour"}, "tweet.fields"),
        ({"expansions": "author"}, "expansions"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_is_named(world, query, parameter):
    answer = world.x().get(MENTIONS, **query)
    assert answer.status_code == 400
    assert answer.json["type"] == "https://api.twitter.com/2/problems/invalid-request"
    assert parameter in answer.json["errors"][0]["parameters"]


@pytest.mark.parametrize("ids", ["", "a", ",".join(map(str, range(101)))])
def test_between_one_and_a_hundred_ids_are_looked_up(world, ids):
    assert world.x().get("/2/tweets", ids=ids).status_code == 400


def test_messages_are_those_of_the_account_newest_first_over_pages(world):
    world.load(messages=[
        {"id": str(100 + n), "sender_id": "2" if n % 2 else "1", "recipient_id": "1" if n % 2 else "2", "text": f"m{n}",
         "created_at": f"2026-06-29T10:{n:02d}:00Z"} for n in range(25)
    ] + [{"id": "500", "sender_id": "2", "recipient_id": "3", "text": "private", "created_at": "2026-06-29T11:00:00Z"}])  # fmt: skip
    caller = world.x()
    assert caller.all("/2/dm_events", max_results=10, event_types="MessageCreate") == [str(124 - n) for n in range(25)]
    first = caller.get(
        "/2/dm_events", max_results=1, expansions="sender_id",
        **{"dm_event.fields": "id,text,created_at,sender_id,dm_conversation_id,event_type"},
    ).json  # fmt: skip
    assert first["data"][0] == {
        "id": "124", "event_type": "MessageCreate", "text": "m24", "sender_id": "1", "dm_conversation_id": "1-2",
        "created_at": "2026-06-29T10:24:00.000Z",
    }  # fmt: skip
    assert first["includes"]["users"][0]["username"] == "Acme"
    assert caller.ids("/2/dm_events", event_types="ParticipantsJoin") == []


def test_messages_of_more_than_thirty_days_ago_are_not_served(world):
    old = {"id": "100", "sender_id": "2", "recipient_id": "1", "text": "old", "created_at": "2026-05-30T10:00:00Z"}
    world.load(messages=[old])
    assert world.x().ids("/2/dm_events") == []


def test_accounts_are_found_by_name_in_any_case(world):
    x = world.x()
    everybody = x.get("/2/users", ids="1,2").json["data"]
    names = ",".join(each["username"].upper() for each in everybody)
    found = x.get("/2/users/by", usernames=f"{names},nobody_here").json
    assert {each["id"] for each in found["data"]} == {"1", "2"}
    assert [each["value"] for each in found["errors"]] == ["nobody_here"]
    assert x.get("/2/users/by").status_code == 400
