"""Every example of the documentation: Python blocks run, commands parse."""

import re
import shlex
from pathlib import Path

import pytest

from emorank.cli import make_app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text("utf8"), re.DOTALL))
]
COMMANDS = sorted(
    {
        line.strip()
        for page in PAGES
        for line in page.read_text("utf8").splitlines()
        if re.match(r" {4,}emorank [a-z]+ ", line) and "..." not in line
    }
)


@pytest.mark.parametrize("block", BLOCKS)
def test_python_blocks_run(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(block, "example", "exec"), {})


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    make_app(words).parse_args(words, exit_on_error=False, print_error=False)


def test_there_are_examples() -> None:
    assert BLOCKS
    assert len(COMMANDS) > 8


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
