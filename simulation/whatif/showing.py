"""Print what-ifs and forecasts for people: sentences, definitions, tables, contacts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from simulation.whatif.asking import Answer
from simulation.whatif.comparing import Compared, Row
from simulation.whatif.foretelling import LEVEL, CourseAnswer, ForecastNow, Paired

_CONTACTS = 8
_PRESENT = 6
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_COLUMNS = {LEVEL: "answered in time %", "gave up": "gave up", "waiting": "waiting at the end"}


def show(answer: Answer, zone: str, *, details: bool) -> Iterator[str]:
    """Yield the lines of an answer."""
    yield answer.sentence
    yield ""
    yield from _what_it_is(answer)
    yield (
        f"{answer.imputations} replays, seed {answer.seed}; ± is the 95 % interval, for days like "
        "this one"
    )
    yield ""
    shown = [row for row in answer.rows if details or row.from_ms < 0 or not row.queue]
    many = max(row.from_ms for row in shown) - answer.first_ms >= _DAY_MS
    width = max([8, *(len(_name(row, zone, many=many)) for row in shown)])
    yield (
        f"{'':<{width}} {'answered in time %':^30} {'gave up':^30} {'speed of answer s':^30}"
    ).rstrip()
    base = "happened" if answer.acceptances == "recorded" else "without"
    head = f"{base:>9} {'would be':>9} {'difference':>10}"
    yield f"{'':<{width}} {head} {head} {head}"
    for row in shown:
        yield (
            f"{_name(row, zone, many=many):<{width}} {_cells(row.service_level, 100.0)} "
            f"{_cells(row.abandoned, 1.0)} {_cells(row.wait_s, 1.0)}"
        ).rstrip()
    breaches = [
        f"{name} {before} -> {after:.1f}" for name, (before, after) in answer.promises.items()
    ]
    if breaches:
        yield ""
        yield f"breaches   {', '.join(breaches)}"
    if answer.contacts_changed:
        yield ""
        yield f"{answer.changed:.1f} contacts end otherwise; those that change most:"
        for contact in answer.contacts_changed[:_CONTACTS]:
            yield (
                f"  {contact.contact_id} ({contact.queue}, {clock(contact.arrived_ms, zone)}): "
                f"{contact.happened} after {contact.happened_wait_s:.0f} s; would be answered in "
                f"{contact.answered_share:.0%} of the replays, waiting {contact.wait_s:.0f} s"
            )
    yield from answer.notes


def _what_it_is(answer: Answer) -> Iterator[str]:
    """Say what was replayed, and what differences are taken from."""
    if answer.listed:
        yield f"{answer.contacts} calls of a list; who was there when is found from what it says"
    else:
        yield (
            f"{answer.contacts} contacts in {answer.entries} recorded entries; without the change "
            f"the core repeats every decision (digest {answer.digest[:16]})"
        )
    if answer.acceptances == "recorded":
        yield (
            "acceptances as recorded where the same agent gets the same offer, else drawn; "
            "difference from what happened"
        )
        return
    if not answer.listed:
        yield "acceptances all drawn"
    gone, waited, wait_s = (answer.reproduced[name] for name in ("gave up", "waited", "wait s"))
    yield "difference between replays of the same lots, without and with the change"
    yield (
        f"without the change they give {gone[1]:.1%} who give up ({gone[0]:.1%} did), "
        f"{waited[1]:.1%} who wait ({waited[0]:.1%} did), {wait_s[1]:.1f} s on average "
        f"(it was {wait_s[0]:.1f} s)"
    )


def _name(row: Row, zone: str, *, many: bool) -> str:
    """Return the queue and the interval; of many days with its date."""
    when = "" if row.from_ms < 0 else clock(row.from_ms, zone)
    if when and many:
        when = f"{day_of(row.from_ms, zone)} {when}"
    return " ".join(part for part in (when, row.queue) if part) or "all"


def clock(at_ms: int, zone: str) -> str:
    """Return a time of day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")


def day_of(at_ms: int, zone: str) -> str:
    """Return a date."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date().isoformat()


def _cells(compared: Compared, unit: float) -> str:
    def number(value: float | None, width: int) -> str:
        return ("-" if value is None else f"{value * unit:.1f}").rjust(width)

    if compared.difference is None or compared.half_width is None:
        change = "-".rjust(11)
    else:
        change = f"{compared.difference * unit:+.1f} ±{compared.half_width * unit:.1f}".rjust(11)
    base = compared.happened if compared.without is None else compared.without
    return f"{number(base, 9)} {number(compared.would_be, 8)} {change}"


# --- the next hours -------------------------------------------------------------------------


def show_forecast(answer: ForecastNow, zone: str) -> Iterator[str]:
    """Yield the lines of a forecast."""
    yield answer.sentence
    for course in answer.courses:
        if course.sentence != answer.sentence:
            yield course.sentence
    yield ""
    yield (
        f"{answer.center} at {clock(answer.at_ms, zone)} (seq {answer.seq}): {answer.waiting} "
        f"wait, {answer.in_hand} in hand, {answer.signed_in} signed in; {answer.horizon_min:g} "
        "minutes ahead"
    )
    yield f"as it stands: {', '.join(_alone(answer.alone))}"
    yield f"in time: {_in_time_words(answer)}; counted when answered or gone"
    busy = [f"{name} {factor:.2f}" for name, factor in answer.busyness.items() if factor != 1]
    yield (
        f"volume, 1 = as the scenario expects, given what came: {', '.join(busy)}"
        if busy
        else "volume as the scenario expects"
    )
    yield (
        f"{answer.pairs} draws{_why_so_many(answer)}, seed {answer.seed}, {answer.took_s:.1f} s; "
        "courses share all lots; ± is the 95 % interval"
    )
    for course in answer.courses:
        yield ""
        yield f"{course.name}:"
        yield from _forecast_table(answer, course, zone)
        if course.contacts:
            yield "waiting now, and touched most:"
        for contact in course.contacts[:_PRESENT]:
            yield (
                f"  {contact.contact_id} ({contact.demand}, {contact.waited_s:.0f} s so far): "
                f"gives up in {contact.gives_up_with:.0%} of the draws instead of "
                f"{contact.gives_up_without:.0%}, waits {contact.wait_s_with:.0f} s instead of "
                f"{contact.wait_s_without:.0f} s in all"
            )


def _alone(alone: CourseAnswer) -> Iterator[str]:
    """Yield each measure: its mean and interval, and where nine of ten draws lie."""
    words = {LEVEL: "in time", "answered": "answered", "gave up": "give up", "waiting": "wait then"}
    for name, word in words.items():
        found = alone.whole.get(name)
        if found is None:
            continue
        low, high = alone.spread[name]
        if name == LEVEL:
            yield (
                f"{found.without:.1%} ± {100 * found.without_half:.1f} {word} "
                f"({low:.0%} to {high:.0%} in nine of ten draws)"
            )
        else:
            yield f"{found.without:.1f} ± {found.without_half:.1f} {word} ({low:.0f} to {high:.0f})"


def _in_time_words(answer: ForecastNow) -> str:
    """Return the definition of the service level, and its times."""
    times: dict[float, list[str]] = {}
    for name, seconds in answer.within_s.items():
        times.setdefault(seconds, []).append(name)
    if len(times) == 1:
        return f"{answer.definition}, within {next(iter(times)):g} s"
    parts = (f"{seconds:g} s ({', '.join(names)})" for seconds, names in sorted(times.items()))
    return f"{answer.definition}, within {'; '.join(parts)}"


def _why_so_many(answer: ForecastNow) -> str:
    if not answer.within_points:
        return ""
    what = "differences of it" if answer.courses else "it"
    if answer.sharp:
        return f" (enough to know {what} to ±{answer.within_points:g} points)"
    return f" (too few to know {what} to ±{answer.within_points:g} points: --pairs gives more)"


def _forecast_table(answer: ForecastNow, course: CourseAnswer, zone: str) -> Iterator[str]:
    width = max([8, *(len(name) for name in course.demands)])
    yield f"{'':<{width}} " + " ".join(f"{title:^28}" for title in _COLUMNS.values()).rstrip()
    yield f"{'':<{width}} " + " ".join([f"{'without':>8} {'with':>7} {'difference':>11}"] * 3)
    for part in course.slices:
        at_ms = answer.at_ms + round(part.from_min * _MINUTE_MS)
        yield _forecast_row(clock(at_ms, zone), part.measures, width)
    for name, measures in course.demands.items():
        yield _forecast_row(name, measures, width)


def _forecast_row(name: str, measures: dict[str, Paired], width: int) -> str:
    cells = []
    for measure in _COLUMNS:
        found = measures.get(measure)
        unit = 100 if measure == LEVEL else 1
        if found is None:
            cells.append(f"{'-':>8} {'-':>7} {'-':>11}")
            continue
        change = f"{unit * found.difference:+.1f} ±{unit * found.half_width:.1f}"
        cells.append(f"{unit * found.without:8.1f} {unit * found.within:7.1f} {change:>11}")
    return f"{name:<{width}} {' '.join(cells)}"
