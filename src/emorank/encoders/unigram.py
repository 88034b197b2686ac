"""XLM-R's tokens in Python: SentencePiece's unigram model.

The `tokenizers` library gives the same tokens, but takes seconds and 270 MB to take in 250,000 pieces; a dictionary
takes a fifth of both, and a description has a dozen words.
"""

from collections.abc import Mapping, Sequence

_UNKNOWN = 10.0  # how much less likely than the rarest piece a character is that no piece has
_LONGEST_WORD = 2**14  # characters; in a longer word more tokens come before that than any model takes


class Unigram:
    """The pieces of a text that are most likely together, a word at a time.

    Args:
        pieces: by their ids; the first character of a word is U+2581.
        scores: logarithms of their probabilities; those of 0 are the model's own marks and never found in a text.
        unknown: the id of what is no piece.
        replaced: what stands for a character, by its code point.
    """

    def __init__(
        self, pieces: Sequence[str], scores: Sequence[float], unknown: int, replaced: Mapping[int, str]
    ) -> None:
        self._known = {piece: id_ for id_, (piece, score) in enumerate(zip(pieces, scores, strict=True)) if score < 0}
        self._scores = scores
        self._unknown, self._unlikely = unknown, min(scores) - _UNKNOWN
        self._longest = max(map(len, self._known), default=0)
        self._replaced = dict(replaced)

    def __call__(self, text: str, most: int) -> list[int]:
        """The first ids of a text, `most` of them at most."""
        ids: list[int] = []
        for word in text.translate(self._replaced).split():
            ids += self._pieces(f"\u2581{word[:_LONGEST_WORD]}")
            if len(ids) >= most:
                break
        return ids[:most]

    def _pieces(self, word: str) -> list[int]:
        """The best path through a word (Viterbi); neighbours that are no piece are one token."""
        best = [0.0] + [-float("inf")] * len(word)
        last = [(0, self._unknown)] * (len(word) + 1)  # where the piece that ends here begins, and which it is
        for start in range(len(word)):
            score = best[start]
            for end in range(start + 1, min(start + self._longest, len(word)) + 1):
                id_ = self._known.get(word[start:end])
                if id_ is not None and score + self._scores[id_] > best[end]:
                    best[end], last[end] = score + self._scores[id_], (start, id_)
            if word[start] not in self._known and score + self._unlikely > best[start + 1]:
                best[start + 1], last[start + 1] = score + self._unlikely, (start, self._unknown)
        ids: list[int] = []
        end = len(word)
        while end:
            end, id_ = last[end]
            if not (ids and id_ == ids[-1] == self._unknown):
                ids.append(id_)
        return ids[::-1]
