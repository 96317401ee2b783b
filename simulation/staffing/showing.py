"""Print a staffing for people: the sentence, the table, the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.staffing.certificate import Certificate
from simulation.staffing.covering import Covered
from simulation.staffing.tuning import Reached, Tuning

_PROVED: Final = 2e-4


def show(found: Certificate, took_s: float) -> Iterator[str]:
    """Yield the lines of a certificate, found in so many seconds."""
    yield found.sentence
    yield ""
    yield f"{found.scenario}, {found.date}; centre {found.center} ({found.config_hash})"
    yield ""
    yield from _table(found)
    yield ""
    yield from _kept(found)
    yield ""
    yield from _worth(found, took_s)
    yield from _short(found)
    yield from found.notes


def _table(found: Certificate) -> Iterator[str]:
    first = "interval" if found.unit == "agents" else "shift"
    width = max(len(first), *(len(name) for name in found.row_names))
    columns = [max(len(name), 5) for name in found.columns]
    yield (
        first.ljust(width)
        + "".join(f"  {name:>{size}}" for name, size in zip(found.columns, columns, strict=True))
        + ("    all" if len(columns) > 1 else "")
    )
    for name, row in zip(found.row_names, found.rows, strict=True):
        cells = "".join(f"  {cell:>{size}}" for cell, size in zip(row, columns, strict=True))
        yield name.ljust(width) + cells + (f"  {sum(row):>5}" if len(columns) > 1 else "")


def _kept(found: Certificate) -> Iterator[str]:
    width = max([6, *(len(row.need) for row in found.kept)])
    yield f"{'target':<{width}}    asked  reached  surely  days that keep it"
    for row in found.kept:
        lost = row.measure == "abandoned"
        sign = "<=" if lost else ">="
        mark = "" if row.met else "  (not sure)"
        yield (
            f"{row.need:<{width}} {sign} {row.asked:5.1%} {row.reached:8.1%} {row.low:7.1%} "
            f"{row.days_met:18.0%}  {row.measure}{mark}"
        )


def _worth(found: Certificate, took_s: float) -> Iterator[str]:
    yield (
        f"cost      {found.cost:,.2f} {found.currency} a day; bound {found.bound:,.2f} (pooled), "
        f"gap {found.gap:.1%}"
        + (
            f"; {found.dedicated:,.2f} with agents of its own for every line"
            if found.dedicated is not None
            else ""
        )
    )
    for other in found.others:
        differs = ", ".join(f"{name} {change:+d}" for name, change in other.differs.items())
        held = "second best" if other.change >= 0 else "not sure"
        word = held if other.holds else "falls short"
        yield (
            f"{word:<9} {other.cost:,.2f} ({other.change:+,.2f}): {differs or 'other hours'}; "
            f"{other.to_spare_points:+.2f} points to spare of {other.least}"
        )
    yield (
        f"search    {found.plans_tried} plans in {_duration(took_s)}: {found.days_played} days of "
        f"the live core, {found.surrogate_days:,} of its surrogate; confirmed on "
        f"{found.fresh_days} fresh days; seed {found.seed}, confidence {found.confidence:.0%}"
    )


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def _short(found: Certificate) -> Iterator[str]:
    for row in found.short:
        yield (
            f"short     {row.start} {row.line}: {row.reached:.1%} where {row.asked:.1%} is asked "
            f"of the day, {row.arrivals:.0f} expected; {row.busiest} {row.occupancy:.0%} busy"
        )


def show_cover(found: Covered) -> Iterator[str]:
    """Yield the lines of a cover."""
    total = sum(found.agents.values())
    proof = "the least there is" if found.gap < _PROVED else f"at most {found.gap:.1%} too much"
    yield f"{total:,} shifts cover the need at {found.cost:,.2f} {found.currency} a day, {proof}."
    yield ""
    width = max([5, *map(len, found.agents)])
    yield f"{'shift':<{width}}  agents"
    for name, count in found.agents.items():
        yield f"{name:<{width}}  {count:>6}"
    yield ""
    for name, hours in found.spare.items():
        yield f"{name}: {hours:,.1f} agent hours beyond the need"


def show_tuning(found: Tuning) -> Iterator[str]:
    """Yield the lines of a tuning: the front as a table, then what to write for each setting."""
    yield found.sentence
    yield ""
    lines = found.settings[0].reached
    yield "setting" + "".join(f"  {f'{one.line}: {one.measure}':>30}" for one in lines)
    for number, setting in enumerate(found.settings):
        mark = "today" if setting.today else f"{number:5d}"
        front = " *" if setting.front else "  "
        cells = "".join(f"  {_cell(one, today=setting.today):>30}" for one in setting.reached)
        yield f"{mark}{front}{cells}"
    yield "* nothing that was tried is better for one line without a loss for another"
    for number, setting in enumerate(found.settings):
        if setting.front and not setting.today:
            yield ""
            yield f"setting {number}, in the centre file:"
            yield setting.yaml
    yield ""
    yield (
        f"{found.days} days a setting, {found.days_played} played in all; {found.dropped} settings "
        f"dropped early as surely beaten, {found.alike} left out since every day goes as under "
        f"another; seed {found.seed}; changes are those of the pairs"
    )


def _cell(one: Reached, *, today: bool) -> str:
    if today:
        return f"{one.missed:.2%} ± {100 * 1.96 * one.error:.2f}"
    reach = 100 * (one.change_high - one.change_low) / 2
    return f"{one.missed:.2%} ({100 * one.change:+.2f} ± {reach:.2f})"
