"""Put a plan in order: the answer, then pictures, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from simulation.plan.answers import Figure, Result
from simulation.plan.replications import Study
from simulation.plan.results import result_of
from simulation.report import charts
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.evidence import Evidence, evidence_of
from simulation.report.plan_assumptions import assumptions
from simulation.report.plan_outcomes import outcomes_chapter, served_table
from simulation.report.plan_tables import demand_table, group_table, interval_table
from simulation.report.wording import Words


def plan_document(study: Study, language: str = "en", result: Result | None = None) -> Document:
    """Return the document of a study; `result` saves working it out again."""
    words = Words(language)
    result = result or result_of(study)
    chapters = [
        staffing_chapter(words, result),
        *played_chapters(words, study, result),
        *assumptions(words, study, result),
    ]
    return Document(
        title=words("plan_title", name=result.scenario),
        language=language,
        answer=words.name(result.sentence),
        good=result.meets if result.service_level.value is not None else None,
        facts=tuple(_facts(words, result)),
        chapters=tuple(chapters),
        foot=foot(words, result.seed, result.days, result.config_hash),
        labels=labels(words),
    )


def played_chapters(words: Words, study: Study, result: Result) -> list[Chapter]:
    """Return what played days show: levels, waits, people, promises, costs, risk, theory."""
    evidence = evidence_of(study, result.judged)
    chapters = [
        _levels(words, result, evidence),
        _waits(words, result, evidence),
        outcomes_chapter(words, result),
        _people(words, result, evidence),
    ]
    if result.promises:
        chapters.append(_promises(words, result))
    if result.costs:
        chapters.append(_costs(words, result))
    chapters.append(_risk(words, result, evidence))
    if result.theory:
        chapters.append(_theory(words, result))
    return chapters


def labels(words: Words) -> dict[str, str]:
    """Return the words that the page itself needs."""
    return {key: words(key) for key in ("table", "no_script", "contents", "answer")}


def foot(words: Words, seed: int, days: int, config_hash: str) -> str:
    """Return what repeats the run: seed, days, hash of the centre, version."""
    return words("foot", version=release(), seed=seed, days=days, hash=config_hash)


def release() -> str:
    """Return the installed version."""
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "?"


def _facts(words: Words, result: Result) -> Iterator[Fact]:
    yield Fact(
        words("service_level"),
        words.share(result.service_level),
        _sure(
            words, result.service_level, words("fact_target", percent=f"{result.target_percent:g}")
        ),
        result.meets,
    )
    misses = result.risk.misses
    if misses.value is not None and misses.low is not None and misses.high is not None:
        yield Fact(
            words("days_missed"),
            f"{misses.value:.0%}",
            words("from_to", low=f"{misses.low:.0%}", high=f"{misses.high:.0%}"),
        )
    lost, wait = result.abandonment, result.wait_s
    yield Fact(words("abandonment"), words.share(lost), _sure(words, lost))
    yield Fact(words("wait_s"), words("seconds", value=words.number(wait)), _sure(words, wait))
    if result.cost_per_day is not None:
        each = result.cost_per_contact
        yield Fact(
            words("cost_per_day", currency=result.currency),
            words.number(result.cost_per_day, 0),
            _sure(
                words,
                result.cost_per_day,
                "" if each is None else words("each_contact", cost=f"{each:,.2f}"),
            ),
        )


def _sure(words: Words, figure: Figure, note: str = "") -> str:
    """Return a note, and that the error is not known where too few days leave none."""
    known = figure.value is None or figure.low is not None
    return (
        note
        if known
        else words("semicolon").join(part for part in (note, words("error_unknown")) if part)
    )


def staffing_chapter(words: Words, result: Result) -> Chapter:
    """Return agents against need, with what lacks."""
    rows = result.intervals
    short = charts.shortage(rows)
    surely = sum(1 for lacks, _ in short if lacks > 0)
    perhaps = sum(1 for sure, lacks in short if lacks > 0 and not sure)
    told = [words("staffing_words")]
    if surely or perhaps:
        worst = max(range(len(rows)), key=lambda index: rows[index].required - rows[index].net)
        told.append(
            words(
                "shortage_words",
                surely=surely,
                perhaps=perhaps,
                all=len(rows),
                start=rows[worst].start,
                net=f"{rows[worst].net:.1f}",
                required=f"{rows[worst].required:.1f}",
            )
        )
    else:
        told.append(words("no_shortage_words"))
    return Chapter(
        "staffing",
        words("staffing_title"),
        tuple(told),
        (
            Picture(
                "staffing",
                words("staffing_picture"),
                charts.staffing(words, rows),
                380,
                " ".join(told),
            ),
        ),
        (interval_table(words, result),),
    )


def _levels(words: Words, result: Result, evidence: Evidence) -> Chapter:
    starts = [row.start for row in result.intervals]
    target = result.target_percent / 100
    levels = {
        name: tuple(figure.value for figure in figures) for name, figures in evidence.levels.items()
    }
    by_demand = tuple(
        (start, *(values[index] for values in levels.values()))
        for index, start in enumerate(starts)
    )
    heat = Table(
        words("sheet_heat"),
        words("heat_table"),
        (
            Column(words("interval")),
            *(Column(name, Form.SHARE, words("share_unit")) for name in levels),
        ),
        by_demand,
        heat=tuple(range(1, len(levels) + 1)),
        heat_middle=target,
    )
    below = [
        row.start
        for row in result.intervals
        if row.service_level.value is not None and row.service_level.value < target
    ]
    told = words("above_words")
    if below:
        told = words("below_words", intervals=words("comma").join(below))
    return Chapter(
        "levels",
        words("levels_title"),
        (words("levels_words", judged=words("comma").join(result.judged)), told),
        (
            Picture("level", words("level_picture"),
                    charts.level_by_interval(
                        words, starts, [row.service_level for row in result.intervals], target)),
            Picture("heat", words("heat_picture"),
                    charts.heat_map(words, starts, levels, target), 110 + 30 * len(levels)),
        ),
        (demand_table(words, result), heat),
    )  # fmt: skip


def _waits(words: Words, result: Result, evidence: Evidence) -> Chapter:
    limits = evidence.wait_limits_s
    judged = {name: evidence.waits[name] for name in result.judged}
    later = {name: values for name, values in evidence.waits.items() if name not in judged}
    pictures = [
        Picture("waits", words("waits_picture"), charts.waits(words, limits, judged)),
        *(
            (Picture("waits_later", words("waits_later_picture"),
                     charts.waits(words, limits, later), 280),)
            if later
            else ()
        ),
    ]  # fmt: skip
    names = charts.wait_names(words, limits)
    table = Table(
        words("sheet_waits"),
        words("waits_table"),
        (
            Column(words("wait")),
            *(Column(name, Form.NUMBER, words("a_day")) for name in evidence.waits),
        ),
        tuple(
            (name, *(values[index] for values in evidence.waits.values()))
            for index, name in enumerate(names)
        ),
        drawn=tuple(range(1, len(evidence.waits) + 1)),
        bars=True,
    )
    return Chapter(
        "waits", words("waits_title"), (words("waits_words"),), tuple(pictures), (table,)
    )


def _people(words: Words, result: Result, evidence: Evidence) -> Chapter:
    starts = [row.start for row in result.intervals]
    served = served_table(words, result)
    return Chapter(
        "people",
        words("people_title"),
        (words("people_words"),),
        (
            Picture("occupancy", words("occupancy_picture"),
                    charts.heat_map(words, starts, evidence.occupancy, 0.85, more_is_better=False),
                    110 + 30 * len(evidence.occupancy)),
        ),
        (group_table(words, result), *((served,) if served else ())),
    )  # fmt: skip


def _promises(words: Words, result: Result) -> Chapter:
    share = words("share_unit")
    table = Table(
        words("sheet_promises"),
        words("promises_table"),
        (
            Column(words("promise")),
            Column(words("met"), Form.SHARE, share),
            Column(words("low_end"), Form.SHARE, share),
            Column(words("high_end"), Form.SHARE, share),
            Column(words("breaches"), Form.NUMBER, words("a_day")),
        ),
        tuple(
            (row.name, row.met.value, row.met.low, row.met.high, row.breaches_per_day)
            for row in result.promises
        ),
    )
    picture = Picture(
        "promises",
        words("promises_picture"),
        charts.promises(words, result.promises),
        60 + 34 * len(result.promises),
    )
    return Chapter(
        "promises", words("promises_title"), (words("promises_words"),), (picture,), (table,)
    )


def _costs(words: Words, result: Result) -> Chapter:
    unit = f"{result.currency} {words('a_day')}"
    shown = {name: value for name, value in result.costs.items() if value}
    total = sum(shown.values())
    table = Table(
        words("sheet_costs"),
        words("costs_table"),
        (
            Column(words("cost_kind")),
            Column(words("amount"), Form.MONEY, unit),
            Column(words("share_of_all"), Form.SHARE, words("share_unit")),
        ),
        (
            *(
                (words.name(name), value, value / total if total else None)
                for name, value in shown.items()
            ),
            (words("total"), total, 1.0 if total else None),
        ),
    )
    told = [words("costs_words")]
    if result.cost_per_contact is not None and result.cost_per_resolved is not None:
        told.append(
            words(
                "costs_each",
                contact=f"{result.cost_per_contact:,.2f}",
                resolved=f"{result.cost_per_resolved:,.2f}",
                currency=result.currency,
            )
        )
    picture = Picture(
        "costs",
        words("costs_picture", unit=unit),
        charts.amounts(words, result.costs, unit),
        70 + 36 * len(shown),
    )
    return Chapter("costs", words("costs_title"), tuple(told), (picture,), (table,))


def _risk(words: Words, result: Result, evidence: Evidence) -> Chapter:
    target = result.target_percent / 100
    quantiles = Table(
        words("sheet_risk"),
        words("risk_table"),
        (
            Column(words("share_of_days")),
            Column(words("level_at_most"), Form.SHARE, words("share_unit")),
        ),
        tuple((name, value) for name, value in result.risk.quantiles.items()),
    )
    days = Table(
        words("sheet_days"),
        words("days_table"),
        (
            Column(words("day"), Form.WHOLE),
            Column(words("service_level"), Form.SHARE, words("share_unit")),
            *((Column(words("cost"), Form.MONEY, result.currency),) if result.currency else ()),
        ),
        tuple(
            (
                float(number + 1),
                level,
                *((evidence.daily_costs[number],) if len(evidence.daily_costs) ==
                  len(evidence.daily_levels) else (None,) if result.currency else ()),
            )
            for number, level in enumerate(evidence.daily_levels)
        ),
    )  # fmt: skip
    misses = result.risk.misses
    told = words(
        "risk_words",
        missed=sum(1 for level in evidence.daily_levels if level < target),
        days=len(evidence.daily_levels),
        low="–" if misses.low is None else f"{misses.low:.0%}",
        high="–" if misses.high is None else f"{misses.high:.0%}",
    )
    picture = Picture(
        "risk", words("risk_picture"), charts.risk(words, evidence.daily_levels, target), 280
    )
    return Chapter("risk", words("risk_title"), (told,), (picture,), (quantiles, days))


def _theory(words: Words, result: Result) -> Chapter:
    table = Table(
        words("sheet_theory"),
        words("theory_table"),
        (
            Column(words("line")),
            Column(words("model")),
            Column(words("theory_says"), Form.SHARE, words("share_unit")),
            Column(words("simulated"), Form.SHARE, words("share_unit")),
            Column(words("outside")),
        ),
        tuple(
            (
                words.name(row.line),
                words.name(row.model),
                row.service_level,
                row.simulated.value,
                words("comma").join(words.name(reason) for reason in row.outside),
            )
            for row in result.theory
        ),
        open=True,
    )
    return Chapter("theory", words("theory_title"), (words("theory_words"),), (), (table,))
