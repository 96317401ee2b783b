"""Plant bugs in the service around the routing; the auditor must find each in a swarm's day."""

# A planted bug fits whatever function it replaces: its types are open.
# ruff: noqa: ANN401

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

import router.router
from router import decisions as d
from router import windows
from router.center import (
    CallbackRules,
    Center,
    FollowUp,
    OverloadClass,
    ReturnRules,
    SurveyRules,
)
from router.deadlines import NEVER
from simulation.day import judge_day
from simulation.options import from_seed
from simulation.scenario import Options
from tests.planted_bugs import find, nothing, silence
from tests.planted_bugs import replace as put
from tests.test_days_with_hours import hours_around


def called_at_night(patch: pytest.MonkeyPatch) -> None:
    """Call customers back at any hour."""
    patch.setattr(windows.CallWindows, "next_ms", lambda _self, _calendar, at_ms: at_ms)
    patch.setattr(windows.CallWindows, "closing_ms", lambda *_: NEVER)


def called_again_at_once(patch: pytest.MonkeyPatch) -> None:
    """Call a customer who was not reached again without the spacing."""
    postpone = find("postpone")

    def hurry(floor: Any, contact: Any, due_ms: int, reason: d.Reason) -> None:
        failed = reason in (d.Reason.NO_ANSWER, d.Reason.BUSY, d.Reason.VOICEMAIL)
        postpone(floor, contact, floor.now_ms + 1 if failed else due_ms, reason)

    put(patch, "postpone", hurry)


def called_without_end(patch: pytest.MonkeyPatch) -> None:
    """Forget to count the calls."""
    dial = find("_dial")

    def forget(floor: Any, contact: Any, agent: Any) -> None:
        dial(floor, contact, agent)
        contact.more.dials = 0

    put(patch, "_dial", forget)


def asked_too_often(patch: pytest.MonkeyPatch) -> None:
    """Forget when a customer was asked last."""
    ask = find("ask")

    def forget(floor: Any, contact: Any, ending: Any) -> None:
        floor.asked_customers.clear()
        ask(floor, contact, ending)

    put(patch, "ask", forget)


def never_asked(patch: pytest.MonkeyPatch) -> None:
    """Forget to ask."""
    put(patch, "ask", nothing)


def follow_up_unsaid(patch: pytest.MonkeyPatch) -> None:
    """Open a contact and tell nobody."""
    silence(patch, "open_contact", d.OpenContact)


def follow_up_of_a_stranger(patch: pytest.MonkeyPatch) -> None:
    """Open the follow-up for nobody in particular."""
    make = find("make_contact")

    def stranger(*args: Any) -> Any:
        made = make(*args)
        if not isinstance(made, d.Reason):
            made.customer = "somebody-else"
        return made

    put(patch, "make_contact", stranger)


def redial_without_its_age(patch: pytest.MonkeyPatch) -> None:
    """Say that a redial keeps its age, and let it queue up anew."""
    put(patch, "inherit", nothing)


def redial_of_somebody_else(patch: pytest.MonkeyPatch) -> None:
    """Know any customer of the category as the one who abandoned."""
    trace_of = find("trace_of")

    def confuse(floor: Any, customer: str, category: str) -> Any:
        for other, about in floor.traces:
            if about == category and customer:
                return trace_of(floor, other, category)
        return None

    put(patch, "trace_of", confuse)


def shed_without_overload(patch: pytest.MonkeyPatch) -> None:
    """Keep contacts out whatever the load."""
    put(patch, "find_class", lambda _floor, profile: profile.category.overload)


Plant = Callable[[pytest.MonkeyPatch], None]

# Each with the rules that may report it.
BUGS: Final[tuple[tuple[Plant, tuple[str, ...]], ...]] = (
    (called_at_night, ("I36",)),
    (called_again_at_once, ("I36", "I4", "I24")),
    (called_without_end, ("I36",)),
    (asked_too_often, ("I37",)),
    (never_asked, ("I37",)),
    (follow_up_unsaid, ("I37", "I2", "I3", "I4")),
    (follow_up_of_a_stranger, ("I37",)),
    (redial_without_its_age, ("I37", "I13")),
    (redial_of_somebody_else, ("I37", "I13")),
    (shed_without_overload, ("I38",)),
)
SEEDS: Final = range(12)


def busy_day(seed: int) -> tuple[Center, Options]:
    """Draw a day and let its customers use everything around the routing."""
    center, options = from_seed(seed)
    first = next(iter(center.categories))
    center = replace(
        center,
        callbacks=CallbackRules(
            attempts_max=2, spacing_ms=60_000, busy_spacing_ms=5_000, calendar="calling"
        ),
        calendars={**center.calendars, "calling": hours_around(options.start_ms, 7, 3)},
        returns=ReturnRules(redial_window_ms=center.limits.duplicate_window_ms),
        surveys=SurveyRules(cool_down_ms=600_000),
        channels={name: replace(one, survey=True) for name, one in center.channels.items()},
        categories={
            name: replace(
                one,
                survey_every=0,
                survey_percent=100 if name != first or len(center.categories) == 1 else 0,
                follow_up=FollowUp(category=first) if name != first else FollowUp(),
                overload=OverloadClass.REFUSE,
            )
            for name, one in center.categories.items()
        },
    )
    customers = replace(
        options.customers,
        asks_callback=0.6,
        calls_unanswered=0.7,
        redials=0.9,
        redials_anew=1.0,
        answers_survey=1.0,
        unhappy=0.9,
    )
    demands = tuple(replace(demand, customers=5) for demand in options.demands)
    return center, replace(options, customers=customers, demands=demands)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_such_a_day_is_without_fault(seed: int) -> None:
    assert judge_day(*busy_day(seed)).violations == ()


@pytest.mark.skipif(
    not (router.router.__file__ or "").endswith(".py"), reason="the compiled core cannot be changed"
)
@pytest.mark.parametrize(("plant", "rules"), BUGS, ids=[row[0].__name__ for row in BUGS])
def test_a_planted_bug_is_found(plant: Plant, rules: tuple[str, ...]) -> None:
    for seed in SEEDS:
        with pytest.MonkeyPatch.context() as patch:
            plant(patch)
            verdict = judge_day(*busy_day(seed))
        if {violation.split()[0] for violation in verdict.violations} & set(rules):
            return
    pytest.fail(f"{plant.__name__} went unseen in seeds {SEEDS.start} to {SEEDS.stop - 1}")
