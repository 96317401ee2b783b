"""Reach the reasons of callbacks, returns, bots and complaints by small screenplays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from router import decisions as d
from router import events as e
from router.center import CallbackRules, ComplaintRules, Queue, ReturnRules
from router.decisions import Reason
from tests.builders import HOUR, accept, arrive, desk, end, hours, sign_in
from tests.playbook import DEADLINE, Playbook


def called(play: Playbook) -> Playbook:
    """Let contact 1 be called back by agent a."""
    return play >> arrive("1") >> e.CallbackRequested("1") >> sign_in("a") >> accept(1, "1")


def no_answer() -> Playbook:
    return called(Playbook(desk())) >> e.CallbackFailed("1")


def voicemail() -> Playbook:
    return called(Playbook(desk())) >> e.CallbackFailed("1", e.CallFailure.VOICEMAIL)


def attempts_spent() -> Playbook:
    return called(Playbook(desk(callbacks=CallbackRules(attempts_max=1)))) >> e.CallbackFailed("1")


def outside_window() -> Playbook:
    day = hours((0, HOUR), (10 * HOUR, 20 * HOUR))
    stage = desk(calendars={"day": day}, callbacks=CallbackRules(calendar="day"))
    return Playbook(stage) >> arrive("1") >> e.CallbackRequested("1") >> DEADLINE


def handed_over() -> Playbook:
    return Playbook(desk()) >> arrive("1", bot="faq") >> e.ContactHandedOver("1")


def self_served() -> Playbook:
    return Playbook(desk()) >> arrive("1", bot="faq") >> end("1")


def complaint_raised() -> Playbook:
    stage = desk(complaints=ComplaintRules(category="c", channel="email"))
    return Playbook(stage) >> arrive("1") >> end("1") >> e.ComplaintRaised("1")


def called_meanwhile() -> Playbook:
    play = Playbook(desk(callbacks=CallbackRules(taken_over=True)))
    play >> arrive("1", customer="x") >> e.CallbackRequested("1", 2_000_000)
    return play >> arrive("2", customer="x")


RETURNS = ReturnRules(redial_window_ms=HOUR, deflection_window_ms=HOUR)


def blocked_before() -> Playbook:
    stage = desk(queue=Queue(length_max=1), returns=RETURNS)
    play = Playbook(stage) >> arrive("1") >> arrive("2", customer="x") >> end("1")
    return play >> arrive("3", customer="x")


def deflection_failed() -> Playbook:
    play = Playbook(desk(returns=RETURNS)) >> arrive("1", customer="x", bot="faq") >> end("1")
    return play >> arrive("2", customer="x")


SERVICE_SCENES: Final[Mapping[Reason, tuple[type[d.Decision], Callable[[], Playbook]]]] = {
    Reason.NO_ANSWER: (d.EndAssignment, no_answer),
    Reason.VOICEMAIL: (d.ScheduleCallback, voicemail),
    Reason.ATTEMPTS_SPENT: (d.CloseContact, attempts_spent),
    Reason.OUTSIDE_WINDOW: (d.ScheduleCallback, outside_window),
    Reason.HANDED_OVER: (d.EnqueueContact, handed_over),
    Reason.SELF_SERVED: (d.CloseContact, self_served),
    Reason.COMPLAINT_RAISED: (d.OpenContact, complaint_raised),
    Reason.CALLED_MEANWHILE: (d.LinkContact, called_meanwhile),
    Reason.BLOCKED_BEFORE: (d.LinkContact, blocked_before),
    Reason.DEFLECTION_FAILED: (d.LinkContact, deflection_failed),
}
