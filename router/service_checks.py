"""Check what a centre says of the service around the routing: callbacks, surveys, complaints."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from router.center import ALWAYS, Center, FollowUp, OverloadClass, Queue
from router.problems import Path, Problem, show_duration, suggest
from router.ranges import RANGES


def check_service(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with callbacks, returns, surveys, follow-ups, complaints, overload."""
    yield from _ranges(("callbacks",), center.callbacks)
    yield from _ranges(("returns",), center.returns)
    yield from _ranges(("surveys",), center.surveys)
    yield from _callbacks(center)
    yield from _windows(center)
    yield from _complaints(center)
    for name, category in center.categories.items():
        path: Path = ("categories", name)
        if category.survey_every and category.survey_percent:
            yield Problem(
                (*path, "survey_percent"), "survey_every says the share already; keep one of them"
            )
        asked = category.survey_every or category.survey_percent
        yield from _follow_up(
            center, (*path, "follow_up"), name, category.follow_up, asked=bool(asked)
        )
        queue = center.queues.get(category.queue)
        overflows = category.overload is OverloadClass.OVERFLOW
        if overflows and queue is not None and not queue.overflow_to:
            yield Problem(
                (*path, "overload"),
                f'queue "{category.queue}" overflows nowhere; add overflow_to to it',
            )
    yield from _overload(center)


def _ranges(path: Path, part: object) -> Iterator[Problem]:
    for field, (low, high) in RANGES[type(part).__name__].items():
        value: int = getattr(part, field)
        if not low <= value <= high:
            shown = show_duration(value) if field.endswith("_ms") else str(value)
            limit = f"at least {low}" if value < low else f"at most {high}"
            if field.endswith("_ms"):
                limit = f"at least {show_duration(low)}" if value < low else "at most 10 years"
            yield Problem((*path, field), f"{shown} is out of range; must be {limit}")


def _unknown(path: Path, what: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(path, f'no {what} "{name}"', suggest(name, known))


def _callbacks(center: Center) -> Iterator[Problem]:
    rules = center.callbacks
    yield from _unknown(
        ("callbacks", "calendar"), "calendar", rules.calendar, (ALWAYS, *center.calendars)
    )
    life_ms = center.limits.contact_life_ms
    if rules.attempts_max > 1 and rules.spacing_ms * (rules.attempts_max - 1) >= life_ms:
        yield Problem(
            ("callbacks", "attempts_max"),
            f"{rules.attempts_max} calls {show_duration(rules.spacing_ms)} apart take longer than "
            f"a contact lives ({show_duration(life_ms)}); call less often or sooner",
        )


def _windows(center: Center) -> Iterator[Problem]:
    window_ms, redial_ms = center.limits.duplicate_window_ms, center.returns.redial_window_ms
    if redial_ms > window_ms:
        yield Problem(
            ("returns", "redial_window_ms"),
            f"{show_duration(redial_ms)} is longer than closed contacts are remembered "
            f"({show_duration(window_ms)}); raise limits.duplicate_window or shorten this",
        )
    answer_ms = center.surveys.answer_within_ms
    if 0 < answer_ms < window_ms:
        yield Problem(
            ("surveys", "answer_within_ms"),
            f"answers are refused after {show_duration(answer_ms)}, while closed contacts are "
            f"remembered for {show_duration(window_ms)}",
            warning=True,
        )
    asks = [c for c in center.categories.values() if c.survey_every or c.survey_percent]
    for field in ("cool_down_ms", "answer_within_ms"):
        if getattr(center.surveys, field) and not asks:
            yield Problem(
                ("surveys", field),
                "no category asks for surveys; add survey_percent to one, or remove this",
                warning=True,
            )
    if asks and not any(channel.survey for channel in center.channels.values()):
        yield Problem(
            ("channels",), "surveys are off on every channel, yet categories ask", warning=True
        )


def _complaints(center: Center) -> Iterator[Problem]:
    rules = center.complaints
    if rules.category:
        yield from _unknown(
            ("complaints", "category"), "category", rules.category, center.categories
        )
    elif rules.always:
        yield Problem(
            ("complaints", "always"), "a complaint needs a category to open; add category"
        )
    if rules.channel:
        yield from _unknown(("complaints", "channel"), "channel", rules.channel, center.channels)


def _follow_up(
    center: Center, path: Path, name: str, rule: FollowUp, *, asked: bool
) -> Iterator[Problem]:
    if rule == FollowUp():
        return
    if not rule.category:
        yield Problem(
            (*path, "category"), "a follow-up needs a category of its own; name it, or remove this"
        )
        return
    yield from _unknown((*path, "category"), "category", rule.category, center.categories)
    if rule.channel:
        yield from _unknown((*path, "channel"), "channel", rule.channel, center.channels)
    if rule.category == name and asked:
        yield Problem(
            (*path, "category"),
            "a follow-up of this category would be surveyed and followed up for ever; "
            "give follow-ups a category of their own",
        )
    target = center.categories.get(rule.category)
    if target is None:
        return
    if rule.same_agent and not target.preferred_wait_ms:
        yield Problem(
            (*path, "same_agent"),
            f'category "{rule.category}" waits for no preferred agent; give it preferred_wait',
            warning=True,
        )
    if not asked:
        yield Problem(path, "never happens without answers; add survey_percent", warning=True)


def _overload(center: Center) -> Iterator[Problem]:
    for name, queue in center.queues.items():
        if not queue.overload_length:
            continue
        path: Path = ("queues", name, "overload_length")
        if queue.length_max and queue.overload_length >= queue.length_max:
            yield Problem(
                path,
                f"the queue is full at {queue.length_max} before this; lower it, or raise "
                "length_max",
            )
        classes = [c.overload for c in center.categories.values() if c.queue == name]
        if all(each is OverloadClass.SERVE for each in classes):
            yield Problem(
                path, "no category of this queue is shed; say overload: in one", warning=True
            )


def overflows_overloaded(center: Center, queue: Queue) -> bool:
    """Say whether some category leaves a queue for the next one under overload."""
    return any(
        category.overload is OverloadClass.OVERFLOW and center.queues.get(category.queue) is queue
        for category in center.categories.values()
    )
