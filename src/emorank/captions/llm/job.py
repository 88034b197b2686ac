"""Ask a model for captions until every point or category has its own: several calls at a time, each acceptance kept."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from emorank.captions.llm import ServerOptions, contains_key, key_from_environment, prompt, run_anywhere
from emorank.captions.llm.client import Client, Failed, Reply
from emorank.captions.llm.prompt import Message, Question, Subject
from emorank.captions.llm.store import CaptionStore, digest
from emorank.captions.rules import Phrases, tidy, violation
from emorank.errors import EmorankError

_CAPTIONS_A_QUESTION = 5  # more in one go become alike
_ALREADY = 6  # captions that a question shows as taken
_LONGEST_PAUSE = 60.0  # seconds between two tries, unless the server asks for more
ROOM = (256, 2048, 8192, 32_768)  # tokens of an answer beside its captions; more after one that was cut off


@dataclass(frozen=True)
class Plan:
    """What a job comes to if every first answer is taken; tokens are estimates, `kept` is there from before."""

    subjects: int
    wanted: int
    kept: int
    calls: int
    prompt_tokens: int
    answer_tokens: int
    first_chat: list[Message]

    def __str__(self) -> str:
        lines = [f"--- {message['role']}\n{message['content']}" for message in self.first_chat]
        lines += ["---", f"points: {self.subjects}", f"captions: {self.wanted}, of which {self.kept} are known"]
        lines += [
            f"calls: {self.calls}",
            f"tokens: about {self.prompt_tokens} of prompt, {self.answer_tokens} of answers",
        ]
        return "\n".join(lines)


class Job:
    """Captions for some points or categories. Those that are kept from before are not asked for again.

    Args:
        model: name that the server knows it by.
        wanted: point or category -> how many captions.
        options: how the server is asked.
        forbidden: point or category -> what its captions must not contain, see `emorank.captions.rules.phrases`.
        prompt_name: which prompt.

    Attributes:
        captions: of every subject: as many as were wanted, fewer where some were given up, more if more were kept.
        given_up: subjects that lack captions -> why the last answer was rejected.

    Raises:
        EmorankError: the captions' store cannot be opened, or another run holds it.
    """

    def __init__(
        self,
        model: str,
        wanted: Mapping[Subject, int],
        options: ServerOptions,
        forbidden: Mapping[Subject, Phrases] | None = None,
        prompt_name: prompt.PromptName = "plane",
    ) -> None:
        self._model, self._wanted, self._options, self._forbidden = model, wanted, options, forbidden or {}
        self._prompt = prompt.load_prompt(prompt_name)
        self._language = "en" if options.english else options.language
        recipe = {"prompt": self._prompt.version, "digest": self._prompt.digest, "model": model}
        # All that shapes an answer. The address does not: a server may move.
        self._store = CaptionStore(recipe | {"language": self._language, "temperature": options.temperature})
        self._subjects = sorted(wanted, key=str)
        self._name = digest([[subject.data(), wanted[subject]] for subject in self._subjects])
        self.captions = self._store.captions(wanted)
        self.given_up: dict[Subject, str] = {}
        self._lost: Counter[Subject] = Counter()  # captions that are not asked for any more
        self._done = sum(min(len(self.captions[subject]), count) for subject, count in wanted.items())
        self._total = sum(wanted.values())
        self._room = 0
        self._opens = 0.0  # when calls may go out again: a wait that the server asks one worker for holds all of them
        self._error: EmorankError | None = None
        self._key: str | None = None

    def close(self) -> None:
        """Let another run have the store."""
        self._store.close()

    def spent(self) -> tuple[int, int]:
        """Prompt and answer tokens of all runs of the job."""
        return self._store.spent(self._name)

    def plan(self) -> Plan:
        """What is to be asked. Nothing is sent, and no key is needed."""
        rounds = range(0, max(self._wanted.values(), default=0), _CAPTIONS_A_QUESTION)
        bundles = [bundle for start in rounds for bundle in self._bundles(self._questions(start))]
        chats = [self._chat(bundle) for bundle in bundles]
        sent, received = sum(map(prompt.prompt_tokens, chats)), sum(map(prompt.answer_tokens, bundles))
        return Plan(len(self._wanted), self._total, self._done, len(bundles), sent, received, (chats or [[]])[0])

    def run(self, url: str, progress: Callable[[int, int], None] | None = None) -> None:
        """Ask until nothing is open.

        Args:
            url: base address of an API like OpenAI's.
            progress: called with captions there and wanted.

        Raises:
            EmorankError: the server is dead or refuses, or the budget is reached. All that was accepted is kept.
        """
        self._key = key_from_environment()
        self._client = Client(url, self._model, self._key, self._options)
        run_anywhere(self._run(progress))
        if self._error is not None:
            raise self._error

    async def _run(self, progress: Callable[[int, int], None] | None) -> None:
        self._stopped = asyncio.Event()
        slots = asyncio.Semaphore(self._options.concurrency)

        async def work(bundle: list[Question]) -> None:
            async with slots:
                open_ = [bundle]
                while open_ and not self._stopped.is_set():
                    try:
                        open_ = [*await self._put(open_[0]), *open_[1:]]
                    except EmorankError as error:  # the others' calls on their way are paid for: they end, none follows
                        self._error = self._error or error
                        self._stopped.set()
                    if progress:
                        progress(self._done, self._total)

        try:
            while (questions := self._questions()) and not self._stopped.is_set():
                await asyncio.gather(*map(work, self._bundles(questions)))
        finally:
            await self._client.close()

    def _questions(self, start: int = 0) -> list[Question]:
        """Some captions for each subject that lacks more than `start`; the next round shows those of this one."""
        missing = {each: self._wanted[each] - len(self.captions[each]) - self._lost[each] for each in self._subjects}
        return [Question(each, min(n - start, _CAPTIONS_A_QUESTION)) for each, n in missing.items() if n > start]

    def _bundles(self, questions: Sequence[Question], size: int | None = None) -> list[list[Question]]:
        size = size or self._options.points_per_call
        return [list(questions[start : start + size]) for start in range(0, len(questions), size)]

    def _chat(self, bundle: Sequence[Question]) -> list[Message]:
        items = [each.data(number, self.captions[each.subject][-_ALREADY:]) for number, each in enumerate(bundle, 1)]
        return prompt.messages(self._prompt, items, self._language)

    async def _put(self, bundle: list[Question]) -> list[list[Question]]:
        """Ask one bundle; what has to be asked again, in bundles."""
        room = self._room
        reply = await self._answered(self._chat(bundle), 2 * prompt.answer_tokens(bundle) + ROOM[room])
        if reply is None:
            return []
        if reply.cut_off and room == self._room:  # models that think need more, for other bundles too
            self._room = min(room + 1, len(ROOM) - 1)
        try:
            return [left] if (left := self._taken(bundle, reply)) else []
        except prompt.Unusable as complaint:
            left = [again for each in bundle if (again := self._again(each, each.count, [str(complaint)]))]
            return self._bundles(left, (len(bundle) + 1) // 2)  # smaller ones are easier to get right

    def _taken(self, bundle: list[Question], reply: Reply) -> list[Question]:
        """Keep what is good in a reply; the questions for the rest.

        Raises:
            prompt.Unusable: it is no answer.
        """
        if reply.complaint:
            raise prompt.Unusable(reply.complaint)
        answers = prompt.parse(reply.content, len(bundle))
        judged = [self._judged(each, own) for each, own in zip(bundle, answers, strict=True)]
        new = self._store.accept([(each.subject, good) for each, (good, _) in zip(bundle, judged, strict=True)])
        left = []
        for question, (good, reasons), kept in zip(bundle, judged, new, strict=True):
            self.captions[question.subject] += kept
            self._done += len(kept)
            reasons += ["A caption repeats another one of the same item."] if len(kept) < len(good) else []
            if reasons and (again := self._again(question, question.count - len(kept), reasons)):
                left.append(again)
        return left

    def _judged(self, question: Question, captions: list[str]) -> tuple[list[str], list[str]]:
        """The captions of one answer that can be taken, and why that is not all that was asked for."""
        if len(captions) > question.count:  # whose captions these are is then anybody's guess
            return [], [f"{len(captions)} captions came where {question.count} were asked for."]
        good: list[str] = []
        reasons = ["Fewer captions came than were asked for."] if len(captions) < question.count else []
        for caption in map(tidy, captions):
            broken = violation(caption, self._forbidden.get(question.subject, frozenset()), self._options.english)
            if contains_key(caption, self._key):
                broken = "A caption contains what is no description."
            (reasons if broken else good).append(broken or caption)
        return good, reasons

    def _again(self, question: Question, missing: int, reasons: list[str]) -> Question | None:
        """The question for what is missing, unless it was asked often enough."""
        if question.attempts + 1 < self._options.attempts:
            rejected = tuple(dict.fromkeys(reasons))
            return replace(question, count=missing, attempts=question.attempts + 1, rejected=rejected)
        self.given_up[question.subject] = " ".join(dict.fromkeys(reasons))
        self._lost[question.subject] += missing
        return None

    async def _answered(self, chat: list[Message], most: int) -> Reply | None:
        """The reply to a chat, after as many tries as it takes; None when all has to stop."""
        estimate = (prompt.prompt_tokens(chat), most)
        pause, reason = 0.0, ""
        for failures in range(1, self._options.tries + 1):
            if not await self._waited(pause):
                return None
            call = self._reserve(*estimate)
            try:
                reply = await self._client.ask(chat, most)
            except Failed as failed:
                reason = str(failed)
                self._store.settle(call, *((0, 0) if failed.free else estimate), reason)  # it may be on the bill
                self._opens = max(self._opens, time.monotonic() + (failed.wait or 0.0))
                pause = back_off(failures, self._options.first_wait)
            else:
                self._store.settle(call, *(reply.usage or estimate), "answered")
                return reply
        tries = self._options.tries
        raise EmorankError(f"{self._client.shown}: the server failed {tries} times in a row ({reason}). {self._kept()}")

    async def _waited(self, seconds: float) -> bool:
        """Wait for so long, and until calls may go out; whether to go on then."""
        until = time.monotonic() + seconds
        while (left := max(until, self._opens) - time.monotonic()) > 0 and not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), left)
        return not self._stopped.is_set()

    def _reserve(self, sent: int, received: int) -> int:
        """Take the most that a call can cost out of the budget, on disk: a kill must not hide it."""
        self._afford(sent, received)
        return self._store.reserve(self._name, sent, received)

    def _afford(self, sent: int, received: int, what: str = "The next call") -> None:
        """See that the budget allows so many tokens more.

        Raises:
            EmorankError: it does not.
        """
        budget, cost = self._options.budget, self._options.cost
        if budget is None:
            return  # the sum over all calls would be made before every call
        before, after = self.spent()
        if cost(before + sent, after + received) > budget:
            raise EmorankError(
                f"{what} could exceed the budget of {budget:g} ({cost(before, after):.4f} spent or reserved). "
                + self._kept(" with a larger --budget")
            )

    def _kept(self, how: str = "") -> str:
        return f"{self._done} of {self._total} captions are kept; run the same command{how} to go on."


def back_off(failures: int, first: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, and spread out so that workers do not come at once."""
    return min(first * 2.0 ** (failures - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)
