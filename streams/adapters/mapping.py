"""Read how a platform's names are ours, from one YAML file; mistakes come with their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as default
from pathlib import Path
from typing import Any

import msgspec

from configs.findings import Finding
from configs.origins import Origins
from configs.yaml_reader import Item, Leaf, Sequence, YamlError, read_yaml
from configs.yaml_reader import Mapping as Written
from router.center import Center
from router.problems import suggest
from streams.adapters.said import AdapterError, Record, customer_token, field, own_id


class MappingError(Exception):
    """A mapping that cannot be used: every mistake, each with its place."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


@dataclass(frozen=True, kw_only=True)
class Names:
    """Say which of our names stands for which of the platform's.

    `channels`, `categories`, `presences` and `agents` map the platform's words to ours; an agent
    who is not named keeps the platform's id. `category_from` is the dotted path of the field that
    tells the category, `default_category` what is taken where it tells nothing known ("": such a
    contact is left out and counted). `language_from`, `tier_from` and `customer_from` are paths too
    ("": not taken), `offer_from` the path of the number of our offer. `attributes` maps the names
    of the centre's allowed attributes to paths.
    """

    channels: dict[str, str] = default(default_factory=dict)
    categories: dict[str, str] = default(default_factory=dict)
    category_from: str = ""
    default_category: str = ""
    agents: dict[str, str] = default(default_factory=dict)
    presences: dict[str, str] = default(default_factory=dict)
    priorities: dict[str, int] = default(default_factory=dict)
    language_from: str = ""
    tier_from: str = ""
    customer_from: str = ""
    offer_from: str = ""
    attributes: dict[str, str] = default(default_factory=dict)
    customer_key: bytes = b""

    def channel(self, word: str) -> str:
        """Return our channel for the platform's word; raises `AdapterError` when none is given."""
        ours = self.channels.get(word)
        if ours is None:
            raise AdapterError(f'channel "{word}" is not in the mapping; add it under `channels`')
        return ours

    def category(self, record: Record, otherwise: object = None) -> str:
        """Return our category; `otherwise` is the platform's word where no path is given."""
        word = field(record, self.category_from) if self.category_from else otherwise
        ours = self.categories.get(str(word), self.default_category)
        if not ours:
            raise AdapterError(
                f'category "{word}" is not in the mapping; add it under `categories`, '
                "or give a `default_category`"
            )
        return ours

    def agent(self, name: str) -> str:
        """Return our agent for the platform's; an ARN counts by its last part."""
        known = self.agents.get(name) or self.agents.get(name.rsplit("/", 1)[-1])
        return known or own_id(name)

    def presence(self, word: str) -> str:
        """Return our presence for the platform's word; raises `AdapterError` when none is given."""
        ours = self.presences.get(word)
        if ours is None:
            raise AdapterError(f'presence "{word}" is not in the mapping; add it under `presences`')
        return ours

    def facts(self, record: Record, customer: object = None) -> dict[str, Any]:
        """Return what else a contact brings along: customer, tier, language, attributes."""
        told: dict[str, Any] = {}
        who = field(record, self.customer_from) if self.customer_from else customer
        told["customer"] = customer_token(who, self.customer_key)
        for name, path in (("language", self.language_from), ("tier", self.tier_from)):
            value = field(record, path) if path else None
            if isinstance(value, str):
                told[name] = value
        told["attributes"] = {
            name: str(value)[:256]
            for name, path in self.attributes.items()
            if isinstance(value := field(record, path), str | int)
        }
        return told

    def offer(self, record: Record) -> int | None:
        """Return the number of our offer that a record carries, None if it carries none."""
        value = field(record, self.offer_from) if self.offer_from else None
        return int(str(value)) if str(value).isdecimal() else None


def read_names(path: Path, center: Center | None = None, customer_key: bytes = b"") -> Names:
    """Read a mapping; with a centre, check that it names what the centre has.

    Raises `MappingError` with all mistakes.
    """
    try:
        written = read_yaml(path)
    except YamlError as error:
        raise MappingError(
            [Finding(fault.place, "", fault.message) for fault in error.faults]
        ) from None
    origins = Origins(written)
    known = {name for name in Names.__dataclass_fields__ if name != "customer_key"}
    findings = [_unknown(name, known, origins) for name in written.entries if name not in known]
    plain = {name: _plain(entry.item) for name, entry in written.entries.items() if name in known}
    names = Names()
    try:
        names = msgspec.convert(plain, Names, strict=True)
    except msgspec.ValidationError as error:
        where = str(error).rpartition("`$.")[2].partition("[")[0].rstrip("`")
        findings.append(Finding(origins.place((where,)), where, _in_words(str(error))))
    if center is not None:
        findings += _check(names, center, origins)
    if findings:
        raise MappingError(findings)
    return replace(names, customer_key=customer_key)


def _in_words(message: str) -> str:
    """Say a mismatch of types as a writer of YAML would."""
    said = message.partition(" - ")[0].replace("Expected", "needs").replace("got", "found")
    for word, ours in (
        ("`object`", "keys with values"),
        ("`array`", "a list"),
        ("`str`", "a text"),
        ("`int`", "a whole number"),
        ("`null`", "nothing"),
    ):
        said = said.replace(word, ours)
    return said


def _unknown(name: str, known: set[str], origins: Origins) -> Finding:
    near = suggest(name, known)
    message = "unknown key" + ("" if near else f"; known are {', '.join(sorted(known))}")
    return Finding(origins.place((name,), at_key=True), name, message, near)


def _plain(item: Item) -> Any:  # noqa: ANN401 - YAML
    if isinstance(item, Leaf):
        return item.value
    if isinstance(item, Sequence):
        return [_plain(each) for each in item.items]
    assert isinstance(item, Written), "a YAML item is a leaf, a list or a mapping"
    return {name: _plain(entry.item) for name, entry in item.entries.items()}


def _check(names: Names, center: Center, origins: Origins) -> list[Finding]:
    """Compare the names on our side with those of the centre."""
    sides = (
        ("channels", names.channels, center.channels),
        ("categories", names.categories, center.categories),
        ("agents", names.agents, center.agents),
        ("presences", names.presences, {**center.presences, "": True}),
    )
    findings = [
        Finding(
            origins.place((part, theirs)),
            f"{part}.{theirs}",
            f'the centre has no "{ours}"',
            suggest(ours, there),
        )
        for part, given, there in sides
        for theirs, ours in given.items()
        if ours not in there
    ]
    if names.default_category and names.default_category not in center.categories:
        findings.append(
            Finding(
                origins.place(("default_category",)),
                "default_category",
                f'the centre has no "{names.default_category}"',
                suggest(names.default_category, center.categories),
            )
        )
    return findings
