"""The same job by batch files: what is missing is written down, answered elsewhere, and read in."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from emorank.captions.llm import batch, key_from_environment, prompt
from emorank.captions.llm.job import ROOM, Job
from emorank.captions.llm.prompt import Question, Subject


class BatchJob(Job):
    """A job whose questions go out and come back in files. What is kept is shared with jobs that ask a server."""

    @cached_property
    def _by_data(self) -> dict[str, Subject]:
        return {json.dumps(each.data()): each for each in self._subjects}

    def write(self, path: Path) -> list[Path]:
        """Write what is missing as batch files; up to five captions of each point, as a question holds no more.

        Returns:
            The files, none where nothing is missing.

        Raises:
            EmorankError: they cannot be written, or the budget would not do.
        """
        bundles = self._bundles(self._questions())
        chats = [self._chat(bundle) for bundle in bundles]
        rooms = [2 * prompt.answer_tokens(bundle) + ROOM[0] for bundle in bundles]
        sent = [prompt.prompt_tokens(chat) for chat in chats]
        self._afford(sum(sent), sum(rooms), "The batch")
        names = [f"emorank-{uuid4().hex}" for _ in bundles]
        asked = [json.dumps([[each.subject.data(), each.count] for each in bundle]) for bundle in bundles]
        self._store.ask_later(self._name, list(zip(names, asked, sent, rooms, strict=True)))
        return batch.write(path, names, chats, rooms, self._model, self._options)

    def read(self, paths: Sequence[Path]) -> batch.Outcome:
        """Take the answers of batches, from files in any order; what is good in them is kept at once.

        Raises:
            EmorankError: a file cannot be read.
        """
        self._key = key_from_environment()
        outcome, before = batch.Outcome(), self._done
        for where, line in batch.lines(paths):
            try:
                outcome.note(where, self._read(line))
            except (batch.Unread, prompt.Unusable) as error:
                outcome.note(where, [str(error)])
        outcome.accepted = self._done - before
        return outcome

    def _read(self, line: str) -> list[str]:
        """Take one line; why captions of it are still missing.

        Raises:
            batch.Unread: it is no answer of an open question.
            prompt.Unusable: what the model wrote is none.
        """
        answer = batch.answer_of(line, self._key)
        asked = self._store.asked_later(self._name, answer.name)
        if asked is None:
            raise batch.Unread("the line answers no open question of this table, model and prompt")
        call, questions = asked
        self._store.answered_later(answer.name)
        if isinstance(answer.reply, str):
            self._store.settle(call, 0, 0, answer.reply)
            raise batch.Unread(answer.reply)
        if answer.reply.usage:
            self._store.settle(call, *answer.reply.usage, "answered")
        bundle = [Question(self._by_data[json.dumps(data)], count) for data, count in json.loads(questions)]
        left = self._taken(bundle, answer.reply)
        return [reason for each in left for reason in each.rejected]
