"""Say what a planning file holds, for who has just read one: days, queues, contacts, gaps.

A row that is absent says that nobody came; `gaps` finds those that cannot have meant it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from simulation.fit.arrivals import WEEKDAYS
from simulation.fit.kinds import Kind
from simulation.fit.local_time import find_zone, to_local
from simulation.fit.planning_files import Imported
from simulation.phrases import counted

# Absent rows are missing where so many contacts in all, so many in each, would have come: nobody
# at all has then a probability of less than one in a million (half as many: one in 1,800).
_MISSED_MIN: Final = 15.0
_EACH_MIN: Final = 4.0
_DAYS_MIN: Final = 3
_SHOWN: Final = 4


def overview(imported: Imported) -> Iterator[str]:
    """Yield what a file of counts or contacts holds, in local days of its zone."""
    if imported.kind not in {Kind.COUNTS, Kind.CONTACTS} or not imported.rows:
        return
    zone = find_zone(imported.zone or "UTC")
    name = "interval_start" if imported.kind is Kind.COUNTS else "arrived_at"
    queues: dict[str, float] = {}
    days: set[date] = set()
    for row in imported.rows:
        days.add(to_local(int(row.values[name]), zone).date())
        channel = row.values.get("channel")
        label = f"{row.values['queue']}{f' ({channel})' if channel else ''}"
        queues[label] = queues.get(label, 0.0) + float(row.values.get("offered", 1))
    clock = imported.zone or "UTC (give --timezone for local days)"
    yield f"{min(days)} to {max(days)}, {counted(len(days), 'day')} with rows; clock of {clock}"
    yield "contacts: " + ", ".join(f"{label} {count:,.0f}" for label, count in queues.items())
    away = absent_days(days)
    if away:
        yield f"no rows on {_some(f'{day} ({WEEKDAYS[day.weekday()]})' for day in away)}"


def absent_days(days: Iterable[date]) -> list[date]:
    """Return the days without a row whose weekday has rows in most weeks."""
    there = set(days)
    first, last = min(there), max(there)
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    found = []
    for weekday in range(7):
        alike = [day for day in every if day.weekday() == weekday]
        away = [day for day in alike if day not in there]
        if 2 * len(away) < len(alike):
            found += away
    return sorted(found)


def gaps(offered: Mapping[tuple[date, int], float]) -> dict[date, list[int]]:
    """Return the intervals that are missing: a row is absent where many contacts come.

    `offered` has the contacts of each (day, interval) with a row. What comes on the other days of
    the weekday, most of which have a row there, says how many would have come.
    """
    rows: dict[date, set[int]] = {}
    for day, interval in offered:
        rows.setdefault(day, set()).add(interval)
    found: dict[date, list[int]] = {}
    for weekday in range(7):
        days = [day for day in rows if day.weekday() == weekday]
        means: dict[int, float] = {}
        for interval in {place for day in days for place in rows[day]}:
            there = [offered[day, interval] for day in days if interval in rows[day]]
            mean = sum(there) / len(there)
            if len(there) >= _DAYS_MIN and 2 * len(there) > len(days):
                means[interval] = mean
        for day in days:
            missing = sorted(
                place for place in means.keys() - rows[day] if means[place] >= _EACH_MIN
            )
            # A quiet day is quiet in all of its hours.
            usual = sum(means.get(place, 0.0) for place in rows[day])
            came = sum(offered[day, place] for place in rows[day])
            level = min(1.0, came / usual) if usual else 1.0
            if level * sum(means[place] for place in missing) >= _MISSED_MIN:
                found[day] = missing
    return found


def gap_note(found: Mapping[date, list[int]], minutes: int) -> str:
    """Say which days are left out for their gaps."""

    def told(day: date) -> str:
        starts = sorted(interval * minutes for interval in found[day])
        clocks = ", ".join(f"{start // 60:02d}:{start % 60:02d}" for start in starts[:2])
        return f"{day} ({clocks}{', ...' if len(starts) > 2 else ''})"

    return (
        f"{counted(len(found), 'day')} left out, since rows are missing where many contacts come: "
        f"{_some(told(day) for day in sorted(found))}; write rows of zeros if nobody came"
    )


def _some(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
