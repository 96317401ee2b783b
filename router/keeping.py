"""Hold what the guards know: who is kept for which line, who may help out, who pairs with whom.

Plain records without an opinion; what follows from them is decided in `router.guards`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from router.deadlines import Timer

if TYPE_CHECKING:
    from router.center import PairWeight
    from router.records import Agent
    from router.skills import Needs

_WHOLE: Final = 100


class Reserve:
    """Idle agents kept for one queue.

    `wanted` lists the needs of the queue's categories: who meets one of them counts. While `shut`
    there were too few at the end of an event, and it takes `band` more than `size` to open again.
    """

    __slots__ = ("band", "bit", "idle", "queue", "shut", "size", "teams", "wanted")

    def __init__(
        self,
        index: int,
        queue: str,
        size: int,
        band: int,
        teams: tuple[str, ...],
        wanted: tuple[Needs, ...],
    ) -> None:
        self.bit = 1 << index
        self.queue = queue
        self.size = size
        self.band = band
        self.teams = teams
        self.wanted = wanted
        self.idle = 0
        self.shut = False

    def spares_one(self) -> bool:
        """Say whether another queue may have one of the idle agents."""
        return self.idle > self.size + (self.band if self.shut else 0)


class Lending:
    """What a team owes its own queues before it helps others.

    `answers` holds (instant, in time) of the own contacts answered or lost within the window.
    Judged when one is added, and while `shut` when one falls out of the window.
    """

    __slots__ = (
        "answers",
        "band",
        "good",
        "own",
        "percent",
        "shut",
        "team",
        "touched",
        "window_ms",
    )

    def __init__(
        self, team: str, own: frozenset[str], percent: int, band: int, window_ms: int
    ) -> None:
        self.team = team
        self.own = own
        self.percent = percent
        self.band = band
        self.window_ms = window_ms
        self.answers: deque[tuple[int, bool]] = deque()
        self.good = 0
        self.shut = False
        self.touched = False

    def note(self, now_ms: int, *, in_time: bool) -> None:
        """Count an own contact that was answered or lost."""
        self.answers.append((now_ms, in_time))
        self.good += in_time
        self.touched = True

    def judge(self, now_ms: int) -> bool:
        """Forget what lies before the window and judge the rest; say whether lending began anew."""
        answers = self.answers
        while answers and answers[0][0] <= now_ms - self.window_ms:
            self.good -= answers.popleft()[1]
        self.touched = False
        least = min(self.percent + (self.band if self.shut else 0), _WHOLE)
        was_shut = self.shut
        self.shut = self.good * _WHOLE < least * len(answers)
        return was_shut and not self.shut

    def next_ms(self) -> int:
        """Return when the oldest answer falls out of the window; only while there is one."""
        return self.answers[0][0] + self.window_ms

    def percent_now(self) -> int:
        """Return the share answered in time within the window, as last judged."""
        return self.good * _WHOLE // len(self.answers) if self.answers else _WHOLE


class Guards(Timer):
    """All guards of a centre; as a timer the next instant at which time alone may open one.

    `due` says that this instant has come. `reserve_bits` has the bit of each queue that keeps a
    reserve, `pairs` the weights by (team, queue).
    """

    __slots__ = ("due", "lendings", "pairs", "reserve_bits", "reserves")

    def __init__(self) -> None:
        super().__init__()
        self.due = False
        self.reserves: list[Reserve] = []
        self.reserve_bits: dict[str, int] = {}
        self.lendings: dict[str, Lending] = {}
        self.pairs: dict[tuple[str, str], PairWeight] = {}

    def count(self, agent: Agent) -> None:
        """Count an agent without work or offer in the reserves that he is able for."""
        if agent.counted or agent.units or agent.offered_units:
            return
        agent.counted = True
        self._add(agent.keeps, 1)

    def uncount(self, agent: Agent) -> None:
        """Count an agent out who got something, or is leaving."""
        agent.counted = False
        self._add(agent.keeps, -1)

    def _add(self, keeps: int, change: int) -> None:
        for reserve in self.reserves:
            if keeps & reserve.bit:
                reserve.idle += change
                if reserve.shut and reserve.spares_one():
                    # It opens at once; it shuts at the end of an event only, when all sit again.
                    reserve.shut = False
                    self.due = True
