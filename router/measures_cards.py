"""Keep a card for each line and each agent on each day: what a scorecard adds up.

A line's card is that of a queue, a channel, a category and a tier; months, teams, queues and
categories are sums of cards, made when somebody asks (`router.measures_scores`). Days are local
days of one zone, whose length a DST change alters. What a contact brings is written to the day on
which its visit to the line began; agents' times to the day on which they passed.

Only the newest `days_max` days are kept, so memory grows with the plan and not with the years.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from router.center import Center
from router.measures_histogram import FineHistogram
from router.measures_lines import Counts, PromiseCounts, QueueExit

DAYS_KEPT: Final = 62
UTC_NAME: Final = "UTC"

# Whole numbers, all of them sums; names in `_ms` are durations.
_NUMBERS: Final = (
    # offers and assignments
    "offers", "offers_declined", "offers_expired", "offers_withdrawn", "assignments",
    "accept_ms", "gross_wait_ms", "net_wait_ms",
    # work
    "handled", "talk_ms", "hold_ms", "wrap_up_ms", "first_replies", "first_reply_ms",
    "transferred", "reopened", "resolved", "self_served",
    # the first contact, and whether another followed
    "first_contacts", "repeated",
    # afterwards
    "surveys", "survey_answers", "score_sum", "top_answers", "said_unresolved", "follow_ups",
    "complaints", "notes", "callbacks_offered", "callbacks_dialled", "callbacks_failed",
    # customers who come again, by what had become of them
    "redialled", "blocked_before", "deflection_failed",
    # predicted waits, and what happened
    "predictions", "predicted_error_ms", "predicted_off_ms", "predicted_close",
    # an agent's time
    "away_ms", "idle_ms", "offered_ms", "handling_ms", "wrapping_ms",
    "worked_as_planned_ms", "worked_in_breaks_ms",
)  # fmt: skip


class Card:
    """Count what one line, or one agent, did on one day; a sum of cards is a card."""

    __slots__ = (*_NUMBERS, "counts", "promises", "waits")

    offers: int
    offers_declined: int
    offers_expired: int
    offers_withdrawn: int
    assignments: int
    accept_ms: int
    gross_wait_ms: int
    net_wait_ms: int
    handled: int
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    first_replies: int
    first_reply_ms: int
    transferred: int
    reopened: int
    resolved: int
    self_served: int
    first_contacts: int
    repeated: int
    surveys: int
    survey_answers: int
    score_sum: int
    top_answers: int
    said_unresolved: int
    follow_ups: int
    complaints: int
    notes: int
    callbacks_offered: int
    callbacks_dialled: int
    callbacks_failed: int
    redialled: int
    blocked_before: int
    deflection_failed: int
    predictions: int
    predicted_error_ms: int
    predicted_off_ms: int
    predicted_close: int
    away_ms: int
    idle_ms: int
    offered_ms: int
    handling_ms: int
    wrapping_ms: int
    worked_as_planned_ms: int
    worked_in_breaks_ms: int

    def __init__(self) -> None:
        for name in _NUMBERS:
            setattr(self, name, 0)
        self.counts = Counts()
        self.promises: dict[str, PromiseCounts] = {}
        self.waits = FineHistogram()

    def promise(self, name: str) -> PromiseCounts:
        """Find the counts of one promise's clocks, made at the first need."""
        counts = self.promises.get(name)
        if counts is None:
            counts = self.promises[name] = PromiseCounts()
        return counts

    def leave(self, how: QueueExit, wait_ms: int, threshold_ms: int) -> None:
        """Count the end of a visit."""
        self.counts.leave(how, wait_ms, threshold_ms)
        if how is QueueExit.ANSWERED:
            self.waits.add(wait_ms)

    def add(self, other: Card) -> None:
        """Add another card to this one."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.counts.add(other.counts)
        self.waits.merge(other.waits)
        for name, counts in other.promises.items():
            self.promise(name).add(counts)

    def add_predictions(self, other: Card) -> None:
        """Add only what another card knows of predicted waits."""
        self.predictions += other.predictions
        self.predicted_error_ms += other.predicted_error_ms
        self.predicted_off_ms += other.predicted_off_ms
        self.predicted_close += other.predicted_close

    @property
    def signed_in_ms(self) -> int:
        """Return the time signed in, in whatever state."""
        return self.away_ms + self.idle_ms + self.offered_ms + self.busy_ms

    @property
    def busy_ms(self) -> int:
        """Return the time in handling or wrap-up."""
        return self.handling_ms + self.wrapping_ms


class LineKey(NamedTuple):
    """Name the contacts that share a card."""

    queue: str
    channel: str
    category: str
    tier: str


class Day:
    """Hold the cards of one local day, which lasts from `from_ms` to before `to_ms`."""

    __slots__ = ("agents", "from_ms", "lines", "name", "to_ms")

    def __init__(self, name: str, from_ms: int, to_ms: int) -> None:
        self.name = name
        self.from_ms = from_ms
        self.to_ms = to_ms
        self.lines: dict[LineKey, Card] = {}
        self.agents: dict[tuple[str, str], Card] = {}

    def line(self, queue: str, channel: str, category: str, tier: str) -> Card:
        """Find the card of a line, made at the first need."""
        # A plain tuple finds the same, and is made faster.
        card: Card | None = self.lines.get((queue, channel, category, tier))  # type: ignore[call-overload]
        if card is None:
            card = self.lines[LineKey(queue, channel, category, tier)] = Card()
        return card

    def agent(self, team: str, agent_id: str) -> Card:
        """Find the card of an agent in a team, made at the first need."""
        card = self.agents.get((team, agent_id))
        if card is None:
            card = self.agents[team, agent_id] = Card()
        return card


class Days:
    """Find the day of an instant; the oldest day goes when there are too many."""

    def __init__(self, zone: str = "", *, days_max: int = DAYS_KEPT, slot_ms: int = 0) -> None:
        """Keep days of an IANA zone; with "" that of the centre's calendars, or else UTC.

        With `slot_ms` there is a card for each such part of a day by the clock instead, named
        `2026-01-05 09:30`; `days_max` then bounds the parts.
        """
        self.fixed = bool(zone)
        self.slot_ms = slot_ms
        self.zone = zone or UTC_NAME
        self.days_max = days_max
        self.known: dict[str, Day] = {}
        self._zone: tzinfo = _zone_named(self.zone)
        self._last = Day("", 0, 0)

    def configure(self, center: Center) -> None:
        """Take the zone of a (new) configuration; days that have begun keep theirs."""
        zone = zone_of(center)
        if not self.fixed and zone != self.zone:
            self.zone, self._zone = zone, _zone_named(zone)
            self._last = Day("", 0, 0)

    def at(self, instant_ms: int) -> Day:
        """Return the day of an instant."""
        day = self._last
        if not day.from_ms <= instant_ms < day.to_ms:
            day = self._last = self._find(instant_ms)
        return day

    def _find(self, instant_ms: int) -> Day:
        local = datetime.fromtimestamp(instant_ms // 1000, self._zone)
        name = local.date().isoformat()
        begins_ms, ends_ms = self._midnight(local.date()), self._midnight(_next(local.date()))
        if self.slot_ms:
            begins_ms += (instant_ms - begins_ms) // self.slot_ms * self.slot_ms
            ends_ms = min(begins_ms + self.slot_ms, ends_ms)
            begun = datetime.fromtimestamp(begins_ms // 1000, self._zone)
            name = f"{name} {begun:%H:%M}"
        day = self.known.get(name)
        if day is None or not day.from_ms <= instant_ms < day.to_ms:
            kept = day
            day = self.known[name] = Day(name, begins_ms, ends_ms)
            if kept is not None:
                # The zone changed in the middle of the day, or its clock went back: cards go on.
                day.lines, day.agents = kept.lines, kept.agents
            if len(self.known) > self.days_max:
                del self.known[min(self.known)]
        return day

    def _midnight(self, local: date) -> int:
        return int(datetime.combine(local, time(), self._zone).timestamp()) * 1000


def _next(local: date) -> date:
    return local + timedelta(days=1)


def _zone_named(zone: str) -> tzinfo:
    return UTC if zone == UTC_NAME else ZoneInfo(zone)


def zone_of(center: Center) -> str:
    """Return the IANA zone that most of a centre's calendars name (the first by name), or UTC."""
    zones = [calendar.zone for calendar in center.calendars.values()]
    return max(sorted(dict.fromkeys(zones)), key=zones.count, default=UTC_NAME)
