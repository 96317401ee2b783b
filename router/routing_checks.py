"""Check what the policies and guards of routing ask of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from router.center import Center, ContactPolicy, Queue
from router.problems import Path, Problem

# which contact policies read a setting of a queue
_READ_BY: Final = {
    "wait_weight": (ContactPolicy.LONGEST_WEIGHTED_WAIT, ContactPolicy.GENERALIZED_C_MU),
    "handle_time_ms": (ContactPolicy.GENERALIZED_C_MU,),
    "late_weight": (ContactPolicy.GENERALIZED_C_MU,),
    "queue_share": (ContactPolicy.FIXED_QUEUE_RATIO,),
}


def check_routing(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with the settings of policies and guards."""
    yield from _settings_unread(center)
    yield from _policies_without_object(center)


def policies_of(center: Center) -> set[ContactPolicy]:
    """Return the contact policies by which somebody may choose."""
    return {team.contact_policy or center.contact_policy for team in center.teams.values()}


def _settings_unread(center: Center) -> Iterator[Problem]:
    """Warn of weights that nobody asks for."""
    used = policies_of(center)
    defaults = {item.name: item.default for item in fields(Queue)}
    for setting, readers in _READ_BY.items():
        if used & set(readers):
            continue
        choose = " or ".join(reader.value for reader in readers)
        for name, queue in center.queues.items():
            if getattr(queue, setting) != defaults[setting]:
                message = f"unused: no team chooses by {choose}; set contact_policy or remove it"
                yield Problem(("queues", name, setting), message, warning=True)


def _policies_without_object(center: Center) -> Iterator[Problem]:
    """Warn of policies that have nothing to tell contacts apart by."""
    asked: list[tuple[Path, ContactPolicy]] = []
    if center.contact_policy in policies_of(center):
        asked.append(((), center.contact_policy))
    asked += [
        (("teams", name), team.contact_policy)
        for name, team in center.teams.items()
        if team.contact_policy is not None
    ]
    for path, policy in asked:
        place = (*path, "contact_policy")
        if policy is ContactPolicy.EARLIEST_DEADLINE and not center.promises:
            message = "no promise sets a deadline; add promises or choose priority_then_age"
            yield Problem(place, message, warning=True)
        if policy is ContactPolicy.FIXED_QUEUE_RATIO and len(center.queues) == 1:
            message = "one queue has no ratio; choose priority_then_age"
            yield Problem(place, message, warning=True)
