"""Check the settings that came after the first version.

Queues that close, chains that climb, promises matched by priority.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from router.center import ALWAYS, AtClosing, WaitClock, WhenClosed
from router.problems import Path, Problem
from router.ranges import PRIORITIES

if TYPE_CHECKING:
    from router.center import Center, Promise, Queue


def check_later_settings(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with them."""
    for name, queue in center.queues.items():
        yield from _hours(("queues", name), queue, center)
    for name, promise in center.promises.items():
        yield from _priorities(("promises", name, "priorities"), promise)
        yield from _chain(("promises", name, "escalate_every_ms"), promise)


def _priorities(path: Path, promise: Promise) -> Iterator[Problem]:
    low, high = PRIORITIES
    for index, priority in enumerate(promise.priorities):
        if not low <= priority <= high:
            message = f"{priority} is no priority; they go from {low} to {high}"
            yield Problem((*path, index), message)
        elif priority in promise.priorities[:index]:
            yield Problem((*path, index), f"{priority} stands here twice; remove one")


def _chain(path: Path, promise: Promise) -> Iterator[Problem]:
    if not promise.escalate_every_ms:
        return
    if not promise.escalation:
        message = "nobody to call; name the chain in escalation, or remove it"
        yield Problem(path, message)
    elif len(promise.escalation) == 1:
        message = "never happens: the chain has one link; name who is called next, or remove it"
        yield Problem(path, message, warning=True)


def _hours(path: Path, queue: Queue, center: Center) -> Iterator[Problem]:
    closes = queue.when_closed is not WhenClosed.SERVE
    used = {
        "when_closed": closes,
        "at_closing": queue.at_closing is not AtClosing.KEEP,
        "wait_clock": queue.wait_clock is not WaitClock.PLAIN,
    }
    if queue.calendar == ALWAYS:
        for field, set_ in used.items():
            if set_:
                message = (
                    "a queue that is always open never closes; name its calendar, or remove it"
                )
                yield Problem((*path, field), message)
        return
    if used["at_closing"] and not closes:
        message = "the queue serves while it is closed; say when_closed: wait, or remove it"
        yield Problem((*path, "at_closing"), message)
    for field, overflows in (
        ("when_closed", queue.when_closed is WhenClosed.OVERFLOW),
        ("at_closing", queue.at_closing is AtClosing.OVERFLOW),
    ):
        if not overflows:
            continue
        target = center.queues.get(queue.overflow_to)
        if not queue.overflow_to:
            yield Problem((*path, field), "overflow needs a queue to go to; add overflow_to")
        elif (
            target is not None
            and target.calendar == queue.calendar
            and (target.when_closed is not WhenClosed.SERVE)
        ):
            message = (
                f'queue "{queue.overflow_to}" closes by the same calendar; overflow to one that is '
                "open then"
            )
            yield Problem((*path, "overflow_to"), message)
