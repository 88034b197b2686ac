"""Items that are made ahead are those of the iterator, in its order, and nobody works for one who has gone."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from emorank.listening.ahead import ahead


def counted(upto: int, made: list[int]) -> Iterator[int]:
    for number in range(upto):
        made.append(number)
        yield number


@pytest.mark.parametrize("upto", [0, 1, 5, 200])
@pytest.mark.parametrize("most", [1, 3, 100])
def test_nothing_is_lost_or_out_of_order(upto: int, most: int) -> None:
    assert list(ahead(counted(upto, []), most)) == list(range(upto))


def test_it_works_ahead_but_not_further_than_asked() -> None:
    made: list[int] = []
    items = ahead(counted(100, made), 4)
    assert next(items) == 0
    deadline = time.monotonic() + 10
    while len(made) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert made == list(range(6))  # one was taken, four wait, one waits for room
    items.close()


def test_an_error_comes_where_it_came() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("of the third")

    items = ahead(failing(), 8)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="of the third"):
        next(items)


def test_who_leaves_early_leaves_nothing_open() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = ahead(endless(), 2)
    next(items)
    items.close()
    assert closed.wait(5)


def test_threads_are_used_again() -> None:
    def name() -> Iterator[str]:
        yield threading.current_thread().name
        yield str(threading.get_ident())

    one, other = ahead(name(), 2), ahead(name(), 2)
    at_once = {(next(one), next(one)), (next(other), next(other))}
    assert len(at_once) == 2
    assert not [*one, *other]
    before = threading.active_count()
    for _ in range(20):
        list(ahead(name(), 2))
    assert threading.active_count() == before


def test_a_process_ends_while_one_is_half_used() -> None:
    code = (
        "from emorank.listening.ahead import ahead; import itertools\n"
        "def use():\n    items = ahead(itertools.count(), 2)\n    next(items)\n    raise KeyboardInterrupt\n"
        "try:\n    use()\nexcept KeyboardInterrupt:\n    raise SystemExit(3)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 3
