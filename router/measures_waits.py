"""Predict how long a contact will wait, from what was folded, and learn from what happened.

The estimator is conditioned on the state that the contact finds, in the manner of queue mining
for several classes (Senderovich, Weidlich, Gal & Mandelbaum 2015, "Queue mining for delay
prediction in multi-class service processes", Information Systems 53): contacts of one queue,
channel and category that came in a like state waited alike, so the recent mean of their waits is
the prediction. The state is

- how many agents who meet the contact's needs are idle (0, 1, 2 or more), and
- if none is, how many of its own kind wait before it, by powers of two.

The classical estimators (Ibrahim & Whitt 2009, "Real-time delay estimation based on delay
history"; the delay of the head of the line, of the last to enter service, queue length over
service rate) suppose that one line is served in order by equal agents. With skills a contact that
nobody present may serve stands at the head for hours while others pass it, and those estimators
err by more than a constant would; MEASURES.md has the comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from router.center import Center

if TYPE_CHECKING:
    from router.measures_contacts import FollowedContact

CLOSE_MS: Final = 30_000
IDLE_TOLD_APART: Final = 2
# A mean is shown after so many answers; later ones weigh one twentieth each, at least.
ANSWERS_NEEDED: Final = 3
_WEIGHT: Final = 0.05
_NEEDS_KEPT: Final = 10_000

Pairs: TypeAlias = tuple[tuple[str, int], ...]
Need: TypeAlias = tuple[tuple[str, ...], Pairs]


class Staff:
    """Count idle agents by profile (team and skills), and find who could serve a need.

    Agents of one group share a profile, so there are few; only those with somebody idle are
    looked at.
    """

    __slots__ = ("_able", "_numbers", "_profiles", "idle")

    def __init__(self) -> None:
        self.idle: dict[int, int] = {}
        self._profiles: list[tuple[str, dict[str, int]]] = []
        self._numbers: dict[tuple[str, Pairs], int] = {}
        self._able: dict[Need, dict[int, bool]] = {}

    def profile(self, team: str, skills: dict[str, int]) -> int:
        """Return the number of a profile, given at the first need."""
        key = (team, tuple(sorted(skills.items())))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._profiles)
            self._profiles.append((team, skills))
        return number

    def change(self, profile: int, by: int) -> None:
        """Note that an agent of a profile became idle (1) or stopped being so (-1)."""
        number = self.idle.get(profile, 0) + by
        if number:
            self.idle[profile] = number
        else:
            del self.idle[profile]

    def idle_able(self, need: Need) -> int:
        """Return how many idle agents meet a need, 2 for any more."""
        able = self._able.get(need)
        if able is None:
            if len(self._able) >= _NEEDS_KEPT:
                self._able.clear()
            able = self._able[need] = {}
        found = 0
        for profile, number in self.idle.items():
            meets = able.get(profile)
            if meets is None:
                meets = able[profile] = self._meets(profile, need)
            if meets:
                found += number
                if found >= IDLE_TOLD_APART:
                    return IDLE_TOLD_APART
        return found

    def _meets(self, profile: int, need: Need) -> bool:
        teams, levels = need
        team, skills = self._profiles[profile]
        return (not teams or team in teams) and all(
            skills.get(skill, 0) >= level for skill, level in levels
        )


class RecentMean:
    """Hold the mean of recent waits: exact for the first twenty, then fading."""

    __slots__ = ("answers", "mean_ms")

    def __init__(self) -> None:
        self.answers = 0
        self.mean_ms = 0.0

    def add(self, wait_ms: int) -> None:
        """Learn from one wait."""
        self.answers += 1
        self.mean_ms += (wait_ms - self.mean_ms) * max(1 / self.answers, _WEIGHT)


class Kind:
    """Know the contacts of one queue, channel and category: who waits, and how long it took.

    `need` is that of the newest of them: the one that the prediction of the moment is for.
    """

    __slots__ = ("arrivals", "line", "need", "states", "waiting")

    def __init__(self, line: dict[int, RecentMean], need: Need) -> None:
        self.line = line
        self.need = need
        self.waiting = 0
        self.arrivals = 0
        self.states: dict[tuple[int, int], RecentMean] = {}

    def state(self, idle: int) -> tuple[int, int]:
        """Return the state that a contact finds which comes now."""
        return (idle, 0) if idle else (0, self.waiting.bit_length())

    def predict(self, idle: int) -> int | None:
        """Return the wait of one that comes now, ms; None while too little is known."""
        for known in (self.states.get(self.state(idle)), self.line.get(idle)):
            if known is not None and known.answers >= ANSWERS_NEEDED:
                return round(known.mean_ms)
        return None

    def learn(self, state: tuple[int, int], wait_ms: int) -> None:
        """Learn from the wait of one that was answered, from its coming into this line on."""
        self.states.setdefault(state, RecentMean()).add(wait_ms)
        self.line.setdefault(state[0], RecentMean()).add(wait_ms)


class WaitPredictor:
    """Predict each visit to a line when it begins, and learn when it is answered.

    Only answered visits teach and are judged: how long the others would have waited nobody knows.
    Memory grows with the kinds of contacts (queue, channel, category), not with time.
    """

    def __init__(self, staff: Staff) -> None:
        self.staff = staff
        self.kinds: dict[tuple[str, str, str], Kind] = {}
        self._center: Center | None = None
        self._lines: dict[tuple[str, str], dict[int, RecentMean]] = {}
        self._needs: dict[tuple[str, str, str], Need] = {}

    def configure(self, center: Center) -> None:
        """Take over the needs of a (new) configuration."""
        self._center = center
        self._needs.clear()

    def enter(self, contact: FollowedContact) -> None:
        """Predict the wait of a contact that has just come into a line."""
        need = self._need(contact)
        key = (contact.queue, contact.channel, contact.category)
        kind = self.kinds.get(key)
        if kind is None:
            line = self._lines.setdefault((contact.queue, contact.channel), {})
            kind = self.kinds[key] = Kind(line, need)
        idle = self.staff.idle_able(need)
        contact.kind, contact.found = kind, kind.state(idle)
        contact.predicted_ms = kind.predict(idle)
        kind.need = need
        kind.arrivals += 1
        kind.waiting += 1

    def leave(self, contact: FollowedContact, now_ms: int, *, answered: bool) -> None:
        """Learn from a contact that leaves its line, and write down how far off we were."""
        contact.kind.waiting -= 1
        if not answered:
            return
        wait_ms = now_ms - contact.visit_ms
        contact.kind.learn(contact.found, wait_ms)
        if contact.predicted_ms is None:
            return
        error_ms = contact.predicted_ms - wait_ms
        card = contact.card
        card.predictions += 1
        card.predicted_error_ms += error_ms
        card.predicted_off_ms += abs(error_ms)
        card.predicted_close += abs(error_ms) <= CLOSE_MS

    def now(self, queue: str, channel: str = "") -> int | None:
        """Return the wait of a contact that comes to a queue (on a channel) now, ms.

        The mean over the kinds of contacts that come there, weighted by how many did, each with
        the needs of the newest of its kind; None while too little is known.
        """
        total = weight = 0
        for (of_queue, of_channel, _), kind in self.kinds.items():
            if of_queue != queue or channel not in ("", of_channel):
                continue
            predicted_ms = kind.predict(self.staff.idle_able(kind.need))
            if predicted_ms is not None:
                total += predicted_ms * kind.arrivals
                weight += kind.arrivals
        return total // weight if weight else None

    def _need(self, contact: FollowedContact) -> Need:
        key = (contact.queue, contact.category, contact.language)
        need = None if contact.skills else self._needs.get(key)
        if need is None:
            need = self._make(contact)
            if not contact.skills and len(self._needs) < _NEEDS_KEPT:
                self._needs[key] = need
        return need

    def _make(self, contact: FollowedContact) -> Need:
        center = self._center
        queue = center.queues.get(contact.queue) if center is not None else None
        category = center.categories.get(contact.category) if center is not None else None
        needs: dict[str, int] = {}
        if category is not None:
            needs.update(category.needs)
            if contact.language and category.language_level:
                needs[f"lang:{contact.language}"] = category.language_level
        for skill, level in contact.skills.items():
            needs[skill] = max(needs.get(skill, 0), level)
        return (queue.teams if queue is not None else (), tuple(sorted(needs.items())))
