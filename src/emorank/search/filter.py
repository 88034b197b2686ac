"""Filters as a person writes them: `speaker = 'ann' and duration > 3`.

A small language of its own, because a filter may come from a stranger: columns compared with values, nothing is
called, and its length and depth are bounded. It becomes a polars expression.

    filter     = term ("or" term)*            term = factor ("and" factor)*
    factor     = "not" factor | "(" filter ")" | column test
    test       = ("=" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "in" "(" value ("," value)* ")"
               | ["not"] "like" text | ["not"] "between" value "and" value | "is" ["not"] "null"
    value      = 'text' | "text" | number | true | false
    column     = a word, or any name in `backticks`
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

LONGEST = 1000  # characters
_DEEPEST = 50  # parentheses and nots within each other

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<name>`[^`]+`)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>==|!=|<>|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda column, value: column == value,
    "==": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<>": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
_EXAMPLE = "speaker = 'ann' and duration > 3"


class FilterError(EmorankError):
    """A filter that cannot be understood."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def where(expression: str, columns: "Mapping[str, pl.DataType]") -> "pl.Expr":
    """A filter as a polars expression; rows where a column that it needs is null do not pass.

    Args:
        expression: the filter.
        columns: what can be asked about, with their types.

    Raises:
        FilterError: it cannot be understood, or asks about what there is not.
    """
    if len(expression) > LONGEST:
        raise FilterError(f"The filter is {len(expression)} characters long; {LONGEST} are allowed.")
    return _Parser(_tokens(expression), columns).whole()


def _tokens(expression: str) -> list[_Token]:
    tokens = []
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            raise FilterError(
                f"The filter cannot be read from {expression[at:].strip()[:30]!r} on; write it like {_EXAMPLE}"
            )
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, tokens: list[_Token], columns: "Mapping[str, pl.DataType]") -> None:
        self._tokens = tokens
        self._columns = columns
        self._at = 0
        self._depth = 0

    def whole(self) -> "pl.Expr":
        if not self._tokens:
            raise FilterError(f"The filter is empty; write it like {_EXAMPLE}")
        expression = self._alternatives()
        if self._at < len(self._tokens):
            raise FilterError(
                f"The filter goes on after its end with {self._tokens[self._at].text!r}; join by and, or."
            )
        return expression

    def _alternatives(self) -> "pl.Expr":
        expression = self._conjunction()
        while self._taken("or"):
            expression = expression | self._conjunction()
        return expression

    def _conjunction(self) -> "pl.Expr":
        expression = self._factor()
        while self._taken("and"):
            expression = expression & self._factor()
        return expression

    def _factor(self) -> "pl.Expr":
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FilterError(f"The filter is nested more than {_DEEPEST} deep.")
        if self._taken("not"):
            expression = ~self._factor()
        elif self._taken("("):
            expression = self._alternatives()
            self._expect(")")
        else:
            expression = self._test()
        self._depth -= 1
        return expression

    def _test(self) -> "pl.Expr":
        import polars as pl

        name = self._column()
        column = pl.col(name).cast(pl.Float64) if self._columns[name].is_numeric() else pl.col(name)
        sign = self._next("a comparison such as =, <, in, like or between")
        word = sign.text.lower()
        if word in _COMPARED:
            return _COMPARED[word](column, pl.lit(self._value(name)))  # type: ignore[no-any-return]
        if word == "is":
            negated = self._taken("not")
            self._expect("null")
            return column.is_not_null() if negated else column.is_null()
        negated = word == "not"
        if negated:
            word = self._next("in, like or between").text.lower()
        if word == "in":
            expression = column.is_in(self._values(name))
        elif word == "like":
            if not self._is_text(name):
                raise FilterError(f"{name} is not text; like cannot be asked of it.")
            expression = column.str.contains(_pattern(str(self._value(name))))
        elif word == "between":
            low = pl.lit(self._value(name))  # bare text would name a column
            self._expect("and")
            expression = column.is_between(low, pl.lit(self._value(name)))
        else:
            raise FilterError(
                f"After {name} stands {sign.text!r}; a comparison such as =, <, in, like or between fits."
            )
        return ~expression if negated else expression

    def _column(self) -> str:
        token = self._next("a column")
        name = token.text.strip("`")
        if token.kind in ("word", "name") and name in self._columns:
            return name
        known = ", ".join(self._columns)
        if token.kind in ("word", "name"):
            raise FilterError(f"There is no column {name!r}; there are {known}.")
        raise FilterError(f"Where {token.text!r} stands in the filter a column is expected: {known}.")

    def _values(self, name: str) -> list[Any]:
        self._expect("(")
        values = [self._value(name)]
        while self._taken(","):
            values.append(self._value(name))
        self._expect(")")
        return values

    def _value(self, name: str) -> Any:
        """A value that can be compared with a column."""
        token = self._next("a value")
        if token.kind == "text":
            value: Any = token.text[1:-1].replace(token.text[0] * 2, token.text[0])
        elif token.kind == "number":
            value = float(token.text)
        elif token.text.lower() in ("true", "false"):
            value = token.text.lower() == "true"
        else:
            raise FilterError(
                f"Where {token.text!r} stands in the filter a value is expected: 'text' in quotes, or a number."
            )
        if self._is_text(name) and not isinstance(value, str):
            raise FilterError(f"{name} holds text; put {token.text} in quotes: {name} = '{token.text}'.")
        if not self._is_text(name) and isinstance(value, str):
            raise FilterError(f"{name} holds no text; write {value!r} without quotes, as a number or true or false.")
        if isinstance(value, bool) != self._is_truth(name):
            raise FilterError(f"{name} cannot be compared with {token.text}.")
        return value

    def _is_text(self, name: str) -> bool:
        import polars as pl

        return self._columns[name] == pl.String

    def _is_truth(self, name: str) -> bool:
        import polars as pl

        return self._columns[name] == pl.Boolean

    def _next(self, wanted: str) -> _Token:
        if self._at == len(self._tokens):
            raise FilterError(f"The filter ends where {wanted} is expected; write it like {_EXAMPLE}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _taken(self, word: str) -> bool:
        """Whether the next token is this word or sign; it is then behind us."""
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind in ("word", "sign") and token.text.lower() == word:
                self._at += 1
                return True
        return False

    def _expect(self, word: str) -> None:
        if not self._taken(word):
            there = repr(self._tokens[self._at].text) if self._at < len(self._tokens) else "its end"
            raise FilterError(f"The filter needs {word!r} where {there} stands.")


def _pattern(like: str) -> str:
    """SQL's % and _ -> a regular expression for the whole text; upper and lower case are the same."""
    escaped = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in like)
    return f"(?is)^{escaped}$"
