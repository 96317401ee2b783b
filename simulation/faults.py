"""Let things go wrong: on the line between world and router, and by rogue acts.

*Line faults* strike an event on its way: it comes twice, late, never, after its successor, with
a producer's clock that is wrong, under an id that another event has. *Rogue acts* are events that
should not happen: an accept for an offer long closed, an agent who vanishes, a configuration with
an old version. `FAULTS` in `simulation.rogues`
names them all; a day's options hold the names of those that strike.

Whatever happens here, the router must answer each event in one way, break no promise of its own
and go on. The auditor judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from router.events import (
    ContactArrived,
    ContactUpdated,
    Event,
)
from simulation.driver import WorldEnvironment
from simulation.randomness import Lots, Streams
from simulation.scenario import Faults


class Deliver(Protocol):
    """Take one event at the router's door."""

    def __call__(self, event: Event, event_id: str = "", occurred_ms: int = 0) -> None:
        """Handle the event now."""


LINE_FAULTS: Final = (
    "event_repeated",
    "event_repeated_late",
    "event_delayed",
    "event_reordered",
    "event_lost",
    "event_id_reused",
    "event_altered",
    "clock_skewed",
)
# Strikes once, before the day begins: the configuration comes after the first events.
CENTER_LATE: Final = "center_late"
_SKEW_MS: Final = (-14_400_000, -3_600_000, -90_000, 90_000, 3_600_000, 14_400_000)
_STALE_MS: Final = 900_000


class Line:
    """Carry events from the world to the router, with the faults of the day.

    `counts` says how often each fault struck. `event_ids`: number the records.
    """

    def __init__(
        self,
        env: WorldEnvironment,
        deliver: Deliver,
        faults: Faults,
        streams: Streams,
        *,
        event_ids: bool = False,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._env = env
        self._deliver = deliver
        self._faults = faults
        self._streams = streams
        self._lots: Lots = streams.lots("line")
        self._kinds = tuple(kind for kind in faults.kinds if kind in LINE_FAULTS)
        self._event_ids = event_ids
        self._number = 0
        self._last_id = ""
        self._late: dict[int, tuple[Event, str, int]] = {}
        self._healed = False
        self._strikes: dict[str, Callable[[Event, str], None]] = {
            "event_repeated": self._repeat,
            "event_repeated_late": self._repeat_late,
            "event_delayed": self._delay,
            "event_reordered": self._reorder,
            "event_lost": self._lose,
            "event_id_reused": self._reuse_id,
            "event_altered": self._alter,
            "clock_skewed": self._skew,
        }

    def send(self, event: Event) -> None:
        """Carry one event, now, later or never."""
        self._number += 1
        event_id = f"w-{self._number}" if self._event_ids else ""
        if self._kinds and not self._healed:
            lots = self._lots
            if lots.chance(self._faults.share):
                kind = lots.pick(self._kinds)
                self.counts[kind] += 1
                self._strikes[kind](event, event_id)
                self._last_id = event_id
                return
        self._last_id = event_id
        self._deliver(event, event_id, self._env.now_ms if self._event_ids else 0)

    def heal(self) -> None:
        """Deliver what is still under way; from here on every event arrives at once."""
        self._healed = True
        late, self._late = self._late, {}
        for number in sorted(late):
            self._deliver(*late[number])

    def _later(self, event: Event, event_id: str, delay_ms: int) -> None:
        self._number += 1
        self._late[self._number] = (event, event_id, self._env.now_ms)
        self._env.call_in(delay_ms, self._arrive, self._number)

    def _arrive(self, number: int) -> None:
        late = self._late.pop(number, None)
        if late is not None:
            self._deliver(*late)

    def _repeat(self, event: Event, event_id: str) -> None:
        self._deliver(event, event_id, self._env.now_ms)
        self._deliver(event, event_id, self._env.now_ms)

    def _repeat_late(self, event: Event, event_id: str) -> None:
        self._deliver(event, event_id, self._env.now_ms)
        self._later(event, event_id, self._lots.gap_ms(_STALE_MS))

    def _delay(self, event: Event, event_id: str) -> None:
        delay_ms = self._streams.duration_ms(self._faults.delay, "", "line-delay", self._number)
        self._later(event, event_id, delay_ms)

    def _reorder(self, event: Event, event_id: str) -> None:
        # A few milliseconds are enough to let another event of the same burst overtake.
        self._later(event, event_id, self._lots.between(1, 20))

    def _lose(self, event: Event, event_id: str) -> None:
        """Lose the event: nobody will ever see it."""

    def _reuse_id(self, event: Event, event_id: str) -> None:
        self._deliver(event, self._last_id or "w-1", self._env.now_ms)

    def _alter(self, event: Event, event_id: str) -> None:
        """Send the event, then one with the same contact (and record) id and other contents."""
        self._deliver(event, event_id, self._env.now_ms)
        if isinstance(event, ContactArrived):
            altered: Event = msgspec.structs.replace(
                event, priority=(event.priority + 3) % 10, customer=f"{event.customer}.x"
            )
        elif isinstance(event, ContactUpdated):
            altered = ContactUpdated(event.contact_id, priority=9)
        else:
            altered = event
        self._deliver(altered, event_id, self._env.now_ms)

    def _skew(self, event: Event, event_id: str) -> None:
        skew_ms = self._lots.pick(_SKEW_MS)
        self._deliver(event, event_id, max(1, self._env.now_ms + skew_ms))
