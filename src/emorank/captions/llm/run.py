"""Foresee a job, and do it: the doors of this folder."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emorank.captions.llm.manners import Manners
from emorank.captions.llm.plan import Plan, plan
from emorank.captions.llm.prompt import Point, prompt
from emorank.captions.llm.secret import key_from_environment
from emorank.captions.llm.store import CaptionStore
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.captions.llm.job import Outcome, Progress, Said


def foresee(model: str, wanted: Mapping[Point, int], manners: Manners) -> Plan:
    """What a job would ask. Nothing is sent, and no key is needed.

    Args:
        model: name that the server knows it by.
        wanted: point -> how many captions.
        manners: how.
    """
    store = CaptionStore(_recipe(model, manners))
    try:
        return plan(wanted, store.captions(wanted), prompt(), manners)
    finally:
        store.close()


def ask(
    url: str,
    model: str,
    wanted: Mapping[Point, int],
    said: "Said",
    manners: Manners,
    progress: "Progress | None" = None,
) -> "Outcome":
    """Captions for some points; those that are kept from before are not asked for again.

    Args:
        url: base address of an API like OpenAI's.
        model: name that the server knows it by.
        wanted: point -> how many captions.
        said: point -> what its captions must not contain, see `emorank.captions.fault.runs`.
        manners: how.
        progress: called with captions there and wanted.

    Raises:
        EmorankError: the server is dead or refuses, or the budget is reached. All that was accepted is kept.
    """
    try:
        from emorank.captions.llm.client import Client
        from emorank.captions.llm.job import Job
    except ModuleNotFoundError as error:
        raise EmorankError("A language model needs an extra; run: pip install 'emorank[llm]'") from error

    key = key_from_environment()
    client = Client(url, model, key, manners.temperature, manners.timeout)
    store = CaptionStore(_recipe(model, manners))
    try:
        return Job(client, store, prompt(), manners, wanted, said, key).run(progress)
    finally:
        store.close()
        client.close()


def _recipe(model: str, manners: Manners) -> dict[str, Any]:
    """All that shapes an answer. The address does not: a server may move."""
    words = prompt()
    return {
        "prompt": words.version,
        "digest": words.digest,
        "model": model,
        "language": "en" if manners.english else manners.language,
        "temperature": manners.temperature,
    }
