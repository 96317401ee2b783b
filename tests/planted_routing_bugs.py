"""Plant bugs in the policies and guards of routing (see `tests.planted_bugs`)."""

# A planted bug fits whatever function it replaces: its types are open, some arguments unused.
# ruff: noqa: ANN401, ARG005

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from router import choosing, keeping
from router.center import Center, ContactPolicy, PairWeight, Team
from tests.planted_bugs import BUGS, Adapt, bug, find, nothing, replace

__all__ = ["BUGS"]


def all_choose_by(policy: ContactPolicy) -> Adapt:
    """Let every team choose its contacts by one policy."""

    def adapt(center: Center) -> Center:
        return dataclasses.replace(
            center, contact_policy=policy, teams={name: Team() for name in center.teams}
        )

    return adapt


def rescore(patch: pytest.MonkeyPatch, name: str, new: Any) -> None:
    """Let a policy that scores use another function."""
    old = find(name)
    patch.setattr(choosing, "_SCORES", [new if one is old else one for one in choosing._SCORES])


@bug("I13", adapt=all_choose_by(ContactPolicy.LONGEST_WEIGHTED_WAIT))
def weight_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Let every minute of waiting count the same, whatever the queue weighs."""
    rescore(patch, "score_weighted_wait", lambda lane, wait_ms, *_: wait_ms)


@bug("I13", adapt=all_choose_by(ContactPolicy.GENERALIZED_C_MU))
def lateness_costs_nothing(patch: pytest.MonkeyPatch) -> None:
    """Let a late minute cost less than an early one."""
    rescore(patch, "score_c_mu", lambda lane, wait_ms, *_: -wait_ms)


@bug("I13", adapt=all_choose_by(ContactPolicy.FIXED_QUEUE_RATIO))
def ratio_upside_down(patch: pytest.MonkeyPatch) -> None:
    """Serve the queue that is shortest against its share."""
    right = find("score_queue_ratio")
    rescore(patch, "score_queue_ratio", lambda *given: -right(*given))


@bug("I13", adapt=all_choose_by(ContactPolicy.EARLIEST_DEADLINE))
def deadline_from_arrival(patch: pytest.MonkeyPatch) -> None:
    """Go by the age where the policy goes by deadlines."""
    replace(patch, "due_ms", lambda contact: contact.arrived_ms)


def guarded(**settings: Any) -> Adapt:
    """Give the second line of a small world a reserve, or its teams something they owe."""

    def adapt(center: Center) -> Center:
        queue = {key: settings[key] for key in settings if key.startswith("reserve")}
        team = {key: settings[key] for key in settings if not key.startswith("reserve")}
        return dataclasses.replace(
            center,
            queues={**center.queues, "back": dataclasses.replace(center.queues["back"], **queue)},
            teams={name: dataclasses.replace(one, **team) for name, one in center.teams.items()},
        )

    return adapt


@bug("I39", adapt=guarded(reserve=2))
def reserve_given_away(patch: pytest.MonkeyPatch) -> None:
    """Keep nobody for the line that has a reserve."""
    replace(patch, "reserve_against", nothing)


@bug("I12", adapt=guarded(reserve=1))
def reserve_too_large(patch: pytest.MonkeyPatch) -> None:
    """Keep three agents more than the configuration says."""
    patch.setattr(keeping.Reserve, "spares_one", lambda self: self.idle > self.size + 3)


@bug("I39", adapt=guarded(own_queues=("front",), lend_percent=90, lend_window_ms=120_000))
def lent_all_the_same(patch: pytest.MonkeyPatch) -> None:
    """Help other lines whatever the own ones suffer."""
    replace(patch, "lending_against", nothing)


@bug("I12", adapt=guarded(own_queues=("front",), lend_percent=90, lend_window_ms=9_000))
def lending_never_begins_anew(patch: pytest.MonkeyPatch) -> None:
    """Never help again once the own level was missed."""
    old = keeping.Lending.judge
    patch.setattr(keeping.Lending, "judge", lambda self, now: not self.shut and old(self, now))


@bug("I39", adapt=guarded(pairs={"front": PairWeight(base_ms=-20_000)}))
def pairs_meet_too_early(patch: pytest.MonkeyPatch) -> None:
    """Let a team help before the weight of the pair has reached zero."""
    replace(patch, "pair_holds_back", lambda *_: False)


@bug("I12", adapt=guarded(pairs={"front": PairWeight(base_ms=-20_000)}))
def pairs_never_wake(patch: pytest.MonkeyPatch) -> None:
    """Forget that time alone lets a pair meet."""
    replace(patch, "arm_guards", nothing)
