"""Print a what-if for people: sentence, table, contacts that change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from simulation.whatif.asking import Answer, Compared, Row

_CONTACTS = 8


def show(answer: Answer, zone: str, *, details: bool) -> Iterator[str]:
    """Yield the lines of an answer."""
    yield answer.sentence
    yield ""
    yield (
        f"{answer.contacts} contacts in {answer.entries} recorded entries; without the change the "
        f"core repeats every decision (digest {answer.digest[:16]})"
    )
    kept = (
        "as recorded where the same agent gets the same offer, else drawn; difference from what "
        "happened"
        if answer.acceptances == "recorded"
        else "all drawn; difference from replays of the same lots without the change"
    )
    yield f"acceptances {kept}"
    yield (
        f"{answer.imputations} replays, seed {answer.seed}; ± is the 95 % interval, for days like "
        "this one"
    )
    yield ""
    shown = [row for row in answer.rows if details or row.from_ms < 0 or not row.queue]
    width = max([8, *(len(_name(row, zone)) for row in shown)])
    yield (
        f"{'':<{width}} {'answered in time %':^30} {'gave up':^30} {'speed of answer s':^30}"
    ).rstrip()
    head = f"{'happened':>9} {'would be':>9} {'difference':>10}"
    yield f"{'':<{width}} {head} {head} {head}"
    for row in shown:
        yield (
            f"{_name(row, zone):<{width}} {_cells(row.service_level, 100.0)} "
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


def _name(row: Row, zone: str) -> str:
    when = "" if row.from_ms < 0 else clock(row.from_ms, zone)
    return " ".join(part for part in (when, row.queue) if part) or "all"


def clock(at_ms: int, zone: str) -> str:
    """Return a time of day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _cells(compared: Compared, unit: float) -> str:
    def number(value: float | None, width: int) -> str:
        return ("-" if value is None else f"{value * unit:.1f}").rjust(width)

    if compared.difference is None or compared.half_width is None:
        change = "-".rjust(11)
    else:
        change = f"{compared.difference * unit:+.1f} ±{compared.half_width * unit:.1f}".rjust(11)
    return f"{number(compared.happened, 9)} {number(compared.would_be, 8)} {change}"
