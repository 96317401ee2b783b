"""Put a forecast from a live state in order: what comes, what each course changes, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulation.report import charts_onward
from simulation.report.charts_onward import Course
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_document import labels, release
from simulation.report.provenance import run_chapter
from simulation.report.wording import Words
from simulation.whatif.foretelling import LEVEL, MEASURES, CourseAnswer, ForecastNow, Paired
from simulation.whatif.showing import clock

_MINUTE_MS = 60_000
_BANDS_MAX = 2
_KEYS = {LEVEL: "in_time", "answered": "answered", "gave up": "gave_up", "waiting": "waiting"}
_HEADS = {**_KEYS, "gave up": "end_abandoned"}
_MORE_IS_BETTER = {LEVEL: True, "answered": True, "gave up": False, "waiting": False}


def forecast_document(answer: ForecastNow, zone: str, language: str = "en") -> Document:
    """Return the document of a forecast; times of day are those of `zone`."""
    words = Words(language)
    chapters = [_ahead(words, answer, zone)]
    if answer.courses:
        chapters.append(_changes(words, answer, zone))
        if any(course.contacts for course in answer.courses):
            chapters.append(_contacts(words, answer))
    return Document(
        title=words("forecast_title", center=answer.center, time=clock(answer.at_ms, zone)),
        language=language,
        answer=words.name(answer.sentence),
        good=None,
        facts=tuple(_facts(words, answer)),
        chapters=(*chapters, *_basis(words, answer, zone)),
        foot=words("forecast_foot", version=release(), seed=answer.seed, pairs=answer.pairs,
                   seq=answer.seq, hash=answer.config_hash),
        labels=labels(words),
    )  # fmt: skip


def _change(pair: Paired, unit: float) -> str:
    return f"{unit * pair.difference:+.1f} ± {unit * pair.half_width:.1f}"


def _facts(words: Words, answer: ForecastNow) -> Iterator[Fact]:
    yield Fact(
        words("right_now"),
        words("wait_now", number=answer.waiting),
        words("floor_now", in_hand=answer.in_hand, signed_in=answer.signed_in),
    )
    for measure in (LEVEL, "gave up", "waiting"):
        pair = answer.alone.whole.get(measure)
        if pair is None:
            continue
        share = measure == LEVEL
        value = (
            f"{pair.without:.1%} ± {100 * pair.without_half:.1f}"
            if share
            else f"{pair.without:.1f} ± {pair.without_half:.1f}"
        )
        low, high = answer.alone.spread[measure]
        ends = (f"{low:.0%}", f"{high:.0%}") if share else (f"{low:.0f}", f"{high:.0f}")
        yield Fact(
            words(f"ahead_{_KEYS[measure]}"), value, words("nine_of_ten", low=ends[0], high=ends[1])
        )
    for course in answer.courses:
        measure = LEVEL if LEVEL in course.whole else "gave up"
        pair = course.whole[measure]
        sure = abs(pair.difference) > pair.half_width
        yield Fact(
            words.name(course.name),
            _change(pair, 100.0 if measure == LEVEL else 1.0),
            words("points_in_time" if measure == LEVEL else "contacts_gone"),
            (pair.difference > 0) is _MORE_IS_BETTER[measure] if sure else None,
        )


def _starts(answer: ForecastNow, zone: str) -> list[str]:
    return [
        clock(answer.at_ms + round(part.from_min * _MINUTE_MS), zone)
        for part in answer.alone.slices
    ]


def _line(words: Words, course: CourseAnswer, measure: str, *, bands: bool, alone: bool) -> Course:
    """Return a course through the slices: its own figures and their intervals."""
    pairs = [part.measures.get(measure) for part in course.slices]
    top = 1.0 if measure == LEVEL else float("inf")
    values = [None if pair is None else pair.within for pair in pairs]
    name = words("no_change") if alone else words.name(course.name)
    if not bands:
        return Course(name, values)
    return Course(
        name,
        values,
        [None if pair is None else max(0.0, pair.within - pair.within_half) for pair in pairs],
        [None if pair is None else min(top, pair.within + pair.within_half) for pair in pairs],
    )


def _ahead(words: Words, answer: ForecastNow, zone: str) -> Chapter:
    starts = _starts(answer, zone)
    bands = len(answer.courses) < _BANDS_MAX
    pictures = []
    for measure in (LEVEL, "gave up", "waiting"):
        if not any(measure in part.measures for part in answer.alone.slices):
            continue
        lines = [_line(words, answer.alone, measure, bands=True, alone=True)]
        lines += [
            _line(words, course, measure, bands=bands, alone=False) for course in answer.courses
        ]
        unit, shares = words("contacts_axis"), measure == LEVEL
        option = charts_onward.courses(words, starts, lines, unit, shares=shares)
        key = _KEYS[measure]
        pictures.append(Picture(f"ahead_{key}", words(f"{key}_picture"), option, 300))
    told = (words("ahead_words", minutes=f"{answer.horizon_min:g}"),)
    return Chapter(
        "ahead", words("ahead_title"), told, tuple(pictures), tuple(_tables(words, answer, starts))
    )


def _tables(words: Words, answer: ForecastNow, starts: Sequence[str]) -> Iterator[Table]:
    everybody = (answer.alone, *answer.courses)

    def name(course: CourseAnswer) -> str:
        return words("no_change") if course is answer.alone else words.name(course.name)

    heads = [Column(words("course")), Column(words("from_time"))]
    yield Table(
        words("sheet_ahead"),
        words("ahead_table"),
        (*heads, *_columns(words)),
        tuple(
            (name(course), start, *_cells(part.measures, alone=course is answer.alone))
            for course in everybody
            for start, part in zip(starts, course.slices, strict=True)
        ),
    )
    yield Table(
        words("sheet_ahead_demands"),
        words("ahead_demands_table"),
        (Column(words("course")), Column(words("demand")),
         Column(words("within"), Form.WHOLE, words("s")), *_columns(words)),
        tuple(
            (name(course), demand, answer.within_s.get(demand),
             *_cells(measures, alone=course is answer.alone))
            for course in everybody
            for demand, measures in course.demands.items()
        ),
    )  # fmt: skip


def _columns(words: Words) -> Iterator[Column]:
    for measure in (LEVEL, *MEASURES):
        share = measure == LEVEL
        unit = words("share_unit") if share else words("per_interval")
        step = words("points") if share else unit
        title = words(_HEADS[measure])
        change = words("part_of", whole=title, part=words("difference"))
        yield Column(title, Form.SHARE if share else Form.NUMBER, unit)
        yield Column(f"{title} ±", Form.RAW, step)
        yield Column(change, Form.SIGNED, step)
        yield Column(f"{change} ±", Form.RAW, step)


def _cells(measures: dict[str, Paired], *, alone: bool) -> Iterator[float | None]:
    for measure in (LEVEL, *MEASURES):
        pair = measures.get(measure)
        if pair is None:
            yield from (None, None, None, None)
            continue
        unit = 100.0 if measure == LEVEL else 1.0
        yield pair.within
        yield unit * pair.within_half
        yield None if alone else unit * pair.difference
        yield None if alone else unit * pair.half_width


def _changes(words: Words, answer: ForecastNow, zone: str) -> Chapter:
    starts = _starts(answer, zone)
    pictures = []
    for measure, unit in ((LEVEL, 100.0), ("gave up", 1.0), ("waiting", 1.0)):
        lines = []
        for course in answer.courses:
            pairs = [part.measures.get(measure) for part in course.slices]
            ends = [
                [
                    None if pair is None else round(unit * (pair.difference + half), 3)
                    for pair in pairs
                    for half in (0.0 if pair is None else side * pair.half_width,)
                ]
                for side in (0, -1, 1)
            ]
            lines.append(Course(words.name(course.name), *ends))
        if any(value is not None for line in lines for value in line.values):
            axis = words("points") if measure == LEVEL else words("contacts_axis")
            option = charts_onward.changes(words, starts, lines, axis)
            key = _KEYS[measure]
            pictures.append(Picture(f"change_{key}", words(f"change_{key}_picture"), option, 260))
    told: tuple[str, ...] = ()
    if len(answer.courses) > 1:
        told = tuple(words.name(course.sentence) for course in answer.courses)
    return Chapter(
        "changes",
        words("courses_title"),
        (*told, words("courses_words")),
        tuple(pictures),
        (_whole(words, answer),),
    )


def _whole(words: Words, answer: ForecastNow) -> Table:
    rows = [
        (words.name(course.name), measure, pair, 100.0 if measure == LEVEL else 1.0)
        for course in answer.courses
        for measure in (LEVEL, *MEASURES)
        for pair in (course.whole.get(measure),)
        if pair is not None
    ]
    heads = ("no_change", "with_change", "difference")
    return Table(
        words("sheet_courses"),
        words("courses_table", minutes=f"{answer.horizon_min:g}"),
        (
            Column(words("course")),
            Column(words("measure")),
            Column(words("unit")),
            *(
                Column(title, form)
                for head, form in zip(heads, (Form.RAW, Form.RAW, Form.SIGNED), strict=True)
                for title, form in ((words(head), form), (f"{words(head)} ±", Form.RAW))
            ),
            Column(words("sure")),
        ),
        tuple(
            (
                name,
                words(_HEADS[measure]),
                "%" if measure == LEVEL else words("per_interval"),
                unit * pair.without,
                unit * pair.without_half,
                unit * pair.within,
                unit * pair.within_half,
                unit * pair.difference,
                unit * pair.half_width,
                words("yes" if abs(pair.difference) > pair.half_width else "no"),
            )
            for name, measure, pair, unit in rows
        ),
        open=True,
    )


def _contacts(words: Words, answer: ForecastNow) -> Chapter:
    share = words("share_unit")
    table = Table(
        words("sheet_contacts"),
        words("present_table"),
        (
            Column(words("course")),
            Column(words("contact")),
            Column(words("demand")),
            Column(words("waited"), Form.WHOLE, words("s")),
            Column(
                words("part_of", whole=words("gives_up"), part=words("no_change")),
                Form.SHARE,
                share,
            ),
            Column(
                words("part_of", whole=words("gives_up"), part=words("with_change")),
                Form.SHARE,
                share,
            ),
            Column(
                words("part_of", whole=words("waits_on"), part=words("no_change")),
                Form.WHOLE,
                words("s"),
            ),
            Column(
                words("part_of", whole=words("waits_on"), part=words("with_change")),
                Form.WHOLE,
                words("s"),
            ),
        ),
        tuple(
            (
                words.name(course.name),
                contact.contact_id,
                contact.demand,
                contact.waited_s,
                contact.gives_up_without,
                contact.gives_up_with,
                contact.wait_s_without,
                contact.wait_s_with,
            )
            for course in answer.courses
            for contact in course.contacts
        ),
        open=True,
    )
    return Chapter("contacts", words("present_title"), (words("present_words"),), (), (table,))


def _basis(words: Words, answer: ForecastNow, zone: str) -> Iterator[Chapter]:
    busy = Table(
        words("sheet_busyness"),
        words("busyness_table"),
        (
            Column(words("demand")),
            Column(words("busyness"), Form.RAW),
            Column(words("within"), Form.WHOLE, words("s")),
        ),
        tuple(
            (name, factor, answer.within_s.get(name)) for name, factor in answer.busyness.items()
        ),
        open=True,
    )
    keys = ("ahead_ages", "ahead_lots", "ahead_shifts", "ahead_busyness")
    yield Chapter(
        "assumptions",
        words("assumptions_title"),
        tuple(words(key) for key in keys),
        (),
        (busy,) if busy.rows else (),
    )
    formula = words(f"level_{answer.definition.replace(' ', '_')}")
    yield Chapter(
        "definitions",
        words("definitions_title"),
        (
            words("definition_level", formula=formula),
            words("definition_ahead"),
            words("definition_ahead_interval"),
            words("definition_spread"),
            words("definition_ahead_theory"),
        ),
    )
    sharp = "precision_reached" if answer.sharp else "precision_not_reached"
    rows = (
        (words("center"), answer.center),
        (words("center_hash"), answer.config_hash),
        (words("as_of"), f"{clock(answer.at_ms, zone)} ({zone})"),
        (words("sequence"), str(answer.seq)),
        (words("horizon"), words("minutes", value=f"{answer.horizon_min:g}")),
        (words("seed"), str(answer.seed)),
        (words("draws"), words("draws_of", pairs=answer.pairs, most=answer.pairs_max)),
        (words("precision"), words(sharp, points=f"{answer.within_points:g}")),
    )
    yield run_chapter(words, words("forecast_run_words"), rows)
