"""Put a staffing in order: how many, what is kept and how surely, what it is worth, how days go."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from configs.durations import parse_clock
from simulation.plan.answers import Result
from simulation.plan.people import groups_of
from simulation.plan.replications import Study
from simulation.plan.results import result_of
from simulation.report import charts_staffing
from simulation.report.charts import AMBER, BLUE, GREY, LIGHT_GREEN
from simulation.report.charts_staffing import Bar
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_assumptions import assumptions, scenario_hash
from simulation.report.plan_document import foot, labels, played_chapters, staffing_chapter
from simulation.report.provenance import run_chapter
from simulation.report.wording import Words
from simulation.staffing.certificate import Certificate, Kept, Other

_HOUR_MS = 3_600_000


def staff_document(found: Certificate, study: Study, language: str = "en") -> Document:
    """Return the document of a certificate; `study` holds its plan on the fresh days."""
    words = Words(language)
    result = result_of(study)
    assumed, defined, _ = assumptions(words, study, result)
    told = ["definition_bound", "definition_apart", "definition_surely"]
    if found.surrogate_days:
        told.append("definition_surrogate")
    return Document(
        title=words(f"{_kind(found)}_title", name=found.scenario),
        language=language,
        answer=words.name(found.sentence),
        good=found.confirmed,
        facts=tuple(_facts(words, found)),
        chapters=(
            _plan(words, found, study, result),
            _kept(words, found),
            _worth(words, found),
            staffing_chapter(words, result),
            *played_chapters(words, study, result),
            replace(assumed, words=(*assumed.words, *(words.name(note) for note in found.notes))),
            replace(defined, words=(*defined.words, *(words(key) for key in told))),
            _run(words, found, study),
        ),
        foot=foot(words, found.seed, found.days_played, found.config_hash),
        labels=labels(words),
    )


def _kind(found: Certificate) -> str:
    return "schedule" if found.unit == "shifts" else "staff"


def measure_words(words: Words, measure: str) -> str:
    """Return what a need measures: a service level by its formula, or who gave up."""
    if measure == "abandoned":
        return words("abandonment")
    return words(f"level_{measure.replace(' ', '_')}")


def _gap(words: Words, gap: float) -> str:
    return f"{gap:.1%}" if math.isfinite(gap) else words("unknown")


def _facts(words: Words, found: Certificate) -> Iterator[Fact]:
    currency = words.name(found.currency)
    met = sum(row.met for row in found.kept)
    yield Fact(
        words("cost_per_day", currency=currency),
        f"{found.cost:,.2f}",
        words("bound_note", bound=f"{found.bound:,.2f}"),
    )
    yield Fact(
        words("targets_kept"),
        words("of_all", number=met, all=len(found.kept)),
        words("sure_together", confidence=f"{found.confidence:.0%}"),
        met == len(found.kept),
    )
    yield Fact(words("gap"), _gap(words, found.gap), words("gap_note"))
    hours = sum(map(sum, found.at_work)) * _interval_hours(found)
    yield Fact(words("hours_at_work"), f"{hours:,.1f}", words("h_a_day"))
    yield Fact(
        words("confirmed_on"),
        words("fresh_days", days=found.fresh_days),
        words("tried_note", plans=found.plans_tried, days=found.days_played),
        found.confirmed,
    )


def _interval_hours(found: Certificate) -> float:
    if len(found.intervals) < 2:
        return 24.0
    first, second = (parse_clock(start) for start in found.intervals[:2])
    return (second - first) / _HOUR_MS


def _plan(words: Words, found: Certificate, study: Study, result: Result) -> Chapter:
    groups = list(groups_of(study.scenario))
    agents = dict(zip(groups, found.at_work, strict=True))
    pictures = [
        Picture(
            "by_group",
            words("by_group_picture"),
            charts_staffing.by_group(words, found.intervals, agents, result.intervals),
            380,
        )
    ]
    if found.unit == "shifts":
        bars = _bars(study)
        option = charts_staffing.shifts(words, bars)
        pictures.insert(
            0, Picture("shifts", words("shifts_picture"), option, 90 + 28 * max(1, len(bars)))
        )
    told = (words(f"{_kind(found)}_words"),)
    return Chapter("plan", words(f"{_kind(found)}_plan_title"), told, tuple(pictures),
                   tuple(_plan_tables(words, found, groups)))  # fmt: skip


def _bars(study: Study) -> list[Bar]:
    def hours(clock: str) -> float:
        return parse_clock(clock) / _HOUR_MS

    found = [
        Bar(
            group=name,
            hours=f"{shift.start}–{shift.end}",
            count=shift.count,
            start_h=hours(shift.start),
            end_h=hours(shift.end),
            breaks_h=tuple(
                (hours(rest.earliest), hours(rest.latest or rest.earliest)
                 + rest.length_ms / _HOUR_MS)
                for rest in shift.breaks
            ),
        )
        for name, group in groups_of(study.scenario).items()
        for shift in group.shifts
        if shift.count
    ]  # fmt: skip
    order = list(dict.fromkeys(bar.group for bar in found))
    return sorted(found, key=lambda bar: (order.index(bar.group), bar.start_h, bar.end_h))


def _plan_tables(words: Words, found: Certificate, groups: Sequence[str]) -> Iterator[Table]:
    if found.unit == "shifts":
        yield Table(
            words("sheet_shifts"),
            words("shifts_table"),
            (Column(words("shift")), Column(words("agents_head"), Form.WHOLE)),
            tuple((name, float(sum(row))) for name, row in
                  zip(found.row_names, found.rows, strict=True)),
            open=True,
        )  # fmt: skip
    form = Form.WHOLE if found.unit == "agents" else Form.NUMBER
    yield Table(
        words("sheet_agents"),
        words("agents_table"),
        (
            Column(words("interval")),
            *(Column(name, form, words("agents")) for name in groups),
            Column(words("all_groups"), form, words("agents")),
        ),
        tuple(
            (start, *values, sum(values))
            for start, values in zip(found.intervals, zip(*found.at_work, strict=True), strict=True)
        ),
        drawn=tuple(range(1, len(groups) + 1)),
        bars=True,
        open=found.unit == "agents",
    )


def _kept(words: Words, found: Certificate) -> Chapter:
    share = words("share_unit")
    sides: list[tuple[bool, list[Kept]]] = [
        (lost, [row for row in found.kept if (row.measure == "abandoned") is lost])
        for lost in (False, True)
    ]
    pictures = tuple(
        Picture(
            "lost" if lost else "kept",
            words("lost_picture" if lost else "kept_picture"),
            charts_staffing.kept(words, rows, lost=lost),
            84 + 30 * len(rows),
        )
        for lost, rows in sides
        if rows
    )
    table = Table(
        words("sheet_kept"),
        words("kept_table"),
        (
            Column(words("need")),
            Column(words("measure")),
            Column(words("asked"), Form.SHARE, share),
            Column(words("reached"), Form.SHARE, share),
            Column(words("surely_reached"), Form.SHARE, share),
            Column(words("sure")),
            Column(words("days_met"), Form.SHARE, share),
        ),
        tuple(
            (words.name(row.need), measure_words(words, row.measure), row.asked,
             row.reached, row.low, words("yes" if row.met else "no"),
             row.days_met)
            for row in found.kept
        ),
        open=True,
    )  # fmt: skip
    told = [words("kept_words", days=found.fresh_days, confidence=f"{found.confidence:.0%}")]
    if not found.short:
        told.append(words("nowhere_short"))
    else:
        held = all(row.met for row in found.kept)
        told.append(words("falls_short" if held else "short_where"))
    return Chapter(
        "kept", words("kept_title"), tuple(told), pictures, (table, *_short(words, found))
    )


def _short(words: Words, found: Certificate) -> Iterator[Table]:
    share = words("share_unit")
    if not found.short:
        return
    yield Table(
        words("sheet_short"),
        words("short_table"),
        (
            Column(words("interval")),
            Column(words("line")),
            Column(words("reached"), Form.SHARE, share),
            Column(words("asked_of_day"), Form.SHARE, share),
            Column(words("expected"), Form.NUMBER, words("per_interval")),
            Column(words("busiest")),
            Column(words("occupancy"), Form.SHARE, share),
        ),
        tuple(
            (
                row.start,
                words.name(row.line),
                row.reached,
                row.asked,
                row.arrivals,
                row.busiest,
                row.occupancy,
            )
            for row in found.short
        ),
        open=True,
    )


def _verdict(words: Words, other: Other) -> str:
    """Say what another plan is: it may have held on the first days and not on fresh ones."""
    if not other.holds:
        return words("other_short")
    return words("other_second" if other.change >= 0 else "other_unconfirmed")


def _worth(words: Words, found: Certificate) -> Chapter:
    currency = words.name(found.currency)
    colours = {words("other_short"): AMBER}
    plans = [
        (words("bound"), found.bound, GREY),
        (words("this_plan"), found.cost, BLUE),
        *(
            (_verdict(words, other), other.cost, colours.get(_verdict(words, other), LIGHT_GREEN))
            for other in found.others
        ),
    ]
    if found.dedicated is not None:
        plans.append((words("lines_apart"), found.dedicated, GREY))
    told = [words("cut_short")] if found.cut_short else []
    told += [words("worth_words", gap=_gap(words, found.gap), bound=f"{found.bound:,.2f}",
                  cost=f"{found.cost:,.2f}", currency=currency)]  # fmt: skip
    if not any(other.holds and other.change >= 0 for other in found.others):
        told.append(words("no_second"))
    table = Table(
        words("sheet_others"),
        words("others_table"),
        (
            Column(words("plan_head")),
            Column(words("cost"), Form.RAW, currency),
            Column(words("against_this"), Form.SIGNED, currency),
            Column(words("differs")),
            Column(words("tightest")),
            Column(words("to_spare"), Form.SIGNED, words("points")),
        ),
        (
            (words("bound"), found.bound, found.bound - found.cost, None, None, None),
            (words("this_plan"), found.cost, 0.0, None, None, None),
            *(
                (
                    _verdict(words, other),
                    other.cost,
                    other.change,
                    words("comma").join(f"{name} {by:+d}" for name, by in other.differs.items())
                    or words("other_hours"),
                    words.name(other.least),
                    other.to_spare_points,
                )
                for other in found.others
            ),
            *(
                ((words("lines_apart"), found.dedicated, found.dedicated - found.cost, None, None,
                  None),)
                if found.dedicated is not None
                else ()
            ),
        ),
        open=True,
    )  # fmt: skip
    option = charts_staffing.worth(plans, currency)
    picture = Picture(
        "worth", words("worth_picture", currency=currency), option, 60 + 34 * len(plans)
    )
    return Chapter("worth", words("worth_title"), tuple(told), (picture,), (table,))


def _run(words: Words, found: Certificate, study: Study) -> Chapter:
    rows = (
        (words("scenario"), words.name(found.scenario)),
        (words("staffed_hash"), scenario_hash(study.scenario)),
        (words("center"), found.center),
        (words("center_hash"), found.config_hash),
        (words("date"), found.date),
        (words("seed"), str(found.seed)),
        (words("confidence"), f"{found.confidence:.0%}"),
        (words("plans_tried"), str(found.plans_tried)),
        (words("days_played"), str(found.days_played)),
        (words("surrogate_days"), f"{found.surrogate_days:,}"),
        (words("confirmed_on"), words("fresh_days", days=found.fresh_days)),
    )
    return run_chapter(words, words("search_run_words"), rows)
