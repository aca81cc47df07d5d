from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.model import Signals
from service.rules.phrases import LANGUAGES
from service.rules.signals import MANY, from_mask, read, to_mask
from service.rules.spoken import is_tender, spoken, unaddressed

FLAGS = [each.name for each in fields(Signals) if each.name != "answer_percent"]


def said(text: str, **context) -> set[str]:
    """What a text wants, but for whether it needs an answer and whether they buy, which have tests of their own."""
    signals = read(text, **context)
    return {name for name in FLAGS if getattr(signals, name)} - {"needs_answer", "buys"}


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
        ("Can we talk tomorrow?", {"asks", "requests", "wants_talk"}),
        ("Can we have a call next week?", {"asks", "requests", "wants_talk"}),
        ("Could somebody give me a call", {"requests", "wants_talk"}),
        ("let's set up a meeting next week", {"requests", "wants_talk"}),
        ("don't call me", set()),
        ("they call me Al", set()),
        ("nice to meet you", {"polite_close"}),
        ("they call me back", set()),
        ("I am interested in pricing", {"asks_price"}),
        ("it is not working again", {"problem"}),
        ("I called three times", {"problem"}),
        ("How much is the pro plan", {"asks", "asks_price"}),
        ("could I get a quote for ten seats", {"asks_price", "requests"}),
        ("I love it so much", {"polite_close"}),
    ],
)
def test_a_text_shows_what_it_wants(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    "text", ["Rufen Sie mich bitte nicht an", "Bel me niet", "Proszę do mnie nie dzwonić", "don't call me"]
)
def test_whoever_asks_for_no_call_wishes_for_none(text):
    assert not read(text).wants_talk


@pytest.mark.parametrize(
    "text", ["Don't call me before 9, call me tomorrow", "Rufen Sie mich nicht an, lieber ein Videocall"]
)
def test_a_time_at_which_somebody_cannot_be_reached_or_another_way_to_talk_is_a_wish(text):
    assert read(text).wants_talk


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


@given(st.builds(Signals, **dict.fromkeys(FLAGS, st.booleans()), answer_percent=st.integers(0, 100)))
def test_a_mask_holds_the_signals(signals):
    assert from_mask(to_mask(signals)) == signals
    assert 0 <= to_mask(signals) < 2**63  # a bigint


@given(st.integers(0, 2**62))
def test_bits_of_a_newer_version_are_left_out(mask):
    signals = from_mask(mask)
    assert 0 <= signals.answer_percent <= 100
    assert to_mask(signals) % 2 ** len(FLAGS) == mask % 2 ** len(FLAGS)


def test_flags_keep_their_place_in_the_mask():
    # Stored masks of this version of the rules are read by their bits.
    assert to_mask(Signals(asks=True)) == 1
    assert to_mask(Signals(solved=True)) == 1 << 8
    assert to_mask(Signals(answer_percent=1)) == 1 << 32


@pytest.mark.parametrize(
    ("text", "reply_to", "ours"),
    [
        ("iPhone 12 with the latest version", "Which phone are you using?", True),
        ("still not working", "Please restart it and try again.", True),
        ("my parcel never came", None, None),
        ("could you send me an invoice", None, None),
        ("where can I buy a ticket?", None, None),
    ],
)
def test_what_a_good_brand_would_answer_needs_an_answer(text, reply_to, ours):
    signals = read(text, reply_to=reply_to, reply_to_ours=ours)
    assert signals.needs_answer
    assert signals.answer_percent >= 50


@pytest.mark.parametrize(
    ("text", "reply_to", "ours"),
    [
        ("thank you, that worked", "Please restart it and try again.", True),
        ("DM sent", "Please send us a DM with your order number.", True),
        ("what a lovely evening", None, None),
        ("I had the same, the store swapped mine", "my charger broke", False),
    ],
)
def test_what_nobody_waits_for_needs_none(text, reply_to, ours):
    assert not read(text, reply_to=reply_to, reply_to_ours=ours).needs_answer


@pytest.mark.parametrize(
    "text",
    ["Killer guitar. sick colours.", "Shoutout to Ben who fixed my boiler", "props to Ines who repaired my cracked screen", "Merci @studio pour cette belle soirée au jardin",
     "Dziękujemy za piękny wieczór w waszym ogrodzie", "We help studios get new members on autopilot. Open to a short call?", "subscribe to me, I follow back",
     "Could we send you ten qualified leads a week? We bring you new patients or you don't pay"],
)  # fmt: skip
def test_praise_that_sounds_like_harm_and_whoever_sells_need_none(text):
    found = read(text)
    assert not found.needs_answer
    assert not found.problem
    assert not found.wants_talk


@pytest.mark.parametrize(
    "text",
    ["sick of waiting for my parcel", "Killer feature: it crashes every time", "Danke für den Code, wo gebe ich ihn ein", "Merci pour la lampe mais elle clignote",
     "Shoutout to Ben who fixed my boiler, can he come again?", "mind if I send you a photo of the damage?"],
)  # fmt: skip
def test_harm_and_questions_that_begin_like_praise_or_an_offer_need_one(text):
    assert read(text).needs_answer


@pytest.mark.parametrize(
    "text",
    ["Mein Rad kam ohne Akku an", "le colis est arrivé vide", "El paquete llegó roto", "Il pacco è arrivato senza il cavo", "A encomenda chegou vazia", "De fiets kwam zonder lader aan"],
)  # fmt: skip
def test_what_came_without_something_or_broken_is_known_in_several_languages(text):
    assert read(text).needs_answer


@pytest.mark.parametrize(
    "text",
    [
        "c'est envoyé par mp",
        "hab euch eine PN geschickt",
        "enviado por dm",
        "mandato in direct",
        "gestuurd via dm",
    ],
)
def test_what_was_sent_in_private_is_a_last_word_in_several_languages(text):
    found = read(text, reply_to="Could you send us a private message with the number?", reply_to_ours=True)
    assert (found.polite_close, found.needs_answer) == (True, False)


def test_what_is_said_to_others_needs_none_and_nothing_of_it_is_asked_of_us():
    assert read("@rosa how much is it?").needs_answer
    found = read("@rosa how much is it?", to_others=True)
    assert (found.polite_close, found.needs_answer, found.asks, found.asks_price) == (True, False, False, False)
    assert read("@rosa see you at the synagogue", to_others=True).tender


def test_what_a_post_for_everybody_asks_it_asks_nobody():
    asked = {"reply_to": "Which one do you like best?", "reply_to_ours": True}
    assert read("the red one", **asked).needs_answer
    assert not read("the red one", **asked, reply_to_all=True).needs_answer


@pytest.mark.parametrize("text", ["バスが来ません", "Το δέμα δεν ήρθε ποτέ", "paketet kom aldrig fram, tack för inget"])
def test_a_text_that_nobody_can_weigh_is_for_a_person_to_judge(text):
    signals = read(text)
    assert signals.needs_answer
    assert not signals.polite_close


@pytest.mark.parametrize(
    "text", ["I'd love a quick demo of this", "could your sales team ring me?", "shall we meet at the fair?"]
)
def test_a_wish_to_talk_always_needs_an_answer(text):
    signals = read(text)
    assert signals.wants_talk
    assert signals.needs_answer


def test_somebody_who_wants_to_buy_is_seen():
    assert read("I want to buy the new one, I need this phone so much").buys
    assert not read("the bus is late").buys


@pytest.mark.parametrize(
    "text",
    ["New episode out now, link in bio!", "Giveaway! Like and share to win", "sunset #beach #sun #sea #sand #holiday"],
)
def test_an_advertisement_or_a_shower_of_tags_is_an_announcement(text):
    assert read(text).broadcast


@pytest.mark.parametrize(
    "text", ["My orders #10023 #10024 #10025 #10026 #10027 never came, where are they?", "which of C#, F#, J#, X# or Q# do you teach?"]
)  # fmt: skip
def test_numbers_of_orders_are_no_shower_of_tags(text):
    assert not read(text).broadcast


def test_a_complaint_with_many_tags_still_needs_its_answer():
    assert read("my order never arrived and nobody answers #fail").needs_answer


@pytest.mark.parametrize(
    "text",
    ["Ok thanks will it ship today", "thank you 🙏 when will it be back", "Great, thank you! Where do I find the receipt", "thanks, any news",
     "lovely, do you have it in blue", "cheers, is there a newer version", "ok but when"],
)  # fmt: skip
def test_a_question_inside_a_goodbye_asks_though_no_mark_says_so(text):
    assert read(text).asks
    assert not read(text).polite_close


@pytest.mark.parametrize(
    "text",
    ["thank you but I was charged again", "Thanks for the quick reply but that's not what I asked", "Thanks guys, love you but you sent the wrong size"],
)  # fmt: skip
def test_what_is_wrong_behind_a_but_is_no_last_polite_word(text):
    found = read(text)
    assert not found.polite_close
    assert found.needs_answer or found.problem


@pytest.mark.parametrize(
    "text",
    ["thanks but it did not help", "cheers, still broken", "thank you, however the display stays black", "thanks, no luck", "ok thanks, but no change",
     "Thank you, unfortunately that did not solve it", "no luck I'm afraid, thanks though", "Danke, hat leider nichts gebracht",
     "merci mais ça n'a rien changé", "gracias pero no me sirvió", "Gracias, sigue igual", "grazie ma non ha funzionato", "obrigado, mas não adiantou",
     "bedankt, maar het heeft niet geholpen", "tack men det hjälpte inte", "спасибо, но не помогло"],
)  # fmt: skip
def test_whoever_thanks_for_what_did_not_help_still_waits(text):
    found = read(text, reply_to="Please try to restart the display.", reply_to_ours=True)
    assert found.needs_answer
    assert not found.polite_close


@pytest.mark.parametrize(
    "text",
    ["thank you, did not expect such a fast reply", "No difference between the two colours really, thanks", "Danke, leider geil!", "danke, aber alles gut",
     "gracias, pero ya lo solucioné", "merci mais c'est bon maintenant", "It did not work at first but it is fixed now, thanks"],
)  # fmt: skip
def test_thanks_for_what_did_help_stay_a_last_polite_word(text):
    assert read(text).polite_close


@pytest.mark.parametrize(
    "text",
    ["Tack så mycket!", "dziękuję bardzo", "спасибо большое", "дякую за відповідь", "teşekkürler", "ありがとうございます！", "谢谢", "감사합니다", "شكرا جزيلا",
     "תודה רבה", "kiitos paljon", "terima kasih kak", "mulțumesc frumos", "ευχαριστώ πολύ", "děkuji za odpověď", "köszönöm szépen", "mange tak", "tusen takk"],
)  # fmt: skip
def test_thanks_in_further_languages_are_a_last_polite_word(text):
    assert read(text).polite_close


@pytest.mark.parametrize(
    "text",
    ["när kommer den gröna tillbaka", "kiedy będzie zielony", "когда будет зелёный", "siparişim hala gelmedi", "متى يتوفر اللون الأخضر", "kapan ada lagi kak",
     "dziękuję, ale nie pomogło", "tack, men det hjälpte inte"],
)  # fmt: skip
def test_who_asks_or_complains_in_further_languages_waits_though_no_mark_says_so(text):
    found = read(text)
    assert found.asks or found.problem or found.needs_answer
    assert not found.polite_close


@pytest.mark.parametrize("text", ["tak", "Ne kadar güzel!", "Var jättekul idag!", "jak zawsze super", "πόσο όμορφο!"])
def test_a_yes_and_an_exclamation_there_are_neither(text):
    found = read(text)
    assert not found.asks
    assert not found.asks_price
    assert not found.polite_close or "super" in text


@pytest.mark.parametrize(
    "text",
    ["Endlich ist mein Lastenrad da, ich bin so glücklich!", "Quelle belle journée avec @shop", "Qué bonita bici!! me encanta", "Che bella giornata con voi",
     "Que lindo, amei!", "Wat een prachtige fiets!"],
)  # fmt: skip
def test_praise_in_other_languages_asks_for_nothing(text):
    found = read(text)
    assert not found.needs_answer
    assert not found.asks


@pytest.mark.parametrize(
    "text",
    ["Herrlich, schon wieder kein Internet", "J'adore attendre 40 minutes au téléphone", "Ich liebe dieses Rad aber die Klingel fehlt", "Me encanta, cuánto cuesta"],
)  # fmt: skip
def test_praise_that_goes_on_to_something_else_may_ask_for_an_answer(text):
    assert read(text).needs_answer


@pytest.mark.parametrize(
    "text", ["Schade, aber danke für die Info", "dommage, mais merci quand même", "qué pena, pero gracias igualmente", "jammer, maar toch bedankt"]
)  # fmt: skip
def test_regret_with_thanks_is_a_last_polite_word(text):
    assert read(text).polite_close


@pytest.mark.parametrize(
    "text",
    ["how cool is this?!", "how beautiful is that bike?", "what's not to love?", "What more could you want?", "who doesn't love a good bike?", "who's with me?",
     "Anyone else excited for the new season?", "where has this been all my life?", "could this be any cuter?", "is it Friday yet?", "need I say more?",
     "is there anything better than a Sunday ride?", "why didn't I buy this sooner?", "You guys never disappoint!"],
)  # fmt: skip
def test_a_rhetorical_question_and_praise_ask_for_nothing(text):
    assert not said(text) & {"asks", "requests", "problem"}
    assert not read(text).needs_answer


@pytest.mark.parametrize(
    "text",
    ["how cool is this, do you have it in blue?", "how cute is this! where can I buy it?", "How good is the battery in winter?",
     "Is there anything better than the X3 for hills?", "is it Friday already and still no parcel?", "why is it so slow?"],
)  # fmt: skip
def test_what_begins_like_one_and_asks_on_waits_for_an_answer(text):
    found = read(text)
    assert found.asks
    assert found.needs_answer


@pytest.mark.parametrize(
    "text", ["thanks, it's 88213", "#88213", "it's 88213", "Thank you! Order #10023", "SN44107725 thank u", "AB-7741"]
)
@pytest.mark.parametrize("asked", ["Could you DM us your order number?", "Oh no! What's the order number?"])
def test_whoever_gives_the_number_that_we_asked_for_waits_also_with_thanks(text, asked):
    found = read(text, reply_to=asked, reply_to_ours=True)
    assert found.needs_answer
    assert not found.polite_close


@pytest.mark.parametrize(
    "text", ["Nobody picks up when I call", "When I call, it goes straight to voicemail", "I have called six times and no one picks up"]
)  # fmt: skip
def test_a_call_that_nobody_took_is_no_wish_for_one(text):
    found = read(text)
    assert found.needs_answer
    assert not found.wants_talk


@pytest.mark.parametrize(
    "text", ["call me when I am home", "No one picks up when I call, can you call me back?", "could you call me when I am back"]
)  # fmt: skip
def test_whoever_asks_for_a_call_besides_wants_one(text):
    assert read(text).wants_talk


@pytest.mark.parametrize(
    "text", ["thanks but no thanks", "thanks but I'm good", "thank you but I'll try another shop", "Thanks but all sorted now", "thank you, but no"]
)  # fmt: skip
def test_a_but_that_declines_is_a_last_polite_word(text):
    assert read(text).polite_close


@pytest.mark.parametrize(
    "text",
    ["Thanks for telling me why", "@shop is the best!", "Thank you! I know what to do now", "thanks, will let you know how it goes", "Did that. Thanks!",
     "Thank you, you guys are the best"],
)  # fmt: skip
def test_a_goodbye_that_only_sounds_like_a_question_asks_nothing(text):
    assert not read(text).asks


@given(st.text(max_size=60))
def test_a_question_is_never_a_last_polite_word(text):
    assert not (read(f"{text} when do you open?").polite_close)


@pytest.mark.parametrize(
    "text", ["I was diagnosed with cancer", "#BreastCancerAwareness", "lovely weather", "vote for our party", ""]
)
def test_what_is_tender_is_told_the_same_way_by_itself(text: str) -> None:
    assert is_tender(text) == read(text).tender


@given(st.text(max_size=80), st.sampled_from(["@ana_b.1 ", "@ana @ben: ", "  @x@y.example, ", "@Ünal_9! "]))
def test_whom_a_text_speaks_to_first_changes_nothing_that_it_says(text: str, named: str) -> None:
    assert spoken(named + text) == spoken(named.replace("ana", "b").replace("9", "8") + text)
    assert is_tender(named + text) == is_tender(named.replace("x", "z") + text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@ana Here you are.", " Here you are."),
        (" @ana @ben.example: done", ": done"),
        ("Ask @ana", "Ask @ana"),
        ("@ana...", "..."),
        ("@", "@"),
    ],
)
def test_a_text_that_two_people_are_told_is_read_as_one(text: str, rest: str) -> None:
    assert unaddressed(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "verify email link doesn't work, please help", "the list of my leads is gone, how do I get it back?", "can you send you the new invoice again?",
        "when I am on autopilot the car beeps, why?",
    ],
)  # fmt: skip
def test_a_customer_who_uses_a_sellers_words_is_heard(text: str) -> None:
    assert read(text).needs_answer
