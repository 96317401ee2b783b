"""Hold a shift plan: when each agent is to take work, and when he is to be away, paid or not.

The plan is what adherence and utilisation are measured against; it decides nothing. Shifts of one
agent must not overlap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Shift(NamedTuple):
    """Plan one stretch of one agent: from an instant to before another, taking work or away."""

    agent_id: str
    from_ms: int
    to_ms: int
    works: bool = True
    paid: bool = True


class Planned(NamedTuple):
    """Say how much of a stretch of time is planned: at work, away, and paid of both."""

    work_ms: int = 0
    away_ms: int = 0
    paid_ms: int = 0


class ShiftPlan:
    """Find what was planned for an agent in a stretch of time; costs log n and what it finds."""

    def __init__(self, shifts: Iterable[Shift]) -> None:
        """Take the shifts in any order; raises ValueError where two of one agent overlap."""
        self._shifts: dict[str, list[Shift]] = {}
        for shift in sorted(shifts):
            kept = self._shifts.setdefault(shift.agent_id, [])
            if kept and kept[-1].to_ms > shift.from_ms:
                raise ValueError(
                    f"two shifts of {shift.agent_id} overlap: one ends at {kept[-1].to_ms}, "
                    f"the next begins at {shift.from_ms}"
                )
            kept.append(shift)
        self._starts = {
            agent_id: [shift.from_ms for shift in shifts]
            for agent_id, shifts in self._shifts.items()
        }

    def agents(self) -> Iterator[str]:
        """Yield the agents who have shifts, sorted."""
        yield from sorted(self._shifts)

    def planned(self, agent_id: str, from_ms: int, to_ms: int) -> Planned:
        """Add up what is planned for an agent from an instant to before another."""
        shifts = self._shifts.get(agent_id)
        if shifts is None:
            return Planned()
        work_ms = away_ms = paid_ms = 0
        index = max(bisect_right(self._starts[agent_id], from_ms) - 1, 0)
        while index < len(shifts) and shifts[index].from_ms < to_ms:
            shift = shifts[index]
            spent_ms = max(min(shift.to_ms, to_ms) - max(shift.from_ms, from_ms), 0)
            work_ms += spent_ms * shift.works
            away_ms += spent_ms * (not shift.works)
            paid_ms += spent_ms * shift.paid
            index += 1
        return Planned(work_ms, away_ms, paid_ms)
