"""Accepted captions and what calls cost, on disk the moment that they are there.

One SQLite file a recipe (prompt, model, parameters). Captions are only ever added, each acceptance is a transaction,
and one run at a time holds the file. So a kill loses nothing that was accepted, and nothing of it is asked for again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from emorank.captions.llm.prompt import Subject
from emorank.captions.rules import normalised
from emorank.databases import made, reported
from emorank.storage import cache_folder

_TABLES = """
CREATE TABLE IF NOT EXISTS recipe (document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS captions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, point TEXT NOT NULL, same TEXT NOT NULL,
    caption TEXT NOT NULL, UNIQUE (key, same));
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, prompt_tokens INTEGER NOT NULL,
    answer_tokens INTEGER NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batched (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, call INTEGER NOT NULL, questions TEXT NOT NULL);
"""
_BUSY = "another run is captioning with this model and prompt; wait until it has ended."


def digest(document: Any) -> str:
    """Hash of plain data."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf8", "surrogateescape")).hexdigest()


class CaptionStore:
    """The captions of one recipe.

    Args:
        recipe: everything that shapes an answer: the prompt's hash, the model, parameters, the language.
        folder: where the files lie; None is the user's cache.

    Raises:
        EmorankError: the file cannot be opened, or another run holds it. Every method raises it when the disk fails.
    """

    def __init__(self, recipe: dict[str, Any], folder: Path | None = None) -> None:
        folder = cache_folder() / "captions" if folder is None else folder
        self._recipe = digest(recipe)
        self.path = folder / f"{self._recipe[:16]}.sqlite"  # never a name from outside: that could be a path
        with self._failures():
            made(self.path)
            self._lock = sqlite3.connect(
                made(self.path.with_suffix(".lock")), timeout=0.2, isolation_level=None, check_same_thread=False
            )
            self._lock.execute("BEGIN EXCLUSIVE")  # the system lets go of it however a run ends
            self._connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")  # an acceptance is on disk when it returns
            self._connection.executescript(_TABLES)
            if self._connection.execute("SELECT 1 FROM recipe").fetchone() is None:
                self._write("INSERT INTO recipe VALUES (?)", json.dumps(recipe, sort_keys=True))

    def _failures(self) -> AbstractContextManager[None]:
        return reported(self.path, "the store of captions", "remove the file to start anew.", _BUSY)

    def _write(self, query: str, *values: object) -> sqlite3.Cursor:
        with self._failures(), self._connection:
            return self._connection.execute(query, values)

    def _key(self, subject: Subject) -> str:
        return digest([self._recipe, subject.data()])

    def captions(self, subjects: Iterable[Subject]) -> dict[Subject, list[str]]:
        """The captions of points or categories, in the order of acceptance; an empty list where there are none."""
        kept: dict[str, list[str]] = {}
        with self._failures():
            for key, caption in self._connection.execute("SELECT key, caption FROM captions ORDER BY number"):
                kept.setdefault(key, []).append(caption)
        return {subject: kept.get(self._key(subject), []) for subject in subjects}

    def accept(self, answers: Sequence[tuple[Subject, Sequence[str]]]) -> list[list[str]]:
        """Keep captions of subjects; those that a subject has already, but for case and punctuation, are left out.

        Returns:
            The new ones of every answer, on disk.
        """
        query = "INSERT OR IGNORE INTO captions (key, point, same, caption) VALUES (?, ?, ?, ?)"
        new: list[list[str]] = []
        with self._failures(), self._connection as transaction:
            for subject, captions in answers:
                row = self._key(subject), json.dumps(subject.data())
                added = [transaction.execute(query, (*row, normalised(text), text)).rowcount for text in captions]
                new.append([text for text, count in zip(captions, added, strict=True) if count])
        return new

    def spent(self, job: str) -> tuple[int, int]:
        """Prompt and answer tokens of all calls of a job, also of runs that were killed."""
        query = "SELECT COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(answer_tokens), 0) FROM calls WHERE job = ?"
        with self._failures():
            prompt_tokens, answer_tokens = self._connection.execute(query, [job]).fetchone()
        return prompt_tokens, answer_tokens

    def reserve(self, job: str, prompt_tokens: int, answer_tokens: int) -> int:
        """Note a call before it is made, as if it cost what was estimated: a kill must not hide it from the budget."""
        query = "INSERT INTO calls (job, prompt_tokens, answer_tokens, outcome) VALUES (?, ?, ?, 'asked')"
        return int(self._write(query, job, prompt_tokens, answer_tokens).lastrowid or 0)

    def settle(self, call: int, prompt_tokens: int, answer_tokens: int, outcome: str) -> None:
        """What a call came to."""
        query = "UPDATE calls SET prompt_tokens = ?, answer_tokens = ?, outcome = ? WHERE number = ?"
        self._write(query, prompt_tokens, answer_tokens, outcome, call)

    def ask_later(self, job: str, requests: Sequence[tuple[str, str, int, int]]) -> None:
        """Note what the lines of a batch file ask, and take what they may cost out of the budget.

        Args:
            job: its name.
            requests: of every line its id, its questions as JSON, and estimates of prompt and answer tokens.
        """
        reserved = "INSERT INTO calls (job, prompt_tokens, answer_tokens, outcome) VALUES (?, ?, ?, 'in a batch file')"
        noted = "INSERT INTO batched (id, job, call, questions) VALUES (?, ?, ?, ?)"
        with self._failures(), self._connection as transaction:
            for name, questions, prompt_tokens, answer_tokens in requests:
                call = transaction.execute(reserved, (job, prompt_tokens, answer_tokens)).lastrowid
                transaction.execute(noted, (name, job, call, questions))

    def asked_later(self, job: str, name: str) -> tuple[int, str] | None:
        """Call and questions of a line that was written for a job and is not answered yet; None if there is none."""
        with self._failures():
            query = "SELECT call, questions FROM batched WHERE id = ? AND job = ?"
            found = self._connection.execute(query, (name, job)).fetchone()
        return None if found is None else (int(found[0]), str(found[1]))

    def answered_later(self, name: str) -> None:
        """A line has its answer; another one is not taken."""
        self._write("DELETE FROM batched WHERE id = ?", name)

    def close(self) -> None:
        """Let another run have the file."""
        self._connection.close()
        self._lock.close()
