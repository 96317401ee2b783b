"""Seek a staffing from its space to its certificate: what the command does, and the app."""

from __future__ import annotations

from dataclasses import dataclass

from configs.planning import Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study, Workers
from simulation.staffing.certificate import Certificate, certificate_of
from simulation.staffing.deadline import Deadline
from simulation.staffing.hunt import Effort, Tell
from simulation.staffing.master import Master
from simulation.staffing.needs import needs_of
from simulation.staffing.plays import LivePlays, QuickPlays
from simulation.staffing.search import UnreachableError, search
from simulation.staffing.spaces import Space


@dataclass(frozen=True)
class Sought:
    """What was found: the certificate, its plan on the fresh days, and the scenario with it."""

    certificate: Certificate
    study: Study
    scenario: Scenario


def seek(
    space: Space,
    crew: Workers,
    effort: Effort,
    seed: int,
    unit: str,
    tell: Tell,
    deadline: Deadline | None = None,
) -> Sought:
    """Return the cheapest plan that keeps all targets; raises `UnreachableError`.

    When the time is up, it is the best plan found by then, confirmed on fresh days. Raises
    `NothingFoundError` where the search was stopped before a plan kept the targets.
    """
    deadline = deadline or Deadline()
    needs = needs_of(Prepared(space.scenario))
    if not needs:
        raise UnreachableError("nothing is asked: every target is 0 %, or nobody comes")
    master = Master(space, needs)
    live = LivePlays(space.made, crew, seed, deadline)
    quick = QuickPlays(space.scenario, space.made, crew, seed, deadline)
    found = search(live, quick, master, effort, tell, deadline)
    certificate = certificate_of(found, master, effort, seed, unit)
    return Sought(certificate, found.study, space.made(found.plan))
