"""What is read from a text about a call: each line is somebody's, and says one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.readiness.cues import (
    Cue,
    at_stake,
    begins_with_no,
    may_wish,
    no_buyer,
    read_cues,
    read_ours,
    wants_no_calls,
)

NAMES = {name: getattr(Cue, name) for name in vars(Cue) if name.isupper() and name != "NONE"}


def said(text: str) -> set[str]:
    cues = read_cues(text)
    return {name for name, bit in NAMES.items() if cues & bit}


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("TALK", "Give us a bell tomorrow"),
        ("TALK", "could one of you pop round and measure up"),
        ("TALK", "When are you free this week?"),
        ("TALK", "What's your number? I don't do forms"),
        ("TALK", "Können wir kurz telefonieren?"),
        ("TALK", "On peut en parler au téléphone ?"),
        ("TALK", "¿Podemos hablar mañana?"),
        ("TALK", "Ci sentiamo al telefono?"),
        ("TALK", "Podem ligar-me hoje?"),
        ("TALK", "Kunnen jullie me even bellen?"),
        ("TALK", "I'm driving, but got my hands free"),
        ("TALK", "is there anybody with a pulse at yours"),
        ("TALK", "I doubt another message will sort this"),
        ("TALK", "Habt ihr jemanden, der mir zehn Minuten zuhört?"),
        ("TALK", "Il faudrait qu'on se voie avec quelqu'un de chez vous"),
        ("TALK", "Tenemos que vernos"),
        ("TALK", "Musimy się spotkać w tej sprawie"),
        ("TALK", "Är ni på kontoret idag?"),
        ("BROKEN", "the app won't open since Monday"),
        ("BROKEN", "I can't log in, it says error 500"),
        ("BROKEN", "Die Maschine ist kaputt"),
        ("BROKEN", "la imprimante no funciona"),
        ("SOLVED", "omg works now, lifesaver"),
        ("SOLVED", "that did the trick"),
        ("SOLVED", "found it, cheers"),
        ("TALK", "saw the missed call, any day after six is fine"),
        ("TALK", "sorry I missed your call"),
        ("TALK", "who is it I'd speak to about the switch"),
        ("DECLINE", "and dont you dare have anyone phone me about upgrades"),
        ("SOLVED", "I can see them again"),
        ("DECLINE", "while the bids are open I'm not allowed to speak to suppliers"),
        ("SOLVED", "Läuft jetzt, danke"),
        ("BOUGHT", "just ordered it online"),
        ("BOUGHT", "Signed!"),
        ("BOUGHT", "zojuist besteld, dank"),
        ("BOUGHT", "Ist unterschrieben."),
        ("MOURNING", "my dad passed away on Sunday"),
        ("MOURNING", "Unsere Beerdigung war gestern, meine Oma ist gestorben"),
        ("MOURNING", "Mi padre falleció"),
        ("BELATED", "only just seen this"),
        ("OF_OTHERS", "our last supplier never answered"),
        ("LATER", "I'll ask the partners on the 4th and get back to you"),
        ("DECLINE", "We can't speak to suppliers until the tender closes"),
        ("STUCK", "how do other people handle this"),
        ("DEADLINE", "renewal's on Jan 15"),
        ("NO_BUYER", "there are six figures in it for you"),
        ("NO_BUYER", "I saw your sales engineer posting, could I speak to the hiring manager"),
        ("VIDEO", "Happy to do it on Teams"),
        ("DECLINE", "Please don't ring, I hate the phone"),
        ("DECLINE", "just email me"),
        ("DECLINE", "Bitte nicht anrufen"),
        ("DECLINE", "Rufen Sie mich bitte nicht an"),
        ("DECLINE", "Ich möchte nicht angerufen werden"),
        ("DECLINE", "Nein danke, ich schaue selbst"),
        ("DECLINE", "Merci de ne plus me téléphoner"),
        ("DECLINE", "Non merci !"),
        ("DECLINE", "No quiero que me llamen"),
        ("DECLINE", "No, gracias"),
        ("DECLINE", "Non voglio essere chiamato"),
        ("DECLINE", "Não precisa ligar, obrigado"),
        ("DECLINE", "Bel me alsjeblieft niet, mailen is prima"),
        ("DECLINE", "Looks nice. No thanks."),
        ("TALK", "pls call asap re the quote"),
        ("TALK", "You about for a chat Saturday morning?"),
        ("TALK", "my wife would like to hear it from a person"),
        ("TALK", "Put me through to whoever does the leases please"),
        ("TALK", "phone's easiest, any time after the school run"),
        ("TALK", "got time tomorrow for a quick one?"),
        ("TALK", "Vous pouvez me joindre au 06 12 34 56 78"),
        ("TALK", "On pourrait se voir la semaine prochaine ?"),
        ("NO_TALK", "can you talk me out of buying a third one"),
        ("NO_TALK", "does it ring when somebody's at the door?"),
        ("NO_TALK", "do you still do the chat widget in yellow"),
        ("URGENT", "we could get a fine for that"),
        ("URGENT", "we were fined last year"),
        ("SCALE", "we need 2,000 programmes"),
        ("SCALE", "we need 2000 programmes"),
        ("TALK", "Czy mogą Państwo do mnie zadzwonić w piątek?"),
        ("TALK", "Kan ni ringa mig imorgon?"),
        ("TALK", "Har I nogen vi kan snakke med om datoer?"),
        ("TALK", "Kan dere ringe meg i morgen?"),
        ("TALK", "Detayları telefonda konuşabilir miyiz?"),
        ("DECLINE", "Proszę do mnie nie dzwonić"),
        ("DECLINE", "Ring mig inte, mejla hellre"),
        ("DECLINE", "Ring ikke til mig"),
        ("DECLINE", "Lütfen beni aramayın"),
        ("TALK", "Kunnen we morgen even bellen?"),
        ("TALK", "Ci sentiamo per i dettagli?"),
        ("TALK", "is there someone I can ring or do I do it on here"),
        ("TALK", "Is Dan free for that chat at some point?"),
        ("TALK", "He is back from leave. When suits you?"),
        ("TALK", "call me a week before, please"),
        ("DECLINE", "nvm, found the page. sorted"),
        ("NO_TALK", "my legs. call me an ambulance"),
        ("NO_TALK", "someone call an ambulance"),
        ("NO_TALK", "somebody from your place should ring him and explain"),
        ("NO_TALK", "does the fitter see the history on the phone"),
        ("NO_TALK", "on a call w the bank all morning"),
        ("NO_TALK", "spent an hour on the phone with the airline"),
        ("NO_TALK", "ring me again with anything but an apology"),
        ("NO_TALK", "We should grab a coffee some day"),
        ("TALK", "no phones for me but can do video with captions"),
        ("TALK", "Mag ook mondeling, ik typ niet graag"),
        ("DECLINE", "I'd rather try it myself thanks"),
        ("DECLINE", "we went with my cousin's friend in the end"),
        ("DECLINE", "Muster gern, telefonieren lieber nicht"),
        ("NO_BUYER", "we've helped three shops just like yours"),
        ("NO_BUYER", "youse still hiring? got my ticket"),
        ("NO_BUYER", "10 minutes to show you what you might be leaving on the table?"),
        ("NO_BUYER", "C'est pour un papier sur les bureaux vides"),
        ("NO_BUYER", "Creo que encajaría bien con vosotros, disponibilidad inmediata"),
        ("NO_TALK", "40 minutes to speak to a human!!"),
        ("NO_BUYER", "We help agencies like yours book 30 meetings a month"),
        ("TALK", "Would love 15 mins of your time"),
        ("TALK", "do you do demos"),
        ("TALK", "Hätten Sie diese Woche Zeit für ein kurzes Telefonat?"),
        ("NO_BUYER", "Ich bin Journalistin und schreibe über Möbel"),
        ("TALK", "Me llamo Ana. ¿Me pueden llamar mañana?"),
        ("TALK", "On s'appelle demain ?"),
        ("TALK", "Pouvez-vous me rappeler lundi ?"),
        ("TALK", "I don't have time to type all this, can you call me"),
        ("DECLINE", "the committee voted to stick with the firm that built it"),
        ("DECLINE", "we've agreed to stay where we are"),
        ("NO_TALK", "how often would someone come round to grease them"),
        ("LATER", "not now, we are flat out"),
        ("LATER", "ask me again in September"),
        ("DEADLINE", "it has to be in before half term"),
        ("SCALE", "we run 14 vans"),
        ("AUTHORITY", "our board signed it off"),
        ("DECISION", "we've decided to switch"),
        ("STUCK", "I don't know where to start"),
        ("URGENT", "the boiler has packed up"),
        ("COMPLAINT", "this is unacceptable"),
        ("NOT_CALLED", "I know I told you not to ring me last year. Can we talk?"),
        ("NOT_CALLED", "we had you marked as do not call"),
        ("NOT_CALLED", "please take me off the no calls list"),
        ("TALK", "I said no calls, I know, but could you ring me tomorrow"),
        ("DECLINE", "I told you not to call me"),
        ("DECLINE", "please stop emailing us"),
        ("NO_BUYER", "I'm writing a piece for the local paper"),
        ("NO_BUYER", "our invoice is 60 days overdue"),
        ("WRONG", "sorry, wrong account"),
        ("PHONE", "I'm on 07700 900123"),
        ("JOKE", "call me 😂"),
    ],
)
def test_a_text_says_what_people_hear_in_it(cue: str, text: str) -> None:
    assert cue in said(text)


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("TALK", "everybody calls me old fashioned"),
        ("TALK", "does it see me at the weekend"),
        ("PHONE", "GB 000 1122 33"),
        ("LATER", "our vans go back in July and the new ones are ordered"),
        ("TALK", "just call your bank, they'll sort it"),
        ("TALK", "an hour on the phone with my insurer, never again"),
        ("TALK", "thanks for the call last week"),
        ("TALK", "I told you not to call me"),
        ("TALK", "what do you call that shade of green"),
        ("TALK", "Lovely, thanks. Talk soon!"),
        ("TALK", "chat later x"),
        ("TALK", "I'll call in on Saturday to pick it up"),
        ("TALK", "where can I see a demo video?"),
        ("TALK", "spoke to your colleague on the phone last month"),
        ("TALK", "can you meet the deadline of 1 June"),
        ("TALK", "can your driver call me when he is near"),
        ("TALK", "not sure I have the time"),
        ("TALK", "when do you come back in stock"),
        ("TALK", "Hola, me llamo Ana"),
        ("TALK", "Me llamó la atención vuestra mesa"),
        ("TALK", "Mi chiamo Luca"),
        ("TALK", "Mon chien s'appelle Max"),
        ("TALK", "Comment s'appelle cette couleur ?"),
        ("TALK", "J'ai un rendez-vous chez le dentiste"),
        ("TALK", "Pouvez-vous me rappeler vos horaires ?"),
        ("TALK", "J'ai parlé à votre collègue au téléphone"),
        ("TALK", "Ho parlato con una collega al telefono"),
        ("TALK", "Tive uma reunião chata hoje"),
        ("TALK", "Beim Videocall mit Oma steht euer Regal hinter mir"),
        ("TALK", "Even praten met mijn man over de kleur"),
        ("SCALE", "does the 750 W one need a licence plate"),
        ("SCALE", "99.98 on time so far"),
        ("SCALE", "if it comes before June 30 it helps"),
        ("SCALE", "is 12 May still free"),
        ("DECLINE", "I said no calls, I know, but could you ring me tomorrow"),
        ("DECLINE", "our tenants quit emailing me about the boiler"),
        ("DECLINE", "sent you an email this morning"),
        ("DECLINE", "the board agreed to carry on with it"),
        ("DECLINE", "we have voted to stay with you"),
        ("TALK", "how often will somebody visit the hives"),
        ("LATER", "not sure it is signed yet by all"),
        ("SCALE", "back in 5 minutes"),
        ("NO_BUYER", "got the job, need 600 plants"),
        ("TALK", "call me a fool, but I like the old one"),
        ("TALK", "my new phone is better than the old one"),
        ("URGENT", "That's fine, thanks"),
        ("SCALE", "The wedding is on 12 Sept"),
        ("SCALE", "after 6 any day"),
        ("SCALE", "it is a 1994 vintage"),
        ("SCALE", "All 3,000. What now"),
        ("DECLINE", "don't call me before 9"),
        ("DECLINE", "never mind the price, call me, we have found the money"),
        ("NO_BUYER", "stuck with these people until October"),
        ("PHONE", "order 2026 from 2025"),
        ("DEADLINE", "saw your window today"),
    ],
)
def test_and_not_what_nobody_would_hear_in_it(cue: str, text: str) -> None:
    assert cue not in said(text)


def test_ours_are_read_for_offers_and_agreed_times_alone() -> None:
    assert read_ours("Shall we give you a call? I need 30 vans by Friday") == Cue.OFFER
    assert read_ours("Lovely, speak tomorrow at 10 then") == Cue.AGREED
    assert read_ours("Cette table s'appelle Oslo.") == Cue.NONE
    assert read_ours("Thank you!") == Cue.NONE


@pytest.mark.parametrize(
    "text",
    [
        "Booked in for Thursday at 10",
        "Great. I've booked you in for Friday.",
        "Alles klar, dann bis Freitag um 10!",
        "Parfait, à lundi !",
        "A domani!",
        "Até amanhã",
        "Tot dan!",
    ],
)
def test_a_time_that_we_confirm_is_agreed(text: str) -> None:
    assert read_ours(text) & Cue.AGREED


@pytest.mark.parametrize(
    "text",
    [
        "We've put it down to a bad batch, sorry.",
        "Your order is booked in for Tuesday's delivery.",
        "We're all booked up until June",
        "Wir haben Montag bis Freitag von 9 bis 17 Uhr geöffnet.",
        "Rund 14.000, Bestellung bis Freitag genügt.",
        "Nous sommes ouverts du lundi à vendredi.",
        "Siamo aperti da lunedì a venerdì, dalle 9 alle 18.",
        "Está marcado como esgotado",
        "We zijn open van maandag tot vrijdag.",
    ],
)
def test_opening_hours_and_deliveries_are_no_time_that_was_agreed(text: str) -> None:
    assert not read_ours(text) & Cue.AGREED


@pytest.mark.parametrize(
    ("bio", "found"),
    [
        ("MSc student, Leeds", True),
        ("Student housing in Leeds", False),
        ("Recruiter", True),
        ("Joiner", False),
        ("", False),
    ],
)
def test_a_profile_tells_who_is_no_buyer(bio: str, found: bool) -> None:
    assert no_buyer(bio) is found


def test_the_more_is_at_stake_in_a_sentence_the_more_it_counts() -> None:
    assert at_stake("Nice hat") == 0
    assert at_stake("The board wants a quote for 30 desks by Friday") > at_stake("We have 30 desks") > 0


@given(st.text(max_size=300))
def test_any_text_can_be_read_and_capitals_and_blanks_say_nothing(text: str) -> None:
    assert read_cues(f"  {text}  ") == read_cues(text)
    assert read_cues(text) >= 0
    assert read_ours(text) in (Cue.NONE, Cue.OFFER, Cue.AGREED, Cue.OFFER | Cue.AGREED)


@given(
    st.lists(
        st.sampled_from(["could", "you", "call", "me", "a", "please", "the", "bank", "on", "07700 900123", "lol"]),
        max_size=12,
    )
)
def test_whatever_holds_a_wish_may_hold_one(words: list[str]) -> None:
    text = " ".join(words)
    if read_cues(text) & (Cue.TALK | Cue.PHONE):
        assert may_wish(text)


@pytest.mark.parametrize(
    "piece", ["a ", "the quick ", "in the ", "book a ", "we ", "0 ", "can you please ", "'", "-", "å", "call "]
)
def test_a_text_without_end_is_read_to_a_length(piece: str) -> None:
    assert read_cues(piece * 20_000) == read_cues((piece * 20_000)[:2_000])


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("BROKEN", "the price doesn't scare me"),
        ("BROKEN", "we have a problem with who decides"),
        ("BOUGHT", "the lads signed with the county today"),
        ("BOUGHT", "have you ordered the red ones?"),
        ("MOURNING", "we run a funeral home"),
        ("MOURNING", "my dad passed away ten years ago"),
        ("LATER", "Hur låter den?"),
        ("WRONG", "Omg sorry, audit. Here is the list"),
        ("COMPLAINT", "never again a summer like that"),
    ],
)
def test_what_sounds_like_it_is_not_always_it(cue, text):
    assert cue not in said(text)


@pytest.mark.parametrize(
    "text",
    ["nah I'm good", "Nope.", "it doesn't, no offence", "Nee hoor", "nein", "Non, pas la peine", "No, no hace falta", "nie trzeba", "nej"],
)  # fmt: skip
def test_an_answer_begins_with_a_no(text):
    assert begins_with_no(text)


@pytest.mark.parametrize(
    "text", ["no problem, tomorrow works", "no worries", "not sure when", "none yet", "Nevada", "kein Problem"]
)
def test_a_no_problem_is_no_no(text):
    assert not begins_with_no(text)


def test_a_profile_may_say_that_its_owner_takes_no_calls():
    assert wants_no_calls("sre. no dms no calls")
    assert wants_no_calls("Bitte nicht anrufen")
    assert not wants_no_calls("up at 3, don't ring me after 9")
    assert not wants_no_calls("bookings by phone")
