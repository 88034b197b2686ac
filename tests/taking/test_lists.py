"""Lists are read by the programs that they are for, or by libraries that know their formats."""

import csv
import io
import json
from pathlib import Path

import polars as pl
import pympi
import pytest

from emorank.search import Collection
from emorank.taking.lists import EACH, WHOLE, files
from emorank.taking.moments import Moment, selection
from tests.taking.conftest import collection_of, moments

ODD = '/data/a "talk" & <b> голос.wav'
CALL = "/data/call.wav"
SPANS = [
    (ODD, 0.512, 2.048, 0),
    (ODD, 2.048, 3.5, 0),
    (ODD, 7.0, 8.25, 0),
    (CALL, 1.0, 2.0, 1),
    (CALL, 1.5, 2.5, 2),
    (CALL, 4.0, 5.0, 1),
]


@pytest.fixture
def calls() -> Collection:
    return collection_of(SPANS)


def listed(
    format: str, calls: Collection, clips: dict[str, str] | None = None
) -> tuple[list[Moment], dict[str, bytes]]:
    some = moments(calls, [5, 3, 0, 1, 4, 2])
    return some, files(format, some, selection(calls, some, clips), clips)  # type: ignore[arg-type]


def spans_of(some: list[Moment], path: str, channel: int | None = None) -> list[tuple[float, float, str]]:
    kept = [moment for moment in some if moment.hit.path == path and moment.hit.channel == channel]
    return sorted((moment.start, moment.end, moment.title) for moment in kept)


def test_audacity(calls: Collection) -> None:
    some, found = listed("audacity", calls)
    assert set(found) == {"call.txt", "a_talk_b_голос.txt"}
    rows = [line.split("\t") for line in found["a_talk_b_голос.txt"].decode().splitlines()]
    assert [(float(start), float(end), text) for start, end, text in rows] == spans_of(some, ODD)


def test_praat_reads_the_textgrid(calls: Collection, tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    some, found = listed("textgrid", calls)
    (tmp_path / "call.TextGrid").write_bytes(found["call.TextGrid"])
    (tmp_path / "odd.TextGrid").write_bytes(found["a_talk_b_голос.TextGrid"])
    call = parselmouth.read(str(tmp_path / "call.TextGrid"))
    ask = parselmouth.praat.call
    assert ask(call, "Get number of tiers") == 2
    for tier in (1, 2):
        assert ask(call, "Get tier name", tier) == f"channel {tier}"
        read = []
        for number in range(1, ask(call, "Get number of intervals", tier) + 1):
            if text := ask(call, "Get label of interval", tier, number):
                times = (ask(call, f"Get {end} time of interval", tier, number) for end in ("start", "end"))
                read.append((*times, text))
        assert read == spans_of(some, CALL, tier)
    odd = parselmouth.read(str(tmp_path / "odd.TextGrid"))
    assert (odd.xmin, odd.xmax, ask(odd, "Get number of intervals", 1)) == (0, 8.25, 5)


def test_elan(calls: Collection, tmp_path: Path) -> None:
    some, found = listed("elan", calls)
    for path, name in ((ODD, "a_talk_b_голос.eaf"), (CALL, "call.eaf")):
        (tmp_path / name).write_bytes(found[name])
        read = pympi.Elan.Eaf(str(tmp_path / name))
        (media,) = read.media_descriptors
        assert media["MEDIA_URL"] == Path(path).as_uri()
        for tier in read.get_tier_names():
            channel = None if tier == "moments" else int(tier.removeprefix("channel "))
            kept = sorted(
                (start / 1000, end / 1000, text) for start, end, text, *_ in read.get_annotation_data_for_tier(tier)
            )
            assert kept == spans_of(some, path, channel)
    assert len(read.get_tier_names()) == 2


def test_playlists(calls: Collection) -> None:
    some, found = listed("m3u", calls)
    lines = found["moments.m3u8"].decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line for line in lines if not line.startswith("#")] == [moment.hit.path for moment in some]
    assert lines[2:4] == [f"#EXTVLCOPT:start-time={some[0].start:.3f}", f"#EXTVLCOPT:stop-time={some[0].end:.3f}"]
    clips = {moment.hit.id: f"{moment.rank:04d}.wav" for moment in some[:4]}
    lines = listed("m3u", calls, clips)[1]["moments.m3u8"].decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["0001.wav", "0002.wav", "0003.wav", "0004.wav"]


def test_tables(calls: Collection) -> None:
    clips = {}
    some, found = listed("csv", calls, clips)
    rows = list(csv.DictReader(io.StringIO(found["moments.csv"].decode())))
    assert [row["id"] for row in rows] == [moment.hit.id for moment in some]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row["path"] for row in rows] == [moment.hit.path for moment in some]
    as_json = [json.loads(line) for line in listed("jsonl", calls)[1]["moments.jsonl"].splitlines()]
    assert [row["start"] for row in as_json] == [float(row["start"]) for row in rows]
    assert pl.read_parquet(listed("parquet", calls)[1]["moments.parquet"]).height == 6


def test_a_users_columns_keep_their_names_or_say_what_they_are() -> None:
    labels = pl.DataFrame({"path": [CALL], "rank": ["first"], "speaker": ["ann"]})
    calls = Collection(collection_of(SPANS).segments, labels)
    rows = selection(calls, moments(calls))
    assert rows["rank"].to_list() == [1, 2, 3, 4, 5, 6]
    assert rows.filter(pl.col("path") == CALL)["label_rank"].to_list() == ["first"] * 3
    assert rows["speaker"].null_count() == 3


def test_the_metadata_of_datasets_names_the_clips(calls: Collection) -> None:
    clips = {moment.hit.id: f"{moment.rank:04d}.wav" for moment in moments(calls, [5, 3])}
    _, found = listed("datasets", calls, clips)
    rows = list(csv.DictReader(io.StringIO(found["metadata.csv"].decode())))
    assert [row["file_name"] for row in rows] == ["0001.wav", "0002.wav"]
    assert next(iter(rows[0])) == "file_name"
    assert rows[0]["recording"] == CALL
    assert "path" not in rows[0]
    labels = pl.DataFrame({"path": [CALL], "recording": ["tape 1"], "file_name": ["x"]})
    named = Collection(calls.segments, labels)
    rows = list(csv.DictReader(io.StringIO(listed("datasets", named, clips)[1]["metadata.csv"].decode())))
    assert (rows[0]["recording"], rows[0]["label_recording"], rows[0]["label_file_name"]) == (CALL, "tape 1", "x")


def test_every_format_is_one_kind() -> None:
    assert not set(WHOLE) & set(EACH)
    assert len({*WHOLE, *EACH}) == 9


def test_moments_that_overlap_lie_in_tiers_of_their_own(tmp_path: Path) -> None:
    strange = collection_of([(CALL, 1.0, 3.0, 0), (CALL, 2.0, 4.0, 0), (CALL, 3.0, 5.0, 0)])
    (tmp_path / "c.eaf").write_bytes(listed_all("elan", strange)["call.eaf"])
    read = pympi.Elan.Eaf(str(tmp_path / "c.eaf"))
    tiers = {name: [row[:2] for row in read.get_annotation_data_for_tier(name)] for name in read.get_tier_names()}
    assert tiers == {"moments": [(1000, 3000), (3000, 5000)], "moments (2)": [(2000, 4000)]}


def listed_all(format: str, calls: Collection) -> dict[str, bytes]:
    some = moments(calls)
    return files(format, some, selection(calls, some))  # type: ignore[arg-type]
