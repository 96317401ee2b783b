"""Play at random against naive books that look at everybody each time (see `tests.books`).

Hypothesis looks for short plays and shrinks what fails; the seeded days are longer and denser.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from router import events as e
from router.events import CenterChanged, DeclineCause, Event
from tests.books import AGENTS, CATEGORIES, CHANNELS, CONTACTS, Pick, Stage, make_center
from tests.builders import MINUTE, SECOND

KINDS: tuple[Callable[[str], Event], ...] = (
    e.ContactEnded,
    e.ContactAbandoned,
    e.ContactResolved,
    e.ContactReopened,
    e.ContactHeld,
    e.ContactResumed,
    e.CustomerReplied,
    e.AgentReplied,
    e.CustomerAwaited,
    e.CustomerWaitEnded,
    e.CallbackRequested,
    e.ContactRedialled,
    e.ComplaintRaised,
)
WAITS_MS = (1, SECOND, 7 * SECOND, 20 * SECOND, MINUTE)


def draw_arrival(pick: Pick) -> Event:
    """Draw a contact."""
    return e.ContactArrived(
        pick(*CONTACTS),
        pick(*CHANNELS),
        pick(*CATEGORIES),
        priority=pick(-1, -1, 0, 5, 9),
        customer=pick("", "x", "y"),
        preferred_agent=pick("", "", "a0", "a1"),
        queue=pick("", "", "", "late"),
    )


def draw_contact_event(pick: Pick, now_ms: int) -> Event:
    """Draw an event of some contact, fitting or not."""
    contact_id = pick(*CONTACTS)
    goal = pick("q", "late", "plain", "fault", "a0", "a1", "a2")
    event: Event = pick(
        *(kind(contact_id) for kind in KINDS),
        e.ContactUpdated(
            contact_id, priority=pick(None, None, 1, 8), category=pick(None, *CATEGORIES)
        ),
        e.ContactTransferred(
            contact_id,
            queue=goal if goal in {"q", "late"} else "",
            category=goal if goal in CATEGORIES else "",
            agent_id=goal if goal in AGENTS else "",
        ),
        e.ContactMerged(contact_id, pick(*CONTACTS)),
        e.CallbackRequested(contact_id, now_ms + pick(1, SECOND, MINUTE)),
        e.SurveyAnswered(contact_id, pick(1, 5)),
        e.OfferAccepted(pick(*range(40)), contact_id, pick(*AGENTS)),
        e.OfferDeclined(pick(*range(40)), contact_id, pick(*AGENTS)),
    )
    return event


def draw_agent_event(pick: Pick) -> Event:
    """Draw an event of some agent, or of the floor as a whole."""
    name = pick(*AGENTS)
    event: Event = pick(
        e.AgentSignedIn(name),
        e.AgentSignedIn(name),
        e.AgentSignedOut(name),
        e.AgentLost(name),
        e.AgentHeartbeat(name),
        e.AgentPresenceChanged(name, "available"),
        e.AgentPresenceChanged(name, "available"),
        e.AgentPresenceChanged(name, "break"),
        e.AgentSkillsChanged(name, pick({}, {"s": 9}, {"s": 5, "r": 5})),
        e.AgentCapacityChanged(name, pick(0, 50, 100, 200)),
        e.OverloadSwitched(pick(True, False)),
    )
    return event


class RouterMachine(RuleBasedStateMachine):
    """Let Hypothesis choose what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()

    @initialize(data=st.data())
    def open(self, data: st.DataObject) -> None:
        self.stage.open(pick_from(data))
        for _ in range(2):
            self.stage.happen(draw_arrival(pick_from(data)))

    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        self.stage.happen(draw_arrival(pick_from(data)))

    @precondition(lambda self: self.stage.open_offers())
    @rule(data=st.data(), takes=st.sampled_from([True, True, False]))
    def answer(self, data: st.DataObject, *, takes: bool) -> None:
        answer_offer(self.stage, pick_from(data), takes=takes)

    @precondition(lambda self: self.stage.next_work())
    @rule(data=st.data())
    def work_on(self, data: st.DataObject) -> None:
        self.stage.happen(data.draw(st.sampled_from(self.stage.next_work())))

    @rule(data=st.data())
    def touch_contact(self, data: st.DataObject) -> None:
        self.stage.happen(draw_contact_event(pick_from(data), self.stage.books.now_ms))

    @rule(data=st.data())
    def touch_agent(self, data: st.DataObject) -> None:
        self.stage.happen(draw_agent_event(pick_from(data)))

    @rule(data=st.data(), rebase=st.booleans())
    def change_center(self, data: st.DataObject, *, rebase: bool) -> None:
        change_center(self.stage, pick_from(data), rebase=rebase)

    @rule(wait_ms=st.sampled_from(WAITS_MS))
    def wait(self, wait_ms: int) -> None:
        self.stage.wait(wait_ms)

    @rule()
    def restore(self) -> None:
        self.stage.restore()

    def teardown(self) -> None:
        self.stage.finish()


def pick_from(data: st.DataObject) -> Pick:
    """Draw by Hypothesis."""
    return lambda *choices: data.draw(st.sampled_from(choices))


def answer_offer(stage: Stage, pick: Pick, *, takes: bool) -> None:
    """Accept or decline one of the open offers."""
    number, contact_id, name = pick(*stage.open_offers())
    if takes:
        stage.happen(e.OfferAccepted(number, contact_id, name))
    else:
        stage.happen(e.OfferDeclined(number, contact_id, name, pick(*DeclineCause)))


def change_center(stage: Stage, pick: Pick, *, rebase: bool) -> None:
    """Put another drawn configuration in force."""
    center = make_center(pick, stage.books.center.version + 1)
    stage.happen(CenterChanged(center, rebase=rebase))


TestModel = RouterMachine.TestCase
# Shrinking a play takes minutes; `python -m tests.test_model` does it when one has failed.
QUICK = tuple(phase for phase in Phase if phase is not Phase.shrink)
TestModel.settings = settings(max_examples=60, stateful_step_count=40, phases=QUICK)


@pytest.mark.parametrize("seed", range(60))
def test_a_day_by_seed(seed: int) -> None:
    play_day(seed, 200)


def play_day(seed: int, steps: int) -> Stage:
    """Let a seed choose what happens; busier than Hypothesis, with the same judge."""
    draw = random.Random(seed)

    def pick(*choices: object) -> object:
        return draw.choice(choices)

    stage = Stage()
    stage.open(pick)
    change = draw.choice((0, 0.01, 0.05))
    for _ in range(steps):
        act = draw.random()
        if act < change:
            change_center(stage, pick, rebase=draw.random() < 0.5)
        elif act < 0.25:
            stage.happen(draw_arrival(pick))
        elif act < 0.5 and stage.open_offers():
            answer_offer(stage, pick, takes=draw.random() < 0.7)
        elif act < 0.65 and stage.next_work():
            stage.happen(draw.choice(stage.next_work()))
        elif act < 0.8:
            stage.wait(draw.choice(WAITS_MS))
        elif act < 0.88:
            stage.happen(draw_contact_event(pick, stage.books.now_ms))
        elif act < 0.96:
            stage.happen(draw_agent_event(pick))
        else:
            stage.restore()
    stage.finish()
    return stage


if __name__ == "__main__":
    thorough = settings(max_examples=2_000, stateful_step_count=40, derandomize=False)
    run_state_machine_as_test(RouterMachine, settings=thorough)
