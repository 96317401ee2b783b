"""Put comparisons in order: what changes, how sure, through the day and day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from router.checks import config_hash
from simulation.plan import estimates as est
from simulation.plan.answers import ComparedRow, Comparison, Figure, share_figure
from simulation.plan.comparison import compare_studies
from simulation.plan.estimates import view
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study
from simulation.plan.results import judged_demands
from simulation.report import charts_beside
from simulation.report.differing import differences
from simulation.report.document import Cell, Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_assumptions import scenario_hash
from simulation.report.plan_document import foot, labels
from simulation.report.wording import Words

_MORE_IS_BETTER: Final = {
    "service level": True,
    "abandonment": False,
    "speed of answer": False,
    "time after shift": False,
    "cost": False,
}


def compare_document(first: Study, others: Sequence[Study], language: str = "en") -> Document:
    """Return the document of studies of the same days against the first of them."""
    words = Words(language)
    comparisons = [compare_studies(first, other) for other in others]
    answers = [words.name(comparison.sentence) for comparison in comparisons]
    chapters = [
        _chapter(words, number, comparison, first, other)
        for number, (comparison, other) in enumerate(zip(comparisons, others, strict=True), 1)
    ]
    names = {"before": first.scenario.name, "after": others[0].scenario.name}
    title = words("compare_title", **names)
    if len(others) > 1:
        title = words("compare_many", number=len(others), before=first.scenario.name)
    return Document(
        title=title,
        language=language,
        answer=words("between_sentences").join(answers),
        good=None,
        facts=tuple(_facts(words, comparisons)),
        chapters=(*chapters, _definitions(words, first), _run(words, first, others, comparisons)),
        foot=foot(words, first.seed, first.days, config_hash(first.scenario.center)),
        labels=labels(words),
    )


def _facts(words: Words, comparisons: Sequence[Comparison]) -> Iterator[Fact]:
    """Yield all measures of one comparison; of several, those that decide."""
    alone = len(comparisons) == 1
    for comparison in comparisons:
        for row in comparison.rows:
            if not alone and row.measure not in {"service level", "cost"}:
                continue
            share = row.unit == "%"
            unit = words("points") if share else words.name(row.unit)
            yield Fact(
                words("change_of", measure=words.name(row.measure), unit=unit),
                _with_reach(row.change, 100.0 if share else 1.0, "+"),
                _both(words, row) if alone else words.name(comparison.after),
                _good(row),
            )


def _both(words: Words, row: ComparedRow) -> str:
    if row.before.value is None or row.after.value is None:
        return ""
    form = "{:.1%}" if row.unit == "%" else "{:,.1f}"
    return words(
        "from_to_value", was=form.format(row.before.value), now=form.format(row.after.value)
    )


def _good(row: ComparedRow) -> bool | None:
    """Say whether a sure change is for the better; None where neither is better by itself."""
    if not row.sure or row.change.value is None or row.measure not in _MORE_IS_BETTER:
        return None
    return (row.change.value > 0) is _MORE_IS_BETTER[row.measure]


def _with_reach(figure: Figure, factor: float, sign: str = "") -> str:
    """Return a figure with half its interval; alone where the error is not known."""
    if figure.value is None:
        return "–"
    value = f"{factor * figure.value:{sign},.2f}"
    return value if figure.low is None else f"{value} ± {factor * figure.half_width:,.2f}"


def _chapter(
    words: Words, number: int, comparison: Comparison, before: Study, after: Study
) -> Chapter:
    prepared = Prepared(before.scenario)
    target = after.scenario.target.percent / 100
    pictures = []
    if before.intervals == after.intervals:
        starts = [
            f"{minutes // 60:02d}:{minutes % 60:02d}"
            for minutes in (
                (prepared.opens_ms + index * before.scenario.interval_ms) // 60_000
                for index in range(before.intervals)
            )
        ]
        levels = {words.name(study.scenario.name): _levels(study) for study in (before, after)}
        if len(levels) == 2:
            option = charts_beside.paired(words, starts, levels, target)
            pictures.append(Picture(f"levels{number}", words("compare_levels_picture"), option))
    daily = [_daily(study) for study in (before, after)]
    if len(daily[0]) == len(daily[1]):
        option = charts_beside.differences(words, *daily)
        pictures.append(Picture(f"days{number}", words("compare_days_picture"), option, 380))
    return Chapter(
        f"comparison{number}",
        words("compare_title", before=comparison.before, after=comparison.after),
        (words("compare_words"),),
        tuple(pictures),
        (_table(words, number, comparison), _differing(words, number, before, after)),
    )


def _levels(study: Study) -> tuple[float | None, ...]:
    judged = judged_demands(study.scenario)
    return tuple(
        share_figure(est.service_level(view(study, judged, [index]))).value
        for index in range(study.intervals)
    )


def _daily(study: Study) -> list[float]:
    return list(est.service_level(view(study, judged_demands(study.scenario))).daily().tolist())


def _table(words: Words, number: int, comparison: Comparison) -> Table:
    def row(found: ComparedRow) -> tuple[Cell, ...]:
        factor = 100.0 if found.unit == "%" else 1.0
        cells: list[Cell] = [words.name(found.measure), words.name(found.unit)]
        for figure in (found.before, found.after, found.change):
            cells += [
                None if figure.value is None else factor * figure.value,
                None if figure.low is None else factor * figure.half_width,
            ]
        return (*cells, words("yes" if found.sure else "no"))

    return Table(
        f"{words('sheet_compare')} {number}",
        words("compare_table"),
        (
            Column(words("measure")),
            Column(words("unit")),
            Column(words("before"), Form.RAW),
            Column("±", Form.RAW),
            Column(words("after"), Form.RAW),
            Column("±", Form.RAW),
            Column(words("change"), Form.SIGNED),
            Column("±", Form.RAW),
            Column(words("sure")),
        ),
        tuple(row(found) for found in comparison.rows),
        open=True,
    )


def _differing(words: Words, number: int, before: Study, after: Study) -> Table:
    """Return in what the scenarios differ, by path."""
    return Table(
        f"{words('sheet_differs')} {number}",
        words("differs_table"),
        (Column(words("path")), Column(words("before")), Column(words("after"))),
        tuple(differences(before.scenario, after.scenario)),
    )


def _definitions(words: Words, first: Study) -> Chapter:
    return Chapter(
        "definitions",
        words("definitions_title"),
        (
            words("definition_level", formula=words(f"level_{first.scenario.target.level}")),
            words("definition_change"),
            words("definition_sure"),
            words("definition_compare_theory"),
        ),
    )


def figures_table(words: Words, comparisons: Sequence[Comparison]) -> Table:
    """Return all figures of comparisons as raw numbers, for the workbook."""
    ends = ("value", "low_end", "high_end")
    return Table(
        words("sheet_figures"),
        words("figures_table"),
        (
            Column(words("scenario")),
            Column(words("measure")),
            Column(words("unit")),
            *(
                Column(words("part_of", whole=words(part), part=words(end)), Form.RAW)
                for part in ("before", "after", "change")
                for end in ends
            ),
        ),
        tuple(
            (
                words.name(comparison.after),
                words.name(row.measure),
                words.name(row.unit),
                *(
                    None if value is None else value * (100 if row.unit == "%" else 1)
                    for figure in (row.before, row.after, row.change)
                    for value in (figure.value, figure.low, figure.high)
                ),
            )
            for comparison in comparisons
            for row in comparison.rows
        ),
    )


def _run(
    words: Words, first: Study, others: Sequence[Study], comparisons: Sequence[Comparison]
) -> Chapter:
    rows = tuple(
        (
            words.name(study.scenario.name),
            scenario_hash(study.scenario),
            str(study.seed),
            str(study.days),
        )
        for study in (first, *others)
    )
    heads = ("scenario", "scenario_hash", "seed", "days_played")
    table = Table(
        words("sheet_run"),
        words("run_table"),
        tuple(Column(words(head)) for head in heads),
        rows,
        open=True,
    )
    return Chapter(
        "run",
        words("run_title"),
        (words("run_words"),),
        (),
        (table, figures_table(words, comparisons)),
    )
