"""Read what a scorecard is held against: targets and prices from YAML, shifts from CSV.

Every mistake is told with file, line and column, all of a file at once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from configs.durations import DurationError, parse_duration
from configs.findings import ConfigError, Finding
from configs.yaml_reader import Leaf, Mapping, Place, Sequence, YamlError, read_yaml
from configs.zones import load_zone
from router.measures_scores import MEASURE_NAMES, By, Prices
from router.measures_shifts import Shift, ShiftPlan
from router.measures_targets import Target
from router.problems import suggest

_LIMITS: Final = ("at_least", "at_most")
_SUBJECTS: Final = {by.value: by for by in By if by is not By.CENTER}
# A calendar program's export may keep the names of RFC 5545.
_COLUMNS: Final = {
    "attendee": "agent_id",
    "dtstart": "start",
    "dtend": "end",
    "summary": "activity",
}
_WORK: Final = "work"
_YES_NO: Final = {"yes": True, "no": False, "": True}


class _Faults:
    """Gather what is wrong with one file."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(self, place: Place, path: str, message: str, suggestion: str = "") -> None:
        self.found.append(Finding(place, path, message, suggestion))

    def done(self) -> None:
        if self.found:
            raise ConfigError(self.found)


def read_targets(path: Path) -> tuple[Target, ...]:
    """Return the targets of a file; raises `ConfigError` with everything that is wrong.

    `targets:` holds a list of `{measure: NAME, at_least: 80%}` or `{..., at_most: 30s}`, with
    `queue`, `category`, `channel`, `tier`, `team` or `agent` for one of them alone.
    """
    faults = _Faults()
    root = _open(path, ("targets",), faults)
    targets: list[Target] = []
    entry = root.entries.get("targets")
    items = entry.item.items if entry is not None and isinstance(entry.item, Sequence) else None
    if items is None:
        faults.add(root.place, "", "needs `targets:` with a list of targets")
    for number, item in enumerate(items or ()):
        where = f"targets[{number}]"
        if not isinstance(item, Mapping):
            faults.add(item.place, where, "needs keys, such as {measure: satisfaction, ...}")
            continue
        target = _target(item, where, faults)
        if target is not None:
            targets.append(target)
    faults.done()
    return tuple(targets)


def _target(item: Mapping, where: str, faults: _Faults) -> Target | None:
    before = len(faults.found)
    _only(item, ("measure", *_LIMITS, *_SUBJECTS), where, faults)
    measure = _text(item, "measure")
    if measure not in MEASURE_NAMES:
        message = f'"{measure}" is no measure; MEASURES.md lists them'
        faults.add(item.place, where, message, suggest(measure, MEASURE_NAMES))
    limits = {name: _number(item, name, where, faults) for name in _LIMITS}
    if sum(value is not None for value in limits.values()) != 1:
        faults.add(item.place, where, "needs at_least or at_most, one of the two")
    named = [name for name in _SUBJECTS if name in item.entries]
    if len(named) > 1:
        faults.add(item.place, where, f"names {' and '.join(named)}; one of them at a time")
    if len(faults.found) > before:
        return None
    return Target(
        measure=measure,
        at_least=limits["at_least"],
        at_most=limits["at_most"],
        by=_SUBJECTS[named[0]] if named else None,
        subject=_text(item, named[0]) if named else "",
    )


def read_prices(path: Path) -> Prices:
    """Return the prices of a file; raises `ConfigError` with everything that is wrong.

    `currency`, `fixed_per_day`, and `groups:` with `per_hour` and `per_contact` by cost group.
    """
    faults = _Faults()
    root = _open(path, ("currency", "fixed_per_day", "groups"), faults)
    per_hour: dict[str, float] = {}
    per_contact: dict[str, float] = {}
    entry = root.entries.get("groups")
    if entry is not None and not isinstance(entry.item, Mapping):
        faults.add(entry.place, "groups", "needs cost groups with their prices")
    elif entry is not None and isinstance(entry.item, Mapping):
        for name, group in entry.item.entries.items():
            where = f"groups.{name}"
            if not isinstance(group.item, Mapping):
                faults.add(group.place, where, "needs per_hour or per_contact")
                continue
            _only(group.item, ("per_hour", "per_contact"), where, faults)
            per_hour[name] = _number(group.item, "per_hour", where, faults) or 0.0
            per_contact[name] = _number(group.item, "per_contact", where, faults) or 0.0
    fixed = _number(root, "fixed_per_day", "", faults)
    faults.done()
    return Prices(
        currency=_text(root, "currency"),
        per_hour=per_hour,
        per_contact=per_contact,
        fixed_per_day=fixed or 0.0,
    )


def read_shifts(path: Path, zone: str) -> ShiftPlan:
    """Return the shift plan of a CSV file; raises `ConfigError` with everything that is wrong.

    Columns `agent_id`, `start`, `end`, `activity` and perhaps `paid` (yes, no); the names of
    iCalendar (ATTENDEE, DTSTART, DTEND, SUMMARY) will do. The activity `work` takes work, any
    other is time away. Times are ISO 8601, local in `zone` unless they say otherwise.
    """
    faults = _Faults()
    shifts = list(_shifts(path, load_zone(zone), faults))
    faults.done()
    try:
        return ShiftPlan(shifts)
    except ValueError as error:
        raise ConfigError([Finding(Place(str(path), 1, 1), "", str(error))]) from error


def _shifts(path: Path, zone: ZoneInfo, faults: _Faults) -> Iterator[Shift]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        heading = [name.strip().lower() for name in next(reader, [])]
        names = [_COLUMNS.get(name, name) for name in heading]
        missing = [name for name in ("agent_id", "start", "end", "activity") if name not in names]
        if missing:
            place = Place(str(path), 1, 1)
            faults.add(place, "", f"has no column {', '.join(missing)}; the first line names them")
            return
        for row in reader:
            place = Place(str(path), reader.line_num, 1)
            if not any(row):
                continue
            cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
            try:
                yield _shift(cells, zone)
            except (ValueError, KeyError) as error:
                faults.add(place, "", f"is no shift: {error}")


def _shift(cells: dict[str, str], zone: ZoneInfo) -> Shift:
    """Make a shift of a row; raises ValueError with what is wrong."""
    start_ms, end_ms = (_instant_ms(cells.get(name, ""), zone) for name in ("start", "end"))
    if start_ms >= end_ms:
        raise ValueError("it ends before it begins")
    if not cells["agent_id"] or not cells["activity"]:
        raise ValueError("agent_id and activity may not be empty")
    paid = _YES_NO.get(cells.get("paid", "").lower())
    if paid is None:
        raise ValueError("paid is yes or no")
    works = cells["activity"].lower() == _WORK
    return Shift(cells["agent_id"], start_ms, end_ms, works, paid)


def _instant_ms(text: str, zone: ZoneInfo) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no instant, such as 2026-01-05T09:00') from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return round(instant.timestamp() * 1000)


# --- what both YAML files need ------------------------------------------------------------------


def _open(path: Path, keys: tuple[str, ...], faults: _Faults) -> Mapping:
    try:
        root = read_yaml(path)
    except YamlError as error:
        raise ConfigError([Finding(f.place, "", f.message) for f in error.faults]) from error
    _only(root, keys, "", faults)
    return root


def _only(item: Mapping, keys: tuple[str, ...], where: str, faults: _Faults) -> None:
    """Refuse keys that nobody reads."""
    for key, entry in item.entries.items():
        if key not in keys:
            path = f"{where}.{key}" if where else key
            faults.add(entry.place, path, "is not known here", suggest(key, keys))


def _text(item: Mapping, key: str) -> str:
    entry = item.entries.get(key)
    value = entry.item.value if entry is not None and isinstance(entry.item, Leaf) else None
    return "" if value is None else str(value)


def _number(item: Mapping, key: str, where: str, faults: _Faults) -> float | None:
    """Return a number, a share (80%) or a duration (30s, in milliseconds); None if not there."""
    entry = item.entries.get(key)
    if entry is None:
        return None
    value = entry.item.value if isinstance(entry.item, Leaf) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value[:-1]) / 100 if value.endswith("%") else float(parse_duration(value))
        except (ValueError, DurationError):
            pass
    path = f"{where}.{key}" if where else key
    faults.add(entry.item.place, path, "needs a number, a share (80%) or a duration (30s)")
    return None
