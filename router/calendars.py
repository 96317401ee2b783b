"""Count in opening hours: open time between two instants, its inverse, working days.

A calendar is a table of open stretches in UTC (`router.center.OpeningTable`), made where the
configuration is loaded. Here it gets running sums, so that every question is one bisection. No
zone rules, no holidays and no clock are needed: a change to summer time costs nobody an hour,
and a later edition of the time zone database changes no decision that a journal explains.

Outside its years a calendar counts as open, and every 24 hours as a working day. A centre whose
calendar ran out then goes on serving, and its promises fall due early rather than never;
`switchroom check` warns in time. `always` is the calendar with no years at all.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import msgspec

from router.center import ALWAYS, Center, DayKind, NamedDay, OpeningTable
from router.problems import show_duration

DAY_MS: Final = 86_400_000
BEYOND: Final = "outside the calendar's years, which counts as open"

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # local clocks are read without a zone


class OpeningHours:
    """Answer questions about one calendar; each costs O(log n), n being its open stretches.

    All instants are UTC milliseconds. Nothing raises, however far away an instant is.
    """

    __slots__ = ("_closes", "_day_starts", "_from_ms", "_opens", "_to_ms", "_total_ms", "_until",
                 "name", "table", "version")  # fmt: skip

    def __init__(self, name: str, table: OpeningTable) -> None:
        self.name = name
        self.table = table
        self._from_ms = table.from_ms
        self._to_ms = table.to_ms
        self._opens = [opens_ms for opens_ms, _ in table.open_ms]
        self._closes = [closes_ms for _, closes_ms in table.open_ms]
        self._day_starts = [starts_ms for starts_ms, _ in table.workdays_ms]
        # Open time from the table's beginning to the end of each stretch.
        self._until: list[int] = []
        total_ms = 0
        for opens_ms, closes_ms in table.open_ms:
            total_ms += closes_ms - opens_ms
            self._until.append(total_ms)
        self._total_ms = total_ms
        self.version = table_version(table)

    # --- open time ------------------------------------------------------------------

    def elapsed_ms(self, from_ms: int, to_ms: int) -> int:
        """Return the open time from one instant to another; negative when `to_ms` is earlier."""
        return self._open_until(to_ms) - self._open_until(from_ms)

    def add_ms(self, from_ms: int, duration_ms: int) -> int:
        """Return the earliest instant, not before `from_ms`, with `duration_ms` of open time.

        The exact inverse of `elapsed_ms`. At an edge it is the closing instant: nine hours from
        09:00 end at 18:00, not at the next opening. Nothing to run ends at `from_ms` itself, open
        or closed.
        """
        assert duration_ms >= 0, "time is not taken back"
        if duration_ms == 0:
            return from_ms
        wanted_ms = self._open_until(from_ms) + duration_ms
        if wanted_ms <= 0:
            return self._from_ms + wanted_ms
        if wanted_ms > self._total_ms:
            return self._to_ms + wanted_ms - self._total_ms
        index = bisect_left(self._until, wanted_ms)
        return self._closes[index] - (self._until[index] - wanted_ms)

    def _open_until(self, at_ms: int) -> int:
        """Return the open time from the table's beginning to an instant; negative before it."""
        if at_ms >= self._to_ms:
            return self._total_ms + at_ms - self._to_ms
        if at_ms <= self._from_ms:
            return at_ms - self._from_ms
        index = bisect_right(self._opens, at_ms) - 1
        if index < 0:
            return 0
        return self._until[index] - max(self._closes[index] - at_ms, 0)

    # --- edges ----------------------------------------------------------------------

    def is_open(self, at_ms: int) -> bool:
        """Say whether the calendar is open: at its opening instant yes, at its closing one no."""
        return self.next_opening_ms(at_ms) == at_ms

    def next_opening_ms(self, at_ms: int) -> int:
        """Return the first open instant from `at_ms` on: `at_ms` itself while open."""
        if at_ms >= self._to_ms or at_ms < self._from_ms:
            return at_ms
        index = bisect_right(self._closes, at_ms)
        return max(self._opens[index], at_ms) if index < len(self._opens) else self._to_ms

    def next_closing_ms(self, at_ms: int) -> int | None:
        """Return the first closed instant from `at_ms` on; None when none comes any more."""
        at_ms = max(at_ms, self._from_ms)
        if at_ms >= self._to_ms:
            return None
        index = bisect_right(self._opens, at_ms) - 1
        if index < 0 or self._closes[index] <= at_ms:
            return at_ms
        closes_ms = self._closes[index]
        return closes_ms if closes_ms < self._to_ms else None

    def last_closing_ms(self, at_ms: int) -> int:
        """Return the last closing instant up to `at_ms`; the table's beginning before the first."""
        index = bisect_right(self._closes, at_ms) - 1
        return self._closes[index] if index >= 0 else self._from_ms

    # --- working days ----------------------------------------------------------------

    def end_of_nth_working_day(self, at_ms: int, n: int) -> int:
        """Return the instant at which the n-th working day after the day of `at_ms` closes.

        A working day is a local date on which the calendar opens; a night shift belongs to the
        date on which it begins. The day of the event itself is never counted, open or not
        (Regulation (EEC, Euratom) No 1182/71, Article 3(1); Civil Code of China, Article 201).
        """
        assert n >= 1, "counting begins with the first day after"
        if at_ms < self._from_ms:
            before = (self._from_ms - at_ms - 1) // DAY_MS
            if n <= before:
                return self._from_ms - (before - n) * DAY_MS
            n -= before
        if at_ms >= self._to_ms:
            return self._to_ms + ((at_ms - self._to_ms) // DAY_MS + 1 + n) * DAY_MS
        index = bisect_right(self._day_starts, at_ms) + n - 1
        days = self.table.workdays_ms
        if index < len(days):
            return days[index][1]
        return self._to_ms + (index - len(days) + 1) * DAY_MS

    def working_days_ms(self, at_ms: int, n: int) -> int:
        """Return the open time from an instant to the end of the n-th working day after it."""
        return self.elapsed_ms(at_ms, self.end_of_nth_working_day(at_ms, n))

    # --- the years, the local clock ---------------------------------------------------

    @property
    def horizon(self) -> tuple[int, int]:
        """Return from when to when the calendar is known; outside it counts as open."""
        return self._from_ms, self._to_ms

    def covers(self, from_ms: int, to_ms: int) -> bool:
        """Say whether the calendar is known all the way from one instant to another."""
        return self._from_ms <= from_ms and to_ms <= self._to_ms

    def offset_ms(self, at_ms: int) -> int:
        """Return how far the local clock is ahead of UTC; outside the years as at their edge."""
        offsets = self.table.offsets_ms
        index = bisect_right(offsets, at_ms, key=_first) - 1
        return offsets[max(index, 0)][1] if offsets else 0

    def local_text(self, at_ms: int) -> str:
        """Return an instant on the local clock, to the second: `2026-02-14 09:00:00`."""
        local = _EPOCH + timedelta(milliseconds=at_ms + self.offset_ms(at_ms))
        return local.isoformat(" ", "seconds")

    def is_break(self, from_ms: int, to_ms: int) -> bool:
        """Say whether a closed stretch lies between the hours of one working day."""
        index = bisect_right(self._day_starts, from_ms) - 1
        if index < 0:
            return False
        starts_ms, closes_ms = self.table.workdays_ms[index]
        return to_ms <= closes_ms and self.elapsed_ms(starts_ms, from_ms) > 0

    def named_days(self, from_ms: int, to_ms: int) -> tuple[NamedDay, ...]:
        """Return the days with a name of their own that share an instant with a stretch of time."""
        named = self.table.named
        index = bisect_right(named, from_ms, key=_end_of)
        end = bisect_left(named, to_ms, key=_start_of)
        return named[index:end]


def _first(pair: tuple[int, int]) -> int:
    return pair[0]


def _start_of(day: NamedDay) -> int:
    return day.from_ms


def _end_of(day: NamedDay) -> int:
    return day.to_ms


def table_version(table: OpeningTable) -> str:
    """Name a table by what is open when: the first 16 hex digits of BLAKE2b-256.

    Where the hours came from is left out: new zone rules that move no opening change nothing.
    """
    content = (table.from_ms, table.to_ms, table.open_ms, table.workdays_ms)
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=32).hexdigest()[:16]


PLAIN_TIME: Final = OpeningHours(ALWAYS, OpeningTable())


def opening_hours(center: Center) -> dict[str, OpeningHours]:
    """Return every calendar of a centre by name, `always` included."""
    hours = {
        name: OpeningHours(name, calendar.table) for name, calendar in center.calendars.items()
    }
    return {**hours, ALWAYS: PLAIN_TIME}


# --- the path to a deadline -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the path to a deadline: how much of it counted, and why."""

    from_ms: int
    to_ms: int
    ran_ms: int
    why: str


def timeline(hours: OpeningHours, start_ms: int, duration_ms: int) -> list[Stretch]:
    """Return the path from a start to the instant that `add_ms` gives, without a gap.

    It is as long as there are openings, breaks and days with a name on the way.
    """
    end_ms = hours.add_ms(start_ms, duration_ms)
    path: list[Stretch] = []
    at_ms = start_ms
    while at_ms < end_ms:
        opens_ms = hours.next_opening_ms(at_ms)
        is_open = opens_ms == at_ms
        until_ms = opens_ms
        if is_open:
            closes_ms = hours.next_closing_ms(at_ms)
            until_ms = end_ms if closes_ms is None else closes_ms
        until_ms = min(until_ms, end_ms)
        path += _pieces(hours, at_ms, until_ms, is_open=is_open)
        at_ms = until_ms
    return path


def _pieces(hours: OpeningHours, from_ms: int, to_ms: int, *, is_open: bool) -> list[Stretch]:
    """Cut a stretch that is all open or all closed where its reason changes."""
    days = hours.named_days(from_ms, to_ms)
    edges = [from_ms, to_ms, *hours.horizon]
    edges += [day.from_ms for day in days] + [day.to_ms for day in days]
    cuts = sorted(edge for edge in edges if from_ms <= edge <= to_ms)
    pieces: list[Stretch] = []
    for start_ms, end_ms in pairwise(cuts):
        if start_ms == end_ms:
            continue
        why = _why(hours, start_ms, end_ms, is_open=is_open)
        ran_ms = end_ms - start_ms if is_open else 0
        if pieces and pieces[-1].why == why:
            last = pieces.pop()
            start_ms, ran_ms = last.from_ms, last.ran_ms + ran_ms  # noqa: PLW2901  # one piece
        pieces.append(Stretch(start_ms, end_ms, ran_ms, why))
    return pieces


def _why(hours: OpeningHours, from_ms: int, to_ms: int, *, is_open: bool) -> str:
    if not hours.covers(from_ms, to_ms):
        return "open" if hours.name == ALWAYS else BEYOND
    state = "open" if is_open else "closed"
    for day in hours.named_days(from_ms, to_ms):
        # A night shift that runs into a holiday is open, and a moved workday closes at night.
        if day.kind is not (DayKind.HOLIDAY if is_open else DayKind.MOVED_WORKDAY):
            return f"{state}, {day.kind.value.replace('_', ' ')}: {day.name}"
    return "break" if not is_open and hours.is_break(from_ms, to_ms) else state


def show_timeline(hours: OpeningHours, path: list[Stretch]) -> list[str]:
    """Write a path as lines for people: local clock, what counted, why."""
    return [
        f"{hours.local_text(part.from_ms)} to {hours.local_text(part.to_ms)}  "
        f"{show_duration(part.ran_ms):>10}  {part.why}"
        for part in path
    ]
