"""Explain, from the journal alone, every decision on a contact: why this agent, why still waiting.

The journal is folded again up to each decision and the router's state is looked at just before it;
so an explanation costs the hot path nothing, and it can be asked for at any later time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from router.candidates import (
    Candidate,
    free_in_order,
    look_at,
    say_duration,
    say_score,
)
from router.contacts import ContactState
from router.decisions import (
    AssignContact,
    BreachSla,
    CloseContact,
    Decision,
    DialCallback,
    EndAssignment,
    EnqueueContact,
    EscalateContact,
    LinkContact,
    MeetSla,
    NoteDuplicate,
    OfferContact,
    OpenContact,
    OverflowContact,
    PauseSla,
    Reason,
    RebaseSla,
    RefuseEvent,
    RelaxContact,
    RequestFollowUp,
    RequeueContact,
    ResumeSla,
    ScheduleCallback,
    StartSla,
    StartWrapUp,
    StopSla,
    WarnSla,
    WithdrawOffer,
)
from router.events import ContactArrived, Event, TimeAdvanced
from router.explain_present import (
    say_closed,
    say_instant,
    tell_deadline,
    tell_obstacles,
    tell_present,
)
from router.journal import Entry, ReplayDivergedError
from router.on_arrival import key_of
from router.policies.contact_selection import POLICIES, POLICY_ORDER
from router.records import Assignment, Clock, Contact
from router.rivals import Rival, rivals_for
from router.router import Router

if TYPE_CHECKING:
    from router.floor import Floor
    from router.plan import QueuePlan

_LOSERS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTACT_REASONS: Final = {POLICIES[policy][0]: policy for policy in POLICY_ORDER}


def explain(entries: Iterable[Entry], contact_id: str, router: Router | None = None) -> str:
    """Return the story of one contact as text, up to the last entry given.

    `router` knows what came before the entries, which does not name the contact; None: nothing.
    Raises `ReplayDivergedError` if the journal was written by a router that decided otherwise.
    """
    return "\n".join(explain_lines(entries, contact_id, router))


def explain_lines(
    entries: Iterable[Entry], contact_id: str, router: Router | None = None
) -> list[str]:
    """Return the story of one contact, line by line; empty if no entry names it."""
    router = Router() if router is None else router
    lines: list[str] = []
    for entry in entries:
        concerned = concerns(entry, contact_id)
        views: list[Candidate] = []
        rivals: list[Rival] = []
        if concerned:
            views = _views_before(router, entry, contact_id)
            rivals = _rivals_before(router, entry, contact_id)
        decisions = router.handle(entry.stamped)
        if decisions != entry.decisions:
            raise ReplayDivergedError(
                f"seq {entry.stamped.seq}: this version decides otherwise than the journal says; "
                "use the version that wrote it (journal records name it)"
            )
        if concerned:
            lines.extend(_tell_entry(router, entry, contact_id, views, rivals))
    contact = router.floor.contacts.get(contact_id)
    if contact is not None and contact.state != ContactState.ENDED:
        lines.extend(tell_present(router, contact))
    return lines


def concerns(entry: Entry, contact_id: str) -> bool:
    """Say whether an entry's event or one of its decisions is about a contact."""
    if getattr(entry.stamped.event, "contact_id", None) == contact_id:
        return True
    return any(
        getattr(decision, "contact_id", getattr(decision, "subject", None)) == contact_id
        for decision in entry.decisions
    )


# --- what happened ---------------------------------------------------------------------------


def _views_before(router: Router, entry: Entry, contact_id: str) -> list[Candidate]:
    """Look at all agents as they were when the contact was about to be offered."""
    floor = router.floor
    offers = [d for d in entry.decisions if isinstance(d, OfferContact)]
    if not any(offer.contact_id == contact_id for offer in offers):
        return []
    moved = (RelaxContact, OverflowContact, EnqueueContact)
    if any(isinstance(d, moved) and d.contact_id == contact_id for d in entry.decisions):
        # It is offered under other rules than those it waited under: look afterwards.
        return []
    contact = floor.contacts.get(contact_id)
    if contact is None or contact.lane is None:
        return []
    return look_at(floor, contact.lane.demand, contact)


def _rivals_before(router: Router, entry: Entry, contact_id: str) -> list[Rival]:
    """Look at the contacts that an agent could take as they stood when he chose this one."""
    floor = router.floor
    for said in entry.decisions:
        if isinstance(said, OfferContact) and said.contact_id == contact_id:
            agent = floor.agents.get(said.agent_id)
            if said.reason in _CONTACT_REASONS and agent is not None:
                floor.now_ms = entry.stamped.at_ms
                return rivals_for(floor, agent, entry.stamped.at_ms)
    return []


def _tell_entry(
    router: Router, entry: Entry, contact_id: str, views: list[Candidate], rivals: list[Rival]
) -> list[str]:
    """Tell one entry: the event and what was decided about the contact because of it."""
    stamped = entry.stamped
    floor = router.floor
    lines = [f"{say_instant(stamped.at_ms)}  seq {stamped.seq}  {say_event(stamped.event)}"]
    for decision in entry.decisions:
        about = getattr(decision, "contact_id", getattr(decision, "subject", None))
        if isinstance(decision, OpenContact) and decision.origin_id == contact_id:
            lines.append(f"    {about} is {say_decision(decision, stamped.at_ms)}")
        if about != contact_id:
            continue
        lines.append(f"    {say_decision(decision, stamped.at_ms)}")
        if decision.reason is Reason.QUEUE_CLOSED:
            lines.extend(f"      {line}" for line in _tell_closed(floor, decision, stamped.event))
        if isinstance(decision, PauseSla):
            lines.append(f"      by {_who_paused(floor, entry, contact_id)}")
        if isinstance(decision, StartSla | ResumeSla):
            clock = _clock_named(floor.contacts.get(contact_id), decision.policy)
            lines.extend(f"      {line}" for line in tell_deadline(clock))
        if isinstance(decision, OfferContact):
            contact = floor.contacts[contact_id]
            told = _tell_offer(router, contact, decision, views)
            if decision.reason in _CONTACT_REASONS:
                told[1:1] = _tell_choice(contact_id, decision, rivals)
            lines.extend(f"      {line}" for line in told)
    return lines


def _tell_closed(floor: Floor, decision: Decision, event: Event) -> list[str]:
    """Tell until when the queue is closed that a decision is about."""
    queue: QueuePlan | None = None
    if isinstance(decision, EnqueueContact):
        queue = floor.queues.get(decision.queue)
    elif isinstance(decision, OverflowContact):
        queue = floor.queues.get(decision.from_queue)
    elif isinstance(event, ContactArrived):
        profile = floor.profile(key_of(floor, event))
        queue = None if isinstance(profile, Reason) else profile.queue
    text = "" if queue is None else say_closed(floor, queue)
    return [text] if text else []


def _who_paused(floor: Floor, entry: Entry, contact_id: str) -> str:
    """Say what paused a clock, and in whose hands the contact was."""
    what = say_event(entry.stamped.event)
    for decision in entry.decisions:
        if isinstance(decision, EndAssignment) and decision.contact_id == contact_id:
            return f"{decision.agent_id}: {what}"
    contact = floor.contacts.get(contact_id)
    work = None if contact is None else contact.work
    return f"{work.agent.agent_id}: {what}" if isinstance(work, Assignment) else what


def _clock_named(contact: Contact | None, policy: str) -> Clock | None:
    clock = None if contact is None else contact.clocks
    while clock is not None and clock.plan.name != policy:
        clock = clock.next
    return clock


def say_event(event: Event) -> str:
    """Say an event in a few words."""
    if isinstance(event, TimeAdvanced):
        return "a deadline was reached"
    words = _split_words(type(event).__name__)
    told = [
        str(getattr(value, "value", value))
        for name in ("cause", "resolution_code", "code", "reference", "bot", "score")
        if (value := getattr(event, name, None))
    ]
    words += f": {', '.join(told)}" * bool(told)
    who = getattr(event, "agent_id", "") or getattr(event, "contact_id", "")
    return f"{words} ({who})" if who else words


def _split_words(name: str) -> str:
    """Turn a class name into words."""
    text = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return text.strip()


def say_decision(decision: Decision, at_ms: int) -> str:
    """Say a decision with its reason in plain words."""
    why = say_reason(decision.reason)
    match decision:
        case EnqueueContact():
            return (
                f"enters queue {decision.queue} with priority {decision.priority} "
                f"at step {decision.step}: {why}"
            )
        case RequeueContact():
            return f"returns to queue {decision.queue} at its old place: {why}"
        case OfferContact():
            until = ""
            if decision.expires_at_ms:
                until = f", for {say_duration(decision.expires_at_ms - at_ms)}"
            return f"offered to {decision.agent_id}{until}: {why}"
        case WithdrawOffer():
            return f"offer to {decision.agent_id} withdrawn: {why}"
        case AssignContact():
            return (
                f"assigned to {decision.agent_id} after {say_duration(decision.wait_ms)} "
                f"({say_duration(decision.net_wait_ms)} of it in line): {why}"
            )
        case StartWrapUp():
            return f"{decision.agent_id} wraps up: {why}"
        case EndAssignment():
            return f"{decision.agent_id} is released: {why}"
        case RelaxContact():
            return f"goes to routing step {decision.step}: {why}"
        case OverflowContact():
            return f"moves from queue {decision.from_queue} to {decision.to_queue}: {why}"
        case CloseContact():
            return f"ends as {decision.exit.value}: {why}"
        case _:
            return _say_clock(decision, why)


def _say_clock(decision: Decision, why: str) -> str:
    match decision:
        case StartSla() | ResumeSla():
            return f"clock {decision.policy} runs to {say_instant(decision.deadline_ms)}: {why}"
        case WarnSla():
            return f"clock {decision.policy} has used {decision.percent} % of its time: {why}"
        case PauseSla():
            return f"clock {decision.policy} stands still: {why}"
        case RebaseSla():
            other = f" (promise {decision.from_policy} before)" if decision.from_policy else ""
            return (
                f"clock {decision.policy}{other} is due {say_instant(decision.deadline_ms)}, no "
                f"longer {say_instant(decision.old_deadline_ms)}: {why}"
            )
        case EscalateContact():
            return (
                f"{decision.to} is called, link {decision.level} of the chain of "
                f"{decision.policy}: {why}"
            )
        case BreachSla():
            return f"promise {decision.policy} is broken: {why}"
        case MeetSla():
            took = say_duration(decision.elapsed_ms)
            return f"promise {decision.policy} is kept in {took}: {why}"
        case StopSla():
            late = f", {say_duration(decision.late_ms)} late" if decision.late_ms else ""
            return f"clock {decision.policy} ends{late}: {why}"
        case ScheduleCallback():
            return f"callback for {say_instant(decision.due_at_ms)}: {why}"
        case DialCallback():
            return f"{decision.agent_id} calls the customer, attempt {decision.attempt}: {why}"
        case OpenContact():
            return (
                f"opened by the router as {decision.category} on {decision.channel}, "
                f"following from {decision.origin_id}: {why}"
            )
        case RequestFollowUp() if decision.follow_up_id:
            return f"followed up by {decision.follow_up_id}: {why}"
        case LinkContact():
            age = ""
            if decision.since_ms:
                age = f" with its age, counted from {say_instant(decision.since_ms)}"
            return (
                f"known as a return from {decision.origin_id}{age}, "
                f"attempt {decision.attempt}: {why}"
            )
        case RefuseEvent():
            return f"the event is refused: {why}"
        case NoteDuplicate():
            return f"the event told nothing new: {why}"
        case _:
            return f"{_split_words(type(decision).__name__)}: {why}"


def say_reason(reason: Reason) -> str:
    """Say a reason as words."""
    return reason.value.replace("_", " ")


def _tell_offer(
    router: Router, contact: Contact, offer: OfferContact, views: list[Candidate]
) -> list[str]:
    """Tell why this agent: the rule, his score, the best losers, who could not and why."""
    floor = router.floor
    lane = contact.lane
    if lane is None:
        # It ended in the same entry; the offer itself is all there is to tell.
        return []
    demand = lane.demand
    if not views:
        views = look_at(floor, demand, contact)
    policy = demand.queue.spec.agent_policy
    assert floor.center is not None, "a centre comes before offers"
    needs = ", ".join(f"{skill} >= {level}" for skill, level in demand.needs) or "no skill"
    teams = f", teams {', '.join(demand.teams)}" if demand.teams else ""
    lines = [
        (
            f"rules: configuration {floor.center.version}, queue {demand.queue.name}, "
            f"step {contact.step}, needs {needs}{teams}"
        )
    ]
    free = free_in_order(views, policy)
    winner = next((view for view in views if view.agent_id == offer.agent_id), None)
    if offer.reason not in _CONTACT_REASONS and winner is not None:
        score = say_score(winner, policy, router.now_ms)
        lines.append(f"{offer.agent_id} was free and came first: {score}")
    losers = [view for view in free if view.agent_id != offer.agent_id]
    lines.extend(
        f"then {loser.agent_id}: {say_score(loser, policy, router.now_ms)}"
        for loser in losers[:_LOSERS]
    )
    if len(losers) > _LOSERS:
        lines.append(f"and {len(losers) - _LOSERS} more who were free")
    others = [view for view in views if view.agent_id != offer.agent_id]
    lines.extend(tell_obstacles(others))
    return lines


def _tell_choice(contact_id: str, offer: OfferContact, rivals: list[Rival]) -> list[str]:
    """Tell why an agent took this contact: the rule, its score, the best losers."""
    rule = say_reason(offer.reason)
    winner = next((rival for rival in rivals if rival.contact_id == contact_id), None)
    score = "" if winner is None else f": {winner.words}"
    lines = [f"{offer.agent_id} became free and took the first contact by {rule}{score}"]
    losers = [rival for rival in rivals if rival is not winner]
    lines.extend(
        f"then {loser.contact_id} of queue {loser.queue}: {loser.words}"
        for loser in losers[:_LOSERS]
    )
    if len(losers) > _LOSERS:
        lines.append(f"and {len(losers) - _LOSERS} more lines in which somebody waited")
    return lines
