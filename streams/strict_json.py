"""Read JSON from strangers: what parsers let pass in silence is refused here.

Refused are bad or overlong UTF-8, a byte order mark, lone surrogates and control characters,
a key twice in one object (parsers keep the last), NaN and Infinity, numbers that are no
numbers (`1e999`) or larger than 2^53 (some reader would make a float of them), nesting
deeper than `DEPTH_MAX`, more than `BYTES_MAX`.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from router.decisions import Reason

BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
INTEGER_MAX: Final = 2**53 - 1
INTEGER_LENGTH_MAX: Final = len(str(-INTEGER_MAX))

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class StrictJsonError(ValueError):
    """Say why a text was not read; `detail` never repeats it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise StrictJsonError(Reason.DUPLICATE_KEY, "an object holds one key twice")
    return body


def _constant(_: str) -> float:
    raise StrictJsonError(Reason.BAD_JSON, "NaN and Infinity are no JSON numbers")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError(Reason.BAD_JSON, "a number is out of range")
    return number


def _integer(text: str) -> int:
    # The length comes first: converting thousands of digits is slow and may raise.
    if len(text) > INTEGER_LENGTH_MAX or not -INTEGER_MAX <= (number := int(text)) <= INTEGER_MAX:
        raise StrictJsonError(Reason.BAD_JSON, "an integer is beyond 2^53; ids are strings")
    return number


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_constant,
    parse_float=_float,
    parse_int=_integer,
)


def _check_depth(body: bytes) -> None:
    """Refuse deep nesting before a recursive parser sees it."""
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return
    depth = 0
    for byte in _STRINGS.sub(b"", body):
        if byte in b"{[":
            depth += 1
            if depth > DEPTH_MAX:
                raise StrictJsonError(Reason.TOO_DEEP, f"nested deeper than {DEPTH_MAX}")
        elif byte in b"}]":
            depth -= 1


def _check_texts(value: object) -> None:
    """Refuse control characters and lone surrogates that came in as escapes."""
    if isinstance(value, str):
        if _CONTROL.search(value):
            raise StrictJsonError(
                Reason.BAD_ENCODING, "a string holds a control character or a lone surrogate"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def parse(body: bytes, bytes_max: int = BYTES_MAX) -> object:
    """Return the value of one JSON text of at most `bytes_max` bytes.

    Raises `StrictJsonError` (and nothing else) with the reason for refusing it.
    """
    if len(body) > bytes_max:
        raise StrictJsonError(Reason.TOO_LARGE, f"{len(body)} bytes, at most {bytes_max} are taken")
    if not body.strip():
        raise StrictJsonError(Reason.EMPTY, "no bytes but white space")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJsonError(Reason.BAD_ENCODING, "not UTF-8 (perhaps compressed)") from None
    if text.startswith("\ufeff"):
        raise StrictJsonError(Reason.BAD_ENCODING, "begins with a byte order mark")
    if "\x00" in text:
        raise StrictJsonError(Reason.BAD_ENCODING, "holds a NUL byte")
    _check_depth(body)
    try:
        value: object = _decoder.decode(text)
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        place = f" (character {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise StrictJsonError(Reason.BAD_JSON, f"not JSON{place}") from None
    # Unescaped control characters are no JSON, but for DEL and the C1 block; anything above
    # ASCII or escaped is looked at, the usual text is not.
    if "\\" in text or not text.isascii() or "\x7f" in text:
        _check_texts(value)
    return value
