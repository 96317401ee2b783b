"""Set what theory says beside what was simulated, with what theory does not know."""

from __future__ import annotations

from collections.abc import Iterable

from configs.planning import Scenario
from simulation.phrases import Phrase
from simulation.plan import estimates as est
from simulation.plan.answers import TheoryRow, share_figure
from simulation.plan.estimates import Floats, agents_at_desks, view
from simulation.plan.people import groups_of
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study
from simulation.plan.requirement import Line, level_of, pool
from simulation.staffing_formulas import queue_of


def theory_rows(study: Study, prepared: Prepared, lines: tuple[Line, ...]) -> Iterable[TheoryRow]:
    """Set Erlang A of each line, and of all as one, beside what was simulated."""
    reasons = _outside(study.scenario)
    prompt = [line for line in lines if not line.deferred]
    at_desk = agents_at_desks(study, prepared.interval_edges)
    if len(prompt) == 1:
        only = prompt[0]
        name, model = only.name, Phrase("Erlang A, interval by interval")
        if len(study.groups) > 1 or len(prepared.center.skills) > 1:
            reasons = (*reasons, Phrase("several groups or skills serve one line"))
    elif prompt:
        only = pool(prompt)
        name, model = (
            Phrase("all lines as one"),
            Phrase("Erlang A, all agents all skills: never worse"),
        )
        reasons = (*reasons, Phrase("several lines share their agents"))
    else:
        return
    yield TheoryRow(
        line=name,
        model=model,
        service_level=_sipp(only, at_desk, study.scenario),
        simulated=share_figure(est.service_level(view(study, only.demands))),
        outside=reasons,
    )


def _sipp(line: Line, agents: Floats, scenario: Scenario) -> float | None:
    """Return Erlang A's service level over the day, each interval weighed by its arrivals."""
    weighed = weights = 0.0
    for arrivals, load, net in zip(line.arrivals_per_min, line.load, agents, strict=True):
        if arrivals <= 0 or load <= 0:
            continue
        weights += float(arrivals)
        work_min = line.work_min or 1.0
        model = None
        if net > 0:
            model = queue_of(
                float(load) / work_min, 1 / work_min, line.patience_per_min, float(net)
            )
        if model is not None:
            weighed += float(arrivals) * level_of(model, line, scenario.target.level)
    return weighed / weights if weights else None


def _outside(scenario: Scenario) -> tuple[str, ...]:
    """Return what of a scenario the formula does not know."""
    demands = scenario.demand.values()
    busyness = scenario.busyness
    reasons = {
        Phrase("days differ (busyness)"): bool(busyness.alpha or busyness.alphas or busyness.parts),
        Phrase("customers call again"): any(d.redial or d.repeat for d in demands),
        Phrase("agents do several chats at once"): any(
            scenario.center.channels[d.channel].units < 100 for d in demands
        ),
        Phrase("a dialer"): any(d.dialer for d in demands),
        Phrase("bursts"): any(d.bursts for d in demands),
        Phrase("offers take time or are declined"): any(
            group.reaction or group.declines or group.ignores
            for group in groups_of(scenario).values()
        ),
        Phrase("an outage"): bool(scenario.outages),
    }
    return tuple(name for name, holds in reasons.items() if holds)
