"""What has to be asked: questions, calls and tokens. Pure: nothing is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from emorank.captions.llm.manners import Manners
from emorank.captions.llm.prompt import Item, Message, Point, Prompt, answer_tokens, messages, prompt_tokens

_CAPTIONS_AN_ITEM = 5  # more in one go become alike
_ALREADY = 6  # captions that an item shows as taken


@dataclass
class Pending:
    """Captions that a point lacks, and how asking for them went so far.

    Args:
        point: what they describe.
        captions: how many are still wanted.
        attempts: answers that were not wholly taken.
        rejected: why the last one was not.
    """

    point: Point
    captions: int
    attempts: int = 0
    rejected: tuple[str, ...] = field(default=())

    def item(self, already: Sequence[str]) -> Item:
        """The question, with some of the captions that the point has."""
        return Item(self.point, self.captions, tuple(already[-_ALREADY:]), self.rejected)


@dataclass(frozen=True)
class Plan:
    """What a job comes to if every first answer is taken.

    Args:
        points: places that captions are wanted for.
        captions: wanted in all.
        known: of them, those that are kept from before.
        calls: to be made.
        prompt_tokens: of all calls, estimated.
        answer_tokens: the same of the answers.
        first: the first call's messages.
    """

    points: int
    captions: int
    known: int
    calls: int
    prompt_tokens: int
    answer_tokens: int
    first: tuple[Message, ...]


def pending(wanted: Mapping[Point, int], known: Mapping[Point, Sequence[str]]) -> list[Pending]:
    """The questions that are open; those of one point lie far apart, so that each can see the captions before it."""
    rounds: dict[int, list[Pending]] = {}
    for point in sorted(wanted, key=lambda p: (p.valence, p.arousal, p.dominance or 0.0, p.speaker or "")):
        missing = wanted[point] - len(known.get(point, ()))
        turn = 0
        while missing > 0:
            rounds.setdefault(turn, []).append(Pending(point, min(missing, _CAPTIONS_AN_ITEM)))
            missing -= _CAPTIONS_AN_ITEM
            turn += 1
    return [question for turn in sorted(rounds) for question in rounds[turn]]


def bundles(questions: Sequence[Pending], size: int) -> Iterator[list[Pending]]:
    """Questions of one call each."""
    for start in range(0, len(questions), size):
        yield list(questions[start : start + size])


def room(items: Sequence[Item], attempts: int) -> int:
    """Tokens that an answer may have: well above what is expected, and more after one that was cut off."""
    return (2 * answer_tokens(items) + 256) * (1 << min(attempts, 3))


def plan(
    wanted: Mapping[Point, int],
    known: Mapping[Point, Sequence[str]],
    words: Prompt,
    manners: Manners,
) -> Plan:
    """Count a job's calls and tokens."""
    first: tuple[Message, ...] = ()
    calls = sent = received = 0
    for bundle in bundles(pending(wanted, known), manners.points_per_call):
        items = [question.item(known.get(question.point, ())) for question in bundle]
        chat = messages(words, items, manners)
        first = first or tuple(chat)
        calls += 1
        sent += prompt_tokens(chat)
        received += answer_tokens(items)
    have = sum(min(len(known.get(point, ())), count) for point, count in wanted.items())
    return Plan(len(wanted), sum(wanted.values()), have, calls, sent, received, first)
