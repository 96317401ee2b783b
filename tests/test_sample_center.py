"""Hold the shipped centres to what the documents say about them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import configs
from configs.commands import check_directory
from configs.effective import render_effective
from configs.loader import LoadedCenter, load_center
from router.center import ALWAYS, Center, ClockKind, LimitAction, Promise
from router.checks import check_center, config_hash
from router.reach import limit_overflow

CONFIGS = Path(configs.__file__).parent


@pytest.fixture(scope="module")
def sample() -> Center:
    """Return the sample centre."""
    return load_center(CONFIGS / "sample").center


def promise_for(center: Center, kind: ClockKind, category: str, channel: str, tier: str) -> Promise:
    """Return the promise that holds for a contact: of its kind the first that matches."""
    return next(
        promise
        for promise in center.promises.values()
        if promise.kind is kind
        and (not promise.categories or category in promise.categories)
        and (not promise.channels or channel in promise.channels)
        and (not promise.tiers or tier in promise.tiers)
    )


@pytest.mark.parametrize("name", ["sample", "tiny"])
def test_a_shipped_centre_loads_without_a_warning(name: str) -> None:
    loaded = load_center(CONFIGS / name)
    assert loaded.problems == ()
    assert check_center(loaded.center) == ()
    assert check_directory(CONFIGS / name, strict=True).exit_code == 0


@pytest.mark.parametrize("name", ["sample", "tiny"])
def test_a_shipped_centre_survives_its_own_effective_form(name: str, tmp_path: Path) -> None:
    loaded: LoadedCenter = load_center(CONFIGS / name)
    (tmp_path / "center.yaml").write_text(render_effective(loaded), encoding="utf-8")
    assert config_hash(load_center(tmp_path).center) == config_hash(loaded.center)


def test_the_tiny_centre_has_five_agents_and_two_lines() -> None:
    center = load_center(CONFIGS / "tiny").center
    assert (len(center.agents), len(center.queues)) == (5, 2)


def test_the_sample_has_the_size_it_claims(sample: Center) -> None:
    assert len(sample.agents) == 120
    assert len(sample.skills) == 12
    assert [skill for skill in sample.skills if skill.startswith("lang:")] == ["lang:zh", "lang:en"]
    assert len(sample.categories) == 12
    assert list(sample.channels) == ["phone", "callback", "chat", "social", "email"]
    assert sample.tiers == ("strict", "standard", "basic")
    teams = Counter(agent.team for agent in sample.agents.values())
    assert teams == {
        "care": 60, "technical": 22, "sales": 10, "retention": 6, "complaints": 6, "leads": 4,
        "partner": 12,
    }  # fmt: skip


def test_the_sample_costs_of_channels(sample: Center) -> None:
    assert {name: channel.units for name, channel in sample.channels.items()} == {
        "phone": 100, "callback": 100, "chat": 34, "social": 34, "email": 50,
    }  # fmt: skip
    assert sample.channels["phone"].interrupts
    assert sample.channels["email"].interruptible
    assert sample.channels["chat"].agent_max == 3
    assert sample.channels["phone"].offer_timeout_ms == 15_000
    assert sample.channels["phone"].connect_timeout_ms == 10_000


def test_the_sample_overflows_on_two_paths(sample: Center) -> None:
    paths = {name: limit_overflow(sample, name) for name in sample.queues}
    assert {name: to for name, to in paths.items() if to} == {"care": "partner", "sales": "care"}
    assert sample.queues["partner"].when_late is LimitAction.DEFLECT


def test_unanswered_offers_take_an_agent_out_of_service(sample: Center) -> None:
    assert sample.offers.unanswered_max == 2
    assert sample.presences[sample.offers.unanswered_presence] is False


def test_the_sample_relaxes_drops_and_keeps_agents(sample: Center) -> None:
    steps = [step for category in sample.categories.values() for step in category.steps]
    assert any(step.lower for step in steps)
    assert any(step.drop for step in steps)
    assert any(step.add_teams for step in steps)
    assert any(step.overflow_to for step in steps)
    assert any(step.offer_callback for step in steps)
    assert any(category.preferred_wait_ms for category in sample.categories.values())
    assert any(category.last_agent_wait_ms for category in sample.categories.values())


SECOND = 1_000
MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("kind", "category", "channel", "tier", "target_ms"),
    [
        (ClockKind.ANSWER, "billing", "phone", "strict", 5 * SECOND),
        (ClockKind.ANSWER, "billing", "phone", "standard", 20 * SECOND),
        (ClockKind.ANSWER, "billing", "phone", "", 20 * SECOND),
        (ClockKind.FIRST_RESPONSE, "billing", "chat", "basic", 30 * SECOND),
        (ClockKind.FIRST_RESPONSE, "sales", "phone", "basic", 3 * MINUTE),
        (ClockKind.FIRST_RESPONSE, "sales", "social", "basic", 3 * MINUTE),
        (ClockKind.FIRST_RESPONSE, "sales", "callback", "basic", 3 * MINUTE),
        (ClockKind.FIRST_RESPONSE, "billing", "email", "basic", 30 * MINUTE),
        (ClockKind.FIRST_RESPONSE, "feedback", "social", "strict", 30 * MINUTE),
        (ClockKind.RESOLUTION, "order_status", "chat", "basic", 30 * MINUTE),
        (ClockKind.COMPLAINT_ACKNOWLEDGEMENT, "complaint", "phone", "basic", 30 * MINUTE),
        (ClockKind.COMPLAINT_ACKNOWLEDGEMENT, "billing", "email", "strict", 30 * MINUTE),
    ],
)
def test_the_sample_promises_its_targets(
    sample: Center, kind: ClockKind, category: str, channel: str, tier: str, target_ms: int
) -> None:
    assert promise_for(sample, kind, category, channel, tier).target_ms == target_ms


def test_answers_at_the_standard_tier_aim_at_80_percent(sample: Center) -> None:
    assert (
        promise_for(sample, ClockKind.ANSWER, "billing", "phone", "basic").objective_percent == 80
    )


def test_complaints_warn_at_half_and_escalate(sample: Center) -> None:
    promise = sample.promises["complaint_acknowledged"]
    assert promise.warnings == (50, 80)
    assert promise.on_breach.escalate
    assert promise.escalation[0] in sample.agents


# --- the targets of a service desk, each by its name ----------------------------------------------

CHANNELS = ("phone", "callback", "chat", "social", "email")


def test_target_phone_answered_in_5_s_at_the_strict_tier(sample: Center) -> None:
    promise = promise_for(sample, ClockKind.ANSWER, "sales", "phone", "strict")
    assert (promise.target_ms, promise.calendar) == (5 * SECOND, ALWAYS)


def test_target_80_percent_in_20_s_at_the_standard_tier(sample: Center) -> None:
    promise = promise_for(sample, ClockKind.ANSWER, "sales", "phone", "standard")
    assert (promise.target_ms, promise.objective_percent) == (20 * SECOND, 80)


def test_target_chat_answered_in_30_s_around_the_clock(sample: Center) -> None:
    promise = promise_for(sample, ClockKind.FIRST_RESPONSE, "billing", "chat", "")
    assert (promise.target_ms, promise.calendar) == (30 * SECOND, ALWAYS)


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "email"])
def test_target_a_first_word_within_3_minutes(sample: Center, channel: str) -> None:
    promise = promise_for(sample, ClockKind.FIRST_RESPONSE, "sales", channel, "")
    assert promise.target_ms <= 3 * MINUTE


@pytest.mark.parametrize(("category", "channel"), [("billing", "email"), ("feedback", "social")])
def test_target_letters_and_feedback_in_30_minutes_of_office_hours(
    sample: Center, category: str, channel: str
) -> None:
    promise = promise_for(sample, ClockKind.FIRST_RESPONSE, category, channel, "")
    assert (promise.target_ms, promise.calendar) == (30 * MINUTE, "office")
    office = sample.calendars["office"]
    assert office.hours == {"mon-fri": ("09:00-18:00",)}
    assert (office.zone, office.holidays.country) == ("Asia/Shanghai", "CN")
    assert office.holidays.moved_workdays


@pytest.mark.parametrize("category", ["billing", "order_status", "delivery", "returns"])
def test_target_simple_matters_settled_in_30_minutes(sample: Center, category: str) -> None:
    promise = promise_for(sample, ClockKind.RESOLUTION, category, "chat", "")
    assert promise.target_ms == 30 * MINUTE


def test_target_complaints_acknowledged_in_30_minutes_and_answered_in_working_days(
    sample: Center,
) -> None:
    kind = ClockKind.COMPLAINT_ACKNOWLEDGEMENT
    assert promise_for(sample, kind, "complaint", "email", "").target_ms == 30 * MINUTE
    assert promise_for(sample, kind, "sales", "chat", "").target_ms == 30 * MINUTE
    answer = promise_for(sample, ClockKind.RESOLUTION, "complaint", "email", "")
    assert (answer.target_working_days, answer.calendar) == (3, "office")
    assert len(answer.escalation) > 1
    update = promise_for(sample, ClockKind.PERIODIC_UPDATE, "complaint", "email", "")
    assert update.target_ms == 24 * 60 * MINUTE


def test_target_unhappy_customers_are_followed_up_in_4_hours(sample: Center) -> None:
    for category in ("follow_up", "lead_follow_up"):
        promise = promise_for(sample, ClockKind.FOLLOW_UP, category, "phone", "")
        assert (promise.target_ms, promise.calendar) == (240 * MINUTE, "office")


def test_every_category_is_surveyed_but_follow_ups_and_followed_up(sample: Center) -> None:
    asked = {name: c for name, c in sample.categories.items() if c.survey_percent}
    assert set(sample.categories) - set(asked) == {"follow_up", "lead_follow_up"}
    assert {c.follow_up.category for c in asked.values()} == {"follow_up", "lead_follow_up"}
    assert sample.categories["complaint"].survey_percent == 100
    assert sample.surveys.cool_down_ms == 30 * 24 * 60 * MINUTE


def test_a_follow_up_first_asks_the_agent_who_served_the_customer(sample: Center) -> None:
    assert sample.categories["billing"].follow_up.same_agent
    teams = set(sample.queues[sample.categories["follow_up"].queue].teams)
    served_by = {
        team
        for category in sample.categories.values()
        if category.follow_up.same_agent
        for team in sample.queues[category.queue].teams
    }
    assert served_by <= teams
    serious = sample.categories["lead_follow_up"]
    assert sample.queues[serious.queue].teams == ("complaints", "leads")


def test_the_sample_calls_back_three_times_by_day(sample: Center) -> None:
    rules = sample.callbacks
    assert (rules.attempts_max, rules.calendar, rules.taken_over) == (3, "calling", True)
    assert sample.complaints.category == "complaint"
    assert sample.returns.redial_window_ms == 30 * MINUTE
