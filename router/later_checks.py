"""Check the settings that came after the first version: chains that climb, matched priorities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from router.problems import Path, Problem
from router.ranges import PRIORITIES

if TYPE_CHECKING:
    from router.center import Center, Promise


def check_later_settings(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with them."""
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
