"""Turn plain values into the core's dataclasses, and every mismatch into a finding.

pydantic compares the values with the types, strictly: a text is never a number, 1 is never
true. Its errors lead back to the place in the file and get our words: what was found, what is
needed, how to write it. What is wrong is then replaced by something harmless, so that the
agreements between the other values can be checked in the same run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from configs.durations import DurationError, parse_duration
from configs.findings import Finding
from configs.origins import Origins
from configs.settling import Plain
from configs.shapes import (
    DURATION_SUFFIX,
    Kind,
    choices_of,
    defaults_of,
    fields_of,
    kind_at,
    placeholder_of,
    written_names,
)
from configs.yaml_reader import Leaf
from router.problems import suggest

Path: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

# Repairing a container may show that it lacks required keys; the nesting of `Center` bounds it.
_ROUNDS_MAX: Final = 6

_ONE_VALUE: Final = "one_value"

_YES: Final = frozenset({"yes", "on", "y", "true", "1"})
_NO: Final = frozenset({"no", "off", "n", "false", "0"})


@cache
def _adapter(kind: Kind) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@dataclass
class Validation(Generic[T]):
    """A file's content as far as it could be read; `repaired` says where it could not."""

    files: T | None
    findings: list[Finding] = field(default_factory=list)
    repaired: set[Path] = field(default_factory=set)


def validate(kind: type[T], values: dict[str, Plain], origins: Origins) -> Validation[T]:
    """Compare plain values with a dataclass. Changes `values` where they are wrong."""
    findings: list[Finding] = []
    repaired: set[Path] = set()
    wanted: Kind = kind
    for _ in range(_ROUNDS_MAX):
        try:
            files = _adapter(wanted).validate_json(msgspec.json.encode(values), strict=True)
            return Validation(files, findings, repaired)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
        now: set[Path] = set()
        for detail in [_as_written(detail, values) for detail in details]:
            path: Path = detail["loc"]
            if not _below(path, repaired) and path not in now:
                findings.append(_finding(kind, path, detail, values, origins))
            now.add(path)
            _repair(kind, path, detail["type"], values)
        repaired |= now
    return Validation(None, findings, repaired)


def _below(path: Path, paths: set[Path]) -> bool:
    """Say whether a path is one of `paths` or leads into one."""
    return any(path[:length] in paths for length in range(1, len(path) + 1))


def _as_written(detail: ErrorDetails, values: Plain) -> ErrorDetails:
    """Return an error at the value it is about.

    Where a value of several kinds may stand, each kind refuses it by itself, under its own name
    at the end of the path; no such thing is written there.
    """
    if detail["type"] == "missing":
        return detail
    path: Path = detail["loc"]
    for depth, name in enumerate(path):
        known = range(len(values)) if isinstance(values, list) else values
        if not isinstance(known, dict | range) or name not in known:
            return {**detail, "loc": path[:depth], "type": _ONE_VALUE}
        values = values[name]
    return detail


def _value_at(values: Plain, path: Path) -> Plain:
    for name in path:
        values = values[name]
    return values


def _repair(top: Kind, path: Path, what: str, values: dict[str, Plain]) -> None:
    """Take a wrong value away, or put a harmless one where one is required."""
    parent = _value_at(values, path[:-1])
    parent_kind = kind_at(top, path[:-1])
    name: Any = path[-1]
    in_dataclass = bool(fields_of(parent_kind))
    if what in {"unexpected_keyword_argument", _ONE_VALUE} or (
        in_dataclass and name in defaults_of(parent_kind) and name in parent
    ):
        parent.pop(name, None)
    else:
        parent[name] = placeholder_of(kind_at(top, path))


def _finding(
    top: Kind, path: Path, detail: ErrorDetails, values: Plain, origins: Origins
) -> Finding:
    what = detail["type"]
    if what == "missing":
        name = str(path[-1])
        wanted = name.removesuffix(DURATION_SUFFIX)
        message = f'"{wanted}" is missing and has no default; add it'
        return Finding(origins.place(path[:-1], at_key=True), origins.spelling(path[:-1]), message)
    place, spelling = origins.place(path), origins.spelling(path)
    if what == "unexpected_keyword_argument":
        known = written_names(kind_at(top, path[:-1]))
        message = "unknown key"
        near = suggest(str(path[-1]), known)
        if not near:
            message += f"; known are {', '.join(sorted(known))}"
        return Finding(origins.place(path, at_key=True), spelling, message, near)
    kind = kind_at(top, path)
    found = _value_at(values, path)
    choices = choices_of(kind)
    if choices and isinstance(found, str):
        near = suggest(found, choices)
        message = f'no such word: "{found}"' + ("" if near else f"; one of {', '.join(choices)}")
        return Finding(place, spelling, message, near)
    item = origins.item(path)
    quoted = isinstance(item, Leaf) and item.quoted
    needs = f"needs one of {', '.join(choices)}" if choices else _needs(what, detail["msg"])
    remedy = _remedy(what, str(path[-1]), found, quoted=quoted)
    return Finding(place, spelling, f"{needs}, found {_show(found)}{remedy}")


def _needs(what: str, otherwise: str) -> str:
    return {
        "int_type": "needs a whole number",
        "float_type": "needs a number",
        "bool_type": "needs true or false",
        "string_type": "needs a text",
        _ONE_VALUE: "needs a text, a number, true or false",
        "tuple_type": "needs a list",
        "dict_type": "needs keys with values",
        "dataclass_type": "needs keys with values",
    }.get(what, otherwise)


def _show(found: Plain) -> str:
    """Name what stands in a file, shortly."""
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str):
        return f'the text "{found[:40]}"'
    if isinstance(found, dict):
        return "keys with values"
    return "a list" if isinstance(found, list) else f"the number {found}"


def _share(text: str) -> str:
    """Return "15 %" as the number 0.15, "" for another text: "+15 %" may mean 0.15 or 1.15."""
    number = text.strip().removesuffix("%").strip()
    plain = number.replace(".", "", 1)
    if not text.strip().endswith("%") or not plain.isascii() or not plain.isdigit():
        return ""
    return format((Decimal(number) / 100).normalize(), "f")


def _remedy(what: str, name: str, found: Plain, *, quoted: bool) -> str:
    """Say how to write what was probably meant; "" when nothing is probable."""
    if what == "int_type" and isinstance(found, str):
        digits = found.lstrip("-").replace("_", "").lstrip("0") or "0"
        if quoted and found.isascii() and found.isdigit() and found == digits:
            return f"; remove the quotes: {name}: {found}"
        if digits.isascii() and digits.isdigit():
            return f"; numbers have no leading zeros and no signs inside: write {digits}"
        if name.endswith(DURATION_SUFFIX):
            try:
                milliseconds = parse_duration(found)
            except DurationError as error:
                return f"; {error}"
            short = name.removesuffix(DURATION_SUFFIX)
            return f"; write {short}: {found}, or {name}: {milliseconds}"
    if what == "float_type" and isinstance(found, str) and (share := _share(found)):
        return f"; write {share}"
    if what == "bool_type" and isinstance(found, str | int):
        word = str(found).lower()
        if word in _YES | _NO:
            return f"; write {'true' if word in _YES else 'false'}"
    if what == "string_type" and isinstance(found, int | float):
        return f'; put it in quotes: "{str(found).lower() if isinstance(found, bool) else found}"'
    if what == "tuple_type" and isinstance(found, str):
        return f"; write [{found}]"
    if found is None:
        return "; give it a value or remove the key"
    return ""
