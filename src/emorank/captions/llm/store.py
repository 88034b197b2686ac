"""Accepted captions, kept for good the moment they are accepted.

One SQLite file a recipe (prompt, model, parameters). Rows are only ever added, each acceptance is a transaction on disk
before the next question goes out, and one run at a time holds the file. So a kill loses nothing that was accepted, and
nothing that was accepted is asked again. What a killed run had been answered but not yet written is asked again.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from emorank.captions.fault import same
from emorank.captions.llm.prompt import Point
from emorank.errors import EmorankError
from emorank.storage import cache_folder

_TABLES = """
CREATE TABLE IF NOT EXISTS recipe (document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS captions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, point TEXT NOT NULL, same TEXT NOT NULL,
    caption TEXT NOT NULL, UNIQUE (key, same));
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, prompt_tokens INTEGER NOT NULL,
    answer_tokens INTEGER NOT NULL, outcome TEXT NOT NULL);
"""


def digest(document: Any) -> str:
    """Hash of plain data."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode("utf8")).hexdigest()


class CaptionStore:
    """The captions of one recipe.

    Args:
        recipe: everything that shapes an answer: the prompt's hash, the model, parameters, the language.
        folder: where the files lie; None is the user's cache.

    Raises:
        EmorankError: the file cannot be opened, or another run holds it.
    """

    def __init__(self, recipe: dict[str, Any], folder: Path | None = None) -> None:
        folder = cache_folder() / "captions" if folder is None else folder
        self._recipe = digest(recipe)
        self.path = folder / f"{self._recipe[:16]}.sqlite"  # never a name from outside: that could be a path
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._alone = sqlite3.connect(self.path.with_suffix(".lock"), timeout=0.2, check_same_thread=False)
            self._alone.isolation_level = None
            self._hold()
            self._connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")  # an acceptance is on disk when it returns
            self._connection.executescript(_TABLES)
            if self._connection.execute("SELECT 1 FROM recipe").fetchone() is None:
                with self._connection:
                    self._connection.execute("INSERT INTO recipe VALUES (?)", [json.dumps(recipe, sort_keys=True)])
        except (OSError, sqlite3.Error) as error:
            raise EmorankError(
                f"{self.path}: the captions' store cannot be opened ({error}); remove it to start anew."
            ) from error

    def _hold(self) -> None:
        try:
            self._alone.execute("BEGIN EXCLUSIVE")  # the system lets go of it when this process ends, however it ends
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise EmorankError(
                f"{self.path}: another run is captioning with this model and prompt; wait until it has ended."
            ) from error

    def key(self, point: Point) -> str:
        """Under which a point's captions are kept."""
        return digest([self._recipe, point.data()])

    def captions(self, points: Iterable[Point]) -> dict[Point, list[str]]:
        """The captions of points, in the order of acceptance; an empty list where there are none."""
        with self._lock:
            rows = self._connection.execute("SELECT key, caption FROM captions ORDER BY number").fetchall()
        known: dict[str, list[str]] = {}
        for key, caption in rows:
            known.setdefault(key, []).append(caption)
        return {point: known.get(self.key(point), []) for point in points}

    def accept(self, point: Point, captions: Sequence[str]) -> list[str]:
        """Keep captions; those that the point has already, but for case and punctuation, are left out.

        Returns:
            The new ones, on disk.
        """
        key, document, new = self.key(point), json.dumps(point.data()), []
        with self._lock, self._connection:
            for caption in captions:
                row = (key, document, same(caption), caption)
                added = self._connection.execute(
                    "INSERT OR IGNORE INTO captions (key, point, same, caption) VALUES (?, ?, ?, ?)", row
                )
                if added.rowcount:
                    new.append(caption)
        return new

    def spent(self, job: str) -> tuple[int, int]:
        """Prompt and answer tokens of all calls of a job, also of runs that were killed."""
        with self._lock:
            query = "SELECT COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(answer_tokens), 0) FROM calls WHERE job = ?"
            prompt_tokens, answer_tokens = self._connection.execute(query, [job]).fetchone()
        return prompt_tokens, answer_tokens

    def called(self, job: str, prompt_tokens: int, answer_tokens: int) -> int:
        """Note a call before it is made, as if it cost what was estimated: a kill must not hide it from the budget."""
        with self._lock, self._connection:
            query = "INSERT INTO calls (job, prompt_tokens, answer_tokens, outcome) VALUES (?, ?, ?, ?)"
            return int(self._connection.execute(query, [job, prompt_tokens, answer_tokens, "asked"]).lastrowid or 0)

    def settled(self, call: int, prompt_tokens: int, answer_tokens: int, outcome: str) -> None:
        """What a call came to."""
        with self._lock, self._connection:
            query = "UPDATE calls SET prompt_tokens = ?, answer_tokens = ?, outcome = ? WHERE number = ?"
            self._connection.execute(query, [prompt_tokens, answer_tokens, outcome, call])

    def close(self) -> None:
        """Let another run have the file."""
        with self._lock:
            self._connection.close()
            self._alone.close()
