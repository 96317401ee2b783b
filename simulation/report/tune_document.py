"""Put a tuning in order: the settings that nothing beats, as a picture, and what to write."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from simulation.report import charts_front
from simulation.report.charts_front import missed_words
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_document import labels, release
from simulation.report.provenance import run_chapter
from simulation.report.wording import Words
from simulation.staffing.tuning import Reached, Setting, Tuning

_PAIRS_MAX = 3


def tune_document(found: Tuning, language: str = "en") -> Document:
    """Return the document of a tuning."""
    words = Words(language)
    return Document(
        title=words("tune_title", name=found.scenario),
        language=language,
        answer=words.name(found.sentence),
        good=None,
        facts=tuple(_facts(words, found)),
        chapters=(
            _front(words, found),
            *((_write(words, found),) if len(found.settings) > 1 else ()),
            *_basis(words, found),
        ),
        foot=words("tune_foot", version=release(), seed=found.seed, days=found.days),
        labels=labels(words),
    )


def _name(words: Words, number: int, setting: Setting) -> str:
    return words("today") if setting.today else words("setting_number", number=number)


def _change(one: Reached) -> str:
    reach = 100 * (one.change_high - one.change_low) / 2
    return f"{100 * one.change:+.2f} ± {reach:.2f}"


def _facts(words: Words, found: Tuning) -> Iterator[Fact]:
    """Yield, for each line, the setting of the front under which it misses least."""
    for at, one in enumerate(found.settings[0].reached):
        number, best = min(
            ((n, s) for n, s in enumerate(found.settings) if s.front),
            key=lambda pair: pair[1].reached[at].missed,
        )
        change = "" if best.today else words("against_today", change=_change(best.reached[at]))
        yield Fact(
            words("least_missed", line=missed_words(words, one)),
            f"{best.reached[at].missed:.2%}",
            f"{_name(words, number, best)}{change}",
        )


def _front(words: Words, found: Tuning) -> Chapter:
    lines = found.settings[0].reached
    gone = found.dropped + found.alike
    dropped = (words("dropped_words", number=gone),) if gone else ()
    table = _settings_table(words, found)
    if len(found.settings) == 1:
        return Chapter("front", words("front_title"), dropped, (), (table,))
    pictures = [
        Picture(
            f"front{across}-{up}",
            words("front_picture", across=lines[across].line, up=lines[up].line),
            charts_front.front(words, found.settings, across, up),
            440,
        )
        for across, up in list(combinations(_most_moved(found), 2))[:_PAIRS_MAX]
    ]
    if len(lines) > 2:
        option = charts_front.all_lines(words, found.settings)
        pictures.append(Picture("all_lines", words("all_lines_picture"), option, 380))
    return Chapter(
        "front",
        words("front_title"),
        (words("front_words", days=found.days), *dropped),
        tuple(pictures),
        (table,),
    )


def _most_moved(found: Tuning) -> list[int]:
    """Return the lines that the settings move most, in the centre's order."""
    lines = range(len(found.settings[0].reached))

    def moved(at: int) -> float:
        missed = [setting.reached[at].missed for setting in found.settings]
        return max(missed) - min(missed)

    return sorted(sorted(lines, key=lambda at: -moved(at))[:3])


def _settings_table(words: Words, found: Tuning) -> Table:
    share, points = words("share_unit"), words("points")
    columns = [Column(words("setting")), Column(words("on_the_front"))]
    for one in found.settings[0].reached:
        columns += [
            Column(missed_words(words, one), Form.SHARE, share),
            Column(words("part_of", whole=one.line, part=words("change")), Form.SIGNED, points),
            Column(words("part_of", whole=one.line, part=words("low_end")), Form.SIGNED, points),
            Column(words("part_of", whole=one.line, part=words("high_end")), Form.SIGNED, points),
        ]
    return Table(
        words("sheet_settings"),
        words("settings_table"),
        tuple(columns),
        tuple(
            (
                _name(words, number, setting),
                words("yes" if setting.front else "no"),
                *(
                    value
                    for one in setting.reached
                    for value in (
                        one.missed,
                        *(
                            None if setting.today else 100 * change
                            for change in (one.change, one.change_low, one.change_high)
                        ),
                    )
                ),
            )
            for number, setting in enumerate(found.settings)
        ),
        open=True,
    )


def _write(words: Words, found: Tuning) -> Chapter:
    rows = tuple(
        (_name(words, number, setting), path.removeprefix("center."), str(value))
        for number, setting in enumerate(found.settings)
        if not setting.today
        for path, value in setting.values.items()
    )
    table = Table(
        words("sheet_values"),
        words("values_table"),
        (Column(words("setting")), Column(words("path")), Column(words("value"))),
        rows,
        open=len(rows) <= 12,
    )
    return Chapter("values", words("values_title"), (words("values_words"),), (), (table,))


def _basis(words: Words, found: Tuning) -> Iterator[Chapter]:
    keys = ("definition_missed", "definition_front", "definition_pairs", "tune_theory")
    yield Chapter("definitions", words("definitions_title"), tuple(words(key) for key in keys))
    rows = (
        (words("scenario"), words.name(found.scenario)),
        (words("center"), found.center),
        (words("center_hash"), found.config_hash),
        (words("seed"), str(found.seed)),
        (words("days_each"), str(found.days)),
        (words("days_played"), str(found.days_played)),
    )
    yield run_chapter(words, words("tune_run_words"), rows)
