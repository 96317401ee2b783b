"""Hold the shipped centres to what the documents say about them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import configs
from configs.commands import check_directory
from configs.effective import render_effective
from configs.loader import LoadedCenter, load_center
from router.center import Center, ClockKind, LimitAction, Promise
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
    assert len(sample.categories) == 10
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
