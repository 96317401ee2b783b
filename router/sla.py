"""Say what a promise means: which signals start, stop, pause, resume and reset its clock.

The clocks themselves, with their timers, are in `router.clocks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router.center import ClockKind, Promise, Signal

START: Final = 1
STOP: Final = 2
PAUSE: Final = 3
RESUME: Final = 4
RESET: Final = 5

TARGET_PERCENT: Final = 100

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


def matches(promise: Promise, category: str, channel: str, tier: str) -> bool:
    """Say whether a promise is made to contacts of this category, channel and tier."""
    return (
        (not promise.categories or category in promise.categories)
        and (not promise.channels or channel in promise.channels)
        and (not promise.tiers or tier in promise.tiers)
    )


class PromisePlan:
    """A promise made ready for one channel: thresholds in running time, actions by signal.

    `thresholds` holds (percent, running ms) of the warnings, the target last with percent 100.
    """

    __slots__ = ("actions", "name", "promise", "target_ms", "thresholds")

    def __init__(self, name: str, promise: Promise, channel: str) -> None:
        self.name = name
        self.promise = promise
        self.target_ms = promise.target_ms
        self.thresholds: list[tuple[int, int]] = [
            (percent, promise.target_ms * percent // 100) for percent in promise.warnings
        ]
        self.thresholds.append((TARGET_PERCENT, promise.target_ms))
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


def promises_for(
    promises: dict[str, Promise], category: str, channel: str, tier: str
) -> tuple[PromisePlan, ...]:
    """Return the promises made to a contact: of each kind the first that matches."""
    chosen: dict[ClockKind, PromisePlan] = {}
    for name, promise in promises.items():
        if promise.kind not in chosen and matches(promise, category, channel, tier):
            chosen[promise.kind] = PromisePlan(name, promise, channel)
    return tuple(chosen.values())
