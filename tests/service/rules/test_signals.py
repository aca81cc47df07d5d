from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.model import Signals
from service.rules.phrases import LANGUAGES
from service.rules.signals import MANY, from_mask, read, to_mask

NAMES = [each.name for each in fields(Signals)]


def said(text: str, **context) -> set[str]:
    signals = read(text, **context)
    return {name for name in NAMES if getattr(signals, name)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I change my plan?", {"asks"}),
        ("how do i change my plan", {"asks"}),
        ("@shop https://shop.test/a?b=c", set()),
        ("??", {"asks"}),
        ("does anyone know when you open", {"asks"}),
        ("wondering whether the blue one comes in large", {"asks"}),
        ("Could you please send me the invoice", {"requests"}),
        ("I need a replacement", {"requests"}),
        ("My app keeps crashing", {"problem"}),
        ("The site is down again", {"problem"}),
        ("still waiting for my parcel", {"problem"}),
        ("I can't log in", {"problem"}),
        ("no problem at all", {"polite_close"}),
        ("Can we talk tomorrow?", {"asks", "wants_talk"}),
        ("Can we have a call next week?", {"asks", "requests", "wants_talk"}),
        ("Could somebody give me a call", {"requests", "wants_talk"}),
        ("I'd love a quick demo of this", {"wants_talk"}),
        ("let's set up a meeting next week", {"wants_talk"}),
        ("don't call me", set()),
        ("they call me Al", set()),
        ("nice to meet you", set()),
        ("they call me back", set()),
        ("I am interested in pricing", {"asks_price", "requests"}),
        ("it is not working again", {"problem"}),
        ("I called three times", set()),
        ("How much is the pro plan", {"asks_price"}),
        ("could I get a quote for ten seats", {"asks_price", "requests"}),
        ("I love it so much", {"polite_close"}),
    ],
)
def test_a_text_shows_what_it_wants(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "thanks!", "Thank you so much for your help, you guys are the best!", "😀", "👍🏽🙏", "❤️", "@brand ❤️❤️", "DM sent", "Sent you a DM", "will do", "Will do, thanks",
        "ok", "Perfect, cheers", "Got it 👌", "Have a great weekend", "Danke!", "Vielen Dank", "merci beaucoup", "Gracias", "grazie mille", "Muito obrigado", "Bedankt!",
        "@shop thanks", "!!!", "never mind, it works now",
    ],
)  # fmt: skip
def test_a_last_polite_word_leaves_nothing_open(text):
    assert said(text) - {"solved"} == {"polite_close"}


@pytest.mark.parametrize(
    "text",
    [
        "Thanks! But how do I log in?", "Thank you, when will it arrive?", "ok, and the price?", "thanks, it still does not work", "Thanks for nothing, the app is broken",
        "Thanks in advance, my order 48213377 is missing", "yes please", "Yes", "ja", "", "   ", "12345", "https://pic.test/1", "@shop", "Danke, aber wann kommt es?", "merci, et combien ça coûte ?",
    ],
)  # fmt: skip
def test_a_goodbye_with_something_in_it_is_no_last_polite_word(text):
    assert not read(text).polite_close


@pytest.mark.parametrize("text", ["Hey, how are you?", "really?", "What's up?", "ça va ?", "Wie geht's?", "¿Qué tal?"])
def test_a_greeting_asks_nothing(text):
    assert not read(text).asks


@pytest.mark.parametrize("text", ["never mind, it works now", "nvm", "Problem solved, thanks!", "hat sich erledigt"])
def test_somebody_who_needs_no_help_any_more_says_so(text):
    assert read(text).solved


@pytest.mark.parametrize(
    "text", ["please get this sorted", "it has not been fixed", "is it fixed now?", "it is not working again"]
)
def test_what_should_be_solved_is_not_solved(text):
    assert not read(text).solved
    assert not read(text).polite_close


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Wann kommt mein Paket", "de", "asks"), ("Die App funktioniert nicht", "de", "problem"), ("Bitte rufen Sie mich an", "de", "wants_talk"), ("Was kostet das", "de", "asks_price"),
        ("Comment changer de forfait", "fr", "asks"), ("Ça ne marche pas", "fr", "problem"), ("Pouvez-vous m'aider", "fr", "requests"), ("Rappelez-moi", "fr", "wants_talk"),
        ("¿Dónde está mi pedido", "es", "asks"), ("La app no funciona", "es", "problem"), ("cuánto cuesta", "es", "asks_price"), ("Llámame", "es", "wants_talk"),
        ("Come posso pagare", "it", "asks"), ("Il sito non funziona", "it", "problem"), ("Quanto costa", "it", "asks_price"), ("Chiamatemi", "it", "wants_talk"),
        ("Como faço para pagar", "pt", "asks"), ("O site não funciona", "pt-BR", "problem"), ("Quanto custa", "pt", "asks_price"), ("Podem me ligar", "pt", "wants_talk"),
        ("Hoe kan ik betalen", "nl", "asks"), ("De app werkt niet", "nl", "problem"), ("Wat kost het", "nl", "asks_price"), ("Bel mij even", "nl", "wants_talk"),
        ("هل لديكم فروع في دبي؟", "ar", "asks"), ("これはいくらですか？", "ja", "asks"), ("Πότε ανοίγετε\u037e", "el", "asks"), ("how much is it", "fi", "asks_price"),
    ],
)  # fmt: skip
def test_other_languages_speak_by_a_small_table_or_their_punctuation(text, language, expected):
    assert expected in said(text, language=language)
    assert expected in said(text)  # the network does not always say


@pytest.mark.parametrize(
    "text",
    ["I was diagnosed with diabetes", "our synagogue", "I'm a union rep", "who did you vote for", "my wife and I are lesbian", "in der Gewerkschaft", "soy católica", "I need my surgery", "I need chemo"],
)  # fmt: skip
def test_tender_ground_is_seen(text):
    assert read(text).tender


@pytest.mark.parametrize(
    "text",
    [
        "I like your unions of colour and form",
        "a healthy margin",
        "straight to the point",
        "labour costs",
        "thanks Christian",
        "my account is disabled again",
    ],
)
def test_everyday_words_are_not_tender(text):
    assert not read(text).tender


def test_reposts_and_texts_that_name_many_accounts_are_announcements():
    assert read("look", is_repost=True).broadcast
    assert read("RT @shop: sale").broadcast
    assert read("look", mentions=MANY).broadcast
    assert not read("look", mentions=MANY - 1).broadcast


@pytest.mark.parametrize(
    "text",
    ["a" * 10_000, "a " * 5_000, "can you " * 1_250, "@" * 10_000, "https://" * 1_250, "?" * 10_000, "how much " * 1_111, "ا" * 10_000, "e\u0301" * 5_000, "don't " * 1_666],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_a_text_of_ten_thousand_characters_is_read_whole(text):
    # A rule whose time grew faster than the text would not come back from these.
    assert "asks" in said(f"{text} where is it?")


@given(st.text(), st.sampled_from([None, "", "und", "en-GB", "xx", "-", *LANGUAGES]))
def test_any_text_can_be_read(text, language):
    assert read(text, language=language) == read(text, language=language)


@given(st.builds(Signals, **dict.fromkeys(NAMES, st.booleans())))
def test_a_mask_holds_the_signals(signals):
    assert from_mask(to_mask(signals)) == signals


@given(st.integers(0, 2**62))
def test_bits_of_a_newer_version_are_left_out(mask):
    assert to_mask(from_mask(mask)) == mask % 2 ** len(NAMES)


@given(st.text(max_size=60))
def test_a_question_is_never_a_last_polite_word(text):
    assert not (read(f"{text} when do you open?").polite_close)
