"""Say in words what a plan rests on: demand, patience, people, closing, definitions, seed."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from configs.planning import Again, Closing, Demand, Group, Law, LawName, PlainLaw, Scenario
from simulation.plan.answers import Result
from simulation.plan.laws import mean_ms
from simulation.plan.people import groups_of, size_of
from simulation.plan.replications import Study
from simulation.report.document import Chapter, Column, Form, Table
from simulation.report.provenance import run_table
from simulation.report.wording import Words


def assumptions(words: Words, study: Study, result: Result) -> list[Chapter]:
    """Return the chapters of what was assumed, how things are defined, what repeats the run."""
    scenario = study.scenario
    return [
        Chapter(
            "assumptions",
            words("assumptions_title"),
            tuple(_told(words, scenario)),
            (),
            (_demands(words, study), _groups(words, scenario)),
        ),
        Chapter(
            "definitions",
            words("definitions_title"),
            (
                words("definition_level", formula=words(f"level_{scenario.target.level}")),
                words("definition_attribution"),
                words("definition_abandonment"),
                words("definition_wait"),
                words("definition_occupancy"),
                words("definition_required"),
                words("definition_interval"),
                words("definition_risk"),
            ),
        ),
        Chapter(
            "run", words("run_title"), (words("run_words"),), (), (_run(words, study, result),)
        ),
    ]


def law_words(words: Words, law: Law | None) -> str:
    """Say a law of durations in words; a dash where there is none."""
    if law is None:
        return "–"
    rest = (
        words("part_of", whole=later.start, part=_plain_words(words, later)) for later in law.later
    )
    return words("semicolon").join((_plain_words(words, law), *rest))


def _plain_words(words: Words, law: PlainLaw) -> str:
    mean = words.duration(mean_ms(law))
    name = words(f"law_{law.law.value}")
    if law.law in {LawName.LOGNORMAL, LawName.GAMMA, LawName.WEIBULL}:
        return words("law_cv", law=name, mean=mean, cv=f"{law.cv:g}")
    return words("law_mean", law=name, mean=mean)


def _told(words: Words, scenario: Scenario) -> list[str]:
    busyness = scenario.busyness
    told = [
        words(
            "assume_day",
            date=scenario.date,
            opens=scenario.opens,
            closes=scenario.closes,
            zone=scenario.zone,
            interval=words.duration(scenario.interval_ms),
        )
    ]
    if busyness.alpha or busyness.alphas:
        spread = 100 / np.sqrt(busyness.alpha) if busyness.alpha else 0.0
        told.append(words("assume_busyness", alpha=f"{busyness.alpha:g}", spread=f"{spread:.0f}"))
    else:
        told.append(words("assume_even_days"))
    for name, demand in scenario.demand.items():
        told += [
            words(key, name=name, share=f"{again.share:.0%}", after=law_words(words, again.after))
            for key, again in _returns(demand)
        ]
    told += [words("assume_outage", number=len(scenario.outages))] if scenario.outages else []
    return told


def _returns(demand: Demand) -> list[tuple[str, Again]]:
    found = []
    if demand.redial is not None:
        found.append(("assume_redial", demand.redial))
    if demand.repeat is not None and demand.resolved < 1:
        found.append(("assume_repeat", demand.repeat))
    return found


def _demands(words: Words, study: Study) -> Table:
    scenario = study.scenario
    expected = study.expected.sum(axis=1)
    closing = {kind: words(f"closing_{kind.value}") for kind in Closing}
    return Table(
        words("sheet_assumed_demand"),
        words("assumed_demand_table"),
        (
            Column(words("demand")),
            Column(words("channel")),
            Column(words("expected"), Form.NUMBER, words("a_day")),
            Column(words("handling_law")),
            Column(words("wrap_up_law")),
            Column(words("patience_law")),
            Column(words("bot"), Form.SHARE, words("share_unit")),
            Column(words("resolved"), Form.SHARE, words("share_unit")),
            Column(words("at_closing")),
        ),
        tuple(
            (
                name,
                words.name(demand.channel),
                float(expected[index]),
                law_words(words, demand.handle),
                law_words(words, demand.wrap_up),
                law_words(words, demand.patience) if demand.patience else words("patient"),
                demand.bot,
                demand.resolved,
                closing[demand.closing],
            )
            for index, (name, demand) in enumerate(scenario.demand.items())
        ),
        open=True,
    )


def _groups(words: Words, scenario: Scenario) -> Table:
    share = words("share_unit")
    return Table(
        words("sheet_assumed_people"),
        words("assumed_people_table"),
        (
            Column(words("group")),
            Column(words("agents_head"), Form.WHOLE),
            Column(words("shifts")),
            Column(words("planned_absence"), Form.SHARE, share),
            Column(words("unplanned_absence"), Form.SHARE, share),
            Column(words("adherence"), Form.SHARE, share),
            Column(words("leaving")),
        ),
        tuple(
            (
                name,
                float(size_of(scenario, name, group)),
                _shifts(words, group),
                group.planned_absence,
                group.unplanned_absence,
                group.adherence,
                words(f"leaving_{group.leaving.value}"),
            )
            for name, group in groups_of(scenario).items()
        ),
        open=True,
    )


def _shifts(words: Words, group: Group) -> str:
    if group.staffed:
        return words("staffed_by_interval", least=min(group.staffed), most=max(group.staffed))
    if not group.shifts:
        return words("all_day")
    told = []
    for shift in group.shifts:
        count = f" × {shift.count}" if shift.count else ""
        rest = sum(pause.length_ms for pause in shift.breaks)
        breaks = words("with_breaks", length=words.duration(rest)) if rest else ""
        told.append(f"{shift.start}–{shift.end}{count}{breaks}")
    return words("semicolon").join(told)


def scenario_hash(scenario: Scenario) -> str:
    """Return the first half of the SHA-256 of a scenario's canonical JSON, centre included."""
    body = msgspec.json.encode(scenario, order="deterministic", enc_hook=str)
    return hashlib.sha256(body).hexdigest()[:16]


def _run(words: Words, study: Study, result: Result) -> Table:
    scenario = study.scenario
    rows = (
        (words("scenario"), words.name(scenario.name)),
        (words("scenario_hash"), scenario_hash(scenario)),
        (words("center"), f"{result.center}"),
        (words("center_hash"), result.config_hash),
        (words("date"), scenario.date),
        (words("seed"), str(study.seed)),
        (words("days_played"), str(study.days)),
        (words("strata"), str(study.strata)),
        (words("variance_ratio"), f"{result.variance_ratio:.2f}"),
    )
    return run_table(words, rows)
