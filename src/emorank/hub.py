"""The one downloader: a folder, or the id of a checkpoint on the Hugging Face hub -> a folder with its files.

Files are taken and nothing in them is run.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from emorank.errors import EmorankError


def is_hub_id(source: str) -> bool:
    """Whether a name can be that of a checkpoint on the hub, owner/name."""
    return source.count("/") == 1 and not source.startswith((".", "/", "~")) and not source.endswith("/")


def local_folder(source: str, needed: Sequence[str], also: Sequence[str] = ()) -> Path:
    """A local folder as it is, or the copy of a hub id in the hub's cache; the hub is asked once a process.

    Args:
        source: a folder, or owner/name.
        needed: files that have to be there.
        also: patterns of files that are taken from the hub where it has them.

    Raises:
        EmorankError: there is no such folder, the hub has or gives no such checkpoint, or a needed file is missing.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        if not is_hub_id(source):
            raise EmorankError(f"There is no folder {source}; name a checkpoint's folder or its hub id (owner/name).")
        folder = _downloaded(source, (*needed, *also))
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise EmorankError(f"{source} holds no such checkpoint: {', '.join(missing)} missing.")
    return folder


@lru_cache(maxsize=32)
def _downloaded(source: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns=list(patterns)))
    except Exception as error:  # the hub raises many kinds; each means that the checkpoint is not to be had
        raise EmorankError(
            f"There is no folder {source!r}, and it could not be had from the hub: {_reason(source, error)}"
        ) from error


def _reason(source: str, error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return f"accept its terms on https://huggingface.co/{source}, then sign in with `hf auth login`."
    if isinstance(error, errors.RepositoryNotFoundError):
        return "it has no such checkpoint; check the name, or sign in with `hf auth login` if it is private."
    if isinstance(error, errors.IncompleteSnapshotError):
        return "only a part of it is in the cache and the hub cannot be reached; connect once to complete it."
    if isinstance(error, errors.LocalEntryNotFoundError):
        if isinstance(error.__cause__, errors.OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set and it is not in the cache; unset that, or name a folder that holds it."
        return "the hub cannot be reached and it is not in the cache; connect, or name a folder that holds it."
    if isinstance(error, errors.HFValidationError):
        return "no checkpoint can have that name; it is owner/name in letters, digits, -, _ and dots."
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{lines[0].rstrip('.')}; try again, what has arrived is kept."
