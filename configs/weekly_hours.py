"""Read opening hours as people write them: `mon-fri: ["09:00-12:00", "13:00-18:00"]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from router.problems import suggest

# Minutes after the local midnight; the end may lie on the next day.
Span: TypeAlias = tuple[int, int]
Week: TypeAlias = tuple[tuple[Span, ...], ...]

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1_440
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPANS_MAX: Final = 24

_WEEKDAY: Final = f"({'|'.join(WEEKDAYS)})"
DAYS_PATTERN: Final = f"^(daily|{_WEEKDAY}(-{_WEEKDAY})?(,{_WEEKDAY}(-{_WEEKDAY})?)*)$"
_TIME: Final = "([01][0-9]|2[0-3]):([0-5][0-9])"
SPAN_PATTERN: Final = f"^{_TIME}-({_TIME}|24:00)$"

_is_days = re.compile(DAYS_PATTERN, re.ASCII).match
_span = re.compile(SPAN_PATTERN, re.ASCII).match


@dataclass(frozen=True)
class HoursFault:
    """What is wrong with hours; `path` leads there from the hours themselves."""

    path: tuple[str | int, ...]
    message: str
    near: str = ""
    at_key: bool = False


class HoursError(ValueError):
    """Hours that cannot be read, with every fault."""

    def __init__(self, faults: list[HoursFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def parse_week(hours: Mapping[str, tuple[str, ...]]) -> Week:
    """Return the stretches of each weekday, Monday first; raises `HoursError`."""
    faults: list[HoursFault] = []
    week: list[tuple[Span, ...]] = [()] * 7
    written: dict[int, str] = {}
    for key, texts in hours.items():
        if not _is_days(key):
            near = suggest(key, (*WEEKDAYS, "daily", "mon-fri"))
            message = f'"{key[:40]}" names no weekdays; write mon, mon-fri, sat,sun or daily'
            faults.append(HoursFault((key,), message, near, at_key=True))
            continue
        try:
            spans = parse_spans(texts)
        except HoursError as error:
            faults += [HoursFault((key, *fault.path), fault.message) for fault in error.faults]
            continue
        for weekday in _weekdays_of(key):
            if weekday in written:
                message = f'{WEEKDAYS[weekday]} stands under "{written[weekday]}" already; keep one'
                faults.append(HoursFault((key,), message, at_key=True))
                break
            written[weekday] = key
            week[weekday] = spans
    if not faults and not any(week):
        message = "never open; give at least one weekday hours such as 09:00-18:00"
        faults.append(HoursFault((), message))
    faults = faults or _overlap(week, written)
    if faults:
        raise HoursError(faults)
    return tuple(week)


def parse_spans(texts: tuple[str, ...]) -> tuple[Span, ...]:
    """Return the stretches of one day in order; raises `HoursError`."""
    faults: list[HoursFault] = []
    spans: list[tuple[Span, int]] = []
    if len(texts) > SPANS_MAX:
        raise HoursError([HoursFault((), f"more than {SPANS_MAX} stretches in a day; join some")])
    for index, text in enumerate(texts):
        found = _span(text)
        if found is None:
            message = f'"{text[:40]}" is no stretch of a day; write for example 09:00-18:00'
            faults.append(HoursFault((index,), message))
            continue
        hour, minute, end, end_hour, end_minute = found.groups()
        start = int(hour) * 60 + int(minute)
        stop = DAY_MINUTES if end == "24:00" else int(end_hour) * 60 + int(end_minute)
        if stop == start:
            message = f'"{text}" is empty, or a whole day; write 00:00-24:00 for the latter'
            faults.append(HoursFault((index,), message))
            continue
        spans.append(((start, stop if stop > start else stop + DAY_MINUTES), index))
    spans.sort()
    for (before, _), (after, index) in pairwise(spans):
        if after[0] < before[1]:
            message = f"{show_span(after)} overlaps {show_span(before)}; join or part them"
            faults.append(HoursFault((index,), message))
    if faults:
        raise HoursError(faults)
    return tuple(span for span, _ in spans)


def show_span(span: Span) -> str:
    """Write a stretch as the configuration does."""
    opens, closes = span
    closes -= DAY_MINUTES if closes > DAY_MINUTES else 0
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


def _weekdays_of(key: str) -> list[int]:
    """Return the weekdays that a key names; `sat-mon` goes over the weekend."""
    if key == "daily":
        return list(range(7))
    weekdays: list[int] = []
    for part in key.split(","):
        first, _, last = part.partition("-")
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last or first) - start) % 7
        weekdays += [(start + step) % 7 for step in range(length + 1)]
    return weekdays


def _overlap(week: list[tuple[Span, ...]], written: dict[int, str]) -> list[HoursFault]:
    """Return a fault where a night shift runs into the hours of the next weekday."""
    for weekday, spans in enumerate(week):
        following = (weekday + 1) % 7
        if spans and week[following] and spans[-1][1] - DAY_MINUTES > week[following][0][0]:
            message = (
                f"{show_span(spans[-1])} of {WEEKDAYS[weekday]} runs into "
                f"{show_span(week[following][0])} of {WEEKDAYS[following]}; part them"
            )
            return [HoursFault((written[weekday],), message, at_key=True)]
    return []
