"""Write promtool's unit tests of a centre's rules: when each alert fires, and when it is silent.

All promises are tested together, each with series of its own. An alert on a burn must be silent
two minutes before, and fire two minutes after, t = L x T / m; tests look at `ALERTS`, never at the
value of a rate, which differs between versions of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any, Final

from configs.burn_rates import PAIRS, Burn, Pair, Stall, plan_alerts
from router.center import Center
from streams.rules import RULES_FILE, STALLS, Scale, head_of, to_yaml

TESTS_FILE: Final = "switchroom.rules.test.yml"
_CONTACTS_A_MINUTE: Final = 120
_MARGIN: Final = 2


@dataclass(frozen=True)
class Flow:
    """Contacts a minute over so many minutes, and the share of them that breaks the promise."""

    minutes: int
    breached: Fraction
    each_minute: Fraction = Fraction(_CONTACTS_A_MINUTE)


def rule_tests_text(center: Center) -> str:
    """Return the unit tests of a centre's rules."""
    plan = plan_alerts(center)
    tests: list[dict[str, Any]] = []
    for pair in PAIRS:
        burns = [burn for burn in plan.burns if burn.pair is pair]
        if burns:
            tests.append(_fires(pair, [(burn, Fraction(1)) for burn in burns], "all are broken"))
    for earlier, later in pairwise(PAIRS):
        if between := list(_between(plan.burns, earlier, later)):
            told = f"too few are broken for {earlier.name}"
            tests.append(_fires(later, between, told, silent=earlier))
    tests += _silent_tests(plan.burns)
    for name, pace, minutes, wait in STALLS:
        stalls = [stall for stall in plan.stalls if stall.slow == (pace == "slow")]
        if stalls:
            tests += _stall_tests(stalls, name, minutes, wait)
    tests += _absence_tests(sorted(center.teams))
    body = {"rule_files": [RULES_FILE], "evaluation_interval": "1m", "tests": tests}
    return to_yaml(body, head_of(center, Scale()))


# --- burn rates -----------------------------------------------------------------------------------


def _between(burns: Sequence[Burn], earlier: Pair, later: Pair) -> Iterable[tuple[Burn, Fraction]]:
    """Yield the burns of `later`, each with a breach ratio that is too low for `earlier`."""
    lower = {(burn.queue, burn.sla): burn for burn in burns if burn.pair is later}
    for burn in burns:
        other = lower.get((burn.queue, burn.sla))
        if burn.pair is earlier and other is not None and other.threshold < burn.threshold:
            yield other, (other.threshold + burn.threshold) / 2


def _fires(
    pair: Pair,
    burns: Sequence[tuple[Burn, Fraction]],
    told: str,
    *,
    silent: Pair | None = None,
) -> dict[str, Any]:
    """Test one alert: quiet for its long window, then a steady share of broken promises."""
    quiet = pair.long + 1
    length = max(ceil(burn.fires_after(breached)) for burn, breached in burns) + 2 * _MARGIN
    series: list[dict[str, str]] = []
    checks: list[dict[str, Any]] = []
    for burn, breached in burns:
        series += _series(burn, [Flow(quiet, Fraction(0)), Flow(length, breached)])
        after = burn.fires_after(breached)
        labels = (
            f'{{alertname="{pair.alert}",queue="{burn.queue}",severity="{pair.severity}",'
            f'sla="{burn.sla}",team="{burn.team}"}}'
        )
        checks += [
            _check(pair.alert, quiet + floor(after) - _MARGIN, [], burn),
            _check(pair.alert, quiet + ceil(after) + _MARGIN, [labels], burn),
        ]
        if silent is not None:
            checks.append(_check(silent.alert, quiet + ceil(after) + _MARGIN, [], burn))
    return _test(f"{pair.name} fires: {told}", series, checks)


def _silent_tests(burns: Sequence[Burn]) -> Iterable[dict[str, Any]]:
    """Test what must wake nobody, over the longest window there is."""
    by_promise: dict[tuple[str, str], list[Burn]] = {}
    for burn in burns:
        by_promise.setdefault((burn.queue, burn.sla), []).append(burn)
    minutes = max((burn.pair.long for burn in burns), default=0) + 5
    kept: list[dict[str, str]] = []
    few: list[dict[str, str]] = []
    summed: list[dict[str, str]] = []
    for group in by_promise.values():
        budget = Fraction(100 - group[0].objective, 100)
        kept += _series(group[0], [Flow(minutes, budget / 2)])
        few += _series(group[0], [Flow(minutes, Fraction(1), _too_few(group))])
        summed += _two_workers(group, minutes)
    checks = [_check(pair.alert, at, []) for pair in PAIRS for at in (minutes // 3, minutes - 1)]
    if burns:
        yield _test("silent: half of what the promise allows is broken", kept, checks)
        yield _test("silent: all are broken, but too few to tell", few, checks)
        yield _test("silent: one of two workers breaks all", summed, checks)


def _two_workers(group: Sequence[Burn], minutes: int) -> Iterable[dict[str, str]]:
    """Yield a worker that breaks all beside one that keeps enough for both."""
    threshold = min(burn.threshold for burn in group)
    each = Fraction(_CONTACTS_A_MINUTE) * ceil(2 / threshold)
    yield from _series(group[0], [Flow(minutes, Fraction(1))], "a")
    yield from _series(group[0], [Flow(minutes, Fraction(0), each)], "b")


def _too_few(burns: Sequence[Burn]) -> Fraction:
    """Return contacts a minute that stay below every guard, all of them broken promises."""
    return min(Fraction(burn.guard - 1, burn.pair.long + burn.pair.short) for burn in burns) / 2


def _series(burn: Burn, flows: Sequence[Flow], instance: str = "a") -> list[dict[str, str]]:
    found = []
    for outcome in ("met", "breached"):
        labels = (
            f'instance="{instance}",job="switchroom",outcome="{outcome}",'
            f'queue="{burn.queue}",sla="{burn.sla}"'
        )
        counted = [
            (
                flow.minutes,
                flow.each_minute * (flow.breached if outcome == "breached" else 1 - flow.breached),
            )
            for flow in flows
        ]
        name = f"switchroom_sla_outcomes_total{{{labels}}}"
        found.append({"series": name, "values": _counter(counted)})
    return found


def _counter(parts: Sequence[tuple[int, Fraction]]) -> str:
    """Write a counter in promtool's notation: a value a minute, growing part by part."""
    value, words = Fraction(0), []
    for minutes, each in parts:
        words.append(f"{_number(value)}+{_number(each)}x{minutes - 1}")
        value += each * minutes
    return " ".join(words)


def _number(value: Fraction) -> str:
    return f"{float(value):.6f}".rstrip("0").rstrip(".")


# --- queues that stand ----------------------------------------------------------------------------


def _stall_tests(
    stalls: Sequence[Stall], alert: str, minutes: int, wait: int
) -> Iterable[dict[str, Any]]:
    expected = [
        f'{{alertname="{alert}",queue="{stall.queue}",severity="page",team="{stall.team}"}}'
        for stall in stalls
    ]
    limit = ceil(max(stall.limit_s for stall in stalls) / 60)
    due = max(limit, minutes) + wait + _MARGIN
    least = floor(min(stall.limit_s for stall in stalls) / 60)
    title = f"{alert}, {len(stalls)} queues"
    yield _test(
        f"{title}: somebody waits, nobody is answered",
        [*_oldest(stalls, "1x{n}", due), *_answers(stalls, "0x{n}", due)],
        [_check(alert, max(least + wait - _MARGIN, 0), []), _check(alert, due, expected)],
    )
    yield _test(
        f"{title}: an old contact, and the queue works",
        [*_oldest(stalls, "1x{n}", due), *_answers(stalls, "0+5x{n}", due)],
        [_check(alert, due, [])],
    )
    yield _test(
        f"{title}: the count of answers is not there at all",
        _oldest(stalls, "1x{n}", due),
        [_check(alert, due, expected)],
    )
    yield _test(
        f"{title}: nobody waits",
        [*_oldest(stalls, "0x{n}", due), *_answers(stalls, "0x{n}", due)],
        [_check(alert, due, [])],
    )


def _oldest(stalls: Sequence[Stall], values: str, minutes: int) -> list[dict[str, str]]:
    name = "switchroom_queue_oldest_contact_timestamp_seconds"
    return [
        {"series": f'{name}{{job="switchroom",queue="{stall.queue}"}}',
         "values": values.format(n=minutes + 1)}
        for stall in stalls
    ]  # fmt: skip


def _answers(stalls: Sequence[Stall], values: str, minutes: int) -> list[dict[str, str]]:
    name = "switchroom_queue_exits_total"
    return [
        {"series": f'{name}{{channel="phone",exit="answered",queue="{stall.queue}"}}',
         "values": values.format(n=minutes + 1)}
        for stall in stalls
    ]  # fmt: skip


# --- teams that nobody of is there ----------------------------------------------------------------


def _absence_tests(teams: Sequence[str]) -> Iterable[dict[str, Any]]:
    alert, minutes = "SwitchroomNoAgent", 6
    fires = [f'{{alertname="{alert}",severity="page",team="{team}"}}' for team in teams]
    for told, there, scheduled, expected in (
        ("somebody is scheduled, nobody is there", 0, 3, fires),
        ("one is there, of three scheduled", 1, 3, []),
        ("nobody is scheduled", 0, 0, []),
        ("no staffing file", 0, None, []),
    ):
        series = [
            {"series": f'switchroom_agents{{job="switchroom",state="{state}",team="{team}"}}',
             "values": f"{there if state == 'idle' else 0}x{minutes}"}
            for team in teams for state in ("idle", "handling")
        ]  # fmt: skip
        if scheduled is not None:
            series += [
                {"series": f'switchroom_agents_scheduled{{job="switchroom",team="{team}"}}',
                 "values": f"{scheduled}x{minutes}"}
                for team in teams
            ]  # fmt: skip
        checks = [_check(alert, 1, []), _check(alert, minutes - 2, expected)]
        yield _test(f"{alert}: {told}", series, checks)


# --- promtool's form ------------------------------------------------------------------------------


def _check(
    alert: str, minute: int, expected: Sequence[str], burn: Burn | None = None
) -> dict[str, Any]:
    of = "" if burn is None else f',queue="{burn.queue}",sla="{burn.sla}"'
    expr = (
        "count by (alertname, queue, severity, sla, team) "
        f'(ALERTS{{alertname="{alert}",alertstate="firing"{of}}})'
    )
    samples = [{"labels": labels, "value": 1} for labels in expected]
    return {"expr": expr, "eval_time": f"{minute}m", "exp_samples": samples}


def _test(
    name: str, series: Sequence[dict[str, str]], checks: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": list(series),
        "promql_expr_test": list(checks),
    }
