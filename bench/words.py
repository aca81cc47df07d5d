"""Posts as people write them to a shop, always the same ones for the same seed."""

from __future__ import annotations

from random import Random

_OPENERS = (
    "Hi, is the {thing} in stock again? The page has said soon for two weeks now.",
    "My {thing} arrived today and one of the screws is missing. What should I do?",
    "Could somebody look at order {number}? It has been on its way since last Monday.",
    "how much is the {thing} with delivery to {city}, roughly",
    "Your {thing} broke after three days. I am not happy and I would like my money back.",
    "We are a small workshop in {city} and thinking about twelve of the {thing}. Can we have a call next week?",
    "Love the new {thing}, looks great in the shop window here in {city}!",
    "Does the {thing} fit the older model as well, the one from before the change?",
)
_ANSWERS = (
    "Thanks for asking. The {thing} is back on Thursday, we put one aside for you.",
    "Sorry about that. Please send us order {number} by direct message and we look at it at once.",
    "Yes, it fits. You need the short bracket, it is in the box.",
    "We ship to {city} in three to five days, and it costs nothing above fifty.",
)
_FOLLOW_UPS = (
    "And what about the {thing}, is that the same?",
    "I sent it an hour ago, any news? The number is {number}.",
    "That did not work for me, it still rattles. Is there another way?",
    "Good to know. Could you also tell me when the shop in {city} opens?",
)
_THANKS = ("Perfect, thank you!", "Great, thanks a lot 🙏", "Thanks, that solved it.", "Will do, thanks!")
_THINGS = (
    "bread box",
    "trailer hitch",
    "long-tail",
    "rain cover",
    "rear light",
    "child seat",
    "belt",
    "charger",
    "roof rack",
)
_CITIES = ("Lyon", "Malmö", "Bologna", "Utrecht", "Leeds", "Graz", "Porto", "Brno", "Ghent")
_FIRST = (
    "Anna",
    "Bram",
    "Chiara",
    "Dev",
    "Emma",
    "Farouk",
    "Greta",
    "Hugo",
    "Ines",
    "Jan",
    "Kit",
    "Lena",
    "Marek",
    "Noor",
)
# Enough of them that few people share a name, as in a CRM.
_ENDS = (
    "",
    "sen",
    "mann",
    "son",
    "elli",
    "ova",
    "ez",
    "ings",
    "er",
    "s",
    "eau",
    "ius",
    "wood",
    "field",
    "stad",
    "berg",
    "dal",
    "by",
)
_LAST = (
    "Alves",
    "Berg",
    "Costa",
    "Dietz",
    "Eriksen",
    "Fischer",
    "Green",
    "Hall",
    "Ivanov",
    "Jansen",
    "Kowalski",
    "Lind",
)


class Writer:
    """Writes posts. `me` is the handle that customers speak to."""

    def __init__(self, seed: int, me: str) -> None:
        self.random = Random(seed)
        self.me = me

    def opener(self) -> str:
        return f"@{self.me} {self._fill(_OPENERS)}"

    def answer(self, handle: str) -> str:
        return f"@{handle} {self._fill(_ANSWERS)}"

    def follow_up(self) -> str:
        return f"@{self.me} {self._fill(_FOLLOW_UPS)}"

    def thanks(self) -> str:
        return f"@{self.me} {self.random.choice(_THANKS)}"

    def city(self) -> str:
        return self.random.choice(_CITIES)

    def name(self) -> tuple[str, str]:
        """First and last name."""
        return self.random.choice(_FIRST), self.random.choice(_LAST) + self.random.choice(_ENDS)

    def _fill(self, sentences: tuple[str, ...]) -> str:
        return self.random.choice(sentences).format(
            thing=self.random.choice(_THINGS), city=self.city(), number=self.random.randrange(100_000, 999_999)
        )
