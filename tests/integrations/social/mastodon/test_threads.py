"""The thread of a post, from whichever side one comes upon it."""

from __future__ import annotations

import json

import pytest

from integrations import errors
from integrations.records import Engagement, Kind
from integrations.social.mastodon.calls import Calls
from integrations.social.mastodon.threads import STEPS, Threads
from tests.integrations.social.mastodon.wire import ADA, BEA, US, Wire


def _pull(wire: Wire, stream: str = "mentions", threads: tuple[str, ...] = ()) -> dict[str, Engagement]:
    return {item.id: item for page in wire.client().pull(stream, None, threads) for item in page.items}


def _talk(wire: Wire) -> list[str]:
    """Bea begins, Ada answers, we answer, Ada answers us, Bea answers Ada without naming us."""
    root = wire.say(BEA, "which helmet?")
    ada = wire.say(ADA, "ask @acme", to=root, names=[BEA, US.id])
    ours = wire.say(US.id, "the red one", to=ada, names=[ADA])
    asked = wire.say(ADA, "in stock?", to=ours, names=[US.id])
    aside = wire.say(BEA, "I have one", to=asked, names=[ADA])
    return [root, ada, ours, asked, aside]


@pytest.mark.parametrize("ids", ["mastodon", "gotosocial", "akkoma"])
@pytest.mark.parametrize("whole_thread_above", [False, True])
def test_a_thread_is_the_same_in_every_stream(wire: Wire, ids: str, whole_thread_above: bool) -> None:
    wire.ids, wire.whole_thread_above = ids, whole_thread_above
    root, *others = _talk(wire)
    seen = [_pull(wire, "mentions"), _pull(wire, "own"), _pull(wire, "conversations", (root,))]
    seen.append({item.id: item for item in wire.client().recheck(others) if isinstance(item, Engagement)})
    for found in seen:
        assert found
        assert {item.thread for item in found.values()} == {root}
    assert set().union(*seen) == {root, *others}


def test_what_posts_are_to_us_along_a_talk(wire: Wire) -> None:
    root, ada, ours, asked, aside = _talk(wire)
    found = _pull(wire, "mentions") | _pull(wire, "conversations", (root,))
    kinds = {post: found[post].kind for post in (ada, ours, asked, aside)}
    assert kinds == {ada: Kind.MENTION, ours: Kind.OWN, asked: Kind.REPLY, aside: Kind.COMMENT}


def test_what_is_said_beside_us_in_a_thread_of_others_is_context(wire: Wire) -> None:
    root, *_ = _talk(wire)
    beside = wire.say(ADA, "or blue", to=root, names=[BEA])
    found = _pull(wire, "conversations", (root,))
    assert found[beside].kind is Kind.CONTEXT


def test_what_others_say_to_each_other_below_our_first_post_is_a_comment(wire: Wire) -> None:
    root = wire.say(US.id, "new helmets")
    first = wire.say(ADA, "nice", to=root)
    second = wire.say(BEA, "agreed", to=first, names=[ADA])
    found = _pull(wire, "conversations", (root,))
    assert (found[first].kind, found[second].kind) == (Kind.REPLY, Kind.COMMENT)


def test_the_posts_above_a_mention_come_along_once(wire: Wire) -> None:
    root, ada, *_ = _talk(wire)
    found = [item for page in wire.client().pull("mentions", None) for item in page.items]
    assert [item.id for item in found].count(root) == 1
    assert {root, ada} <= {item.id for item in found}


def test_a_chain_is_asked_for_once(wire: Wire) -> None:
    root = wire.say(BEA, "which helmet?")
    last = root
    for _ in range(6):
        last = wire.say(ADA, "more", to=last, names=[US.id])
    assert len(_pull(wire)) == 7
    assert len([path for path in wire.paths() if path.endswith("/context")]) == 1


def test_a_first_post_needs_no_asking(wire: Wire) -> None:
    wire.say(ADA, "hello", names=[US.id])
    _pull(wire)
    assert not [path for path in wire.paths() if path.endswith("/context")]


def test_a_parent_that_the_server_hides_begins_the_thread_for_all_who_answer_it(wire: Wire) -> None:
    hidden = wire.say(BEA, "only for followers")
    first, second = (wire.say(ADA, text, to=hidden, names=[US.id]) for text in ("one", "two"))
    row = wire.posts.pop(hidden)
    found = _pull(wire)
    assert {found[first].thread, found[second].thread} == {hidden}
    assert row["id"] not in found


def test_a_post_hidden_in_the_middle_does_not_break_the_thread(wire: Wire) -> None:
    root = wire.say(BEA, "which helmet?")
    middle = wire.say(ADA, "followers only", to=root)
    last = wire.say(ADA, "you there?", to=middle, names=[US.id])
    context = {"ancestors": [wire.posts[root]], "descendants": []}
    wire.contexts = json.dumps(context)
    assert _pull(wire)[last].thread == root


@pytest.mark.parametrize(
    "body", ["<html>", "17", "{}", '{"ancestors": null, "descendants": 3}', '{"ancestors": [17, {}]}']
)
def test_a_thread_that_cannot_be_read_costs_no_mention(wire: Wire, body: str) -> None:
    parent = wire.say(BEA, "which?")
    post = wire.say(ADA, "in stock?", to=parent, names=[US.id])
    wire.contexts = body
    assert _pull(wire)[post].thread == parent


def test_posts_that_answer_each_other_in_a_circle_end(wire: Wire) -> None:
    rows = [
        {"id": "1", "in_reply_to_id": "2", "account": {"id": ADA}},
        {"id": "2", "in_reply_to_id": "1", "account": {"id": ADA}},
    ]
    threads = Threads(Calls(wire.access()), US.id)
    assert threads.settle(rows) == []
    assert {threads.places["1"].root, threads.places["2"].root} <= {"1", "2"}


def test_a_thread_whose_first_post_is_deleted_moves_with_a_recheck(wire: Wire) -> None:
    root, ada, ours, asked, _ = _talk(wire)
    wire.delete(root)
    found = [item for item in wire.client().recheck([ada, ours, asked]) if isinstance(item, Engagement)]
    assert {item.thread for item in found} == {ada}


NOTHING = json.dumps({"ancestors": [], "descendants": []})


def test_a_talk_stays_one_where_the_server_shows_nothing_below_a_post_that_is_gone(wire: Wire) -> None:
    """As GoToSocial does it, which leaves its answers the name of the post that they answered."""
    root, *others = _talk(wire)
    before = {each: _rechecked(wire, each) for each in others}
    del wire.posts[root]
    wire.contexts = NOTHING
    assert {each: _rechecked(wire, each) for each in others} == before
    assert {each.thread for each in before.values()} == {root}


def test_a_long_chain_of_which_nothing_is_shown_is_gone_up_a_few_steps(wire: Wire) -> None:
    last = wire.say(BEA, "which helmet?")
    chain = [last := wire.say(ADA, f"more {number}", to=last) for number in range(20)]
    wire.contexts = NOTHING
    assert _rechecked(wire, last).thread == chain[-STEPS - 2]
    assert len([path for path in wire.paths() if not path.endswith("/context")]) == 1 + STEPS


def _rechecked(wire: Wire, post: str) -> Engagement:
    (found,) = wire.client().recheck([post])
    assert isinstance(found, Engagement)
    return found


def _talks(wire: Wire, number: int, depth: int) -> tuple[list[str], list[str]]:
    """So many talks of others, in each of which we are named at the end."""
    roots = [wire.say(BEA, f"talk {each}") for each in range(number)]
    ends = roots
    for _ in range(depth):
        ends = [wire.say(ADA, "more", to=each) for each in ends]
    return roots, [wire.say(ADA, "what says @acme?", to=each, names=[US.id]) for each in ends]


def _calls(wire: Wire) -> dict[str, int]:
    return {
        "contexts": len([path for path in wire.paths() if path.endswith("/context")]),
        "many": len([path for path in wire.paths() if path == "/api/v1/statuses"]),
    }


@pytest.mark.parametrize(("many", "calls"), [(True, {"contexts": 0, "many": 6}), (False, {"contexts": 30, "many": 1})])
def test_the_posts_above_many_mentions_are_asked_for_together(wire: Wire, many: bool, calls: dict[str, int]) -> None:
    wire.many = many
    roots, ends = _talks(wire, 30, depth=2)
    found = _pull(wire)
    assert [found[each].thread for each in ends] == roots
    assert len(found) == 120
    assert _calls(wire) == calls


def test_long_chains_are_asked_for_whole_in_the_end(wire: Wire) -> None:
    roots, ends = _talks(wire, 3, depth=20)
    found = _pull(wire)
    assert [found[each].thread for each in ends] == roots
    assert len(found) == 3 * 22
    assert _calls(wire) == {"contexts": 3, "many": STEPS}


def test_one_hidden_post_among_many_does_not_break_its_thread(wire: Wire) -> None:
    roots, ends = _talks(wire, 4, depth=1)
    hidden = wire.posts[ends[0]]["in_reply_to_id"]
    del wire.posts[hidden]
    wire.contexts = json.dumps({"ancestors": [wire.posts[roots[0]]], "descendants": []})
    found = _pull(wire)
    assert [found[each].thread for each in ends] == roots
    assert _calls(wire) == {"contexts": 1, "many": 2}


@pytest.mark.parametrize("status", [400, 403, 422, 500])
def test_a_thread_over_which_the_server_breaks_costs_no_mention(wire: Wire, status: int) -> None:
    wire.breaks_with = status
    parent = wire.say(BEA, "a first post")
    wire.broken.add(odd := wire.say(ADA, "an answer", to=parent, names=[US.id]))
    other = wire.say(ADA, "another", names=[US.id])
    for _ in range(2):
        items = [item for page in wire.client().pull("mentions", None) for item in page.items]
        assert {item.id: item.thread for item in items} == {odd: parent, other: other}


def test_a_server_that_breaks_over_every_thread_is_out_of_order(wire: Wire) -> None:
    wire.many = False
    for number in range(5):
        wire.broken.add(wire.say(ADA, "an answer", to=wire.say(BEA, f"post {number}"), names=[US.id]))
    with pytest.raises(errors.TemporaryError):
        list(wire.client().pull("mentions", None))


def test_a_server_that_breaks_over_the_call_for_many_is_asked_for_each(wire: Wire) -> None:
    wire.missing = ()
    answers = [wire.say(ADA, "an answer", to=wire.say(BEA, f"post {number}"), names=[US.id]) for number in range(3)]
    route = wire._route

    def breaks(path: str, query: dict[str, list[str]]) -> tuple[int, object, dict[str, str]]:
        return (500, {"error": "oops"}, {}) if path == "/api/v1/statuses" else route(path, query)

    wire._route = breaks  # type: ignore[method-assign]
    items = [item for page in wire.client().pull("mentions", None) for item in page.items]
    assert set(answers) <= {item.id for item in items}
    assert len(wire.client().recheck(answers)) == 3
