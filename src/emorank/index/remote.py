"""The table of an index on object storage: no ledger and no migrations, as objects are written once and keep sums."""

from pathlib import Path
from typing import Any

from emorank.audio import Policy
from emorank.errors import EmorankError
from emorank.index import table
from emorank.model import EmotionRankCLAP
from emorank.objects import options


def connected(place: Path | str) -> Any:
    """A place as LanceDB has it, a folder or an address."""
    import lancedb

    return lancedb.connect(place, storage_options=options() if isinstance(place, str) else None)


def opened(place: str, model: EmotionRankCLAP, channels: Policy) -> Any | None:
    """The table of a model's encoder; None where there is none yet.

    Raises:
        EmorankError: another emorank, another model or another encoder made what is there.
    """
    database, name = connected(place), table.table_name(model, channels)
    names = database.list_tables().tables
    if name not in names:
        if any(other.startswith(table.FIRST) for other in names):
            raise EmorankError(
                f"{place}: the recordings were heard with another encoder than {model.config.audio_encoder} or with "
                "other channels; embed them at another place."
            )
        return None
    found = database.open_table(name)
    stated = table.about(found, place)
    if stated["schema"] < 4 or stated["model"] != model.fingerprint:
        raise EmorankError(f"{place}: made by an older emorank or another model; embed at another place.")
    return found


def prepared(place: str, model: EmotionRankCLAP, channels: Policy) -> Any:
    """The same, made where it is not there; two that make it at once open the same one."""
    return opened(place, model, channels) or connected(place).create_table(
        table.table_name(model, channels), schema=table.made_now(table.schema(model)), exist_ok=True
    )
