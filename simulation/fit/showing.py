"""Show a fit: as text for a terminal, as plain values for JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any

from simulation.fit.arrivals import ArrivalFit
from simulation.fit.busyness import Busyness
from simulation.fit.durations import DurationFit
from simulation.fit.figures import Figure
from simulation.fit.fitting import Fit, SourceFit
from simulation.fit.returns import ReturnFit
from simulation.fit.survival import PatienceFit
from simulation.phrases import counted


def as_plain(value: Any) -> Any:
    """Return a fit as JSON can hold it; what is not known, or has no end, is null."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {_key(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return [as_plain(item) for item in sorted(value)]
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value


def _key(key: Any) -> str:
    return f"{key:g}" if isinstance(key, float) else str(key)


def as_text(fit: Fit) -> Iterator[str]:
    """Yield the report's lines."""
    yield (
        f"{fit.source}: {fit.contacts:,} contacts on {counted(fit.days, 'day')}, "
        f"{fit.first_day} to {fit.last_day}, clock of {fit.zone}"
    )
    yield "figures stand with their standard error"
    for source in fit.sources:
        yield ""
        yield source.name
        yield from _indented(_source_lines(source))
    if len(fit.sources) > 1 or fit.parts is not None:
        yield ""
        yield "all sources together"
        yield from _indented(_common_lines(fit))
    yield from _indented(_people_lines(fit), heading="agents")
    yield from _indented(iter(fit.notes), heading="notes")


def _indented(lines: Iterator[str], heading: str = "") -> Iterator[str]:
    first = True
    for line in lines:
        if first and heading:
            yield ""
            yield heading
        first = False
        yield f"  {line}"


def _source_lines(source: SourceFit) -> Iterator[str]:
    yield from _arrival_lines(source.arrivals)
    yield from _busyness_lines(source)
    if math.isfinite(source.mean_handle_s.value):
        yield f"handling      mean {source.mean_handle_s} s (from counts: no law to be seen)"
    if math.isfinite(source.abandoned_share.value):
        share = source.abandoned_share
        yield f"abandoned     {100 * share.value:.2g} ± {100 * share.error:.1g} % of the offered"
    if source.handling is not None:
        yield from _duration_lines("handling", source.handling.handle)
        if source.handling.wrap_up is not None:
            yield from _duration_lines("wrap-up", source.handling.wrap_up)
        if source.handling.reply is not None:
            yield from _duration_lines("first reply", source.handling.reply)
    if source.patience is not None:
        yield from _patience_lines(source.patience)
    yield from _return_lines("redials", "who abandoned", source.redials)
    yield from _return_lines("repeats", "who was served", source.repeats)


def _busyness_lines(source: SourceFit) -> Iterator[str]:
    """Say how days of a kind differ: alpha, and what it means for a day's volume."""
    busy = source.busyness
    if not math.isfinite(busy.p_value):
        yield "busyness      too few days of a kind to say how days differ"
    elif busy.relative_variance == 0:
        yield "busyness      none: days of a kind differ no more than Poisson"
    else:
        yield (
            f"busyness      days of a kind differ by {_percent(busy)} beyond chance: alpha "
            f"{busy.alpha} (negative binomial; by moments {source.alpha_by_moments:.3g}; none: p "
            f"{busy.p_value:.2g})"
        )
    if source.unusual:
        some = ", ".join(day.isoformat() for day in source.unusual[:4])
        more = len(source.unusual) - 4
        usual = source.usual
        without = f"; without them {_percent(usual)}" if usual is not None else ""
        yield f"unusual days  {some}{f' and {more} more' if more > 0 else ''}{without}"
        yield (
            "  will they come again? if not: --without 2026-01-20,...; holidays: --holidays ES or "
            "dates"
        )


def _percent(busy: Busyness) -> str:
    """Return the standard deviation of the days' factor: 1 / sqrt(alpha)."""
    return f"{math.sqrt(max(0.0, busy.relative_variance)):.0%}"


def _arrival_lines(fit: ArrivalFit) -> Iterator[str]:
    closed = f", {fit.closed_days} without a contact left out" if fit.closed_days else ""
    yield f"arrivals      {counted(fit.days, 'day')} in intervals of {fit.minutes} min{closed}"
    for profile in fit.profiles:
        peak = max(range(len(profile.intervals)), key=lambda at: profile.intervals[at].value)
        minute = peak * fit.minutes
        yield (
            f"  {profile.kind:<8} {profile.total} a day on {counted(profile.days, 'day')}; peak "
            f"{profile.intervals[peak]} at {minute // 60:02d}:{minute % 60:02d}; shape "
            f"{profile.pooled:.0%} of all days"
        )
    test = fit.poisson
    if test.degrees:
        verdict = "no" if test.p_value < 0.01 else "not refuted"
        yield (
            f"  Poisson given the day's total: {verdict} (chi-square/df {test.dispersion:.2f}, "
            f"p {test.p_value:.2g})"
        )
    low, middle, high = fit.hourly_dispersion
    if math.isfinite(low):
        yield f"  variance/mean of hours: {low:.1f} to {high:.1f}, middle {middle:.1f}"


def _duration_lines(name: str, fit: DurationFit) -> Iterator[str]:
    open_ = f", {fit.still_open} still open" if fit.still_open else ""
    yield f"{name:<13} {fit.ended} ended{open_}, mean {fit.mean_s} s"
    if fit.short and fit.short_below_s:
        yield (
            f"  left out: {fit.short} below {fit.short_below_s:g} s "
            f"({fit.short / fit.ended:.1%}; the law has {max(0.0, fit.short_expected):.0f} there)"
        )
    if fit.best is None:
        yield "  always the same" if fit.constant else "  too few for a law"
    for law in fit.laws:
        figures = ", ".join(f"{key} {figure}" for key, figure in law.parameters.items())
        mark = "->" if law is fit.best else "  "
        yield (
            f"  {mark} {law.law.value:<12} {figures}; mean {law.mean_s} s; "
            f"AIC +{law.aic - fit.laws[0].aic:.0f}; distance {law.distance:.3f}"
        )
    if fit.best is not None:
        pairs = ", ".join(
            f"{share:.0%} {seen:.0f}/{fit.best.quantiles_s[share]:.0f}"
            for share, seen in fit.quantiles_s.items()
        )
        yield f"  seconds seen/fitted at {pairs}"


def _patience_lines(fit: PatienceFit) -> Iterator[str]:
    balked = f", {fit.balked} left at once" if fit.balked else ""
    yield f"patience      {fit.abandoned} gave up of {fit.waits} who waited{balked}"
    if not fit.abandoned:
        return
    yield (
        f"  exponential mean {fit.exponential_mean_s} s (constant hazard: p "
        f"{fit.exponential_p:.2g})"
    )
    curve = ", ".join(f"{time:g} s {share}" for time, share in fit.survival.items())
    yield f"  still waiting after {curve}"
    pieces = ", ".join(
        f"{piece.from_s:g}-{'' if math.isinf(piece.to_s) else f'{piece.to_s:g}'} s "
        f"{piece.per_minute}"
        for piece in fit.hazards
    )
    yield f"  hazard a minute: {pieces}"


def _return_lines(name: str, who: str, fit: ReturnFit | None) -> Iterator[str]:
    if fit is None:
        return
    within = ", ".join(f"{time / 60:g} min {share}" for time, share in fit.within.items())
    chance = f"; of others {fit.by_chance}" if math.isfinite(fit.by_chance.value) else ""
    yield f"{name:<13} of {fit.asked} known customers {who}: {within}"
    yield f"  within {fit.window_s / 60:g} min {fit.share}{chance}"
    if fit.delay.best is not None:
        yield f"  after {fit.delay.mean_s} s on average, {fit.delay.best.law.value}"


def _common_lines(fit: Fit) -> Iterator[str]:
    parts = fit.parts
    if parts is not None:
        minute = parts.split_minute
        yield (
            f"parts of the day, cut at {minute // 60:02d}:{minute % 60:02d}: variance of the "
            f"day's factor {parts.day}, of each part's own {parts.part}"
        )
        yield (
            f"correlation of the parts {parts.correlation}, of a day with the next {parts.lag_one}"
        )
    for pair in fit.correlations:
        yield f"busyness of {pair.first} and {pair.second} correlates by {pair.value}"


def _people_lines(fit: Fit) -> Iterator[str]:
    for channel, speeds in fit.speeds.items():
        if len(speeds) > 1:
            told = ", ".join(f"{count}: {speed}" for count, speed in enumerate(speeds, start=1))
            yield f"speed at so many contacts ({channel}): {told}"
    for fitted in fit.acceptance:
        mean = fitted.reaction.mean_s
        yield (
            f"offers ({fitted.channel}): {fitted.offers}, accepted {fitted.accepted}, declined "
            f"{fitted.declined}, ignored {fitted.ignored}; accepted after {mean} s"
        )
    if fit.paces is not None:
        agents = sorted(fit.paces.agents, key=lambda agent: agent.factor)
        yield f"pace: {len(agents)} agents differ by a factor of e^{_signed(fit.paces.spread)}"
        for agent in (*agents[:2], *agents[-2:]):
            yield (
                f"  {agent.agent}: {agent.contacts} contacts, mean {agent.mean_s} s, work takes "
                f"{agent.factor:.2f} times the usual"
            )
    if fit.attendance is not None:
        yield (
            f"shifts: {fit.attendance.shifts}, absent {fit.attendance.absence}, adherence "
            f"{fit.attendance.adherence}"
        )


def _signed(figure: Figure) -> str:
    return f"±({figure})"
