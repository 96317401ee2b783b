"""Judge whole days on which every promise runs on opening hours, faults and all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import build_info
from router.center import Calendar, Center, OpeningTable
from router.sla import PromisePlan
from simulation.day import judge_day
from simulation.options import from_seed

MINUTE_MS = 60_000
DAY_MS = 86_400_000


def hours_around(start_ms: int, open_minutes: int, closed_minutes: int) -> Calendar:
    """Return a calendar that opens and closes all day long, three days long."""
    midnight_ms = start_ms - start_ms % DAY_MS
    end_ms = midnight_ms + 4 * DAY_MS
    period_ms = (open_minutes + closed_minutes) * MINUTE_MS
    opens = range(midnight_ms, end_ms - period_ms, period_ms)
    open_ms = tuple((at_ms, at_ms + open_minutes * MINUTE_MS) for at_ms in opens)
    days = range(midnight_ms, end_ms, DAY_MS)
    workdays_ms = tuple(
        (day_ms, max(closes for opens, closes in open_ms if opens < day_ms + DAY_MS))
        for day_ms in days
    )
    table = OpeningTable(
        from_ms=midnight_ms,
        to_ms=end_ms,
        open_ms=open_ms,
        workdays_ms=workdays_ms,
        offsets_ms=((midnight_ms, 0),),
        tz_version="test",
    )
    return Calendar(zone="UTC", hours={"daily": ("00:00-24:00",)}, years=(2026,), table=table)


def with_hours(center: Center, calendar: Calendar) -> Center:
    """Return the centre with all its promises on the calendar's clock."""
    promises = {
        name: replace(promise, calendar="shop") for name, promise in center.promises.items()
    }
    return replace(center, calendars={"shop": calendar}, promises=promises)


@pytest.mark.parametrize("seed", [3, 8, 24, 33, 48, 67, 71, 119, 209, 226])
@pytest.mark.parametrize(("open_minutes", "closed_minutes"), [(7, 3), (1, 4)])
def test_the_auditor_finds_no_fault(seed: int, open_minutes: int, closed_minutes: int) -> None:
    center, options = from_seed(seed)
    calendar = hours_around(options.start_ms, open_minutes, closed_minutes)
    verdict = judge_day(with_hours(center, calendar), options)
    assert verdict.violations == ()
    assert verdict.entries > 50


def test_a_clock_that_runs_while_closed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    if build_info.COMPILED:
        pytest.skip("a compiled method cannot be replaced")
    center, options = from_seed(71)
    monkeypatch.setattr(
        PromisePlan, "due_ms", lambda _plan, since_ms, running_ms: since_ms + running_ms
    )
    verdict = judge_day(with_hours(center, hours_around(options.start_ms, 1, 4)), options)
    assert verdict.violations != ()
