"""Say which promises can be made in which queue, from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from router.center import Category, Center, Promise, Signal
from router.sla import DEFAULT_SIGNALS, matches


def promised_pairs(center: Center) -> list[tuple[str, str]]:
    """Return the (queue, promise) pairs that can count an outcome, sorted.

    A clock is counted in the queue in which it starts. One that starts at the arrival starts in
    the category's own queue; a later one may also start where the contact has overflowed to. A
    contact that its sender put into another queue makes further pairs, which nobody can foretell.
    """
    found: dict[tuple[str, str], None] = {}
    for name, category in center.categories.items():
        queues = _reached(center, category)
        for promise_name in _made_to(center, name):
            starts_late = Signal.ARRIVED not in _starts(center.promises[promise_name])
            for queue in queues if starts_late else queues[:1]:
                found[queue, promise_name] = None
    return sorted(found)


def _made_to(center: Center, category: str) -> list[str]:
    """Return the promises that some contact of a category gets: of each kind the first to match."""
    found: dict[str, None] = {}
    # Beside the priorities that promises name, one that none of them does.
    named = [level for promise in center.promises.values() for level in promise.priorities]
    priorities = dict.fromkeys([*named, -1])
    for channel, tier, priority in product(center.channels, ("", *center.tiers), priorities):
        kinds: dict[object, None] = {}
        for name, promise in center.promises.items():
            if promise.kind in kinds or not matches(promise, category, channel, tier, priority):
                continue
            kinds[promise.kind] = None
            found[name] = None
    return list(found)


def _starts(promise: Promise) -> tuple[Signal, ...]:
    return promise.start or DEFAULT_SIGNALS[promise.kind].start


def _reached(center: Center, category: Category) -> list[str]:
    """Return the category's queue and those it may overflow to, its own first."""
    reached = dict.fromkeys([category.queue])
    reached.update(dict.fromkeys(step.overflow_to for step in category.steps if step.overflow_to))
    for queue in _overflows(center, list(reached)):
        reached[queue] = None
    return [queue for queue in reached if queue in center.queues]


def _overflows(center: Center, queues: list[str]) -> Iterator[str]:
    seen = dict.fromkeys(queues)
    waiting = list(queues)
    while waiting:
        plan = center.queues.get(waiting.pop())
        if plan is not None and plan.overflow_to and plan.overflow_to not in seen:
            seen[plan.overflow_to] = None
            waiting.append(plan.overflow_to)
            yield plan.overflow_to
