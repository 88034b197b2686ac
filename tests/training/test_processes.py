"""Two processes that share every batch end with the model of one; only the first writes and reports."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.training.processes import ALONE, Processes, device_of, joined, threads
from tests.training.together import CASES, train

ROOT = Path(__file__).parents[2]


def together(*command: str, count: int = 2) -> list[tuple[int, str]]:
    """Exit status and standard error of `python COMMAND` in processes that know of each other, as torchrun's do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    started = [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **group, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    ended = [(process, process.communicate(timeout=300)[1]) for process in started]
    return [(process.returncode, printed) for process, printed in ended]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of two processes."""
    folder = tmp_path_factory.mktemp("two")
    for status, printed in together("-m", "tests.training.together", str(folder)):
        assert status == 0, printed
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_end_with_the_model_of_one(two: Path, tmp_path: Path, name: str) -> None:
    train(name, tmp_path)
    mine, theirs = (load_file(folder / name / "model.safetensors") for folder in (tmp_path, two))
    assert mine.keys() == theirs.keys()
    for key, array in mine.items():
        np.testing.assert_allclose(theirs[key], array, atol=1e-5, err_msg=key)
    assert {path.name for path in (two / name).iterdir()} == {"config.json", "model.safetensors"}
    histories = [EmotionRankCLAP.from_pretrained(folder / name).config.training for folder in (tmp_path, two)]
    assert histories[1]["development_losses"] == pytest.approx(histories[0]["development_losses"], abs=1e-5)
    assert (two / f"{name}.txt").read_text() == (tmp_path / f"{name}.txt").read_text()  # each epoch reported once


@pytest.mark.slow
def test_processes_that_see_different_folders_say_so(tmp_path: Path) -> None:
    """The first finds an unfinished training, the second nothing: they would wait for each other for ever."""
    code = (
        "import os, pathlib, sys\n"
        "from emorank.training.loop import fit; from emorank.training.processes import joined\n"
        "from emorank.errors import EmorankError; from tests.training.synthetic import SMALL, split\n"
        "def report(epoch, epochs, loss): raise KeyboardInterrupt\n"
        "folder = pathlib.Path(sys.argv[1]) / os.environ['RANK']\n"
        "if os.environ['RANK'] == '0':\n"
        "    try: fit(split(0), split(1), SMALL, folder, report=report, device='cpu')\n"
        "    except KeyboardInterrupt: pass\n"
        "with joined('cpu'):\n"
        "    try: fit(split(0), split(1), SMALL, folder, device='cpu')\n"
        "    except EmorankError as error: sys.exit(str(error))\n"
    )
    for status, printed in together("-c", code, str(tmp_path)):
        assert status == 1
        assert "not all processes see the same files there; name a folder that they share." in printed


def test_shares_are_the_whole() -> None:
    for rows in (0, 1, 2, 7, 64, 65):
        for count in (1, 2, 3, 5):
            shares = [range(rows)[Processes(rank, count).share(rows)] for rank in range(count)]
            assert [row for share in shares for row in share] == list(range(rows))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")  # SLURM's, for example
    with joined("cpu") as processes:
        assert processes == ALONE == Processes.here()


def test_devices() -> None:
    assert device_of("cpu").type == "cpu"
    assert device_of("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if there:
            assert device_of(name).type == name
        else:
            with pytest.raises(EmorankError, match=f"--device {name}: torch finds no such device here"):
                device_of(name)


def test_small_batches_take_one_core_and_give_the_others_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads(64):
            assert torch.get_num_threads() == 1
        with threads(8192):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
