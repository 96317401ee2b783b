"""Plant bugs in the service around the routing; the auditor must find each in a swarm's day."""

# A planted bug fits whatever function it replaces: its types are open.
# ruff: noqa: ANN401

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

import router.router
from router import decisions as d
from router import windows
from router.deadlines import NEVER
from simulation.day import judge_seed
from tests.planted_bugs import find, nothing, replace, silence


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

    replace(patch, "postpone", hurry)


def called_without_end(patch: pytest.MonkeyPatch) -> None:
    """Forget to count the calls."""
    dial = find("_dial")

    def forget(floor: Any, contact: Any, agent: Any) -> None:
        dial(floor, contact, agent)
        contact.more.dials = 0

    replace(patch, "_dial", forget)


def asked_too_often(patch: pytest.MonkeyPatch) -> None:
    """Forget when a customer was asked last."""
    ask = find("ask")

    def forget(floor: Any, contact: Any, ending: Any) -> None:
        floor.asked_customers.clear()
        ask(floor, contact, ending)

    replace(patch, "ask", forget)


def never_asked(patch: pytest.MonkeyPatch) -> None:
    """Forget to ask."""
    replace(patch, "ask", nothing)


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

    replace(patch, "make_contact", stranger)


def redial_without_its_age(patch: pytest.MonkeyPatch) -> None:
    """Say that a redial keeps its age, and let it queue up anew."""
    replace(patch, "inherit", nothing)


def redial_of_somebody_else(patch: pytest.MonkeyPatch) -> None:
    """Know any customer of the category as the one who abandoned."""
    trace_of = find("trace_of")

    def confuse(floor: Any, customer: str, category: str) -> Any:
        for other, about in floor.traces:
            if about == category and customer:
                return trace_of(floor, other, category)
        return None

    replace(patch, "trace_of", confuse)


def shed_without_overload(patch: pytest.MonkeyPatch) -> None:
    """Keep contacts out whatever the load."""
    replace(patch, "find_class", lambda _floor, profile: profile.category.overload)


# Each with the rules that may report it and a seed whose day brings it out.
BUGS: Final[tuple[tuple[Callable[[pytest.MonkeyPatch], None], tuple[str, ...], int], ...]] = (
    (called_at_night, ("I36",), 138),
    (called_again_at_once, ("I36", "I4", "I24"), 143),
    (called_without_end, ("I36",), 143),
    (asked_too_often, ("I37",), 101),
    (never_asked, ("I37",), 101),
    (follow_up_unsaid, ("I37", "I2", "I3", "I4"), 184),
    (follow_up_of_a_stranger, ("I37",), 184),
    (redial_without_its_age, ("I37", "I13"), 138),
    (redial_of_somebody_else, ("I37", "I13"), 107),
    (shed_without_overload, ("I38",), 103),
)


@pytest.mark.skipif(
    not (router.router.__file__ or "").endswith(".py"), reason="the compiled core cannot be changed"
)
@pytest.mark.parametrize(("plant", "rules", "seed"), BUGS, ids=[row[0].__name__ for row in BUGS])
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], rules: tuple[str, ...], seed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        found = {violation.split()[0] for violation in judge_seed(seed).violations}
    assert found & set(rules), found
