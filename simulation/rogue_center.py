"""Change the centre, or its whole circumstances, in the middle of the day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from router.center import Center, Promise
from router.checks import check_center
from router.events import (
    CenterChanged,
    CustomerErased,
    EngineActivated,
    OverloadSwitched,
    RecordRefused,
)
from simulation.mischief import Mischief
from simulation.stage import Desk
from simulation.swarm import FIRST_KINDS

# What the codec says of records it cannot read, and a word that it would never say.
_UNREADABLE: Final = (
    "bad_timestamp",
    "bad_encoding",
    "bad_json",
    "bad_schema",
    "duplicate_key",
    "too_large",
    "too_deep",
    "empty",
    "unknown_type",
    "wrong_partition",
    "rubbish",
)


def overload_switched(act: Mischief) -> bool:
    """Switch the overload rules."""
    act.line.send(OverloadSwitched(active=act.lots.chance(0.4)))
    return True


def unreadable_record(act: Mischief) -> bool:
    """Let the codec report a record that it could not read."""
    act.line.send(RecordRefused(act.lots.pick(_UNREADABLE), "contacts/0/17", "0" * 64))
    return True


def engine_activated(act: Mischief) -> bool:
    """Let a version of the software take over."""
    act.line.send(EngineActivated(f"test-{act.number}"))
    return True


def customer_erased(act: Mischief) -> bool:
    """Destroy the key of somebody who may be in line."""
    contact = act.contact()
    act.line.send(CustomerErased(contact.customer if contact else "rogue-customer"))
    return True


def restored(act: Mischief) -> bool:
    """Take a snapshot and go on from it, as after a restart: must change nothing."""
    act.stage.env.call_in(0, lambda _: act.swap())
    return True


def _next(center: Center, **changes: Any) -> Center:
    return replace(center, version=center.version + 1, **changes)


def promise_added(act: Mischief) -> bool:
    """Add a promise at run time, for running clocks too or not."""
    center, lots = act.stage.center, act.lots
    promise = Promise(
        kind=lots.pick(FIRST_KINDS),
        target_ms=lots.between(5, 900) * 1_000,
        warnings=(50,) if lots.chance(0.5) else (),
    )
    promises = {**center.promises, f"added-{act.number}": promise}
    rebase = lots.chance(0.5)
    act.world.propose(CenterChanged(_next(center, promises=promises), rebase=rebase))
    return True


def promise_moved(act: Mischief) -> bool:
    """Change the target of a promise, or take it away."""
    center, lots = act.stage.center, act.lots
    if not center.promises:
        return False
    name = lots.pick(list(center.promises))
    promises = dict(center.promises)
    if lots.chance(0.25):
        del promises[name]
    else:
        promises[name] = replace(promises[name], target_ms=lots.between(1, 600) * 1_000)
    rebase = lots.chance(0.6)
    act.world.propose(CenterChanged(_next(center, promises=promises), rebase=rebase))
    return True


def agent_added(act: Mischief) -> bool:
    """Hire somebody at run time who can do what another can."""
    center, lots = act.stage.center, act.lots
    agents = dict(center.agents)
    newcomer = f"new-{act.number}"
    agents[newcomer] = center.agents[lots.pick(list(agents))]
    act.world.propose(CenterChanged(_next(center, agents=agents)))
    desk = act.stage.desks.setdefault(newcomer, Desk(newcomer))
    act.world.agents.sign_in(desk)
    return True


def agent_removed(act: Mischief) -> bool:
    """Take an agent out of the configuration, at work or not, if his kind remains."""
    center = act.stage.center
    agent_id = act.any_agent()
    leaver = center.agents[agent_id]
    if not any(agent == leaver for other, agent in center.agents.items() if other != agent_id):
        return False
    agents = {other: agent for other, agent in center.agents.items() if other != agent_id}
    queues = {
        name: replace(
            queue, weights={who: w for who, w in queue.weights.items() if who != agent_id}
        )
        for name, queue in center.queues.items()
    }
    act.world.propose(CenterChanged(_next(center, agents=agents, queues=queues)))
    return True


def queue_moved(act: Mischief) -> bool:
    """Let the categories of a queue use another; half of the time the old one disappears."""
    center, lots = act.stage.center, act.lots
    names = list(center.queues)
    if len(names) < 2:
        return False
    old, new = lots.some(names, 2, 2)
    queue_of = {name: category.queue for name, category in center.categories.items()}
    categories = {
        name: replace(category, queue=new if queue_of[name] == old else queue_of[name])
        for name, category in center.categories.items()
    }
    if lots.chance(0.5):
        act.world.propose(CenterChanged(_next(center, categories=categories), drain=(old,)))
        return True
    queues = {name: queue for name, queue in center.queues.items() if name != old}
    moved = _next(center, categories=categories, queues=queues)
    if any(not problem.warning for problem in check_center(moved)):
        # Something else still leads to the old queue, so it can only be drained.
        act.world.propose(CenterChanged(_next(center, categories=categories), drain=(old,)))
        return True
    act.world.propose(CenterChanged(moved, move_to={old: new} if lots.chance(0.7) else {}))
    return True


def bad_center(act: Mischief) -> bool:
    """Send a configuration that cannot be: an old version, other contents, names unknown."""
    center, lots = act.stage.center, act.lots
    broken = (
        replace(center, version=max(1, center.version - 1)),
        replace(center, ageing_points_ms=center.ageing_points_ms + 1),
        _next(center, unknown_skill_queue="no-such-queue"),
        _next(center, queues={}),
        _next(center, ageing_points_ms=-5),
        center,
    )
    act.line.send(CenterChanged(lots.pick(broken)))
    return True
