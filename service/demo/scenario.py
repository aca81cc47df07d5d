"""The built-in scenario: a maker of cargo bikes, six weeks of talk, twelve contacts. Everybody in it is invented.

It shows every case of the design: left waiting, answered natively, a last polite word, a long back-and-forth, somebody who
asks to talk, somebody whom no CRM knows, a colleague who answers, posts that are deleted afterwards, a namesake.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from service.demo.sandbox import Load

BRAND, HANDLE = "Fernhill Bikes", "fernhillbikes"
OWNER = "olivia@fernhill.example"
COLLEAGUE = "tomas_fernhill"

# handle: (id, name, bio, location, website)
ACCOUNTS: dict[str, tuple[int, str, str, str, str]] = {
    HANDLE: (7001, BRAND, "Cargo bikes built to work. Questions welcome, people answer.", "Utrecht", "https://fernhill.example"),
    COLLEAGUE: (7002, "Tomas Veld", "Workshop lead at Fernhill Bikes", "Utrecht", ""),
    "annabakes": (7101, "Anna Lindqvist", "Bakery owner. Bread by bike.", "Malmö", "https://lindqvistbakery.example"),
    "bramdevries": (7102, "Bram de Vries", "Operations at Stadspost. Couriers, routes, coffee.", "Utrecht", ""),
    "chiaramonti": (7103, "Chiara Monti", "City logistics. chiara@monticargo.example", "Bologna", ""),
    "dev_patel_rides": (7104, "Dev Patel", "Plumber on two wheels, Leeds", "Leeds", ""),
    "emma_green": (7105, "Emma Green", "Cycling mum of three", "Bristol", ""),
    "farouk_h": (7106, "Farouk Haddad", "Flowers, delivered.", "Lyon", "https://haddadfleurs.example/shop"),
    "gretaschulz": (7107, "Greta Schulz", "Fleet manager, Kiez Kurier", "Berlin", "https://kiezkurier.example"),
    "hugo_mtl": (7108, "Hugo Tremblay", "J'aime les vélos", "Montréal", ""),
    "ines_alves": (7109, "Inês Alves", "Coffee roaster 🫘", "Porto", ""),
    "jkowalski": (7110, "Jan Kowalski", "", "Kraków", ""),
    "kit_the_carter": (7111, "Kit", "removals by bike", "", ""),
    "noor_amin": (7112, "نور أمين", "مهندسة", "", ""),
    "dealsbot9000": (7113, "Deals Deals Deals", "All the deals", "", ""),
}  # fmt: skip

# id: first name, last name, and whatever else the CRM knows
CONTACTS: dict[int, dict[str, str]] = {
    501: {"firstname": "Anna", "lastname": "Lindqvist", "email": "anna@lindqvistbakery.example", "company": "Lindqvist Bakery",
          "website": "https://lindqvistbakery.example", "city": "Malmö", "phone": "+46 40 555 0101"},
    502: {"firstname": "Bram", "lastname": "de Vries", "email": "bram@stadspost.example", "company": "Stadspost", "city": "Utrecht",
          "phone": "+31 30 555 0102"},
    503: {"firstname": "Chiara", "lastname": "Monti", "email": "chiara@monticargo.example", "company": "Monti Cargo", "city": "Bologna",
          "phone": "+39 051 555 0103"},
    504: {"firstname": "Dev", "lastname": "Patel", "email": "dev@patelplumbing.example", "company": "Patel Plumbing", "city": "Leeds",
          "twitterhandle": "dev_patel_rides"},
    505: {"firstname": "Emma", "lastname": "Green", "email": "emma.green@mail.example", "city": "York"},
    506: {"firstname": "Emma", "lastname": "Green", "email": "e.green@schoolrun.example", "city": "Cardiff"},
    507: {"firstname": "Farouk", "lastname": "Haddad", "email": "hello@haddadfleurs.example", "company": "Haddad Fleurs",
          "website": "https://haddadfleurs.example", "city": "Lyon"},
    508: {"firstname": "Greta", "lastname": "Schulz", "email": "greta@kiezkurier.example", "company": "Kiez Kurier", "city": "Berlin",
          "website": "https://kiezkurier.example", "phone": "+49 30 555 0108"},
    509: {"firstname": "Hugo", "lastname": "Tremblay", "email": "hugo@velomtl.example", "city": "Montréal", "twitterhandle": "hugo_mtl"},
    510: {"firstname": "Inês", "lastname": "Alves", "email": "ines@alvestorra.example", "company": "Alves Torra", "city": "Porto",
          "twitterhandle": "ines_alves"},
    511: {"firstname": "Jan", "lastname": "Kowalski", "email": "jan.kowalski@dostawa.example", "company": "Dostawa", "city": "Warszawa"},
    512: {"firstname": "Mara", "lastname": "Okafor", "email": "mara@okafor.example", "company": "Okafor Catering", "city": "Rotterdam"},
}  # fmt: skip

B, T = HANDLE, COLLEAGUE
# (number, who, days before the end, time of day, answers which number, text)
POSTS: tuple[tuple[int, str, int, str, int | None, str], ...] = (
    # Broadcasts of the brand's own.
    (1, B, 42, "09:00", None, "Our new long-tail frame is out of testing. Photos from the first rides through the rain."),
    (2, B, 28, "09:00", None, "How do you keep bread dry on a cargo bike? We asked five bakers."),
    (3, B, 12, "09:00", None, "Open workshop this Saturday, 10 to 16. Bring your bike, we bring the coffee."),
    # A long back-and-forth over five weeks: ready for a call.
    (4, "gretaschulz", 40, "10:12", 1, "@fernhillbikes Lovely frame. We run 14 bikes in Berlin and the rear racks keep cracking. How is yours welded?"),
    (5, B, 40, "10:40", 4, "@gretaschulz Fillet-brazed with a gusset at the seat stay. We had the same cracks on the first prototypes."),
    (6, "gretaschulz", 40, "11:02", 5, "@fernhillbikes That is exactly where ours go. What load do you test with?"),
    (7, B, 40, "11:30", 6, "@gretaschulz 120 kg on the rack, 100,000 cycles. We publish the report next month."),
    (8, "gretaschulz", 33, "08:20", 7, "@fernhillbikes Still thinking about that gusset. Could the rack take our crates, 60 by 40?"),
    (9, B, 33, "09:05", 8, "@gretaschulz Yes, two side by side. The rails are 62 cm apart."),
    (10, "gretaschulz", 24, "14:00", 9, "@fernhillbikes Measured ours today, they would fit. And the motor, is it serviceable by us?"),
    (11, B, 24, "14:45", 10, "@gretaschulz All of it, with common tools. We send the manual to every fleet."),
    (12, "gretaschulz", 11, "16:10", 11, "@fernhillbikes Our mechanic read your manual on the train and likes it. What are delivery times now?"),
    (13, B, 11, "16:32", 12, "@gretaschulz Seven weeks for ten bikes. Your mechanic has good taste in reading."),
    (14, "gretaschulz", 4, "09:15", 13, "@fernhillbikes Ha, I will tell him. Budget round is in two weeks, and I want to bring something concrete."),
    (15, B, 4, "09:50", 14, "@gretaschulz Good. We put the load report and the prices for ten on one page for you."),
    # Asks to talk.
    (16, "chiaramonti", 9, "08:30", None, "@fernhillbikes We are replacing three vans in Bologna. Could we have a call next week about 12 bikes?"),
    (17, B, 9, "09:10", 16, "@chiaramonti Gladly. Tell us which days suit you."),
    (18, "chiaramonti", 2, "08:05", 17, "@fernhillbikes Tuesday or Wednesday morning. Can you call me on my office number?"),
    # Left waiting, by somebody who is in the CRM.
    (19, "annabakes", 3, "07:45", 2, "@fernhillbikes Is the bread box sold separately, and what does it cost?"),
    (20, "annabakes", 1, "07:50", 19, "@fernhillbikes Any news on the box?"),
    # Left waiting: a problem.
    (21, "dev_patel_rides", 2, "17:20", None, "@fernhillbikes The belt on my long-tail slipped twice this week, fully loaded. What should I do?"),
    # Answered natively.
    (22, "farouk_h", 20, "11:00", None, "@fernhillbikes Do you ship to Lyon?"),
    (23, B, 20, "11:25", 22, "@farouk_h Yes, assembled, in about ten days."),
    # Last polite word.
    (24, "farouk_h", 20, "11:40", 23, "@fernhillbikes Perfect, thank you! 🙏"),
    (25, "ines_alves", 18, "15:00", 2, "@fernhillbikes Beans get wet too. Which of the five boxes would you take for coffee?"),
    (26, B, 18, "15:30", 25, "@ines_alves The third one, with the roll top. It has kept our lunch dry for a year."),
    (27, "ines_alves", 18, "15:42", 26, "@fernhillbikes Will do, thanks!"),
    # A colleague answers from his own account.
    (28, "bramdevries", 15, "12:10", None, "@fernhillbikes Does the 750 W motor need a licence plate for couriers here?"),
    (29, T, 15, "12:35", 28, "@bramdevries @fernhillbikes No plate, but you need insurance for it. I can send you the form we use."),
    (30, "bramdevries", 14, "09:00", 29, "@tomas_fernhill @fernhillbikes Yes please. And is the form the same for all cities?"),
    (31, T, 14, "09:20", 30, "@bramdevries @fernhillbikes The same everywhere. On its way to you."),
    # Somebody whom no CRM knows.
    (32, "kit_the_carter", 2, "13:00", None, "@fernhillbikes how much can the trailer hitch pull uphill?"),
    # A namesake: two contacts are called Emma Green.
    (33, "emma_green", 3, "19:30", None, "@fernhillbikes Can three kids sit in the long-tail, or only two?"),
    # The name is in the CRM, nothing else fits: a suggestion.
    (34, "jkowalski", 5, "10:00", 3, "@fernhillbikes Is the workshop also open to people who ride another brand?"),
    (35, B, 5, "10:20", 34, "@jkowalski Every brand. Bring whatever rolls."),
    # Deleted afterwards: a question that its author took back, and an answer of ours.
    (36, "hugo_mtl", 6, "20:00", None, "@fernhillbikes Est-ce que vous livrez à Montréal ?"),
    (37, "hugo_mtl", 1, "20:05", None, "@fernhillbikes Quelqu'un peut me dire le poids du cadre ?"),
    (38, B, 6, "21:00", 36, "@hugo_mtl Pas encore, mais bientôt."),
    # Right to left, and no letters at all.
    (39, "noor_amin", 4, "12:00", 1, "@fernhillbikes هل يتوفر الإطار بمقاس صغير؟"),
    (40, B, 4, "12:30", 39, "@noor_amin Yes, from 155 cm."),
    (41, "noor_amin", 4, "12:40", 40, "@fernhillbikes ❤️❤️"),
    # Chatter and a broadcast that names everybody.
    (42, "kit_the_carter", 26, "18:00", 1, "@fernhillbikes that is one good looking frame"),
    (43, B, 26, "18:20", 42, "@kit_the_carter Thank you. It rides better than it looks."),
    (44, "dealsbot9000", 8, "03:00", None, "DEALS @fernhillbikes @annabakes @gretaschulz @bramdevries @chiaramonti @farouk_h @ines_alves 90% OFF"),
    # People talking to each other below our post.
    (45, "annabakes", 5, "10:00", 2, "@fernhillbikes Number four is my mother's trick!"),
    (46, B, 5, "10:20", 45, "@annabakes Then your mother should write our manuals."),
    (47, "ines_alves", 5, "10:45", 45, "@annabakes Does it work with warm loaves too?"),
    (48, "annabakes", 5, "11:00", 47, "@ines_alves Only if you let them breathe first."),
    # An earlier talk with the bakery.
    (49, "annabakes", 36, "08:00", 1, "@fernhillbikes Would it carry 80 loaves?"),
    (50, B, 36, "08:30", 49, "@annabakes 80 small ones, or 50 of yours. We counted on your website."),
    (51, "annabakes", 36, "08:40", 50, "@fernhillbikes You did your homework, thanks!"),
    # Monologue: ours, unanswered. Warmline falls silent, it does not nudge.
    (52, B, 19, "10:00", None, "@jkowalski You asked at the fair about winter tyres: they are in."),
    (53, B, 13, "10:00", 52, "@jkowalski We kept a pair for you."),
    # Bram again, weeks apart.
    (54, "bramdevries", 34, "16:00", 1, "@fernhillbikes Which charger comes with it?"),
    (55, B, 34, "16:20", 54, "@bramdevries The 4 A one, two hours to 80 %."),
    (56, "bramdevries", 6, "16:00", 55, "@fernhillbikes It arrived, charges as you said. The riders are happy."),
    (57, B, 6, "16:15", 56, "@bramdevries That made our day. Tell us how the first month goes."),
    (58, B, 7, "09:00", None, "Rain again. The bikes do not mind, and neither do we."),
    (59, "dev_patel_rides", 7, "09:30", 58, "@fernhillbikes the pipes don't mind either"),
    (60, B, 7, "09:40", 59, "@dev_patel_rides That is the spirit."),
)  # fmt: skip
DELETED = (37, 38)  # Hugo's question is taken back, and our answer to his first one is gone: he waits again

# Private messages: (number, from, days before the end, time of day, with whom, text)
MESSAGES: tuple[tuple[int, str, int, str, str, str], ...] = (
    (1, "annabakes", 35, "09:00", "annabakes", "Hello, could you tell me where the nearest dealer is?"),
    (2, B, 35, "09:30", "annabakes", "Malmö has one: Cykelboden, near the station."),
    (3, "bramdevries", 1, "15:00", "bramdevries", "Does the charger come with a longer cable?"),
)

# Logged in the CRM: (type, contact, days before the end, time of day, properties)
ACTIVITIES: tuple[tuple[str, int, int, str, dict[str, str]], ...] = (
    (
        "calls",
        502,
        60,
        "11:00",
        {"hs_call_title": "First call", "hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED"},
    ),
    ("emails", 507, 19, "08:00", {"hs_email_subject": "Shipping to Lyon", "hs_email_direction": "EMAIL"}),
)


def scenario(end: datetime) -> Load:
    """The scenario, its last post shortly before `end` (aware, UTC)."""
    return Load(
        accounts=[
            {"id": str(id_), "handle": handle, "name": name, "bio": bio, "location": location, "website": website, "brand": handle == HANDLE}
            for handle, (id_, name, bio, location, website) in ACCOUNTS.items()
        ],
        posts=[
            {"id": _post_id(number), "author_id": _account_id(who), "text": text, "created_at": _at(end, days, clock).isoformat(),
             "in_reply_to": _post_id(parent) if parent else None}
            for number, who, days, clock, parent, text in POSTS
        ],
        messages=[
            {"id": str(9_000_000 + number), "sender_id": _account_id(who), "recipient_id": _account_id(other if who == B else B),
             "text": text, "created_at": _at(end, days, clock).isoformat()}
            for number, who, days, clock, other, text in MESSAGES
        ],
        contacts=[{"id": str(id_), **properties, "hubspot_owner_id": "71"} for id_, properties in CONTACTS.items()],
        owners=[{"id": "71", "email": OWNER, "first_name": "Olivia", "last_name": "Berg"}],
        activities=[_activity(end, number, row) for number, row in enumerate(ACTIVITIES, 1)],
        deleted=[_post_id(number) for number in DELETED],
        brands={HANDLE: BRAND},
        colleagues={BRAND: [f"x:{COLLEAGUE}"]},
    )  # fmt: skip


def _at(end: datetime, days: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return (end - timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0)


def _post_id(number: int) -> str:
    return str(1_700_000_000_000_000_000 + number * 1_000)


def _account_id(handle: str) -> str:
    return str(ACCOUNTS[handle][0])


def _activity(end: datetime, number: int, row: tuple[str, int, int, str, dict[str, str]]) -> dict[str, Any]:
    kind, contact, days, clock, properties = row
    at = _at(end, days, clock).isoformat()
    return {
        "id": str(8_000 + number),
        "type": kind,
        "contact_id": str(contact),
        "properties": {"hs_timestamp": at, **properties},
    }
