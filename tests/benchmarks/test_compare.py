"""Slowdowns are named, and what a revision cannot do is left out."""

from pathlib import Path

import pytest

from benchmarks import bench, compare


def test_what_is_slower_is_named_and_what_cannot_be_done_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    took = {("old", "a"): [1.0, 0.9], ("new", "a"): [1.3, 1.2], ("old", "b"): [2.0, 2.0], ("new", "b"): [2.5, 2.1]}
    turns: list[str] = []

    def seconds(name: str, tree: Path) -> float | None:
        turns.append(tree.name)
        return took[tree.name, name].pop() if name != "c" or tree.name == "new" else None

    took["new", "c"] = [1.0, 1.0]
    monkeypatch.setattr(compare, "ROUNDS", 2)
    monkeypatch.setattr(compare, "seconds", seconds)
    found = compare.compared(tmp_path / "old", tmp_path / "new", ["a", "b", "c"])
    assert found == {"a": (0.9, 1.2), "b": (2.0, 2.1)}
    assert turns[:4] == ["old", "new", "old", "new"]
    assert "c: the base cannot do it" in capsys.readouterr().err
    lines = compare.table(found).splitlines()
    assert "**slower**" in lines[2]
    assert "**slower**" not in lines[3]


def test_work_that_a_revision_cannot_do_has_no_time(tmp_path: Path) -> None:
    (tmp_path / "src" / "emorank").mkdir(parents=True)
    (tmp_path / "src" / "emorank" / "__init__.py").write_text("raise ImportError")
    assert compare.seconds("retrieval", tmp_path) is None


def test_the_page_keeps_what_failed_and_takes_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "A\n<!-- bench: a.py 3 -->\nold\n<!-- end -->\nB\n<!-- bench: b.py -->\nkept\n<!-- end -->\n"
    monkeypatch.setattr(bench, "measured", lambda command: "| new |\n" if command == "a.py 3" else None)
    new, failed = bench.renewed(page, [])
    assert new == page.replace("old", "| new |")
    assert failed == ["b.py"]
    assert bench.renewed(page, ["c.py"]) == (page, [])


def test_ratios_are_those_of_a_column_and_those_that_a_cell_names(tmp_path: Path) -> None:
    loss = "| N | loop | ours | ratio of times |\n|---|---|---|---|\n| 64 | 2 s | 1 s | 2 |\n| 128 | none | 1 s | |\n"
    speed = "| | emorank | stock | one by one |\n|---|---|---|---|\n| files | 9 | 3 (ratio 3.0) | 18 (ratio 0.5) |\n"
    parts = (("loss.py", loss), ("speed.py folder/a.b", speed), ("machine", "A processor.\n"))
    page = "".join(f"<!-- bench: {name} -->\n{text}<!-- end -->\n" for name, text in parts)
    assert bench.ratios(page) == {"loss": {"N = 64": 2.0}, "speed": {"files (stock)": 3.0, "files (one by one)": 0.5}}
    bench.draw(page, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5_000


def test_the_page_names_benchmarks_that_there_are() -> None:
    text = bench.PAGE.read_text("utf8")
    named = [match[1].split()[0] for match in bench._PART.findall(text)]
    assert "machine" in named
    assert all((bench.ROOT / "benchmarks" / name).is_file() for name in named if name != "machine")
    assert bench.machine().endswith(".")
