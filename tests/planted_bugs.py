"""Plant bugs in the router that the auditor must find.

A bug is a small change of one function or table of the core, made at run time. Each names the
invariants by which it may be found. Only the interpreted core can be changed in this way.
"""

# A planted bug fits whatever function it replaces: its types are open, some arguments unused.
# ruff: noqa: ANN401, ARG005

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import router.router  # noqa: F401  all modules of the core must be there to be changed
from router import decisions as d
from router import events as e
from router import (
    floor,
    on_arrival,
    on_offer,
    sla,
)
from router.center import Center
from router.contacts import ContactState
from router.records import BREACHED, OVER, RUNNING

Plant = Callable[[pytest.MonkeyPatch], None]
Adapt = Callable[[Center], Center]


@dataclass(frozen=True)
class Bug:
    """One planted bug: its name, how to plant it, and the rules that may report it.

    `adapt` gives a drawn centre what the bug needs to show.
    """

    name: str
    rules: frozenset[str]
    plant: Plant
    adapt: Adapt


BUGS: list[Bug] = []


def as_drawn(center: Center) -> Center:
    """Take a centre as it was drawn."""
    return center


def bug(*rules: str, adapt: Adapt = as_drawn) -> Callable[[Plant], Plant]:
    """Register a planted bug under the name of its function."""

    def register(plant: Plant) -> Plant:
        BUGS.append(Bug(plant.__name__, frozenset(rules), plant, adapt))
        return plant

    return register


def find(name: str) -> Any:
    """Return a function of the core, wherever it lives."""
    for key, module in list(sys.modules.items()):
        found = vars(module).get(name) if key.startswith("router") else None
        if found is not None and getattr(found, "__module__", "") == key:
            return found
    raise LookupError(f"no module of the core defines {name}")


def replace(patch: pytest.MonkeyPatch, name: str, new: Any) -> None:
    """Put `new` wherever the core calls the function `name`."""
    old = find(name)
    for key, user in list(sys.modules.items()):
        if not key.startswith("router"):
            continue
        for attribute, value in list(vars(user).items()):
            if value is old:
                patch.setattr(user, attribute, new)
            elif isinstance(value, dict):
                for event, handler in list(value.items()):
                    if handler is old:
                        patch.setitem(value, event, new)


def without(*kinds: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap a function of the core so that its decisions of some kinds are swallowed."""

    def wrap(old: Callable[..., Any]) -> Callable[..., Any]:
        def silent(floor_: Any, *args: Any, **named: Any) -> Any:
            before = len(floor_.out)
            result = old(floor_, *args, **named)
            floor_.out[before:] = [x for x in floor_.out[before:] if not isinstance(x, kinds)]
            return result

        return silent

    return wrap


def silence(patch: pytest.MonkeyPatch, name: str, *kinds: type) -> None:
    """Let a function of the core forget to say its decisions of some kinds."""
    replace(patch, name, without(*kinds)(find(name)))


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


# --- contacts get lost, or never end ----------------------------------------------------------


@bug("I4")
def lost_offer(patch: pytest.MonkeyPatch) -> None:
    """Forget to put the contact of an offer that was not taken back into line."""
    patch.setattr(on_offer, "return_to_line", nothing)


@bug("I4")
def missing_close(patch: pytest.MonkeyPatch) -> None:
    """Forget to say that a handled contact is closed."""
    silence(patch, "close_contact", d.CloseContact)


@bug("I2", "I3")
def moved_after_close(patch: pytest.MonkeyPatch) -> None:
    """Put a closed contact back into line."""
    old = find("close_contact")

    def close(floor_: Any, contact: Any, exit_: d.Exit, reason: d.Reason, *more: Any) -> None:
        queue = contact.profile.queue.name
        old(floor_, contact, exit_, reason, *more)
        floor_.out.append(d.RequeueContact(contact.contact_id, queue, reason))

    replace(patch, "close_contact", close)


@bug("I2")
def closed_twice(patch: pytest.MonkeyPatch) -> None:
    """Close a contact two times."""
    old = find("close_contact")

    def close(floor_: Any, contact: Any, exit_: d.Exit, reason: d.Reason, *more: Any) -> None:
        old(floor_, contact, exit_, reason, *more)
        floor_.out.append(d.CloseContact(contact.contact_id, exit_, reason))

    replace(patch, "close_contact", close)


@bug("I2")
def tombstone_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Forget that a contact ended before it arrived."""
    replace(patch, "on_unknown_end", nothing)


@bug("I2")
def endless_life(patch: pytest.MonkeyPatch) -> None:
    """Let contacts live for ever."""
    old = floor.Floor.set_alarm

    def alarm(floor_: Any, contact: Any) -> None:
        life_ms, floor_.life_ms = floor_.life_ms, 1 << 50
        old(floor_, contact)
        floor_.life_ms = life_ms

    patch.setattr(floor.Floor, "set_alarm", alarm)


@bug("I34")
def limit_ignored(patch: pytest.MonkeyPatch) -> None:
    """Take contacts in beyond the limit."""
    old = find("on_arrived")

    def arrived(floor_: Any, *args: Any) -> None:
        held, floor_.open_contacts = floor_.open_contacts, 0
        old(floor_, *args)
        floor_.open_contacts += held

    replace(patch, "on_arrived", arrived)


@bug("I3")
def duplicate_acted_on(patch: pytest.MonkeyPatch) -> None:
    """Say that an event told nothing new, and act on it all the same."""
    old = find("note_duplicate")

    def note(floor_: Any, subject: str) -> None:
        old(floor_, subject)
        floor_.out.append(d.RequestFollowUp(subject, d.Reason.UNHAPPY_ANSWER))

    replace(patch, "note_duplicate", note)


# --- offers and assignments -------------------------------------------------------------------


@bug("I9")
def offer_never_withdrawn(patch: pytest.MonkeyPatch) -> None:
    """Forget to tell the agent that his offer is gone."""
    silence(patch, "withdraw_all", d.WithdrawOffer)


@bug("I6", "I9")
def double_assignment(patch: pytest.MonkeyPatch) -> None:
    """Give a contact to a second agent as well."""
    old = find("assign")

    def assign(floor_: Any, offer: Any, reason: d.Reason) -> None:
        contact_id, agent_id = offer.contact.contact_id, offer.agent.agent_id
        old(floor_, offer, reason)
        other = next((name for name in floor_.agents if name != agent_id), agent_id)
        floor_.out.append(d.AssignContact(offer.offer_id, contact_id, other, reason))

    replace(patch, "assign", assign)


@bug("I5")
def two_offers_at_once(patch: pytest.MonkeyPatch) -> None:
    """Hold every contact out to two agents."""
    old = find("seek_agent")

    def seek(floor_: Any, contact: Any) -> None:
        old(floor_, contact)
        lane = contact.lane
        if contact.state == ContactState.OFFERED and lane is not None:
            seat = lane.demand.bench.first()
            if seat is not None and seat.agent is not contact.work.agent:
                find("offer_contact")(floor_, contact, seat.agent, d.Reason.LONGEST_IDLE)

    replace(patch, "seek_agent", seek)


@bug("I9")
def accept_after_expiry(patch: pytest.MonkeyPatch) -> None:
    """Honour the acceptance of an offer that is long over."""
    old = find("on_offer_event")

    def answer(floor_: Any, event: Any) -> None:
        contact = floor_.contacts.get(event.contact_id)
        agent = floor_.agents.get(event.agent_id)
        late = isinstance(event, e.OfferAccepted) and event.offer_id not in floor_.offers
        if late and agent and contact is not None and contact.state == ContactState.WAITING:
            find("offer_contact")(floor_, contact, agent, d.Reason.LONGEST_IDLE)
            floor_.out.pop()
            offer = contact.work
            del floor_.offers[offer.offer_id]
            offer.offer_id = event.offer_id
            floor_.offers[event.offer_id] = offer
            find("assign")(floor_, offer, d.Reason.ACCEPTED)
            return
        old(floor_, event)

    replace(patch, "on_offer_event", answer)


@bug("I10")
def offer_expires_late(patch: pytest.MonkeyPatch) -> None:
    """Let offers expire one millisecond late."""
    old = find("offer_contact")

    def offer(floor_: Any, contact: Any, agent: Any, reason: d.Reason) -> None:
        old(floor_, contact, agent, reason)
        work = contact.work
        if getattr(work, "fifo", None) is not None and work.offer_id in floor_.offers:
            due_ms = floor_.timers.due_ms(work)
            floor_.timers.cancel(work)
            floor_.timers.arm(work, floor_.now_ms, due_ms + 1 - floor_.now_ms)

    replace(patch, "offer_contact", offer)


@bug("I7")
def capacity_overdrawn(patch: pytest.MonkeyPatch) -> None:
    """Forget that open offers take units too."""
    old = floor.Floor.channels_open

    def channels(floor_: Any, agent: Any) -> int:
        offered, agent.offered_units = agent.offered_units, 0
        mask = old(floor_, agent)
        agent.offered_units = offered
        return mask

    patch.setattr(floor.Floor, "channels_open", channels)


@bug("I12")
def capacity_leak(patch: pytest.MonkeyPatch) -> None:
    """Never give back all the units of an assignment."""
    old = find("release")

    def release(floor_: Any, work: Any, reason: d.Reason) -> None:
        old(floor_, work, reason)
        work.agent.units += 20
        work.agent.firm_units += 20

    replace(patch, "release", release)


@bug("I7")
def held_work_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Never take held work up again."""
    replace(patch, "resume_held", nothing)


@bug("I7")
def channel_cap_ignored(patch: pytest.MonkeyPatch) -> None:
    """Look at units only, not at the cap of the channel."""
    old = floor.Floor.channels_open

    def channels(floor_: Any, agent: Any) -> int:
        most, agent.channel_max = agent.channel_max, [0] * len(agent.channel_max)
        mask = old(floor_, agent)
        agent.channel_max = most
        return mask

    patch.setattr(floor.Floor, "channels_open", channels)


@bug("I8")
def offer_on_break(patch: pytest.MonkeyPatch) -> None:
    """Take a break for a presence like any other."""
    old = find("change_presence")

    def change(floor_: Any, agent: Any, presence: str, *, takes_work: bool) -> None:
        old(floor_, agent, presence, takes_work=True)

    replace(patch, "change_presence", change)


@bug("I8")
def skills_ignored(patch: pytest.MonkeyPatch) -> None:
    """Take everybody for able to do everything."""
    patch.setattr(floor, "qualifies", lambda skills, needs: True)


@bug("I8")
def level_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """Let one level less do."""
    patch.setattr(
        floor, "qualifies", lambda skills, needs: all(skills.get(s, 0) + 1 >= n for s, n in needs)
    )


@bug("I8")
def teams_ignored(patch: pytest.MonkeyPatch) -> None:
    """Let every team serve every line."""
    old = floor.Floor.may_serve

    def serve(floor_: Any, agent: Any, demand: Any) -> bool:
        teams, demand.teams = demand.teams, ()
        answer = old(floor_, agent, demand)
        demand.teams = teams
        return answer

    patch.setattr(floor.Floor, "may_serve", serve)


@bug("I8", "I3")
def old_session_heard(patch: pytest.MonkeyPatch) -> None:
    """Follow events of a session that a newer one has replaced."""
    replace(patch, "is_stale", lambda agent, session: False)


@bug("I11")
def back_off_ignored(patch: pytest.MonkeyPatch) -> None:
    """Give an agent no rest after an offer that he did not take."""
    replace(patch, "back_off", nothing)


@bug("I11")
def try_cap_ignored(patch: pytest.MonkeyPatch) -> None:
    """Offer the same contact to the same agent again and again."""
    replace(patch, "may_try", lambda floor_, contact, agent: True)


@bug("I11")
def unanswered_ignored(patch: pytest.MonkeyPatch) -> None:
    """Never set an agent aside who lets offers ring out."""
    old = find("expire_offer")

    def expire(floor_: Any, offer: Any) -> None:
        offer.agent.unanswered = -1
        old(floor_, offer)

    replace(patch, "expire_offer", expire)


@bug("I24")
def wrap_up_endless(patch: pytest.MonkeyPatch) -> None:
    """Forget the limit of wrap-up, and who was never connected."""
    replace(patch, "fire_assignment", nothing)


@bug("I24")
def silent_agent_kept(patch: pytest.MonkeyPatch) -> None:
    """Count on agents who have long not been heard of."""
    replace(patch, "fire_heartbeat", nothing)


# --- who is next ------------------------------------------------------------------------------


@bug("I12")
def freed_agent_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Do not let an agent who becomes free look for a contact."""
    old = find("choose_contact")

    def choose(floor_: Any, agent: Any, open_mask: int) -> Any:
        return None if agent.agent_id == "a2" else old(floor_, agent, open_mask)

    replace(patch, "choose_contact", choose)


@bug("I12")
def head_of_line_blocks(patch: pytest.MonkeyPatch) -> None:
    """Look at the oldest waiting contact only, whoever may serve it."""
    old = find("choose_contact")

    def choose(floor_: Any, agent: Any, open_mask: int) -> Any:
        heads = [lane.head() for lane in floor_.lanes.values() if lane.size]
        first = min(heads, key=lambda contact: contact.place, default=None)
        chosen = old(floor_, agent, open_mask)
        return chosen if chosen is first else None

    replace(patch, "choose_contact", choose)


@bug("I13")
def overtaking(patch: pytest.MonkeyPatch) -> None:
    """Take the youngest of a line first."""
    old = find("_head_for")

    def head(floor_: Any, lane: Any, agent: Any) -> Any:
        chosen = old(floor_, lane, agent)
        return chosen if chosen is None or lane.size < 2 or lane.is_aside(chosen) else lane.last

    replace(patch, "_head_for", head)


@bug("I13")
def age_lost(patch: pytest.MonkeyPatch) -> None:
    """Put a contact that comes back at the end of the line."""
    old = find("requeue")

    def requeue(floor_: Any, contact: Any, reason: d.Reason) -> None:
        contact.place = floor_.take_place()
        old(floor_, contact, reason)

    replace(patch, "requeue", requeue)


@bug("I13")
def net_wait_wrong(patch: pytest.MonkeyPatch) -> None:
    """Count the time with an agent as waiting."""
    old = find("take_from_agent")

    def take(floor_: Any, contact: Any, reason: d.Reason) -> None:
        before = floor_.more_of(contact).absent_ms
        old(floor_, contact, reason)
        floor_.more_of(contact).absent_ms = before

    replace(patch, "take_from_agent", take)


@bug("I14")
def step_late(patch: pytest.MonkeyPatch) -> None:
    """Take routing steps one millisecond late."""
    old = floor.Floor.next_step_ms
    patch.setattr(floor.Floor, "next_step_ms", lambda self, contact: old(self, contact) + 1)


@bug("I14")
def step_skipped(patch: pytest.MonkeyPatch) -> None:
    """Go two steps where one is due."""
    old = find("take_step")

    def take(floor_: Any, contact: Any, reason: d.Reason) -> None:
        if contact.step + 1 < len(contact.profile.category.steps):
            floor_.more_of(contact).step += 1
        old(floor_, contact, reason)

    replace(patch, "take_step", take)


@bug("I13")
def raised_priority_lost(patch: pytest.MonkeyPatch) -> None:
    """Forget that a breach raises the priority."""
    replace(patch, "raise_priority", nothing)


@bug("I24")
def callback_lost(patch: pytest.MonkeyPatch) -> None:
    """Forget a callback whose time has come."""
    old = find("fire_contact")

    def fire(floor_: Any, contact: Any) -> None:
        if contact.state != ContactState.SCHEDULED:
            old(floor_, contact)

    replace(patch, "fire_contact", fire)


# --- opening hours of queues ------------------------------------------------------------------


@bug("I8")
def offered_at_night(patch: pytest.MonkeyPatch) -> None:
    """Go on offering what rests in a closed queue."""
    replace(patch, "rests", lambda queue, contact: False)


@bug("I12")
def opening_slept_through(patch: pytest.MonkeyPatch) -> None:
    """Let a queue open without waking those who rest in it."""
    replace(patch, "open_queue", nothing)


@bug("I34")
def kept_though_emptied(patch: pytest.MonkeyPatch) -> None:
    """Do nothing with those who wait when a queue closes."""
    replace(patch, "close_queue", nothing)


@bug("I34")
def turned_nobody_away(patch: pytest.MonkeyPatch) -> None:
    """Let everybody into a closed queue who should be turned away."""
    for when in list(on_arrival.CLOSED_ACTIONS):
        patch.delitem(on_arrival.CLOSED_ACTIONS, when)


# --- clocks -----------------------------------------------------------------------------------


@bug("I16")
def breach_twice(patch: pytest.MonkeyPatch) -> None:
    """Say a breach two times."""
    old = find("breach_clock")

    def breach(floor_: Any, clock: Any) -> None:
        old(floor_, clock)
        old(floor_, clock)

    replace(patch, "breach_clock", breach)


@bug("I17", "I19")
def breach_missing(patch: pytest.MonkeyPatch) -> None:
    """Let a clock run past its deadline in silence."""
    silence(patch, "breach_clock", d.BreachSla)


@bug("I17", "I18", "I20")
def alarm_late(patch: pytest.MonkeyPatch) -> None:
    """Set the alarm of a clock one millisecond late."""
    old = find("arm_clock")

    def arm(floor_: Any, clock: Any) -> None:
        old(floor_, clock)
        if clock.fifo is None:
            return
        due_ms = floor_.timers.due_ms(clock)
        floor_.timers.cancel(clock)
        floor_.timers.arm(clock, floor_.now_ms, due_ms + 1 - floor_.now_ms)

    replace(patch, "arm_clock", arm)


@bug("I22")
def deadline_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """Promise one millisecond more than the configuration says."""
    old = sla.PromisePlan.__init__

    def make(self: Any, *args: Any) -> None:
        old(self, *args)
        self.target_ms += 1

    patch.setattr(sla.PromisePlan, "__init__", make)


@bug("I15", "I17", "I18", "I19")
def strictly_before_the_deadline(patch: pytest.MonkeyPatch) -> None:
    """Take a stop exactly at the deadline for a breach (`<` for `<=`)."""
    old = find("_stop")

    def stop(floor_: Any, clock: Any) -> None:
        running = clock.phase == RUNNING
        if running and find("_elapsed_ms")(floor_, clock) == clock.plan.target_ms:
            find("breach_clock")(floor_, clock)
        old(floor_, clock)

    replace(patch, "_stop", stop)


@bug("I19")
def met_after_breach(patch: pytest.MonkeyPatch) -> None:
    """Call a broken promise kept when the clock stops."""
    old = find("_stop")

    def stop(floor_: Any, clock: Any) -> None:
        if clock.phase == BREACHED:
            clock.phase = OVER
            name = (clock.contact.contact_id, clock.plan.name, clock.cycle)
            floor_.out.append(d.MeetSla(*name, 1, d.Reason.STOPPED_IN_TIME))
            return
        old(floor_, clock)

    replace(patch, "_stop", stop)


@bug("I21")
def lateness_lost(patch: pytest.MonkeyPatch) -> None:
    """Stop a breached clock without saying how late it became."""
    old = find("_stop")

    def stop(floor_: Any, clock: Any) -> None:
        old(floor_, clock)
        said = floor_.out[-1]
        if isinstance(said, d.StopSla):
            name = (said.contact_id, said.policy, said.cycle)
            floor_.out[-1] = d.StopSla(*name, said.reason, 0)

    replace(patch, "_stop", stop)


@bug("I15")
def clock_not_paused(patch: pytest.MonkeyPatch) -> None:
    """Let clocks run on while the contact waits on its customer."""
    replace(patch, "_pause", nothing)


@bug("I22")
def pause_not_added(patch: pytest.MonkeyPatch) -> None:
    """Forget, when a clock resumes, what it had run before."""
    old = find("_resume")

    def resume(floor_: Any, clock: Any) -> None:
        clock.consumed_ms += 1
        old(floor_, clock)

    replace(patch, "_resume", resume)


@bug("I20")
def warning_skipped(patch: pytest.MonkeyPatch) -> None:
    """Warn nobody."""
    silence(patch, "fire_clock", d.WarnSla)


@bug("I15")
def robot_stops_the_clock(patch: pytest.MonkeyPatch) -> None:
    """Take an automatic reply for an answer."""
    old = find("on_agent_replied")

    def replied(floor_: Any, contact: Any, event: e.AgentReplied) -> None:
        old(floor_, contact, e.AgentReplied(event.contact_id))

    replace(patch, "on_agent_replied", replied)


@bug("I22", "I15")
def rebase_from_now(patch: pytest.MonkeyPatch) -> None:
    """Count a changed target from the change instead of from the start."""
    old = find("_rebase")

    def rebase(floor_: Any, clock: Any, plan: Any) -> None:
        clock.since_ms = floor_.now_ms
        old(floor_, clock, plan)

    replace(patch, "_rebase", rebase)


@bug("I14")
def escalation_repeats(patch: pytest.MonkeyPatch) -> None:
    """Call the next one of the chain two times."""
    old = find("escalate")

    def escalate(floor_: Any, clock: Any, reason: d.Reason) -> None:
        old(floor_, clock, reason)
        if isinstance(floor_.out[-1], d.EscalateContact):
            floor_.out.append(floor_.out[-1])

    replace(patch, "escalate", escalate)


@bug("I14")
def chain_not_climbed(patch: pytest.MonkeyPatch) -> None:
    """Forget to call the next one of a chain when nobody answers."""
    replace(patch, "await_answer", nothing)


@bug("I14")
def chain_climbed_early(patch: pytest.MonkeyPatch) -> None:
    """Call the next one of a chain a second too early."""
    old = find("await_answer")

    def hasten(floor_: Any, clock: Any) -> None:
        old(floor_, clock)
        clock.escalate_ms -= 1_000 if clock.escalate_ms else 0

    replace(patch, "await_answer", hasten)


@bug("I22", "I15")
def closed_time_counts(patch: pytest.MonkeyPatch) -> None:
    """Let a resumed promise start anew as if nothing had run."""
    old = find("reopen_clocks")

    def reopen(floor_: Any, contact: Any) -> None:
        clock = contact.clocks
        while clock is not None:
            clock.consumed_ms //= 2
            clock = clock.next
        old(floor_, contact)

    replace(patch, "reopen_clocks", reopen)


@bug("I15")
def clock_outlives_contact(patch: pytest.MonkeyPatch) -> None:
    """Forget the clocks of a contact that closes."""
    silence(patch, "end_clocks", d.MeetSla, d.StopSla)
