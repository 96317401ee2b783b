"""Seek a staffing from its space to its certificate: what the command does, and the app."""

from __future__ import annotations

from dataclasses import dataclass

from configs.planning import Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study, Workers
from simulation.staffing.certificate import Certificate, certificate_of
from simulation.staffing.master import Master
from simulation.staffing.needs import needs_of
from simulation.staffing.search import Effort, Tell, UnreachableError, search
from simulation.staffing.spaces import Space
from simulation.staffing.trials import Trials


@dataclass(frozen=True)
class Sought:
    """What was found: the certificate, its plan on the fresh days, and the scenario with it."""

    certificate: Certificate
    study: Study
    scenario: Scenario


def seek(space: Space, crew: Workers, effort: Effort, seed: int, unit: str, tell: Tell) -> Sought:
    """Return the cheapest plan that keeps all targets; raises `UnreachableError`."""
    needs = needs_of(Prepared(space.scenario))
    if not needs:
        raise UnreachableError("nothing is asked: every target is 0 %, or nobody comes")
    master = Master(space, needs)
    found = search(Trials(space, needs, crew, seed, effort.days), master, effort, tell)
    certificate = certificate_of(found, master, effort, seed, unit)
    return Sought(certificate, found.study, space.made(found.plan))
