"""QUIP's strings: words with values, read and written."""

import re
from typing import Any

from nullmode._support.types import InputError

Values = dict[str, Any]

_WORD = re.compile(r"""\s*([A-Za-z_][\w]*)(?:=(\{(?:[^{}]|\{[^{}]*\})*\}|"[^"]*"|'[^']*'|[^\s{}"']+))?(?=\s|$)""")


def words(text: str) -> list[tuple[str, Any]]:
    """Words of a string of QUIP, each with its value, None without a ``=``."""
    result, position = [], 0
    while text[position:].strip():
        match = _WORD.match(text, position)
        if match is None:
            rest = text[position:].strip()
            raise InputError(
                f"`arguments` must consist of words and of key=value without blanks around `=`, got {rest!r:.80}."
            )
        value = match[2]
        result.append((match[1], None if value is None else _value(value)))
        position = match.end()
    return result


def _value(text: str) -> Any:
    if text[0] in "{\"'":
        items = [_number(item) for item in text.strip("{}\"'").split()]
        return items[0] if len(items) == 1 else items
    return _number(text)


def _number(text: str) -> Any:
    for kind, form in ((int, text), (float, re.sub(r"(?<=[\d.])[dD](?=[-+\d])", "e", text))):
        try:
            return kind(form)
        except ValueError:
            continue
    return text


def written(kind: str, values: Values) -> str:
    """Write values as QUIP reads them, in one line."""

    def shown(value: Any) -> str:
        return "{" + " ".join(map(str, value)) + "}" if isinstance(value, list) else str(value)

    return " ".join([kind, *(f"{key}={shown(value)}" for key, value in values.items())])
