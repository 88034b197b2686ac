"""Schema of an update of the index."""

from typing import Literal

from pydantic import BaseModel, Field


class Broken(BaseModel):
    """A recording that cannot be searched."""

    path: str
    reason: str


class UpdateNote(BaseModel):
    """How far an update has come, in numbers of recordings."""

    folders: list[str] = Field(description="That the index follows, absolute.")
    state: Literal["none", "running", "done", "failed"]
    message: str | None = Field(None, description="Why it failed, in a sentence.")
    root: str | None = Field(None, description="The folder that is being listened to.")
    done: int | None = None
    total: int | None = None
    seconds: float | None = Field(None, description="Of audio that were heard.")
    part: float | None = Field(None, description="Of what has to be heard, 0 to 1.")
    speed: float | None = Field(None, description="How many times as fast as it was spoken.")
    left: float | None = Field(None, description="Seconds until it has ended, as far as that can be told.")
    skipped: int | None = None
    added: int | None = None
    changed: int | None = None
    moved: int | None = None
    removed: int | None = None
    kept: int | None = None
    missing: int | None = None
    absent: list[str] = Field([], description="Folders that are not there now; what is known of them stays.")
    broken: list[Broken] = Field([], description="Some of what was skipped.")
