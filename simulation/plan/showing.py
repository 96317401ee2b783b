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
    yield from _risk(result)
    yield from _costs(result)
    yield from _theory(result)
    yield from result.notes


def _share(figure: Figure, *, width: int = 15) -> str:
    if figure.value is None:
        return "-".rjust(width)
    return f"{figure.value:.1%} ± {100 * figure.half_width:.1f}".rjust(width)


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
        + (f" {'cost ' + result.currency:>10}" if result.currency else "")
    )
    for row in result.groups:
        cost = _plain(row.cost, ",.0f", 11) if result.currency else ""
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
    spread = ", ".join(f"{share} {value:.1%}" for share, value in result.risk.quantiles.items())
    yield (
        f"risk     a day misses the target with probability {misses.value:.1%} "
        f"({misses.low:.1%} to {misses.high:.1%}); service level of days: {spread}"
    )


def _costs(result: Result) -> Iterator[str]:
    if result.cost_per_day is None or result.cost_per_day.value is None:
        return
    parts = ", ".join(f"{kind} {amount:,.0f}" for kind, amount in result.costs.items() if amount)
    yield (
        f"cost     {result.cost_per_day.value:,.0f} ± {result.cost_per_day.half_width:,.0f} "
        f"{result.currency} a day: {parts}"
    )
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
            f"theory   {row.line}: {row.model}: {says}; simulated {_share(row.simulated).strip()}"
            f"{outside}"
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


def _compared(row: ComparedRow) -> str:
    factor = 100.0 if row.unit == "%" else 1.0

    def text(figure: Figure, sign: str = "") -> str:
        if figure.value is None:
            return "-"
        return f"{factor * figure.value:{sign},.2f} ± {factor * figure.half_width:,.2f}"

    sure = "" if row.sure else "  (not sure)"
    return (
        f"{row.measure:<18} {row.unit:<10} {text(row.before):>18} {text(row.after):>18} "
        f"{text(row.change, '+'):>24}{sure}"
    )
