"""Say what a promise means: which signals start, stop, pause, resume and reset its clock.

The clocks themselves, with their timers, are in `router.clocks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router.calendars import OpeningHours
from router.center import ClockKind, Promise, Signal

START: Final = 1
STOP: Final = 2
PAUSE: Final = 3
RESUME: Final = 4
RESET: Final = 5

TARGET_PERCENT: Final = 100
ALWAYS: Final = "always"

SIGNALS: Final[tuple[Signal, ...]] = tuple(Signal)
SIGNAL_INDEX: Final[dict[Signal, int]] = {signal: index for index, signal in enumerate(SIGNALS)}


@dataclass(frozen=True, kw_only=True)
class SignalSets:
    """The five sets of one clock."""

    start: tuple[Signal, ...]
    stop: tuple[Signal, ...]
    pause: tuple[Signal, ...] = ()
    resume: tuple[Signal, ...] = ()
    reset: tuple[Signal, ...] = ()


# A spoken answer is a first response; automatic replies, notes and transfers are none.
# `CLOSED` is heard only when the contact was handled: an abandoned one cancels its clocks.
DEFAULT_SIGNALS: Final[dict[ClockKind, SignalSets]] = {
    ClockKind.ANSWER: SignalSets(start=(Signal.ARRIVED,), stop=(Signal.CONNECTED,)),
    ClockKind.FIRST_RESPONSE: SignalSets(
        start=(Signal.ARRIVED,), stop=(Signal.AGENT_REPLIED, Signal.CLOSED)
    ),
    ClockKind.NEXT_RESPONSE: SignalSets(
        start=(Signal.CUSTOMER_REPLIED,), stop=(Signal.AGENT_REPLIED, Signal.CLOSED)
    ),
    ClockKind.RESOLUTION: SignalSets(
        start=(Signal.ARRIVED,),
        stop=(Signal.RESOLVED, Signal.CLOSED),
        pause=(Signal.CUSTOMER_AWAITED,),
        resume=(Signal.CUSTOMER_REPLIED, Signal.CUSTOMER_WAIT_ENDED),
    ),
    ClockKind.PERIODIC_UPDATE: SignalSets(
        start=(Signal.ARRIVED,),
        stop=(Signal.RESOLVED, Signal.CLOSED),
        reset=(Signal.AGENT_REPLIED,),
    ),
    ClockKind.FOLLOW_UP: SignalSets(
        start=(Signal.ARRIVED,), stop=(Signal.CONNECTED, Signal.AGENT_REPLIED)
    ),
    ClockKind.COMPLAINT_ACKNOWLEDGEMENT: SignalSets(
        start=(Signal.COMPLAINT_RAISED,), stop=(Signal.AGENT_REPLIED,)
    ),
    ClockKind.COMPLAINT_UPDATE: SignalSets(
        start=(Signal.COMPLAINT_RAISED,),
        stop=(Signal.RESOLVED, Signal.CLOSED),
        reset=(Signal.AGENT_REPLIED,),
    ),
    ClockKind.COMPLAINT_ANSWER: SignalSets(
        start=(Signal.COMPLAINT_RAISED,),
        stop=(Signal.RESOLVED, Signal.CLOSED),
        pause=(Signal.CUSTOMER_AWAITED,),
        resume=(Signal.CUSTOMER_REPLIED, Signal.CUSTOMER_WAIT_ENDED),
    ),
}

# On these channels being connected is being answered by a human voice.
SPOKEN_CHANNELS: Final = frozenset({"phone", "callback"})


def signal_sets(promise: Promise, channel: str) -> SignalSets:
    """Return the sets in force: the promise's own where given, else those of its kind."""
    usual = DEFAULT_SIGNALS[promise.kind]
    stop = usual.stop
    if channel in SPOKEN_CHANNELS and promise.kind is ClockKind.FIRST_RESPONSE:
        stop = (*stop, Signal.CONNECTED)
    return SignalSets(
        start=promise.start or usual.start,
        stop=promise.stop or stop,
        pause=promise.pause or usual.pause,
        resume=promise.resume or usual.resume,
        reset=promise.reset or usual.reset,
    )


def matches(promise: Promise, category: str, channel: str, tier: str, priority: int) -> bool:
    """Say whether a promise is made to contacts of this category, channel, tier and priority."""
    return (
        (not promise.categories or category in promise.categories)
        and (not promise.channels or channel in promise.channels)
        and (not promise.tiers or tier in promise.tiers)
        and (not promise.priorities or priority in promise.priorities)
    )


class PromisePlan:
    """A promise made ready for one channel: thresholds in running time, actions by signal.

    Running time is time on the clock of `hours`, None for plain time. `thresholds` holds (percent,
    running ms) of the warnings, the target last with percent 100. Where the target is the end of
    the n-th working day it depends on the start: `for_start` gives the plan of one start.
    """

    __slots__ = (
        "actions",
        "channel",
        "hours",
        "name",
        "promise",
        "starts",
        "target_ms",
        "thresholds",
    )

    def __init__(
        self,
        name: str,
        promise: Promise,
        channel: str,
        hours: OpeningHours | None = None,
        target_ms: int = 0,
    ) -> None:
        self.name = name
        self.promise = promise
        self.channel = channel
        self.hours = hours
        self.starts: dict[int, PromisePlan] = {}
        self.target_ms = target_ms or promise.target_ms
        self.thresholds: list[tuple[int, int]] = [
            (percent, self.target_ms * percent // 100) for percent in promise.warnings
        ]
        self.thresholds.append((TARGET_PERCENT, self.target_ms))
        sets = signal_sets(promise, channel)
        # Where a signal stands in two sets the later here wins: a stop is stronger than a reset,
        # a reset than a pause, all are stronger than a start.
        self.actions: list[int] = [0] * len(SIGNALS)
        for action, signals in (
            (START, sets.start),
            (RESUME, sets.resume),
            (PAUSE, sets.pause),
            (RESET, sets.reset),
            (STOP, sets.stop),
        ):
            for signal in signals:
                self.actions[SIGNAL_INDEX[signal]] = action

    def for_start(self, start_ms: int) -> PromisePlan:
        """Return the plan of a clock that starts at an instant: its target in running time."""
        days = self.promise.target_working_days
        if not days or self.hours is None:
            return self
        target_ms = self.hours.working_days_ms(start_ms, days)
        plan = self.starts.get(target_ms)
        if plan is None:
            plan = PromisePlan(self.name, self.promise, self.channel, self.hours, target_ms)
            self.starts[target_ms] = plan
        return plan

    def due_ms(self, since_ms: int, running_ms: int) -> int:
        """Return when a clock that runs since an instant will have run for so long."""
        if self.hours is None:
            return since_ms + running_ms
        return self.hours.add_ms(since_ms, max(running_ms, 0))

    def ran_ms(self, since_ms: int, now_ms: int) -> int:
        """Return how long a clock has run since an instant."""
        if self.hours is None:
            return now_ms - since_ms
        return self.hours.elapsed_ms(since_ms, now_ms)


def promises_for(
    promises: dict[str, Promise],
    hours: dict[str, OpeningHours],
    category: str,
    channel: str,
    tier: str,
    priority: int,
) -> tuple[PromisePlan, ...]:
    """Return the promises made to a contact: of each kind the first that matches."""
    chosen: dict[ClockKind, PromisePlan] = {}
    for name, promise in promises.items():
        if promise.kind not in chosen and matches(promise, category, channel, tier, priority):
            own = None if promise.calendar == ALWAYS else hours[promise.calendar]
            chosen[promise.kind] = PromisePlan(name, promise, channel, own)
    return tuple(chosen.values())
