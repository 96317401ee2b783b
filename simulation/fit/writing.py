"""Write a scenario from a fit: one kind of day of a centre, ready for `switchroom plan`.

What history does not tell is assumed, and each assumption is a note: in the report, and at the
head of the file.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from router.center import Center
from simulation.fit.arrivals import HOLIDAY, WEEKDAYS, DayProfile, day_name
from simulation.fit.busyness import possible_correlations
from simulation.fit.durations import DurationFit, LawName
from simulation.fit.fitting import Fit, SourceFit
from simulation.fit.handling import work_of
from simulation.fit.history import DAY_MINUTES, History
from simulation.fit.people_there import DayWanted, rates_of, there_of
from simulation.fit.returns import ReturnFit
from simulation.fit.scenario_text import clock, duration, scenario_text
from simulation.phrases import counted

# What is assumed where nothing is known: mean patience of those who wait on the line, handling.
PATIENCE_S: Final = {"phone": 300.0, "chat": 240.0}
REPLY_S: Final = 20.0
HANDLE_S: Final = 300.0
HANDLE_CV: Final = 1.2
# Intervals with less than this of a day's contacts lie outside the opening hours.
_OPEN_SHARE: Final = 0.001
_CONSTANT_P: Final = 0.05
_EMPIRICAL_VALUES: Final = 200
_GAVE_UP_MIN: Final = 10
_AGAIN_TOLD: Final = 0.005

Plain = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WritingOptions:
    """Where and what to write; `day` is `busiest` or a day kind, `interval` in minutes.

    `staffing` and `rates` are planning files: who is there an interval, what an hour costs.
    """

    path: Path
    center: Path
    day: str = "busiest"
    interval: int = 30
    law: str = "best"
    staffing: Path | None = None
    rates: Path | None = None
    currency: str = "EUR"


def write_scenario(
    fit: Fit, history: History, center: Center, options: WritingOptions
) -> tuple[str, ...]:
    """Write the file and return the notes; raises ValueError when no scenario can be made."""
    writer = _Writer(fit, history, center, options)
    scenario = writer.scenario()
    notes = writer.notes()
    head = [
        f"Fitted from {fit.source}: {fit.contacts} contacts on {counted(fit.days, 'day')},",
        f"{fit.first_day} to {fit.last_day}; the day is a {day_name(writer.kind)}.",
        *notes,
    ]
    options.path.parent.mkdir(parents=True, exist_ok=True)
    text = scenario_text(head, scenario, options.path.parent)
    options.path.write_text(text, encoding="utf-8")
    return notes


class _Writer:
    """Turn the parts of a fit into those of a scenario."""

    def __init__(self, fit: Fit, history: History, center: Center, options: WritingOptions) -> None:
        self.fit, self.history, self.center, self.options = fit, history, center, options
        self.channels = {found.channel: found for found in fit.channels}
        self.told: dict[str, list[str]] = {}
        self.kind = self._day_kind()
        self.minutes = self._minutes()

    def note(self, text: str, source: SourceFit | None = None) -> None:
        """Note what was assumed, once for all sources that it concerns."""
        names = self.told.setdefault(text, [])
        if source is not None:
            names.append(demand_name(source))

    def notes(self) -> tuple[str, ...]:
        """Return the notes, one a line."""
        return tuple(
            f"{text}: {', '.join(names)}" if names else text for text, names in self.told.items()
        )

    def scenario(self) -> Plain:
        """Return the whole scenario as plain values."""
        unknown = [
            source.name
            for source in self.fit.sources
            if source.category not in self.center.categories
            or source.channel not in self.center.channels
        ]
        if unknown:
            raise ValueError(
                f"centre {self.center.name} has no category and channel for {', '.join(unknown)}; "
                "rename queues in the file (a category's name, or its queue's), or add them"
            )
        profiles = {
            source.name: profile
            for source in self.fit.sources
            for profile in source.arrivals.profiles
            if profile.kind == self.kind
        }
        first, last = self._opening(list(profiles.values()))
        demand: Plain = {}
        for source in self.fit.sources:
            if source.name not in profiles:
                self.note(f"nobody comes on a {self.kind}; left out", source)
                continue
            demand[demand_name(source)] = self._demand(source, profiles[source.name], first, last)
        scenario: Plain = {
            "name": f"{self.center.name}-{self.kind}",
            "center": os.path.relpath(self.options.center, self.options.path.resolve().parent),
            "date": self._date().isoformat(),
            "zone": self.fit.zone,
            "opens": clock(first * self.minutes),
            "closes": clock(last * self.minutes),
            "interval": f"{self.minutes}m",
            "demand": demand,
        }
        busyness = self._busyness([s for s in self.fit.sources if s.name in profiles])
        if busyness:
            scenario["busyness"] = busyness
        workforce = self._workforce(first, last)
        if workforce:
            scenario["workforce"] = workforce
        speeds = {
            channel: [round(speed.value, 4) for speed in found]
            for channel, found in self.fit.speeds.items()
            if any(abs(speed.value - 1) > 2 * speed.error for speed in found[1:])
        }
        if speeds:
            scenario["effects"] = {"speeds": speeds}
        if self.options.rates is not None:
            found = rates_of(self.options.rates, self.center, self.fit.zone)
            rates = {group: {"per_hour": cost} for group, cost in found.items()}
            scenario["costs"] = {"currency": self.options.currency, "rates": rates}
        return scenario

    # --- the day ----------------------------------------------------------------------------------

    def _day_kind(self) -> str:
        totals: dict[str, float] = {}
        for source in self.fit.sources:
            for profile in source.arrivals.profiles:
                totals[profile.kind] = totals.get(profile.kind, 0.0) + profile.total.value
        if self.options.day == "busiest":
            days = {kind: total for kind, total in totals.items() if kind != HOLIDAY} or totals
            return max(days, key=lambda kind: days[kind])
        if self.options.day not in totals:
            raise ValueError(f"no {self.options.day} in the history; there are {', '.join(totals)}")
        return self.options.day

    def _date(self) -> date:
        day = self.fit.last_day + timedelta(days=1)
        if self.kind not in WEEKDAYS:
            return day
        while day.weekday() != WEEKDAYS.index(self.kind):
            day += timedelta(days=1)
        return day

    def _minutes(self) -> int:
        own = self.fit.sources[0].arrivals.minutes
        wanted = self.options.interval
        if wanted <= own:
            return own
        if wanted % own or DAY_MINUTES % wanted:
            raise ValueError(f"--interval {wanted}: the history has {own} min; give a multiple")
        return wanted

    def _intervals(self, profile: DayProfile) -> list[float]:
        values = np.array([figure.value for figure in profile.intervals])
        merged: list[float] = values.reshape(DAY_MINUTES // self.minutes, -1).sum(axis=1).tolist()
        return merged

    def _opening(self, profiles: list[DayProfile]) -> tuple[int, int]:
        whole = np.sum([self._intervals(profile) for profile in profiles], axis=0)
        used = np.flatnonzero(whole >= _OPEN_SHARE * whole.sum())
        first, last = int(used[0]), int(used[-1]) + 1
        outside = 1 - whole[first:last].sum() / whole.sum()
        if outside > 0:
            self.note(f"{outside:.2%} of the contacts come outside the hours; left out")
        return first, last

    # --- demand -----------------------------------------------------------------------------------

    def _demand(self, source: SourceFit, profile: DayProfile, first: int, last: int) -> Plain:
        fresh = self._fresh(source)
        found: Plain = {
            "category": source.category,
            "channel": source.channel,
            "per_interval": [
                round(value * fresh, 3) for value in self._intervals(profile)[first:last]
            ],
            "handle": self._handle(source),
        }
        wrap_up = self._handling(source, "wrap_up")
        if wrap_up is not None and wrap_up.mean_s.value > 0:
            found["wrap_up"] = self._law(wrap_up, "best")
        reply = source.handling.reply if source.handling is not None else None
        if reply is not None and (reply.best is not None or reply.constant):
            found["reply_after"] = self._law(reply, "best")
        elif source.handling is None and source.channel == "chat":
            found["reply_after"] = {"law": "exponential", "mean": duration(REPLY_S)}
            self.note(
                f"first replies cannot be seen in counts; after {REPLY_S:g} s assumed", source
            )
        found |= self._patience(source)
        redials = source.redials
        if redials is not None and redials.delay.best is not None:
            share = _beyond_chance(redials)
            if share > 0:
                found["redial"] = {"share": share, "after": self._law(redials.delay, "best")}
        repeats = source.repeats
        if repeats is not None and repeats.delay.best is not None and repeats.share.value > 0:
            found["resolved"] = round(1 - repeats.share.value, 4)
            found["repeat"] = {"share": 1.0, "after": self._law(repeats.delay, "best")}
        return found

    def _fresh(self, source: SourceFit) -> float:
        """Return the share of contacts that are neither redials nor repeats: those come again."""
        patience, redials, repeats = source.patience, source.redials, source.repeats
        if patience is None:
            return 1.0
        again = 0.0
        gave_up = patience.abandoned + patience.balked
        served = source.handling.handle.ended if source.handling is not None else 0
        if redials is not None and redials.delay.best is not None:
            again += gave_up * _beyond_chance(redials)
        if repeats is not None and repeats.delay.best is not None:
            again += served * repeats.share.value
        whole = sum(profile.total.value * profile.days for profile in source.arrivals.profiles)
        share = min(0.9, again / whole) if whole else 0.0
        if share >= _AGAIN_TOLD:
            self.note(f"{share:.1%} are redials and repeats, which come by themselves", source)
        return 1 - share

    def _handling(self, source: SourceFit, part: str) -> DurationFit | None:
        """Return a source's own fit of handling or wrap-up, else that of its channel."""
        own = getattr(source.handling, part, None)
        if own is not None and (own.best is not None or own.constant):
            assert isinstance(own, DurationFit), "handle or wrap_up"
            return own
        channel = self.channels.get(source.channel)
        shared = getattr(channel.handling, part, None) if channel is not None else None
        if shared is None or not (shared.best is not None or shared.constant):
            return None
        assert isinstance(shared, DurationFit), "handle or wrap_up"
        what = part.replace("_", "-")
        self.note(f"too few contacts; {what} as on all of {source.channel}", source)
        return shared

    def _handle(self, source: SourceFit) -> Plain:
        handle = self._handling(source, "handle")
        if handle is not None:
            if self.options.law == "empirical":
                return self._empirical(source)
            return self._law(handle, self.options.law)
        mean = source.mean_handle_s.value
        if not math.isfinite(mean) and source.handling is not None:
            mean = source.handling.handle.mean_s.value
        if not math.isfinite(mean):
            mean = HANDLE_S
            self.note(f"handling is not in the history; {mean:g} s assumed", source)
        self.note(f"no law of handling can be seen; lognormal, cv {HANDLE_CV} assumed", source)
        return {"law": "lognormal", "mean": duration(mean), "cv": HANDLE_CV}

    def _empirical(self, source: SourceFit) -> Plain:
        speeds = self.fit.speeds[source.channel]
        assert source.handling is not None, "asked for with single contacts only"
        below = source.handling.handle.short_below_s
        alone = source.handling.handle.best is not None
        works = [
            work
            for visit in self.history.visits
            if visit.channel == source.channel
            and (visit.category == source.category or not alone)
            and not visit.handle_open
            and (work := work_of(visit, speeds)) is not None
            and work >= below
        ]
        places = (np.arange(_EMPIRICAL_VALUES) + 0.5) / _EMPIRICAL_VALUES
        values = np.quantile(np.array(works), places)
        return {"law": "empirical", "values_ms": [round(1000 * value) for value in values.tolist()]}

    def _law(self, fit: DurationFit, wanted: str) -> Plain:
        """Return a law in a scenario's words: mean and coefficient of variation."""
        chosen = fit.best
        if wanted not in {"best", "empirical"}:
            if wanted not in set(LawName):
                raise ValueError(f"--law {wanted}: say best, empirical, {', '.join(LawName)}")
            chosen = next((law for law in fit.laws if law.law.value == wanted), None)
        if chosen is None:
            law = "constant" if fit.constant else "exponential"
            return {"law": law, "mean": duration(fit.mean_s.value)}
        found: Plain = {"law": chosen.law.value, "mean": duration(chosen.mean_s.value)}
        if chosen.law is not LawName.EXPONENTIAL:
            found["cv"] = round(chosen.cv.value, 4)
        return found

    def _patience(self, source: SourceFit) -> Plain:
        fit = source.patience
        if fit is None:
            assumed = PATIENCE_S.get(source.channel)
            if assumed is None:
                return {}
            self.note(
                f"patience cannot be seen in counts; exponential, mean {assumed:g} s assumed",
                source,
            )
            return {"patience": {"law": "exponential", "mean": duration(assumed)}}
        found: Plain = {}
        shared = self.channels[source.channel].patience
        if fit.abandoned < _GAVE_UP_MIN <= shared.abandoned:
            self.note(f"too few gave up; patience as on all of {source.channel}", source)
            fit = shared
        if fit.abandoned:
            if fit.exponential_p < _CONSTANT_P:
                found["patience"] = {
                    "law": "hazard",
                    "from_ms": [round(1000 * piece.from_s) for piece in fit.hazards],
                    "per_minute": [round(piece.per_minute.value, 5) for piece in fit.hazards],
                }
            else:
                mean = fit.exponential_mean_s.value
                found["patience"] = {"law": "exponential", "mean": duration(mean)}
        elif fit.waits:
            self.note("nobody gave up; everybody waits as long as it takes", source)
        if fit.balked:
            found["balking"] = round(fit.balked / (fit.balked + fit.waits), 4)
        return found

    # --- days that differ, people -----------------------------------------------------------------

    def _busyness(self, sources: list[SourceFit]) -> Plain:
        parts = self.fit.parts
        own = parts.part.value if parts is not None else 0.0
        told = parts is not None and own > 2 * parts.part.error
        # Two parts of about half a day each: their own factors even out by half in the total.
        in_total = own / 2 if told else 0.0
        alphas = {}
        for source in sources:
            busy = source.busyness
            if not busy.relative_variance or not busy.p_value < 0.05:
                continue
            common = (1 + busy.relative_variance) / (1 + in_total) - 1
            if common > 0:
                alphas[demand_name(source)] = round(1 / common, 2)
        found: Plain = {"alphas": alphas} if alphas else {}
        if len(alphas) > 1:
            found |= self._correlations(sources, alphas)
        if told and parts is not None:
            alpha = round(1 / own, 2)
            found["parts"] = [
                {"until": clock(parts.split_minute), "alpha": alpha},
                {"until": "24:00", "alpha": alpha},
            ]
        return found

    def _correlations(self, sources: list[SourceFit], alphas: dict[str, float]) -> Plain:
        """Return pairwise correlations that can hold together (eigenvalues from 0 on)."""
        names = [demand_name(source) for source in sources if demand_name(source) in alphas]
        place = {source.name: demand_name(source) for source in sources}
        matrix = np.eye(len(names))
        for pair in self.fit.correlations:
            ends = [place.get(pair.first), place.get(pair.second)]
            if all(end in alphas for end in ends):
                row, column = (names.index(str(end)) for end in ends)
                matrix[row, column] = matrix[column, row] = pair.value.value
        matrix = possible_correlations(matrix)
        off = matrix[np.triu_indices(len(names), 1)]
        return {
            "correlation": round(float(off.mean()), 3),
            "correlations": {
                one: {
                    other: round(float(matrix[row, column]), 3)
                    for column, other in enumerate(names)
                    if column > row
                }
                for row, one in enumerate(names[:-1])
            },
        }

    def _workforce(self, first: int, last: int) -> Plain:
        """Return how the centre's teams were there and answered; nothing when nobody knows."""
        behavior: Plain = {}
        acceptance = max(self.fit.acceptance, key=lambda one: one.offers, default=None)
        if acceptance is not None and acceptance.offers:
            behavior["declines"] = round(acceptance.declined.value, 4)
            behavior["ignores"] = round(acceptance.ignored.value, 4)
            if acceptance.reaction.best is not None or acceptance.reaction.constant:
                behavior["reaction"] = self._law(acceptance.reaction, "best")
        attendance = self.fit.attendance
        if attendance is not None:
            behavior["unplanned_absence"] = round(attendance.absence.value, 4)
            if math.isfinite(attendance.adherence.value):
                behavior["adherence"] = round(min(1.0, attendance.adherence.value), 4)
        wanted = DayWanted(
            kind=self.kind,
            zone=self.fit.zone,
            opens=first * self.minutes,
            closes=last * self.minutes,
            minutes=self.minutes,
            holidays=self.fit.holidays,
        )
        there = there_of(self.history, self.center, wanted, self.options.staffing, self.note)
        if not there:
            self.note("who works when is not in the history; all work all day, without breaks")
        with_agents = {agent.team for agent in self.center.agents.values()}
        return {
            team: {**(there.get(team) or {"shifts": wanted.all_day}), **behavior}
            for team in self.center.teams
            if team in with_agents and (team in there or not there)
        }


def demand_name(source: SourceFit) -> str:
    """Return what a source is called in a scenario."""
    return f"{source.category}-{source.channel}"


def _beyond_chance(fit: ReturnFit) -> float:
    """Return the share who came back because they had given up, not anyway."""
    chance = fit.by_chance.value if math.isfinite(fit.by_chance.value) else 0.0
    if chance >= 1:
        return 0.0
    return round(max(0.0, (fit.share.value - chance) / (1 - chance)), 4)
