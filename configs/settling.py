"""Bring what is written into the form of the core: durations into milliseconds under one name."""

from __future__ import annotations

from typing import Any, TypeAlias

from configs.durations import DurationError, parse_duration
from configs.findings import Finding
from configs.shapes import (
    DURATION_SUFFIX,
    SHORTHANDS,
    CenterFiles,
    Kind,
    bare,
    element_of,
    fields_of,
)
from configs.yaml_reader import Entry, Item, Leaf, Mapping, Sequence

Path: TypeAlias = tuple[str | int, ...]
Plain: TypeAlias = Any


class Settler:
    """Rename and convert durations; keep what could not be read, and where."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.repaired: set[Path] = set()

    def settle(
        self, item: Item, kind: Kind = CenterFiles, path: Path = (), shown: str = ""
    ) -> Item:
        """Return the item with every duration in milliseconds, under its name with `_ms`."""
        fields, element = fields_of(kind), element_of(kind)
        if bare(kind) in SHORTHANDS and isinstance(item, Leaf) and isinstance(item.value, str):
            name = SHORTHANDS[bare(kind)]
            item = Mapping(item.place, {name: Entry(name, item.place, item)})
        if isinstance(item, Mapping) and (fields or element is not None):
            settled = Mapping(item.place)
            for name, entry in item.entries.items():
                spelling = f"{shown}.{entry.written}" if shown else entry.written
                key = name
                value: Item
                if name not in fields and name + DURATION_SUFFIX in fields:
                    key = name + DURATION_SUFFIX
                    value = self.durations(entry, key, (*path, key), spelling)
                else:
                    value = self.settle(
                        entry.item, fields.get(name, element), (*path, key), spelling
                    )
                if key in settled.entries:
                    other = settled.entries[key]
                    message = (
                        f'"{other.written}" says the same in line {other.place.line}; keep one'
                    )
                    self.findings.append(Finding(entry.place, spelling, message))
                else:
                    settled.entries[key] = Entry(entry.written, entry.place, value)
            return settled
        if isinstance(item, Sequence) and fields_of(element):
            items = [
                self.settle(part, element, (*path, index), f"{shown}[{index}]")
                for index, part in enumerate(item.items)
            ]
            return Sequence(item.place, items)
        return item

    def durations(self, entry: Entry, key: str, path: Path, spelling: str) -> Item:
        """Return the milliseconds of a duration, or of each in a list."""
        if not isinstance(entry.item, Sequence):
            return self.duration(entry, key, path, spelling)
        items: list[Item] = [
            self.duration(
                Entry(entry.written, part.place, part), key, (*path, index), f"{spelling}[{index}]"
            )
            for index, part in enumerate(entry.item.items)
        ]
        return Sequence(entry.item.place, items)

    def duration(self, entry: Entry, key: str, path: Path, spelling: str) -> Leaf:
        """Return the milliseconds of a duration; 1 where none can be read."""
        item = entry.item
        value = item.value if isinstance(item, Leaf) else None
        if isinstance(value, str):
            try:
                return Leaf(item.place, parse_duration(value))
            except DurationError as error:
                message = str(error)
        elif value == 0 and isinstance(value, int) and not isinstance(value, bool):
            return Leaf(item.place, 0)
        elif isinstance(value, int) and not isinstance(value, bool):
            message = f"{value} has no unit; write {value}s, or {key}: {value}"
        else:
            message = "needs a duration; write for example 20s, 3m or 1h30m"
        self.findings.append(Finding(item.place, spelling, message))
        self.repaired.add(path)
        return Leaf(item.place, 1)


def plain(item: Item) -> Plain:
    """Return an item as plain dicts, lists and values, aliases written out."""
    if isinstance(item, Mapping):
        return {name: plain(entry.item) for name, entry in item.entries.items()}
    if isinstance(item, Sequence):
        return [plain(part) for part in item.items]
    return item.value
