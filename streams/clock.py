"""Tell the time, in one of three ways.

- `WallClock`: the wall is read once, then monotonic time is added. A step of the host's clock
  changes nothing; how far the two have drifted apart is there to be looked at.
- `ScaledClock`: the same, run at a speed, from the time of the first record on.
- `RecordedClock`: time is what the records say; nobody waits.

All instants are integer milliseconds since the epoch, and none goes below `floor_ms`, the time
the journal has already reached.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from streams.ports import StoreError

_NS_PER_MS: Final = 1_000_000
DRIFT_ALARM_MS: Final = 1000
AHEAD_MAX_MS: Final = 3_600_000
"""A worker that was away for longer than this reads the wall twice."""
SECOND_READING_S: Final = 2.0

ReadNs = Callable[[], int]


class Clock(Protocol):
    """What the worker asks of time."""

    @property
    def recorded(self) -> bool:
        """Whether a record's own time is its stamp."""

    @property
    def started(self) -> bool:
        """Whether the clock can be read; one that follows records begins with the first."""

    def start(self, at_ms: int) -> None:
        """Begin at an instant (that of the first record, or of the journal's end)."""

    def now_ms(self) -> int | None:
        """Return the instant, None when only records say it."""

    def wait_s(self, until_ms: int) -> float | None:
        """Return the seconds to wait until an instant, None when waiting does not help."""


class WallClock:
    """Read the wall once, then count on."""

    recorded = False
    started = True

    def __init__(
        self,
        floor_ms: int = 0,
        read_wall_ns: ReadNs = time.time_ns,
        read_monotonic_ns: ReadNs = time.monotonic_ns,
    ) -> None:
        self._read_wall_ns = read_wall_ns
        self._read_monotonic_ns = read_monotonic_ns
        self._monotonic_ns = read_monotonic_ns()
        self._start_ms = max(floor_ms, read_wall_ns() // _NS_PER_MS)

    def start(self, at_ms: int) -> None:
        """Never go below what the journal has reached."""
        now_ms = self.now_ms()
        if at_ms > now_ms:
            self._start_ms += at_ms - now_ms

    def now_ms(self) -> int:
        """Return the instant."""
        return self._start_ms + (self._read_monotonic_ns() - self._monotonic_ns) // _NS_PER_MS

    def wait_s(self, until_ms: int) -> float:
        """Return the seconds until an instant."""
        return max(0, until_ms - self.now_ms()) / 1000

    def drift_ms(self) -> int:
        """Return by how much the wall differs from this clock now; > 1 s deserves an alarm."""
        return self._read_wall_ns() // _NS_PER_MS - self.now_ms()


class ClockError(StoreError):
    """The host's clock cannot be believed: says what to do."""


async def steady_wall(
    floor_ms: int,
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    read_wall_ns: ReadNs = time.time_ns,
    read_monotonic_ns: ReadNs = time.monotonic_ns,
) -> WallClock:
    """Return a clock of the wall that starts at or behind `floor_ms`, the journal's end.

    Time never goes back, so a stamp too far ahead would freeze a centre. A wall far beyond the
    journal's end is read a second time; raises `ClockError` if the two readings
    contradict each other, as they do while a host sets its clock.
    """
    clock = WallClock(floor_ms, read_wall_ns, read_monotonic_ns)
    ahead_ms = clock.now_ms() - floor_ms
    if not floor_ms or ahead_ms <= AHEAD_MAX_MS:
        return clock
    await wait(SECOND_READING_S)
    if abs(clock.drift_ms()) > DRIFT_ALARM_MS:
        raise ClockError(
            f"clock_drift: the host's clock is {ahead_ms // 3_600_000} h after the journal's end, "
            f"and it moved by {clock.drift_ms()} ms beside itself within {SECOND_READING_S:g} s; "
            "time cannot go back, so nothing is stamped: set the clock right and start again"
        )
    return clock


class ScaledClock:
    """Run at `speed` times the pace of the wall, from an instant given later."""

    recorded = True

    def __init__(self, speed: float, read_monotonic_ns: ReadNs = time.monotonic_ns) -> None:
        assert speed > 0, "a clock runs forward"
        self.speed = speed
        self._read_monotonic_ns = read_monotonic_ns
        self._monotonic_ns = 0
        self._start_ms: int | None = None

    @property
    def started(self) -> bool:
        """Whether the first record (or a journal) has said where to begin."""
        return self._start_ms is not None

    def start(self, at_ms: int) -> None:
        """Begin at an instant; a clock that runs already is left alone."""
        if self._start_ms is None:
            self._start_ms, self._monotonic_ns = at_ms, self._read_monotonic_ns()

    def now_ms(self) -> int | None:
        """Return the instant, None before the start."""
        if self._start_ms is None:
            return None
        elapsed_ns = self._read_monotonic_ns() - self._monotonic_ns
        return self._start_ms + int(elapsed_ns * self.speed) // _NS_PER_MS

    def wait_s(self, until_ms: int) -> float | None:
        """Return the seconds of the wall until an instant of this clock."""
        now_ms = self.now_ms()
        return None if now_ms is None else max(0, until_ms - now_ms) / self.speed / 1000


class RecordedClock:
    """Follow the records: what one says is the time, and nothing else moves it."""

    recorded = True

    def __init__(self) -> None:
        self.started = False

    def start(self, at_ms: int) -> None:  # noqa: ARG002 - the records say it
        """Note that a record has come."""
        self.started = True

    def now_ms(self) -> None:
        """Say that only records know."""
        return

    def wait_s(self, until_ms: int) -> None:  # noqa: ARG002 - no wait brings time nearer
        """Say that waiting does not help."""
        return
