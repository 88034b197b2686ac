"""Ask a model for captions until every point has its own: several calls at a time, each acceptance kept at once."""

import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emorank.captions.fault import Runs, fault
from emorank.captions.llm.answer import Unusable, judge, parse
from emorank.captions.llm.client import Client, Failed, Reply
from emorank.captions.llm.manners import Manners
from emorank.captions.llm.plan import Pending, bundles, pending, room
from emorank.captions.llm.prompt import Item, Message, Point, Prompt, messages, prompt_tokens
from emorank.captions.llm.retry import Gate, back_off
from emorank.captions.llm.secret import tells
from emorank.captions.llm.store import CaptionStore, digest
from emorank.errors import EmorankError

Said = Mapping[Point, Runs]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a job came to.

    Args:
        captions: of every point, at most as many as were wanted; more if the store had more.
        given_up: points that lack captions -> why the last answer was rejected.
        prompt_tokens: of all calls of all runs of the job.
        answer_tokens: the same.
    """

    captions: dict[Point, list[str]]
    given_up: dict[Point, str]
    prompt_tokens: int
    answer_tokens: int


class Job:
    """One run over some points.

    Args:
        client: asks.
        store: keeps.
        words: the prompt.
        manners: how.
        wanted: point -> how many captions.
        said: point -> what its captions must not contain.
        key: the server's, which no caption may repeat.
    """

    def __init__(
        self,
        client: Client,
        store: CaptionStore,
        words: Prompt,
        manners: Manners,
        wanted: Mapping[Point, int],
        said: Said,
        key: str | None,
    ) -> None:
        self._client, self._store, self._words, self._manners = client, store, words, manners
        self._wanted, self._said, self._key = wanted, said, key
        self._captions = store.captions(wanted)
        self._name = digest([[point.data(), wanted[point]] for point in sorted(wanted, key=str)])
        self._spent = store.spent(self._name)
        self._gate = Gate()
        self._turn = threading.Condition()  # guards all that follows
        self._open = deque(bundles(pending(wanted, self._captions), manners.points_per_call))
        self._asking = 0
        self._given_up: dict[Point, str] = {}
        self._error: BaseException | None = None

    def run(self, progress: Progress | None = None) -> Outcome:
        """Ask until nothing is open.

        Raises:
            EmorankError: the server is dead or refuses, or the budget is reached. All that was accepted is kept.
        """
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(self._manners.concurrency)]
        for worker in workers:
            worker.start()
        try:
            while any(worker.is_alive() for worker in workers):  # after an error too: calls on their way are paid for
                with self._turn:
                    self._turn.wait(0.2)
                if progress:
                    progress(self._done(), sum(self._wanted.values()))
        finally:
            self._gate.stop()
        if self._error is not None:
            raise self._error
        return Outcome(self._captions, self._given_up, *self._spent)

    def _done(self) -> int:
        with self._turn:
            return sum(min(len(self._captions[point]), count) for point, count in self._wanted.items())

    def _work(self) -> None:
        try:
            while (bundle := self._next()) is not None:
                again = self._put(bundle)
                with self._turn:
                    self._open.extendleft(again)
                    self._asking -= 1
                    self._turn.notify_all()
        except BaseException as error:  # of a thread: the one that waits in `run` raises it
            with self._turn:
                self._error = self._error or error
                self._turn.notify_all()
            self._gate.stop()

    def _next(self) -> list[Pending] | None:
        """The next bundle; None when all is answered or has to stop."""
        with self._turn:
            while not self._open and self._asking and self._error is None:
                self._turn.wait()
            if self._error is not None or not self._open:
                self._turn.notify_all()
                return None
            self._asking += 1
            return self._open.popleft()

    def _put(self, bundle: list[Pending]) -> list[list[Pending]]:
        """Ask one bundle; what has to be asked again, in bundles."""
        with self._turn:
            items = [question.item(self._captions[question.point]) for question in bundle]
        chat = messages(self._words, items, self._manners)
        reply = self._answered(chat, room(items, max(question.attempts for question in bundle)))
        if reply is None:
            return []
        try:
            if reply.content is None:
                raise Unusable(reply.complaint)
            answers = parse(reply.content, len(items))
        except Unusable as complaint:
            left = [open_ for each in bundle if (open_ := self._again(each, each.captions, (str(complaint),)))]
            return list(bundles(left, max(1, (len(bundle) + 1) // 2)))  # smaller ones are easier to get right
        left = []
        for question, item, captions in zip(bundle, items, answers, strict=True):
            missing, reasons = self._take(item, captions)
            if missing and (again := self._again(question, missing, reasons)):
                left.append(again)
        return [left] if left else []

    def _take(self, item: Item, captions: list[str]) -> tuple[int, tuple[str, ...]]:
        """Keep what can be kept of one answer; how many captions are still missing, and why."""
        said = self._said.get(item.point, frozenset())

        def refused(caption: str) -> str | None:
            if tells(caption, self._key):
                return "A caption contains what is no description."
            return fault(caption, said, self._manners.english)

        verdict = judge(item, captions, refused)
        new = self._store.accept(item.point, verdict.captions)
        with self._turn:
            self._captions[item.point].extend(new)
        reasons = verdict.reasons
        if len(new) < len(verdict.captions):
            reasons += ("A caption repeats another one of the same point.",)
        return item.captions - len(new), reasons

    def _again(self, question: Pending, missing: int, reasons: tuple[str, ...]) -> Pending | None:
        """The question for what is missing, unless it was asked often enough."""
        if question.attempts + 1 < self._manners.attempts:
            return Pending(question.point, missing, question.attempts + 1, reasons)
        with self._turn:
            self._given_up[question.point] = " ".join(reasons)
        return None

    def _answered(self, chat: list[Message], most: int) -> Reply | None:
        """The reply to a chat, after as many tries as it takes; None when all has to stop."""
        draw = random.Random()
        pause, reason = 0.0, ""
        for failures in range(self._manners.tries):
            if not self._gate.wait(pause):
                return None
            estimate = (prompt_tokens(chat), most)
            call = self._reserve(*estimate)
            try:
                reply = self._client.ask(chat, most)
            except Failed as failed:
                reason = str(failed)
                cost = (0, 0) if failed.sure_free else estimate  # an answer that never came may be on the bill
                self._settle(call, estimate, cost, reason)
                pause = back_off(failures + 1, self._manners.first_wait, draw)
                if failed.wait is not None:
                    self._gate.hold(failed.wait)
                continue
            self._settle(call, estimate, reply.usage or estimate, "answered")
            return reply
        raise EmorankError(
            f"{self._client.shown}: the server failed {self._manners.tries} times in a row ({reason}). "
            f"{self._done()} of {sum(self._wanted.values())} captions are kept; run the same command to go on."
        )

    def _reserve(self, sent: int, received: int) -> int:
        """Take the most that a call can cost out of the budget, on disk: a kill must not hide it."""
        with self._turn:
            total = (self._spent[0] + sent, self._spent[1] + received)
            budget = self._manners.budget
            if budget is None or self._manners.cost(*total) <= budget:
                self._spent = total
                return self._store.called(self._name, sent, received)
            spent = self._manners.cost(*self._spent)
        raise EmorankError(
            f"The next call could exceed the budget of {budget:g} ({spent:.4f} spent or reserved). "
            f"{self._done()} of {sum(self._wanted.values())} captions are kept; "
            "run the same command with a larger --budget to go on."
        )

    def _settle(self, call: int, estimate: tuple[int, int], cost: tuple[int, int], outcome: str) -> None:
        self._store.settled(call, *cost, outcome)
        with self._turn:
            sent, received = self._spent
            self._spent = (sent - estimate[0] + cost[0], received - estimate[1] + cost[1])
