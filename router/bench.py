"""Keep the agents who could take a contact now, in the order in which a policy would choose them.

Each demand (the contacts with the same queue, needs and channel) has a bench; an agent has one
seat at each bench that he is able to serve, and sits there while he has capacity for its channel.
So finding the agent is O(1), and an agent who becomes busy or free touches his own seats only.

The graded bench is a linked line per grade and a mask of the grades that are not empty (longest
idle: one grade; most proficient: one a level). The ranked bench serves the policies whose number
is not small: an ordered list, O(log agents).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.ordered import Ordered

if TYPE_CHECKING:
    from router.lines import Demand
    from router.plan import QueuePlan
    from router.records import Agent

LOWEST: Final = 0
ROTATING: Final = 1
RANDOM: Final = 2


class Seat:
    """An agent's place at one bench; `rank` is the grade or the key under which he sits."""

    __slots__ = ("after", "agent", "before", "demand", "rank", "taken", "tie")

    def __init__(self, agent: Agent, demand: Demand, rank: int) -> None:
        self.agent = agent
        self.demand = demand
        self.rank = rank
        self.tie = 0
        self.taken = False
        self.before: Seat | None = None
        self.after: Seat | None = None


class Bench:
    """Hold the seats taken at one demand."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def take(self, seat: Seat) -> None:
        """Let an agent sit down; `seat.rank` and `seat.tie` say where."""
        raise NotImplementedError

    def leave(self, seat: Seat) -> None:
        """Let an agent stand up."""
        raise NotImplementedError

    def first(self) -> Seat | None:
        """Return the seat that the policy chooses."""
        raise NotImplementedError

    def following(self, seat: Seat) -> Seat | None:
        """Return the next choice after `seat`."""
        raise NotImplementedError


class GradedBench(Bench):
    """Order by grade (small, the highest first), then by tie number (the lowest first)."""

    __slots__ = ("firsts", "lasts", "mask")

    def __init__(self) -> None:
        super().__init__()
        self.mask = 0
        self.firsts: list[Seat | None] = [None]
        self.lasts: list[Seat | None] = [None]

    def take(self, seat: Seat) -> None:
        """Let an agent sit down, normally at the end of his grade."""
        grade = seat.rank
        while len(self.lasts) <= grade:
            self.firsts.append(None)
            self.lasts.append(None)
        seat.taken = True
        self.size += 1
        last = self.lasts[grade]
        if last is None:
            self.firsts[grade] = seat
            self.lasts[grade] = seat
            self.mask |= 1 << grade
            return
        if last.tie < seat.tie:
            last.after = seat
            seat.before = last
            self.lasts[grade] = seat
            return
        behind = self._place_for(seat, last)
        before = behind.before
        seat.before = before
        seat.after = behind
        behind.before = seat
        if before is None:
            self.firsts[grade] = seat
        else:
            before.after = seat

    def _place_for(self, seat: Seat, last: Seat) -> Seat:
        """Return the seat before which `seat` belongs, walking from both ends at once.

        One whose offer was withdrawn comes back near the front, one whose back-off is over near
        the end: the nearer end decides how far the walk goes.
        """
        late: Seat = last
        early = self.firsts[seat.rank]
        assert early is not None, "a grade with a last has a first"
        while early.tie < seat.tie:
            before = late.before
            if before is None or before.tie < seat.tie:
                return late
            late = before
            after = early.after
            assert after is not None, "the last has a higher tie number"
            early = after
        return early

    def leave(self, seat: Seat) -> None:
        """Let an agent stand up."""
        seat.taken = False
        self.size -= 1
        grade = seat.rank
        before, after = seat.before, seat.after
        if before is None:
            self.firsts[grade] = after
        else:
            before.after = after
            seat.before = None
        if after is None:
            self.lasts[grade] = before
            if before is None:
                self.mask &= ~(1 << grade)
        else:
            after.before = before
            seat.after = None

    def first(self) -> Seat | None:
        """Return the longest seated of the highest grade."""
        mask = self.mask
        return self.firsts[mask.bit_length() - 1] if mask else None

    def following(self, seat: Seat) -> Seat | None:
        """Return the next in the grade, or the first of the next lower one."""
        if seat.after is not None:
            return seat.after
        lower = self.mask & ((1 << seat.rank) - 1)
        return self.firsts[lower.bit_length() - 1] if lower else None


class RankedBench(Bench):
    """Order by a key of any size, lowest first; or go round; or take one by a seeded number."""

    __slots__ = ("mode", "queue", "seats")

    def __init__(self, mode: int, queue: QueuePlan) -> None:
        super().__init__()
        self.mode = mode
        self.queue = queue
        self.seats: Ordered[Seat] = Ordered()

    def take(self, seat: Seat) -> None:
        """Let an agent sit down."""
        seat.taken = True
        self.size += 1
        self.seats.add(seat.rank, seat.tie, seat)

    def leave(self, seat: Seat) -> None:
        """Let an agent stand up."""
        seat.taken = False
        self.size -= 1
        self.seats.remove(seat.rank, seat.tie)

    def first(self) -> Seat | None:
        """Return the lowest, the next in the round, or a drawn one."""
        seats = self.seats
        if self.mode == LOWEST or not len(seats):
            return seats.first()
        if self.mode == ROTATING:
            seat = seats.after(self.queue.last_rank, 1 << 60)
            return seat if seat is not None else seats.first()
        return seats.at(mix(self.queue.spec.seed, self.queue.drawn) % len(seats))

    def following(self, seat: Seat) -> Seat | None:
        """Return the next one round the table, until all have been shown."""
        follower = self.seats.after(seat.rank, seat.tie)
        if follower is None:
            follower = self.seats.first()
        return None if follower is self.first() else follower

    def at(self, position: int) -> Seat:
        """Return the seat at a position, 0 being the lowest."""
        return self.seats.at(position)


Row = GradedBench | RankedBench


class DividedBench(Bench):
    """Divide the seats into rows of agents of whom the guards say the same.

    `rows` has them by (team, reserves that the agent is able for, idle). Who of several rows comes
    first is asked of `router.guards`.
    """

    __slots__ = ("mode", "queue", "rows")

    def __init__(self, mode: int, queue: QueuePlan) -> None:
        super().__init__()
        self.mode = mode
        self.queue = queue
        self.rows: dict[tuple[str, int, bool], Row] = {}

    def take(self, seat: Seat) -> None:
        """Let an agent sit down in his row; what puts him there stays as it is while he sits."""
        agent = seat.agent
        key = (agent.team, agent.keeps, agent.counted)
        row = self.rows.get(key)
        if row is None:
            row = GradedBench() if self.mode < 0 else RankedBench(self.mode, self.queue)
            self.rows[key] = row
        row.take(seat)
        self.size += 1

    def leave(self, seat: Seat) -> None:
        """Let an agent stand up."""
        agent = seat.agent
        self.rows[agent.team, agent.keeps, agent.counted].leave(seat)
        self.size -= 1


def mix(seed: int, number: int) -> int:
    """Return a well-mixed 62-bit number: the same lot in every run, with no generator's state.

    SplitMix64's finaliser (Steele, Lea & Flood, OOPSLA 2014) over seed and number.
    """
    word = (seed * 0x9E3779B97F4A7C15 + (number + 1) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (word ^ (word >> 31)) >> 2
