"""Read one YAML file into items that know their place, and refuse what YAML makes ambiguous.

PyYAML splits the text into events with marks; everything above that is ours, because its own
constructor keeps the last of two equal keys, takes `no` for false, `12:30:00` for 45000 and
`010` for 8 (YAML 1.1). Here only `true` and `false` are booleans, only plain decimal digits are
numbers, keys are always text, and all else is text, which no number's place accepts.
Refused: repeated keys, tags, merge keys, directives, several documents, aliases to themselves,
and whatever is larger, deeper or more often repeated than a configuration can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import yaml

SIZE_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 32
ALIASES_MAX: Final = 10_000
# Items after the aliases are written out: 15,000 agents with 20 values each fit twice.
ITEMS_MAX: Final = 1_000_000

Scalar: TypeAlias = str | int | float | bool | None

# libyaml's parser where PyYAML was built with it: the same events, ten times as fast.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_integer = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII).fullmatch
_decimal = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}", re.ASCII).fullmatch
_unprintable = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: line and column count from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class _Mark(Protocol):
    """What the marks of PyYAML and of libyaml have in common; both count from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file, and where."""

    place: Place
    message: str


class YamlError(Exception):
    """A file that cannot be read as a configuration."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.place}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(slots=True)
class Leaf:
    """A single value; `quoted` texts were never anything else."""

    place: Place
    value: Scalar
    quoted: bool = False
    size: int = 1
    depth: int = 1


@dataclass(slots=True)
class Entry:
    """A key as it was written, its place, and its value."""

    written: str
    place: Place
    item: Item


@dataclass(slots=True)
class Mapping:
    """Entries by key, in the order of the file."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    depth: int = 1


@dataclass(slots=True)
class Sequence:
    """Items in order."""

    place: Place
    items: list[Item] = field(default_factory=list)
    size: int = 1
    depth: int = 1


Item: TypeAlias = Leaf | Mapping | Sequence


def read_yaml(path: Path) -> Mapping:
    """Return the top mapping of a file; raises `YamlError` with every fault that can be told."""
    name = str(path)
    start = Place(name, 1, 1)
    try:
        with path.open("rb") as stream:
            body = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise YamlError([Fault(start, f"cannot be read: {error.strerror}")]) from error
    if len(body) > SIZE_MAX:
        raise YamlError([Fault(start, f"larger than {SIZE_MAX // 1024**2} MiB; split it")])
    return _Reader(name, _decode(name, body)).document()


def _decode(name: str, body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8", "replace")
        hint = "save the file as UTF-8"
        raise YamlError([Fault(_place_at(name, before), f"not UTF-8; {hint}")]) from error
    found = _unprintable.search(text)
    if found is not None:
        place = _place_at(name, text[: found.start()])
        raise YamlError([Fault(place, f"control character U+{ord(found.group()):04X}; remove it")])
    return text


def _place_at(name: str, before: str) -> Place:
    line = before.count("\n") + 1
    return Place(name, line, len(before) - (before.rfind("\n") + 1) + 1)


class _Reader:
    """Build items from the events of one file."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.faults: list[Fault] = []
        self.anchors: dict[str, Item | None] = {}
        self.aliases = 0
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)

    def document(self) -> Mapping:
        try:
            root = self.stream()
        except yaml.MarkedYAMLError as error:
            fault = Fault(self.place_of(error.problem_mark), self.syntax(error))
            raise YamlError([*self.faults, fault]) from error
        except (yaml.YAMLError, RecursionError) as error:
            fault = Fault(Place(self.name, 1, 1), f"is no YAML: {error}")
            raise YamlError([*self.faults, fault]) from error
        if root is not None and not isinstance(root, Mapping):
            found = "a list" if isinstance(root, Sequence) else "a single value"
            self.fault(root.place, f"needs keys with values at the top, found {found}")
        if self.faults:
            raise YamlError(self.faults)
        return root if isinstance(root, Mapping) else Mapping(Place(self.name, 1, 1))

    def syntax(self, error: yaml.MarkedYAMLError) -> str:
        """Word a syntax error; tabs get the remedy."""
        place = self.place_of(error.problem_mark)
        lines = self.text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        indent = line[: len(line) - len(line.lstrip())]
        remedy = "; indent with spaces, not tabs" if "\t" in indent else ""
        return f"is no YAML: {error.problem or error.context}{remedy}"

    def place_of(self, mark: _Mark | None) -> Place:
        if mark is None:
            return Place(self.name, 1, 1)
        return Place(self.name, mark.line + 1, mark.column + 1)

    def fault(self, place: Place, message: str) -> None:
        self.faults.append(Fault(place, message))

    def stop(self, place: Place, message: str) -> YamlError:
        """Return the error that ends reading at once."""
        return YamlError([*self.faults, Fault(place, message)])

    def stream(self) -> Item | None:
        """Read the one document; None when the file is empty."""
        root: Item | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                place = self.place_of(event.start_mark)
                if event.version or event.tags:
                    raise self.stop(place, "directives (%YAML, %TAG) are not used here; remove it")
                if documents > 1:
                    raise self.stop(place, "a second document begins; one file holds one document")
                root = self.item(next(self.events), 1)
        return None if isinstance(root, Leaf) and root.value is None else root

    def item(self, event: yaml.Event, depth: int) -> Item:
        place = self.place_of(event.start_mark)
        if depth > DEPTH_MAX:
            raise self.stop(place, f"nested more than {DEPTH_MAX} deep; no configuration is")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, place, depth)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.tag is not None:
            self.fault(place, f"tags such as {_short_tag(event.tag)} are not used here; remove it")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        item: Item
        if isinstance(event, yaml.ScalarEvent):
            item = self.leaf(event, place)
        elif isinstance(event, yaml.MappingStartEvent):
            item = self.mapping(place, depth)
        else:
            item = self.sequence(place, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = item
        if item.size > ITEMS_MAX:
            raise self.stop(
                place, f"holds more than {ITEMS_MAX} values once aliases are written out"
            )
        return item

    def alias(self, event: yaml.AliasEvent, place: Place, depth: int) -> Item:
        self.aliases += 1
        if self.aliases > ALIASES_MAX:
            raise self.stop(place, f"more than {ALIASES_MAX} aliases; write the values out")
        if event.anchor not in self.anchors:
            raise self.stop(place, f"alias *{event.anchor} stands before its anchor, or has none")
        item = self.anchors[event.anchor]
        if item is None:
            raise self.stop(place, f"alias *{event.anchor} contains itself")
        if depth + item.depth > DEPTH_MAX:
            raise self.stop(place, f"nested more than {DEPTH_MAX} deep; no configuration is")
        return item

    def leaf(self, event: yaml.ScalarEvent, place: Place) -> Leaf:
        plain = event.implicit[0]
        if not plain:
            return Leaf(place, event.value, quoted=True)
        return Leaf(place, _value_of(event.value))

    def mapping(self, place: Place, depth: int) -> Mapping:
        mapping = Mapping(place)
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key_place = self.place_of(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.stop(key_place, "a key must be a plain word")
            if event.tag is not None or event.anchor is not None:
                self.fault(key_place, "a key takes no tag and no anchor; remove it")
            if event.value == "<<" and event.implicit[0]:
                self.fault(key_place, "merge keys (<<) are not used here; write the values out")
            item = self.item(next(self.events), depth + 1)
            key = event.value
            if key in mapping.entries:
                first = mapping.entries[key].place
                self.fault(key_place, f'"{key}" stands here already, in line {first.line}')
                continue
            mapping.entries[key] = Entry(key, key_place, item)
            mapping.size += item.size
            mapping.depth = max(mapping.depth, item.depth + 1)
        return mapping

    def sequence(self, place: Place, depth: int) -> Sequence:
        sequence = Sequence(place)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            item = self.item(event, depth + 1)
            sequence.items.append(item)
            sequence.size += item.size
            sequence.depth = max(sequence.depth, item.depth + 1)
        return sequence


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")[:80]


def _value_of(text: str) -> Scalar:
    """Resolve a plain scalar; whatever could be read in two ways stays text."""
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if _integer(text):
        return int(text)
    if _decimal(text):
        return float(text)
    return text
