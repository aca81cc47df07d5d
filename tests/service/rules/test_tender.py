from __future__ import annotations

import pytest

from service.rules.phrases import LANGUAGES
from service.rules.signals import read
from service.rules.spoken import BIT, fold, is_tender, spoken
from service.rules.tender import EVERYDAY, TENDER

PLAIN = {
    "health": [
        "I was diagnosed with MS last spring", "my mum has dementia and can't use the app", "three rounds of chemo and I still love your coffee", "I'm in hospital, could you move my booking?", "He had a stroke in March",
        "after my hip replacement I can't climb the steps", "my son is autistic and the noise is too much", "she's in a wheelchair, is there a lift", "I am deaf, please don't ring me", "my wife is blind and uses a screen reader",
        "we lost the baby, a miscarriage, please cancel the order", "I'm six months pregnant, may I fly?", "been sober for two years now", "signed off sick until June", "my doctor told me to stop", "severe nut allergy here",
        "I'm allergic to peanuts", "I suffer from depression", "my anxiety is through the roof", "had a panic attack on your train", "type 2 diabetic, is it sugar free", "I need my insulin to stay cold", "HIV positive and proud",
        "in rehab since May", "she broke her leg on your stairs", "my medication was in that bag", "living with chronic pain", "long covid has me in bed", "my therapist says hi", "I have ADHD and your form is a nightmare",
        "He's waiting for a kidney transplant", "I tested positive yesterday", "she has epilepsy, are there strobe lights?", "migraines every week since", "dad is terminally ill", "my blood pressure can't take this", "#breastcancer survivor here",
        "proud #CancerSurvivor today", "we're going through IVF", "going to A&E, broke my wrist", "thinking about suicide", "my hearing aids don't pair", "I'm a recovering alcoholic",
    ],
    "belief": [
        "as a Muslim I can't eat that", "I'm Jewish and Friday doesn't work for me", "our church needs new chairs", "is it halal?", "do you have kosher meals", "fasting for Ramadan", "Eid Mubarak to all", "I'm a Christian and this offends me",
        "I'm an atheist, keep it to yourself", "see you at the mosque", "my pastor loved it", "after Sunday mass", "we are Hindu, is there beef in it", "Sikh wedding for 400 guests", "my rabbi asks whether it's allowed", "we're praying for her",
        "for religious reasons I can't", "my faith in God keeps me going", "she wears a hijab at work", "we sing in the church choir", "my daughter's bat mitzvah", "happy Diwali", "raised Catholic", "Jehovah's Witness here", "#ramadan begins",
    ],
    "union": [
        "I'm a union rep at the plant", "we're on strike tomorrow", "a union agreement about rest hours", "my trade union says no", "see you on the picket line", "we want to unionise", "the works council must agree", "I pay my union dues",
        "join a union", "industrial action next week", "our shop steward will call", "the nurses' union backs us", "collective bargaining starts on Monday", "the unions are against it", "strike ballot on Friday", "teachers are striking",
    ],
    "politics": [
        "I voted Labour all my life", "who did you vote for", "vote against the tax", "I'm a Republican", "as a Democrat I say no", "Trump would love this", "Brexit ruined our trade", "after the general election", "lifelong Tory here",
        "I'm a socialist", "far right thugs", "your boss is a fascist", "free Palestine", "black lives matter", "I'm a feminist and your ad is a disgrace", "left wing nonsense", "I wrote to my MP", "gun control now", "pro choice, always",
        "the protesters were right", "keep politics out of it", "I'm a conservative", "the Green Party candidate", "#BlackLivesMatter", "climate activist here",
    ],
    "orientation": [
        "I'm gay and felt at home", "my girlfriend and I, both lesbians, loved it", "as a trans woman I was turned away", "I'm bi", "LGBTQ friendly hotel?", "a same sex wedding, do you do those", "I came out to my parents", "your form has no option for nonbinary people",
        "they misgendered me twice", "queer book club", "happy pride month", "he's homophobic", "two mums and a pram, is there room", "my pronouns are wrong on the ticket", "#lgbtq", "hormone therapy starts soon",
    ],
}  # fmt: skip

NEAR = [
    "healthy margins", "server health is green", "a health check endpoint", "depression era furniture", "books on the Great Depression", "a table for a party of six", "take the right turn after the bridge", "left turn at the lights",
    "I have faith in your product", "you restored my faith in customer service", "the union of two tables", "a UNION ALL query", "my credit union card", "Union Square store", "the Union Jack mug", "students union bar", "Western Union transfer",
    "they sang in unison", "strike a balance", "strike the last line from the quote", "the strike price of the option", "my trump card", "please vote for us in the awards", "I voted for your song", "vote for the best flavour",
    "the button on the far right side", "far left column of the table", "the left wing of the building", "a window over the right wing seat", "conservative estimate", "liberal amounts of butter", "office politics", "an activist investor",
    "stroke of genius", "brush stroke", "a stroke of luck", "seizure of goods at customs", "transplant the seedlings in May", "a pregnant pause", "bipolar transistor", "I diagnosed the fault", "error diagnosis page", "surgery on our database",
    "retail therapy", "new prescription sunglasses", "allergic to Mondays", "it gave me a heart attack when I saw the bill", "blind tasting on Friday", "blind spot mirror", "good faith offer", "a leap of faith", "Church Street branch",
    "the style bible of our brand", "that's not kosher", "they lent me a van", "thanks Christian", "a Christian Dior bag", "labour costs", "the account is disabled", "I like your unions of colour", "straight to the point", "the photo came out as a blur",
    "take pride in your work", "the closet organiser", "transition to the new plan", "trans fats", "transit visa", "party hats", "a green party dress", "the ruling on fees", "rally car poster", "mass email tool", "converted to PDF",
    "a minister of sound playlist", "hospitality suite", "the doctor is a film", "operation hours", "patient people", "the virus scanner", "the pill shaped speaker", "a new condition on the contract", "your representative told me to wait",
    "in the right place", "right now", "all right", "we left right after", "left right and centre", "std::vector in the SDK", "a 48 mp camera", "the volt meter", "place a bid", "a pot of jam", "cut the price", "Dove soap", "the isla blanca bar",
    "ima buy two", "can you diagnose the problem", "a tablet with pen", "operation failed with code 5", "the political map? no, the road map", "cure for boredom",
]  # fmt: skip

ABROAD = {
    "de": ["Ich habe Krebs", "meine Depression wird schlimmer", "Ich sitze im Rollstuhl", "bin schwanger, darf ich fliegen?", "nach meiner Operation", "ich bin krankgeschrieben", "Ich bin Muslim", "unsere Kirchengemeinde sucht Stühle", "Ist das halal?", "ich bin in der Gewerkschaft", "der Betriebsrat sagt nein", "wir streiken morgen", "ich wähle die Grünen", "die AfD ist furchtbar", "vor der Bundestagswahl", "ich bin schwul", "meine Frau und ich sind lesbisch", "als Transfrau abgewiesen", "mein Arzt sagt nein", "im Krankenhaus"],
    "fr": ["J'ai un cancer", "je suis enceinte", "je suis en fauteuil roulant", "en arrêt maladie depuis mai", "ma dépression", "à l'hôpital", "je suis musulmane", "est-ce halal ?", "notre église", "mon syndicat", "on est en grève", "déléguée CGT", "avant les élections", "Macron démission", "je suis gay", "elle est lesbienne", "une personne transgenre", "mon médecin m'a dit non", "je suis handicapé"],
    "es": ["tengo cáncer", "estoy embarazada", "mi depresión", "estoy en el hospital", "voy en silla de ruedas", "soy alérgica a los frutos secos", "soy católico", "vamos a la iglesia", "soy musulmana", "mi sindicato", "estamos en huelga", "el comité de empresa", "después de las elecciones", "voté por el PSOE", "soy socialista", "soy gay", "es lesbiana", "una mujer trans", "mi médico dice que no"],
    "it": ["ho un tumore", "sono incinta", "soffro di depressione", "sono in ospedale", "mio figlio è autistico", "sono allergica alle noci", "sono cattolica", "andiamo in chiesa", "sono musulmano", "il sindacato dice no", "siamo in sciopero", "iscritta alla CGIL", "dopo le elezioni", "Meloni non mi piace", "sono comunista", "sono gay", "è lesbica", "una donna trans", "sono disabile"],
    "pt": ["tenho câncer", "estou grávida", "minha depressão", "estou no hospital", "sou cadeirante", "sou alérgica a amendoim", "sou católica", "nossa igreja", "sou evangélico", "o sindicato disse não", "estamos em greve", "depois das eleições", "votei no Lula", "o Bolsonaro", "sou comunista", "sou gay", "ela é lésbica", "uma mulher trans", "meu médico disse que não"],
    "nl": ["ik heb kanker", "ik ben zwanger", "mijn depressie", "in het ziekenhuis", "ik zit in een rolstoel", "ik ben ziek", "ik ben moslim", "onze kerk", "is het halal?", "mijn vakbond", "we staken morgen", "lid van de FNV", "na de verkiezingen", "ik stem op GroenLinks", "de PVV", "ik ben homo", "ze is lesbisch", "als transvrouw", "mijn huisarts zegt nee"],
    "pl": ["mam raka", "jestem w ciąży", "moja depresja wraca", "leżę w szpitalu", "jeżdżę na wózku inwalidzkim", "jestem uczulona na orzechy", "jestem muzułmanką i muzułmanin też", "w naszym kościele", "nasz związek zawodowy", "jutro strajk", "głosowałem na PiS", "dość polityki", "jestem gejem", "para lesbijek i lesbijki"],
    "sv": ["jag är sjukskriven", "jag är gravid", "ligger på sjukhuset", "min ångest", "sitter i rullstol", "allergisk mot nötter", "vi sjunger i kyrkan", "jag är judisk", "facket kräver det", "vi strejkar imorgon", "jag röstade på Moderaterna", "jag är homosexuell", "en lesbisk vän"],
    "da": ["jeg har kræft", "jeg er gravid", "han er på sygehuset", "jeg er sygemeldt", "sidder i kørestol", "i vores kirke", "er I jødiske eller er jeg jøde", "min fagforening siger nej", "vi strejker i morgen", "jeg stemte på Enhedslisten", "jeg er homoseksuel"],
    "nb": ["jeg har kreft", "jeg er sykemeldt", "han er på sykehuset", "vi gifter oss i kirken", "fagforeningen min sier nei", "tillitsvalgt hos oss", "jeg stemte på Arbeiderpartiet", "jeg er homofil"],
    "tr": ["kanser tedavisi görüyorum", "hamileyim", "hastanedeyim", "depresyondayım", "tekerlekli sandalyedeyim", "fıstığa alerjim var", "ben Müslümanım", "namaza gidiyorum", "bu et helal mi", "sendikalıyım", "yarın grevdeyiz", "CHP'ye değil, AKP için oy verdim", "siyaset istemiyorum", "eşcinselim"],
}  # fmt: skip

NEAR_ABROAD = {
    "de": ["gesunde Margen", "mein Drucker streikt", "Gott sei Dank!", "das macht süchtig", "der linke Knopf", "ich glaube an euch", "die Wahl fällt schwer", "Partei ergreifen", "der Server ist gesund"],
    "fr": ["le bouton de droite", "votre politique de remboursement", "mon dieu que c'est bon", "diagnostic du réseau", "voter pour vous", "une marge saine"],
    "es": ["la política de devoluciones", "el botón de la derecha", "Dios mío qué bueno", "a ciegas", "un pastor alemán", "la operación no fue aceptada"],
    "it": ["la politica di reso", "mio dio che bello", "il pulsante a destra", "la messa in servizio", "un margine sano"],
    "pt": ["a política de devolução", "meu deus que bom", "botão à direita", "o diagnóstico do motor", "margem saudável"],
    "nl": ["ik geloof dat het klopt", "diagnose van de router", "zonder beperking van data", "gezonde marges", "de knop links"],
    "pl": ["polityka prywatności", "partia towaru dotarła", "dobry wybór", "w prawo od przycisku"],
    "sv": ["ett bra val", "knappen till höger", "integritetspolicy", "rakt fram och rak rygg"],
    "da": ["knappen til venstre", "et godt valg", "tag det til højre", "stop ved dagens ret"],
    "tr": ["doğru seçim", "beni sola yönlendir", "hasta luego", "tişört bu sezon geldi"],
}  # fmt: skip


def _tender(text: str, language: str | None) -> bool:
    found = bool(spoken(text, language) & BIT["tender"])
    assert is_tender(text, language) is found
    return found


@pytest.mark.parametrize("text", [text for texts in PLAIN.values() for text in texts])
@pytest.mark.parametrize("language", ["en", None])
def test_a_plain_case_is_never_missed(text: str, language: str | None) -> None:
    assert _tender(text, language)


@pytest.mark.parametrize("text", NEAR)
@pytest.mark.parametrize("language", ["en", None])
def test_the_everyday_sense_of_a_word_is_not_tender(text: str, language: str | None) -> None:
    assert not _tender(text, language)


@pytest.mark.parametrize(("text", "language"), [(text, tag) for tag, texts in ABROAD.items() for text in texts])
def test_a_plain_case_in_another_language_is_never_missed(text: str, language: str) -> None:
    assert _tender(text, language)
    assert _tender(text, None)  # the network does not always say
    assert read(text, language=language).tender


@pytest.mark.parametrize(("text", "language"), [(text, tag) for tag, texts in NEAR_ABROAD.items() for text in texts])
def test_an_everyday_sense_in_another_language_is_not_tender(text: str, language: str) -> None:
    assert not _tender(text, language)


@pytest.mark.parametrize(
    "text", ["your union agreement, and depression era chairs for our church", "faith in your product, faith in God"]
)
def test_an_everyday_sense_hides_no_tender_word_beside_it(text: str) -> None:
    assert _tender(text, "en")


@pytest.mark.parametrize("tag", TENDER)
def test_every_language_has_its_tender_ground_written_as_it_is_read(tag: str) -> None:
    assert set(LANGUAGES) <= set(TENDER)
    for phrase in (*TENDER[tag], *EVERYDAY[tag]):
        assert phrase == fold(phrase)
        assert not set(phrase) & set(".,-#@"), phrase
