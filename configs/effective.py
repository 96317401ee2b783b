"""Show the configuration as it acts: every value, and where it comes from.

The text is YAML and describes the same centre again when it is loaded: defaults are written
out, groups of agents too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final, TypeAlias

import msgspec

from configs.loader import LoadedCenter
from configs.origins import Origins
from configs.shapes import DURATION_SUFFIX
from router.calendars import OpeningHours
from router.center import OpeningTable
from router.checks import config_hash
from router.problems import show_duration

ValuePath: TypeAlias = tuple[str | int, ...]

_COMMENT_COLUMN: Final = 56

_is_plain = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*").fullmatch
# Words that some reader of YAML takes for something else than text.
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def render_effective(loaded: LoadedCenter) -> str:
    """Return the whole configuration as YAML, each value with `# file:line` or `# default`."""
    center = loaded.center
    head = f"# {center.name}, version {center.version}, hash {config_hash(center)}"
    return "\n".join([head, *_lines(center, (), loaded.origins)]) + "\n"


def _lines(part: object, path: ValuePath, origins: Origins) -> Iterator[str]:
    """Yield the lines of a dataclass or of a dict, a value each."""
    for name, value in _entries(part):
        place = (*path, name)
        indent = "  " * len(path)
        if isinstance(value, OpeningTable):
            yield from (f"{indent}# {line}" for line in _table_lines(str(path[-1]), value))
            continue
        key, text = _word(name), _flow(value)
        if text is None:
            yield f"{indent}{key}:"
            if isinstance(value, tuple):
                for index, element in enumerate(value):
                    yield from _listed(element, (*place, index), origins)
            else:
                yield from _lines(value, place, origins)
            continue
        if name.endswith(DURATION_SUFFIX) and isinstance(value, int) and value >= 0:
            key, text = name.removesuffix(DURATION_SUFFIX), show_duration(value)
        yield _with_origin(f"{indent}{key}: {text}", place, origins)


def _table_lines(name: str, table: OpeningTable) -> Iterator[str]:
    """Yield what was made of a calendar's definition: sums, and the days with a name."""
    hours = OpeningHours(name, table)
    open_ms = hours.elapsed_ms(*hours.horizon)
    yield (
        f"version {hours.version}: {len(table.workdays_ms)} working days, "
        f"{show_duration(open_ms)} open; time zones {table.tz_version}"
        + "".join(f"; {source}" for source in table.sources)
    )
    for day in table.named:
        opened = "open" if hours.elapsed_ms(day.from_ms, day.to_ms) else "closed"
        yield f"{day.date} {opened}, {day.kind.value.replace('_', ' ')}: {day.name}"


def _listed(part: object, path: ValuePath, origins: Origins) -> Iterator[str]:
    """Yield the lines of a dataclass that is an element of a list."""
    # The path is one longer than the indentation, which makes room for the dash.
    indent = "  " * (len(path) - 1)
    for number, line in enumerate(_lines(part, path, origins)):
        start = f"{indent}- " if number == 0 else f"{indent}  "
        yield start + line[len(indent) + 2 :]


def _entries(part: object) -> list[tuple[str, object]]:
    if isinstance(part, dict):
        return list(part.items())
    assert is_dataclass(part), "containers are dataclasses or dicts"
    return [(field.name, getattr(part, field.name)) for field in fields(part)]


def _flow(value: object) -> str | None:
    """Return a value that fits on one line; None for what takes several."""
    if isinstance(value, dict):
        shown = {_word(name): _flow(element) for name, element in value.items()}
        if any(is_dataclass(element) for element in value.values()):
            return None
        return "{" + ", ".join(f"{name}: {text}" for name, text in shown.items()) + "}"
    if isinstance(value, tuple):
        if any(is_dataclass(element) for element in value):
            return None
        return "[" + ", ".join(str(_flow(element)) for element in value) + "]"
    if is_dataclass(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    return "null" if value is None else _word(value) if isinstance(value, str) else str(value)


def _word(text: str) -> str:
    """Quote a text unless every reader takes it for a text."""
    if _is_plain(text) and text.casefold() not in _WORDS:
        return text
    return msgspec.json.encode(text).decode()


def _with_origin(line: str, path: ValuePath, origins: Origins) -> str:
    place = origins.origin(path)
    source = f"{place.file}:{place.line}" if place is not None else "default"
    return f"{line:<{_COMMENT_COLUMN}}  # {source}"
