"""Print a plan and a comparison for people: sentence, table, risk, theory, notes."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.plan.answers import ComparedRow, Comparison, Figure, Result


def show_result(result: Result) -> Iterator[str]:
    """Yield the lines of a plan."""
    yield result.sentence
    yield ""
    yield (
        f"{result.scenario}, {result.date}; centre {result.center} ({result.config_hash}); "
        f"{result.days} days, seed {result.seed}"
    )
    yield (
        f"target {result.target_percent:g} % = {result.definition}, of {', '.join(result.judged)}"
    )
    yield _terms(result)
    yield ""
    yield from _intervals(result)
    yield ""
    yield from _demands(result)
    yield ""
    yield from _groups(result)
    if result.promises:
        yield ""
        yield from _promises(result)
    yield ""
    half, most = result.last_ends.values()
    yield f"ends     the last contact is over by {half} on half of the days, by {most} on 9 of 10"
    yield from _risk(result)
    yield from _costs(result)
    yield from _theory(result)
    yield from result.notes


_ALL = {0.0: "(none)", 1.0: "(all)"}


def _share(figure: Figure, *, width: int = 15) -> str:
    """Return a share with its error: unknown from a single day, or where all days agree."""
    if figure.value is None:
        return "-".rjust(width)
    if not figure.known:
        error = "± ?"
    elif figure.low == figure.high:
        error = _ALL.get(figure.value, "± 0.0")
    else:
        error = f"± {100 * figure.half_width:.1f}"
    return f"{figure.value:.1%} {error}".rjust(width)


def _plain(value: float | None, form: str, width: int) -> str:
    return ("-" if value is None else format(value, form)).rjust(width)


def _intervals(result: Result) -> Iterator[str]:
    yield (
        "interval arrivals required pooled staffed    net   service level   wait s abandoned "
        "occupied" + (f" {'cost ' + result.currency:>10}" if result.currency else "")
    )
    for row in result.intervals:
        mark = " *" if row.net < row.required else "  "
        cost = _plain(row.cost, ",.0f", 11) if result.currency else ""
        yield (
            f"{row.start:<8} {_plain(row.arrivals.value, '.1f', 8)} {row.required:8.1f} "
            f"{row.required_pooled:6.1f} {row.staffed:7.1f} {row.net:6.1f}{mark}"
            f"{_share(row.service_level, width=14)} {_plain(row.wait_s.value, '.1f', 8)} "
            f"{_plain(row.abandonment.value, '.1%', 9)} {_plain(row.occupancy, '.0%', 8)}{cost}"
        )
    if any(row.net < row.required for row in result.intervals):
        yield "* fewer at their desks than dedicated lines would need; see pooled for flexible ones"
    levels = [row.service_level for row in result.intervals]
    if any(level.value in _ALL and level.low == level.high == level.value for level in levels):
        yield "(all), (none): of the contacts played; how sure cannot be said from that alone"
    if any(level.value is not None and not level.known for level in levels):
        yield "± ?: the error is not known; play more days"
    yield from _under(result)


def _under(result: Result) -> Iterator[str]:
    """Name the stretches of the day under the target: the worst level, the agents lacking."""
    target = result.target_percent / 100
    rows = result.intervals
    below = [row.service_level.value is not None and row.service_level.value < target
             for row in rows]  # fmt: skip
    number = 0
    while number < len(rows):
        if not below[number]:
            number += 1
            continue
        last = number
        while last + 1 < len(rows) and below[last + 1]:
            last += 1
        stretch = rows[number : last + 1]
        worst = min(row.service_level.value or 0.0 for row in stretch)
        lacking = max(row.required - row.net for row in stretch)
        pooled = max(row.required_pooled - row.net for row in stretch)
        until = rows[last + 1].start if last + 1 < len(rows) else "closing"
        yield (
            f"under    {stretch[0].start} to {until}: {worst:.1%} at the lowest; "
            f"{_lacks(lacking, pooled)}"
        )
        number = last + 1


def _lacks(lacking: float, pooled: float) -> str:
    if lacking <= 0:
        return "no agent lacks by formula: look at skills, breaks, and who may serve whom"
    least = f", {pooled:.1f} even if all could do everything" if pooled > 0 else ""
    return f"{lacking:.1f} agents fewer at their desks than lines of their own would need{least}"


def _terms(result: Result) -> str:
    """Say what in time and short mean, demand by demand where they differ."""
    judged = [row for row in result.demands if row.name in result.judged]
    times: dict[float, list[str]] = {}
    shorts: dict[float, list[str]] = {}
    for row in judged:
        times.setdefault(row.within_s, []).append(row.name)
        shorts.setdefault(row.short_s, []).append(row.name)

    def told(found: dict[float, list[str]]) -> str:
        if len(found) == 1:
            return f"{next(iter(found)):g} s"
        return ", ".join(f"{time:g} s ({', '.join(names)})" for time, names in found.items())

    return (
        f"       in time: within {told(times)}; short: given up within {told(shorts)}; "
        "± is the 95 % interval"
    )


def _demands(result: Result) -> Iterator[str]:
    width = max([6, *(len(row.name) for row in result.demands)])
    yield (
        f"{'demand':<{width}} {'within s':>8} {'arrivals':>8}   service level   wait s  p90 s "
        "abandoned handle s"
    )
    for row in result.demands:
        others = ", ".join(
            f"{name} {count:.1f}"
            for name, count in row.not_served.items()
            if name != "abandoned" and count >= 0.05
        )
        if row.dialled:
            others = f"dialled {row.dialled:.1f}" + (f", {others}" if others else "")
        yield (
            f"{row.name:<{width}} {row.within_s:8.0f} {_plain(row.arrivals.value, '.1f', 8)}  "
            f"{_share(row.service_level, width=14)} {_plain(row.wait_s.value, '.1f', 8)} "
            f"{_plain(row.wait_p90_s, '.0f', 6)} {_plain(row.abandonment.value, '.1%', 9)} "
            f"{_plain(row.handle_s, '.0f', 8)}" + (f"  ({others})" if others else "")
        )


def _groups(result: Result) -> Iterator[str]:
    width = max([6, *(len(row.name) for row in result.groups)])
    yield (
        f"{'group':<{width}} agents paid h signed h away h after h occupancy utilisation handled"
        + (f" {'cost ' + result.currency:>10} {'idle ' + result.currency:>10}")
        * bool(result.currency)
    )
    for row in result.groups:
        cost = _plain(row.cost, ",.0f", 11) if result.currency else ""
        cost += _plain(row.idle_cost, ",.0f", 11) if result.currency else ""
        yield (
            f"{row.name:<{width}} {row.agents:6d} {row.paid_hours:6.1f} {row.signed_in_hours:8.1f} "
            f"{row.away_hours:6.1f} {row.after_shift_hours:7.2f} {_plain(row.occupancy, '.0%', 9)} "
            f"{_plain(row.utilisation, '.0%', 11)} {row.handled:7.1f}{cost}"
        )


def _promises(result: Result) -> Iterator[str]:
    width = max([7, *(len(row.name) for row in result.promises)])
    yield f"{'promise':<{width}}             met  breaches a day"
    for row in result.promises:
        yield f"{row.name:<{width}} {_share(row.met)} {row.breaches_per_day:15.1f}"


def _risk(result: Result) -> Iterator[str]:
    misses = result.risk.misses
    if misses.value is None:
        return
    spread = ", ".join(
        f"{int(share[:-1])} of 100 days below {value:.1%}"
        for share, value in result.risk.quantiles.items()
        if share in {"5%", "25%", "50%", "75%"}
    )
    yield (
        f"risk     a day misses the target with probability {misses.value:.1%} "
        f"({misses.low:.1%} to {misses.high:.1%}); {spread}"
    )


def _costs(result: Result) -> Iterator[str]:
    if result.cost_per_day is None or result.cost_per_day.value is None:
        return
    parts = ", ".join(f"{kind} {amount:,.0f}" for kind, amount in result.costs.items() if amount)
    cost = result.cost_per_day
    error = f"{cost.half_width:,.0f}" if cost.known else "?"
    yield f"cost     {cost.value:,.0f} ± {error} {result.currency} a day: {parts}"
    if result.cost_per_contact is not None and result.cost_per_resolved is not None:
        yield (
            f"         {result.cost_per_contact:.2f} a contact, {result.cost_per_resolved:.2f} "
            "a resolved one"
        )


def _theory(result: Result) -> Iterator[str]:
    for row in result.theory:
        says = (
            "nothing (not enough agents)"
            if row.service_level is None
            else (f"{row.service_level:.1%}")
        )
        outside = f"; outside the formula: {', '.join(row.outside)}" if row.outside else ""
        yield (
            f"theory   {row.line}: {row.model}: {says} by formula, "
            f"{_share(row.simulated).strip()} simulated{outside}"
        )


def show_comparison(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of a comparison."""
    yield comparison.sentence
    yield ""
    yield (f"{'measure':<18} {'unit':<10} {'before':>18} {'after':>18} {'change of the pairs':>24}")
    for row in comparison.rows:
        yield _compared(row)
    yield (
        f"{comparison.days} days, seed {comparison.seed}: both scenarios meet the same customers, "
        "so the change is known better than either figure"
    )
    yield "± is the 95 % interval; what more or fewer arrivals explain is taken out of each figure"


def _compared(row: ComparedRow) -> str:
    factor = 100.0 if row.unit == "%" else 1.0

    def text(figure: Figure, sign: str = "") -> str:
        if figure.value is None:
            return "-"
        error = f"{factor * figure.half_width:,.2f}" if figure.known else "?"
        return f"{factor * figure.value:{sign},.2f} ± {error}"

    same = row.change.value == 0 and row.change.known and row.change.half_width == 0
    sure = "  (the same)" if same else "" if row.sure else "  (not sure)"
    return (
        f"{row.measure:<18} {row.unit:<10} {text(row.before):>18} {text(row.after):>18} "
        f"{text(row.change, '+'):>24}{sure}"
    )
