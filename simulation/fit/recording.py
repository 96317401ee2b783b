"""Play a scenario over weeks and record it as a telephone system would: counts, or contacts.

A history with a known truth: to learn the fit with, and to test it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from configs.planning import Scenario
from router.center import Queue
from simulation.fit.arrivals import WEEKDAYS
from simulation.fit.history import Ending, Visit
from simulation.fit.journals import JournalReader
from simulation.fit.local_time import find_zone, to_local
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared

_WORKDAYS: Final = dict.fromkeys(WEEKDAYS[:5], 1.0)
COUNT_COLUMNS: Final = (
    "interval_start", "interval_minutes", "queue", "channel", "offered", "handled", "abandoned",
    "aht_seconds", "service_level",
)  # fmt: skip
CONTACT_COLUMNS: Final = (
    "arrived_at", "queue", "category", "channel", "outcome", "wait_seconds", "handle_seconds",
    "wrap_up_seconds", "reply_seconds", "agent", "customer",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Which days are played: from a date on, with a factor a weekday (not named: closed)."""

    first: date
    days: int
    seed: int
    weekdays: Mapping[str, float]

    @classmethod
    def workdays(cls, first: date, weeks: int, seed: int) -> Recording:
        """Return Mondays to Fridays of some weeks, all alike."""
        return cls(first=first, days=7 * weeks, seed=seed, weekdays=_WORKDAYS)


def play_days(scenario: Scenario, recording: Recording) -> Iterator[tuple[date, JournalReader]]:
    """Play day after day; each has the number of its place as replication."""
    for number in range(recording.days):
        day = recording.first + timedelta(days=number)
        factor = recording.weekdays.get(WEEKDAYS[day.weekday()], 0.0)
        if not factor:
            continue
        demand = {
            name: replace(part, factor=part.factor * factor)
            for name, part in scenario.demand.items()
        }
        prepared = Prepared(replace(scenario, date=day.isoformat(), demand=demand))
        reader = JournalReader()
        Day(prepared, recording.seed, number, listeners=(reader.fold,)).play()
        reader.finish()
        # A day knows its customers by numbers; on another day these are other people.
        reader.visits = [
            replace(visit, customer=f"{day:%m%d}.{visit.customer}" if visit.customer else "")
            for visit in reader.visits
        ]
        yield day, reader


def write_counts(scenario: Scenario, recording: Recording, path: Path) -> int:
    """Write a row per interval and queue on a channel, and return how many."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COUNT_COLUMNS)
        rows = 0
        for _, reader in play_days(scenario, recording):
            for row in _count_rows(scenario, reader.visits):
                writer.writerow(row)
                rows += 1
    return rows


def _count_rows(scenario: Scenario, visits: Iterable[Visit]) -> Iterator[tuple[object, ...]]:
    zone = find_zone(scenario.zone)
    cells: dict[tuple[int, str, str], list[Visit]] = {}
    for visit in visits:
        start_ms = visit.arrived_ms - visit.arrived_ms % scenario.interval_ms
        queue = scenario.center.categories[visit.category].queue
        cells.setdefault((start_ms, queue, visit.channel), []).append(visit)
    for (start_ms, queue, channel), found in sorted(cells.items()):
        known = scenario.center.queues.get(queue, Queue())
        answered = [visit for visit in found if visit.ending is Ending.ANSWERED]
        abandoned = [visit.wait_s or 0.0 for visit in found if visit.ending is Ending.ABANDONED]
        in_time = sum(1 for visit in answered if _ms(visit.wait_s) <= known.service_level_ms)
        short = sum(1 for wait in abandoned if _ms(wait) < known.short_abandon_ms)
        spent = [(visit.handle_s or 0.0) + (visit.wrap_up_s or 0.0) for visit in answered]
        decided = len(found) - short
        yield (
            to_local(start_ms, zone).isoformat(),
            scenario.interval_ms // 60_000,
            queue,
            channel,
            len(found),
            len(answered),
            len(abandoned),
            round(sum(spent) / len(answered)) if answered else "",
            round(in_time / decided, 3) if decided else "",
        )


def write_contacts(scenario: Scenario, recording: Recording, path: Path) -> int:
    """Write a row per contact, and return how many."""
    zone = find_zone(scenario.zone)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CONTACT_COLUMNS)
        rows = 0
        for _, reader in play_days(scenario, recording):
            for visit in sorted(reader.visits, key=lambda one: one.arrived_ms):
                rows += 1
                writer.writerow(
                    (
                        to_local(visit.arrived_ms, zone).isoformat(timespec="milliseconds"),
                        visit.queue,
                        visit.category,
                        visit.channel,
                        visit.ending.value,
                        _seconds(visit.wait_s),
                        _seconds(visit.handle_s),
                        _seconds(visit.wrap_up_s),
                        _seconds(visit.reply_s),
                        visit.agent,
                        visit.customer,
                    )
                )
    return rows


def _ms(seconds: float | None) -> int:
    return round(1000 * (seconds or 0.0))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
