"""Warn of calendars that end soon, or before what is promised on them can fall due."""

from __future__ import annotations

from typing import Final

from configs.findings import Finding
from configs.loader import LoadedCenter
from router.calendars import DAY_MS, opening_hours
from router.center import ALWAYS

# Time enough to add a year to a file.
LEAD_MS: Final = 30 * DAY_MS


def horizon_warnings(loaded: LoadedCenter, now_ms: int) -> list[Finding]:
    """Return a warning for each calendar in use whose years do not reach far enough from now.

    Far enough is 30 days, and beyond that until the last promise made by then falls due: outside
    its years a calendar counts as open day and night.
    """
    center, origins = loaded.center, loaded.origins
    last_ms = now_ms + LEAD_MS
    reach_ms = {queue.calendar: last_ms for queue in center.queues.values()}
    calendars = opening_hours(center)
    for promise in center.promises.values():
        hours = calendars[promise.calendar]
        if promise.target_working_days:
            due_ms = hours.end_of_nth_working_day(last_ms, promise.target_working_days)
        else:
            due_ms = hours.add_ms(last_ms, promise.target_ms)
        reach_ms[promise.calendar] = max(reach_ms.get(promise.calendar, 0), due_ms)
    findings = []
    for name, until_ms in reach_ms.items():
        hours = calendars[name]
        if name == ALWAYS or hours.covers(now_ms, until_ms):
            continue
        begins, ends = (hours.local_text(edge_ms)[:10] for edge_ms in hours.horizon)
        known = f"holds from {begins} until {ends} (without that day)"
        message = (
            f"{known}, but what runs on it now and in the next 30 days needs it until "
            f"{hours.local_text(until_ms)[:10]}; outside it counts as open day and night: add years"
        )
        path = ("calendars", name, "years")
        findings.append(Finding(origins.place(path), origins.spelling(path), message, warning=True))
    return findings
