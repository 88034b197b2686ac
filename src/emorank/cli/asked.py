"""What search and export can be asked beside descriptions: their options, in one place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from emorank.cli.options import require
from emorank.cli.places import near_of, region_of
from emorank.errors import EmorankError
from emorank.memory import parsed


@dataclass(frozen=True)
class Asked:
    """What is looked for, beside descriptions.

    Args:
        like: A recording; find what sounds like it. May be given several times.
        unlike: A recording that hits shall not sound like. May be given several times.
        ands: A description that hits shall fit as well. May be given several times.
        nots: A description that hits shall not fit. May be given several times.
        near: Valence and arousal, such as 2.0,6.0, and if you like a radius, 2.0,6.0,0.5: only what lies there.
        region: Only what lies in a rectangle, lowest and highest valence, then arousal, such as 1,3,5,7; or in a
            polygon, its corners as valence,arousal with blanks between them, such as "1,5 3,7 3,5".
        where: Only segments that pass this filter. Columns: path, file, start, end, duration, valence, arousal,
            dominance, loudness, date, and those of the table given to emorank index.
        choice: Only segments with a value in a column, such as speaker=ann; none stands for no value. May be given
            several times: values of one column are alternatives.
        group: One moment, the best, of each recording, day, or value of a column, such as speaker.
        sort: What orders: fit, recording, or a column such as valence, arousal, dominance, date, duration, loudness.
            Of what is described, the --best are ordered so.
        order: ascending or descending; by default the best fit, numbers and dates come highest first, text and
            recordings lowest.
        best: Of so many that fit a description best is another --sort; by default 200, or --top where that is more.
        saved: A search that was kept with --save, by its name.
        top: How many moments; by default search shows 10, and export takes all.
        memory: How much memory the index may take, such as 4GB; what is larger is searched from files. By default what
            100,000 moments need, and never more than half of what is free.
    """

    like: list[Path] | None = None
    unlike: list[Path] | None = None
    ands: Annotated[list[str] | None, Parameter(name="--and", negative="")] = None
    nots: Annotated[list[str] | None, Parameter(name="--not", negative="")] = None
    near: str | None = None
    region: str | None = None
    where: str | None = None
    choice: Annotated[list[str] | None, Parameter(negative="")] = None
    group: str | None = None
    sort: str | None = None
    order: Literal["ascending", "descending"] | None = None
    best: int | None = None
    saved: str | None = None
    top: Annotated[int | None, Parameter(alias="-n")] = None
    memory: str | None = None

    def __post_init__(self) -> None:
        require(self.top is None or self.top >= 1, "--top", "at least 1", self.top)
        require(self.best is None or self.best >= 1, "--best", "at least 1", self.best)
        allowed(self.memory)
        near_of(self.near)  # before anything is listened to
        region_of(self.region)
        if self.saved is not None and (self.ranks_itself or self.where or self.group or self.order or self.best):
            raise EmorankError("--saved is a whole search; only --top goes with it.")

    @property
    def ranks_itself(self) -> bool:
        """Whether anything but a filter is asked here, not by a search that was kept."""
        places = self.near or self.region or self.choice or self.sort
        return bool(self.like or self.unlike or self.ands or self.nots or places)

    @property
    def ranks(self) -> bool:
        """Whether anything but a filter is asked."""
        return self.ranks_itself or self.saved is not None


def allowed(memory: str | None) -> int | None:
    """Bytes that --memory allows; None where it says nothing.

    Raises:
        EmorankError: it is no size.
    """
    return None if memory is None else parsed(memory)
