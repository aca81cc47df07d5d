"""What `channel` looks at when a message could answer another: yes-or-no features, each a bit of a number."""

from __future__ import annotations

from typing import Final

LINES: Final = (1, 2, 3, 5, 9, 19, 49)
MINUTES: Final = (0, 2, 5, 15, 60)
SHARED: Final = (0, 4, 8, 14)  # of the words that two messages share, the sum of ln(messages / messages with the word)


def _steps(name: str, steps: tuple[int, ...]) -> tuple[str, ...]:
    return (*(f"{name} <= {step}" for step in steps), f"{name} > {steps[-1]}")


# How far back a message lies weighs differently for one's own, between people who name each other, and otherwise.
FEATURES: Final = (
    *_steps("lines back, own", LINES), *_steps("lines back, named", LINES), *_steps("lines back, other", LINES),
    *_steps("minutes back", MINUTES), *_steps("rare words shared", SHARED),
    # a message of one's own
    "own: the last", "own: to the same person", "own: to another person", "own: a question that nobody has turned to",
    "own: the last of its talk", "own: nobody else in its talk", "own: answered",
    # a message of somebody else
    "names me", "mentions me", "the last that names me", "names somebody else", "names nobody", "a question", "a request in words",
    "their last", "polite", "their first words", "a command", "a command, to a robot", "no command, to a robot",
    "begins a talk", "begins a talk, unanswered, and I name nobody", "the last of its talk", "I am in its talk", "nobody else in its talk",
    "answered",
    "I name them", "I name them, their last", "I mention them", "I name somebody else", "neither names anybody", "a question, and I name nobody",
    "a question to a question", "I last spoke to them", "they last spoke to me", "we last spoke to each other",
    # a beginning
    "new", "new: names somebody", "new: names somebody unknown", "new: mentions somebody", "new: question", "new: request in words",
    "new: greeting", "new: long", "new: short", "new: command", "new: word of reply", "new: first words", "new: first words, question",
    "new: called since", "new: spoke just before", "new: robot", "new: own beginning is open",
    *_steps("new: minutes since own", MINUTES), *_steps("new: minutes of silence", MINUTES),
)  # fmt: skip
BIT: Final = {name: 1 << number for number, name in enumerate(FEATURES)}


def names(mask: int) -> list[str]:
    """The features that a number of bits holds."""
    return [name for name, bit in BIT.items() if mask & bit]


def _by_value(name: str, steps: tuple[int, ...]) -> tuple[int, ...]:
    """The bit for each whole value from 0 on; the last one is for everything above too."""
    labels = _steps(name, steps)
    return tuple(BIT[labels[sum(step < value for step in steps)]] for value in range(steps[-1] + 2))


BACK_OWN, BACK_NAMED, BACK_OTHER = (_by_value(f"lines back, {who}", LINES) for who in ("own", "named", "other"))
MINUTES_BACK, SHARED_WORDS = _by_value("minutes back", MINUTES), _by_value("rare words shared", SHARED)
SINCE_OWN, SILENCE = _by_value("new: minutes since own", MINUTES), _by_value("new: minutes of silence", MINUTES)
FAR, LONG_AGO, MUCH = LINES[-1] + 1, MINUTES[-1] + 1, SHARED[-1] + 1

# Looked up once: the features of a pair are weighed some hundred thousand times a second.
OWN_LAST, OWN_SAME, OWN_OTHER, OWN_OPEN, OWN_TALK_LAST, OWN_ALONE, OWN_ANSWERED = (
    BIT[name] for name in FEATURES if name.startswith("own: ")
)
NAMES_ME, MENTIONS_ME, LAST_TO_ME, NAMES_OTHER, NAMES_NOBODY, QUESTION, REQUEST = (
    BIT[name] for name in ("names me", "mentions me", "the last that names me", "names somebody else", "names nobody", "a question", "a request in words")
)  # fmt: skip
THEIR_LAST, POLITE, THEIR_FIRST, COMMAND, COMMANDS_ROBOT, ROBOT_OTHERWISE = (
    BIT[name] for name in ("their last", "polite", "their first words", "a command", "a command, to a robot", "no command, to a robot")
)  # fmt: skip
BEGINS, BEGINS_OPEN, TALK_LAST, TALK_MINE, TALK_ALONE, ANSWERED = (
    BIT[name] for name in ("begins a talk", "begins a talk, unanswered, and I name nobody", "the last of its talk", "I am in its talk",
                            "nobody else in its talk", "answered")
)  # fmt: skip
I_NAME, I_NAME_LAST, I_MENTION, I_NAME_OTHER, NEITHER, QUESTION_TO_ALL, QUESTIONS = (
    BIT[name] for name in ("I name them", "I name them, their last", "I mention them", "I name somebody else", "neither names anybody",
                            "a question, and I name nobody", "a question to a question")
)  # fmt: skip
MINE, THEIRS, BOTH = (
    BIT[name] for name in ("I last spoke to them", "they last spoke to me", "we last spoke to each other")
)
FIRST_WORDS = BIT["new: first words"]
