"""Playlists: extended M3U in UTF-8."""

from collections.abc import Mapping, Sequence

from emorank.taking.moments import Moment, stem


def playlist(moments: Sequence[Moment], clips: Mapping[str, str] | None = None) -> str:
    """A playlist in the order of rank: the clips where there are some, else the recordings.

    Of recordings, VLC plays the moments alone; players that do not know its options play them whole. A recording whose
    name holds a line break cannot stand in a playlist and is left out.
    """
    lines = ["#EXTM3U"]
    for moment in moments:
        name = clips.get(moment.hit.id) if clips is not None else moment.path
        if name is None or "\n" in name or "\r" in name:
            continue
        lines.append(f"#EXTINF:{moment.end - moment.start:.1f},{' '.join(stem(moment.path).split())} - {moment.title}")
        if clips is None:
            lines += [f"#EXTVLCOPT:start-time={moment.start:.3f}", f"#EXTVLCOPT:stop-time={moment.end:.3f}"]
        lines.append(name)
    return "\n".join([*lines, ""])
