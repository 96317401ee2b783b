"""Draw the service around a swarm's routing: callbacks, returns, surveys, complaints, overload."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from router.center import (
    Calendar,
    CallbackRules,
    Category,
    Center,
    ComplaintRules,
    FollowUp,
    OpeningTable,
    OverloadClass,
    ReturnRules,
    SurveyRules,
)
from simulation.randomness import Lots

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
# Swarm days begin on 5 January 2026; two days and the healing are inside these three.
_FROM_MS: Final = 1_767_571_200_000
_TO_MS: Final = _FROM_MS + 72 * _HOUR_MS


def draw_service(lots: Lots, center: Center) -> Center:
    """Switch a random part of the service on; many a centre has none of it."""
    if lots.chance(0.4):
        return center
    names = list(center.categories)
    window_ms = center.limits.duplicate_window_ms
    calendars, calling = dict(center.calendars), "always"
    if lots.chance(0.4):
        calendars["calling"] = _calendar(lots)
        calling = "calling"
    category = lots.pick(names) if lots.chance(0.6) else ""
    center = replace(
        center,
        calendars=calendars,
        callbacks=CallbackRules(
            attempts_max=lots.pick((0, 1, 2, 3)),
            spacing_ms=lots.pick((10_000, 120_000)),
            busy_spacing_ms=lots.pick((1_000, 30_000)),
            calendar=calling,
            taken_over=lots.chance(0.5),
        ),
        returns=ReturnRules(
            redial_window_ms=lots.pick((0, min(120_000, window_ms), window_ms)),
            deflection_window_ms=lots.pick((0, 600_000)),
        ),
        surveys=SurveyRules(
            cool_down_ms=lots.pick((0, 600_000)),
            answer_within_ms=lots.pick((0, window_ms, 2 * window_ms)),
            unhappy_score=lots.between(0, 4),
        ),
        complaints=ComplaintRules(
            category=category,
            channel=lots.pick(list(center.channels)) if lots.chance(0.5) else "",
            always=bool(category) and lots.chance(0.5),
        ),
        channels={
            name: replace(channel, survey=lots.chance(0.8))
            for name, channel in center.channels.items()
        },
    )
    return _overload(
        lots,
        replace(
            center,
            categories={
                name: _category(lots, name, one, center) for name, one in center.categories.items()
            },
        ),
    )


def _category(lots: Lots, name: str, category: Category, center: Center) -> Category:
    if lots.chance(0.5):
        category = replace(category, survey_every=0, survey_percent=lots.between(1, 100))
    others = [other for other in center.categories if other != name]
    asks = category.survey_every or category.survey_percent
    if not others or not asks or lots.chance(0.4):
        return category
    return replace(
        category,
        follow_up=FollowUp(
            category=lots.pick(others),
            channel=lots.pick(list(center.channels)) if lots.chance(0.5) else "",
            same_agent=lots.chance(0.5),
        ),
    )


def _overload(lots: Lots, center: Center) -> Center:
    """Let queues be overloaded before they are full, and categories overflow where they can."""
    queues = {}
    for name, queue in center.queues.items():
        below = queue.length_max or 12
        if lots.chance(0.3) and below > 1:
            queue = replace(queue, overload_length=lots.between(1, below - 1))  # noqa: PLW2901
        queues[name] = queue
    categories = {
        name: replace(category, overload=OverloadClass.OVERFLOW)
        if queues[category.queue].overflow_to and lots.chance(0.4)
        else category
        for name, category in center.categories.items()
    }
    return replace(center, queues=queues, categories=categories)


def _calendar(lots: Lots) -> Calendar:
    """Draw hours that open and close several times an hour."""
    opens, closes = lots.between(3, 20), lots.between(2, 10)
    period_ms = (opens + closes) * _MINUTE_MS
    spans = tuple(
        (at_ms, at_ms + opens * _MINUTE_MS)
        for at_ms in range(_FROM_MS, _TO_MS - period_ms, period_ms)
    )
    day_ms = 24 * _HOUR_MS
    days = tuple(
        (day, max(end for start, end in spans if start < day + day_ms))
        for day in range(_FROM_MS, _TO_MS, day_ms)
    )
    table = OpeningTable(
        from_ms=_FROM_MS,
        to_ms=_TO_MS,
        open_ms=spans,
        workdays_ms=days,
        offsets_ms=((_FROM_MS, 0),),
        tz_version="test",
    )
    return Calendar(zone="UTC", hours={"daily": ("00:00-24:00",)}, years=(2026,), table=table)
