"""Count who was there: agents at work per team and interval, from shifts or from presence."""

from __future__ import annotations

from datetime import date

import numpy as np

from router.center import Center
from simulation.fit.figures import Array
from simulation.fit.history import DAY_MINUTES, History
from simulation.fit.local_time import find_zone, to_local

_MINUTE_MS = 60_000


def staffed_by_team(
    history: History, center: Center, zone: str, minutes: int, days: frozenset[date]
) -> dict[str, list[int]]:
    """Return the mean number of agents per interval of a day, rounded, by team.

    Planned shifts go before presence, since absence is told apart from them. Teams without
    anybody are not there; nothing at all without shifts and presence.
    """
    if history.shifts:
        spans = [(shift.agent, shift.start_ms, shift.end_ms) for shift in history.shifts]
    else:
        spans = [
            (presence.agent, start, end)
            for presence in history.presences
            for start, end in presence.working_ms
        ]
    clock = find_zone(zone)
    minutes_by_team: dict[str, Array] = {}
    for agent, start_ms, end_ms in spans:
        known = center.agents.get(agent)
        if known is None:
            continue
        table = minutes_by_team.setdefault(known.team, np.zeros(DAY_MINUTES))
        for at_ms in range(start_ms - start_ms % _MINUTE_MS, end_ms, _MINUTE_MS):
            # Minutes begun or ended within count by their share.
            part = (min(end_ms, at_ms + _MINUTE_MS) - max(start_ms, at_ms)) / _MINUTE_MS
            local = to_local(at_ms, clock)
            if local.date() in days:
                table[local.hour * 60 + local.minute] += part
    return {
        team: [
            round(value / (minutes * max(1, len(days))))
            for value in table.reshape(-1, minutes).sum(axis=1)
        ]
        for team, table in sorted(minutes_by_team.items())
        if table.any()
    }
