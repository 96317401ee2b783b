"""The alerts of a show: the shipped arithmetic on counts, without Prometheus."""

from __future__ import annotations

from fractions import Fraction

from configs.burn_rates import PAIRS, Burn
from configs.burn_watch import BurnWatch

KEY = ("billing", "quick")
FAST = Burn(*KEY, PAIRS[0], "care", Fraction(4, 5), 7, Fraction(1, 10), 80)
TICKET = Burn(*KEY, PAIRS[2], "care", Fraction(1, 5), 60, Fraction(3, 10), 80)
MINUTE_MS = 60_000


def play(minutes: list[tuple[int, int]], scale: int = 1) -> list[tuple[int, bool]]:
    """Give (met, breached) of each minute; return when something began or ended."""
    watch, met, breached = BurnWatch([FAST, TICKET], scale), 0, 0
    watch.look(0, {})
    calls = []
    for number, (kept, broken) in enumerate(minutes, start=1):
        met, breached = met + kept, breached + broken
        at_ms = number * MINUTE_MS // scale
        calls += [(number, call.over) for call in watch.look(at_ms, {KEY: (met, breached)})]
    return calls


def test_a_page_comes_after_the_share_is_spent_and_ends_after_the_short_window() -> None:
    # A quarter of an hour of quiet, then every promise broken: 0.8 x 15 min later it fires.
    calls = play([(10, 0)] * 15 + [(0, 10)] * 20 + [(10, 0)] * 12)
    assert calls == [(28, False), (40, True)]


def test_few_contacts_wake_nobody() -> None:
    assert play([(0, 0), (0, 1), (0, 0)] * 6) == []


def test_windows_are_scaled_and_the_ratio_is_not() -> None:
    minutes = [(10, 0)] * 15 + [(0, 10)] * 20
    assert play(minutes, scale=15) == play(minutes)


def test_tickets_wake_nobody() -> None:
    assert play([(7, 3)] * 200) == []
