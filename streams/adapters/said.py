"""What an adapter gives back, and the small readings that all adapters share."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct

from router.events import Event
from streams.instants import parse_instant

Record: TypeAlias = Mapping[str, Any]

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_FRACTION: Final = re.compile(r"(\.\d{1,3})\d*")
_TOKEN_DIGITS: Final = 24


class AdapterError(Exception):
    """A record that claims to be of a known kind and lacks what that kind must have."""


class Said(Struct, frozen=True):
    """One event with what its record told about it."""

    event: Event
    source: str
    record_id: str
    at_ms: int


class Unheard(Struct, frozen=True):
    """A record that means nothing to a router; `kind` is the platform's word, for counting."""

    kind: str


Heard: TypeAlias = "list[Said] | Unheard"


def field(record: object, path: str) -> Any:  # noqa: ANN401 - JSON
    """Return what stands at a dotted path, None if something on the way is missing."""
    for name in path.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(name)
    return record


def text(record: object, path: str) -> str:
    """Return a text or a number as text at a path; raises `AdapterError` when there is none."""
    value = field(record, path)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise AdapterError(f"{path} is missing")
    return str(value)


def instant_ms(record: object, *paths: str) -> int:
    """Return the first instant found at the paths: RFC 3339, or milliseconds as a number."""
    for path in paths:
        value = field(record, path)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value:
            try:
                return parse_instant(_FRACTION.sub(r"\1", value))
            except ValueError as error:
                raise AdapterError(f"{path}: {error}") from None
    raise AdapterError(f"{paths[0]} is missing")


def own_id(name: str) -> str:
    """Return an id as we allow it: the name itself, or one derived from it.

    Of a name with slashes (an ARN) the last part is taken.
    """
    last = name.rsplit("/", 1)[-1]
    if _ID.fullmatch(last):
        return last
    return "x-" + hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def customer_token(name: object, key: bytes) -> str:
    """Return the keyed token of a customer; "" without a key, for then it would be a name.

    HMAC-SHA-256, 96 bits: the same customer has the same token, and only who has the key can
    tell whose it is.
    """
    if not key or not isinstance(name, str | int) or name == "":
        return ""
    digest = hmac.new(key, str(name).encode(), "sha256").hexdigest()
    return f"h:{digest[:_TOKEN_DIGITS]}"
