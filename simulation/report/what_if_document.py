"""Put a what-if in order: what happened, what would have been, how sure, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from simulation.report import charts_onward
from simulation.report.charts_onward import Course
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_document import labels, release
from simulation.report.provenance import run_chapter
from simulation.report.wording import Words
from simulation.whatif.asking import Answer
from simulation.whatif.comparing import Compared, Row
from simulation.whatif.showing import clock, day_of

_MEASURES = (
    ("service_level", Form.SHARE, 100.0),
    ("abandoned", Form.NUMBER, 1.0),
    ("wait_s", Form.NUMBER, 1.0),
)


def what_if_document(answer: Answer, zone: str, language: str = "en") -> Document:
    """Return the document of a what-if; times of day are those of `zone`."""
    words = Words(language)
    whole = answer.rows[0]
    slices = [row for row in answer.rows if row.from_ms >= 0 and not row.queue]
    queues = [row for row in answer.rows if row.from_ms < 0 and row.queue]
    starts = _starts(slices, zone)
    chapters = [
        _levels(words, slices, starts, answer, zone),
        _gone(words, slices, starts, anew=bool(answer.reproduced)),
        _queues(words, queues, anew=bool(answer.reproduced)),
    ]
    if answer.promises:
        chapters.append(_promises(words, answer))
    if answer.contacts_changed:
        chapters.append(_contacts(words, answer, zone))
    return Document(
        title=words("what_if_title", change=answer.change),
        language=language,
        answer=words.name(answer.sentence),
        good=None,
        facts=tuple(_facts(words, answer, whole)),
        chapters=(*chapters, *_basis(words, answer)),
        foot=words("what_if_foot", version=release(), seed=answer.seed,
                   replays=answer.imputations, digest=answer.digest[:16] or "–"),
        labels=labels(words),
    )  # fmt: skip


def _starts(rows: Sequence[Row], zone: str) -> list[str]:
    """Return when intervals begin; of several days with the date."""
    days = [day_of(row.from_ms, zone) for row in rows]
    times = [clock(row.from_ms, zone) for row in rows]
    if len(set(days)) < 2:
        return times
    return [f"{day} {time}" for day, time in zip(days, times, strict=True)]


def _compared(row: Row, measure: str) -> Compared:
    found: Compared = getattr(row, measure)
    return found


def _base(found: Compared) -> float | None:
    """Return what a difference is taken from: what happened, or replays without the change."""
    return found.happened if found.without is None else found.without


def change_words(words: Words, compared: Compared, unit: float, digits: int = 1) -> str:
    """Return a difference with half its interval, or that it is not known."""
    if compared.difference is None or compared.half_width is None:
        return words("unknown")
    return f"{unit * compared.difference:+.{digits}f} ± {unit * compared.half_width:.{digits}f}"


def _facts(words: Words, answer: Answer, whole: Row) -> Iterator[Fact]:
    better = {"service_level": 1, "abandoned": -1, "wait_s": -1}
    for measure, form, unit in _MEASURES:
        found = _compared(whole, measure)
        good = None
        if found.difference and found.half_width is not None:
            sure = abs(found.difference) > found.half_width
            good = found.difference * better[measure] > 0 if sure else None
        base = _base(found)
        was = "–" if base is None else _shown(base, form)
        now = "–" if found.would_be is None else _shown(found.would_be, form)
        yield Fact(
            words(f"change_of_{measure}"),
            change_words(words, found, unit),
            words("from_was", was=was, now=now),
            good,
        )
    yield Fact(
        words("ends_otherwise"),
        f"{answer.changed:,.1f}",
        words("of_contacts", number=answer.contacts),
    )


def _shown(value: float, form: Form) -> str:
    return f"{value:.1%}" if form is Form.SHARE else f"{value:,.1f}"


def _ends(rows: Sequence[Row], measure: str, unit: float) -> tuple[list[float | None], ...]:
    """Return differences and both ends of their intervals, in units to be drawn."""
    found = [_compared(row, measure) for row in rows]

    def each(make: Callable[[float, float], float]) -> list[float | None]:
        return [
            None
            if one.difference is None or one.half_width is None
            else round(unit * make(one.difference, one.half_width), 3)
            for one in found
        ]

    return each(lambda d, _: d), each(lambda d, half: d - half), each(lambda d, half: d + half)


def _levels(
    words: Words, rows: Sequence[Row], starts: Sequence[str], answer: Answer, zone: str
) -> Chapter:
    anew = bool(answer.reproduced)
    before = _before(words, rows, "service_level", anew=anew)
    would_be = Course(words("would_be"), [row.service_level.would_be for row in rows])
    values, low, high = _ends(rows, "service_level", 100.0)
    change = Course(words("difference"), values, low, high)
    details = [row for row in answer.rows if row.from_ms >= 0]
    named = [
        (start, row.queue or words("all_queues"))
        for start, row in zip(_starts(details, zone), details, strict=True)
    ]
    return Chapter(
        "levels",
        words("what_if_levels_title"),
        (words("what_if_levels_words"),),
        (
            Picture("levels", words("what_if_levels_picture"),
                    charts_onward.courses(words, starts, (before, would_be), "%", shares=True)),
            Picture("changes", words("what_if_changes_picture"),
                    charts_onward.changes(words, starts, (change,), words("points")), 280),
        ),
        (
            _table(words, "slices", rows, [(start,) for start in starts], (words("interval"),),
                   anew=anew),
            _table(words, "details", details, named, (words("interval"), words("queue")),
                   anew=anew),
        ),
    )  # fmt: skip


def _before(words: Words, rows: Sequence[Row], measure: str, *, anew: bool) -> Course:
    """Return the yardstick: what happened, or what replays without the change have."""
    found = [_base(_compared(row, measure)) for row in rows]
    return Course(words("replayed" if anew else "happened"), found)


def _gone(words: Words, rows: Sequence[Row], starts: Sequence[str], *, anew: bool) -> Chapter:
    before = _before(words, rows, "abandoned", anew=anew)
    would_be = Course(words("would_be"), [row.abandoned.would_be for row in rows])
    values, low, high = _ends(rows, "abandoned", 1.0)
    change = Course(words("difference"), values, low, high)
    unit = words("contacts_axis")
    return Chapter(
        "gone",
        words("gone_title"),
        (),
        (
            Picture("gone", words("gone_picture"),
                    charts_onward.beside(starts, before, would_be, unit), 280),
            Picture("gone_changes", words("gone_changes_picture"),
                    charts_onward.changes(words, starts, (change,), unit), 260),
        ),
    )  # fmt: skip


def _queues(words: Words, rows: Sequence[Row], *, anew: bool) -> Chapter:
    names = [row.queue for row in rows]
    values, low, high = _ends(rows, "service_level", 100.0)
    picture = Picture(
        "queues",
        words("queues_picture"),
        charts_onward.by_name(words, names, Course("", values, low, high), words("points")),
        60 + 32 * len(names),
    )
    heads = [(name,) for name in names]
    table = _table(words, "queues", rows, heads, (words("queue"),), anew=anew, open=True)
    return Chapter("queues", words("queues_title"), (), (picture,), (table,))


def _table(
    words: Words,
    name: str,
    rows: Sequence[Row],
    heads: Sequence[tuple[str, ...]],
    titles: tuple[str, ...],
    *,
    anew: bool,
    open: bool = False,  # noqa: A002 - the field of a table
) -> Table:
    columns = [Column(title) for title in titles]
    for measure, form, _ in _MEASURES:
        unit = {"service_level": "%", "abandoned": words("per_interval"), "wait_s": words("s")}
        of = words(f"short_{measure}")
        step = words("points") if measure == "service_level" else unit[measure]
        columns += [
            Column(words("part_of", whole=of, part=words("happened")), form, unit[measure]),
            *(
                (Column(words("part_of", whole=of, part=words("replayed")), form, unit[measure]),)
                if anew
                else ()
            ),
            Column(words("part_of", whole=of, part=words("would_be")), form, unit[measure]),
            Column(words("part_of", whole=of, part=words("difference")), Form.SIGNED, step),
            Column("±", Form.RAW, step),
        ]
    return Table(
        words(f"sheet_{name}"),
        words(f"{name}_table"),
        tuple(columns),
        tuple(
            (
                *head,
                *(
                    cell
                    for measure, _, unit in _MEASURES
                    for cell in _cells(_compared(row, measure), unit, anew=anew)
                ),
            )
            for head, row in zip(heads, rows, strict=True)
        ),
        open=open,
    )


def _cells(found: Compared, unit: float, *, anew: bool) -> tuple[float | None, ...]:
    return (
        found.happened,
        *((_base(found),) if anew else ()),
        found.would_be,
        None if found.difference is None else unit * found.difference,
        None if found.half_width is None else unit * found.half_width,
    )


def _promises(words: Words, answer: Answer) -> Chapter:
    table = Table(
        words("sheet_promises"),
        words("promises_table"),
        (
            Column(words("promise")),
            Column(words("part_of", whole=words("breaches"), part=words("happened")), Form.WHOLE),
            Column(words("part_of", whole=words("breaches"), part=words("would_be")), Form.NUMBER),
        ),
        tuple((name, float(was), now) for name, (was, now) in answer.promises.items()),
        open=True,
    )
    return Chapter("promises", words("breaches_title"), (), (), (table,))


def _contacts(words: Words, answer: Answer, zone: str) -> Chapter:
    share = words("share_unit")
    table = Table(
        words("sheet_contacts"),
        words("contacts_table"),
        (
            Column(words("contact")),
            Column(words("queue")),
            Column(words("arrived_at")),
            Column(words("ending")),
            Column(words("waited"), Form.WHOLE, words("s")),
            Column(words("answered_in"), Form.SHARE, share),
            Column(words("gives_up_in"), Form.SHARE, share),
            Column(words("would_wait"), Form.WHOLE, words("s")),
        ),
        tuple(
            (
                contact.contact_id,
                contact.queue,
                clock(contact.arrived_ms, zone),
                words.name(contact.happened),
                contact.happened_wait_s,
                contact.answered_share,
                contact.abandoned_share,
                contact.wait_s,
            )
            for contact in answer.contacts_changed
        ),
        open=True,
    )
    told = words("contacts_words", number=f"{answer.changed:,.1f}", shown=len(table.rows))
    return Chapter("contacts", words("contacts_title"), (told,), (), (table,))


def _reproduced(words: Words, answer: Answer) -> Iterator[str]:
    """Say how well replays without the change find what happened."""
    if answer.reproduced:
        gone, waited, wait_s = (answer.reproduced[key] for key in ("gave up", "waited", "wait s"))
        yield words(
            "replay_reproduced",
            gone=f"{gone[1]:.1%}",
            gone_was=f"{gone[0]:.1%}",
            waited=f"{waited[1]:.1%}",
            waited_was=f"{waited[0]:.1%}",
            wait=f"{wait_s[1]:.1f}",
            wait_was=f"{wait_s[0]:.1f}",
        )


def _basis(words: Words, answer: Answer) -> Iterator[Chapter]:
    yield Chapter(
        "assumptions",
        words("assumptions_title"),
        (
            words("replay_listed" if answer.listed else "replay_repeats"),
            *(() if answer.listed else (words("replay_outside"),)),
            words(f"replay_answers_{answer.acceptances}"),
            words("replay_drawn"),
            *_reproduced(words, answer),
            *(words.name(note) for note in answer.notes),
        ),
    )
    keys = ("definition_replay_level", "definition_replay_interval", "definition_replay_theory")
    yield Chapter("definitions", words("definitions_title"), tuple(words(key) for key in keys))
    rows = (
        (words("change_asked"), words.name(answer.change)),
        *(((words("digest"), answer.digest),) if answer.digest else ()),
        (words("entries"), f"{answer.entries:,}"),
        (words("contacts"), f"{answer.contacts:,}"),
        (words("replays"), str(answer.imputations)),
        (words("acceptances"), words(f"acceptances_{answer.acceptances}")),
        (words("seed"), str(answer.seed)),
    )
    yield run_chapter(words, words("replay_run_words"), rows)
