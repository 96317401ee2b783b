"""Name every fault, and let the rogue acts among them happen now and then."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import simpy

from simulation import rogue_agents as agents
from simulation import rogue_center as center
from simulation import rogue_contacts as contacts
from simulation.faults import CENTER_LATE, LINE_FAULTS
from simulation.mischief import Mischief, Rogue

ACTS: Final[dict[str, Rogue]] = {
    act.__name__: act
    for act in (
        contacts.accept_by_wrong_agent,
        contacts.accept_unknown_offer,
        contacts.accept_closed_offer,
        contacts.decline_closed_offer,
        contacts.accept_twice,
        contacts.connect_without_accepting,
        contacts.accept_after_caller_left,
        contacts.unknown_category,
        contacts.unknown_channel,
        contacts.unknown_queue,
        contacts.unknown_skill,
        contacts.unknown_contact,
        contacts.end_before_arrival,
        contacts.speak_after_the_end,
        contacts.speak_out_of_turn,
        contacts.bad_merge,
        agents.unknown_agent,
        agents.presence_flaps,
        agents.agent_lost,
        agents.agent_lost_in_offer,
        agents.agent_lost_in_call,
        agents.agent_silent,
        agents.signed_in_twice,
        agents.signed_out_in_work,
        agents.capacity_cut,
        agents.skills_changed,
        center.overload_switched,
        center.unreadable_record,
        center.engine_activated,
        center.customer_erased,
        center.restored,
        center.promise_added,
        center.promise_moved,
        center.agent_added,
        center.agent_removed,
        center.queue_moved,
        center.bad_center,
    )
}

FAULTS: Final = (*LINE_FAULTS, CENTER_LATE, *ACTS)


def misbehave(
    mischief: Mischief, kinds: tuple[str, ...], gap_ms: int
) -> Generator[simpy.Event, Any, None]:
    """Act now and then, every `gap_ms` on average, until the day is healed: a SimPy process."""
    acts = [kind for kind in kinds if kind in ACTS]
    while acts:
        yield mischief.stage.env.timeout(mischief.lots.gap_ms(gap_ms))
        if mischief.stage.healed:
            return
        kind = mischief.lots.pick(acts)
        mischief.number += 1
        if ACTS[kind](mischief):
            mischief.line.counts[kind] += 1
