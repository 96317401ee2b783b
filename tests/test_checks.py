"""Plant a mistake for each check and ask for its exact place and its remedy."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import msgspec
import pytest

from configs.loader import load_center
from router.center import Agent, Category, Center, Channel, Queue, Team
from router.checks import Problem, check_center, config_hash
from router.problems import show_duration, suggest
from tests.planted import errors_of, loaded, plant

# (what, old text, new text with ^^ at the place, the finding after its place)
MISTAKES = [
    ("queue_of_category", "    queue: front", "    queue: ^^frnot",
     'categories.invoice.queue: no queue "frnot"; did you mean "front"?'),
    ("need_unknown", "needs: {tech: 5}", "needs: {^^teck: 5}",
     'categories.fault.needs.teck: no skill "teck"; did you mean "tech"?'),
    ("need_level_high", "needs: {tech: 5}", "needs: {tech: ^^11}",
     "categories.fault.needs.tech: level 11 is out of range; levels go from 1 to 10"),
    ("need_level_zero", "{billing: 6, tech: 2}", "{billing: 6, tech: ^^0}",
     "categories.invoice.needs.tech: level 0 is out of range; levels go from 1 to 10"),
    ("language_level", "language_level: 4", "language_level: ^^11",
     "categories.invoice.language_level: 11 is out of range; must be at most 10"),
    ("priority_high", "priority: 5", "priority: ^^10",
     "categories.invoice.priority: 10 is out of range; must be at most 9"),
    ("priority_low", "priority: 5", "priority: ^^-1",
     "categories.invoice.priority: -1 is out of range; must be at least 0"),
    ("wrap_up_negative", "wrap_up: 30s", "wrap_up: ^^-30s",
     "categories.invoice.wrap_up: -30s is out of range; must be at least -1"),
    ("step_order", "after: 60s", "after: ^^20s",
     "categories.invoice.steps[1].after: 20s does not follow the step before (20s); "
     "order the steps by time"),
    ("step_at_once", "after: 20s", "after: ^^0",
     "categories.invoice.steps[0].after: 0s is out of range; must be at least 1ms"),
    ("step_raises_level", "lower: {billing: 4}", "lower: {billing: ^^7}",
     "categories.invoice.steps[0].lower.billing: 7 does not lower the need, which is 6 here"),
    ("step_keeps_level", "lower: {billing: 4}", "lower: {billing: ^^6}",
     "categories.invoice.steps[0].lower.billing: 6 does not lower the need, which is 6 here"),
    ("step_under_floor", "lower: {billing: 4}", "lower: {billing: ^^0}",
     "categories.invoice.steps[0].lower.billing: level 0 is out of range; "
     "levels go from 1 to 10"),
    ("step_lowers_no_need", "needs: {tech: 5}",
     "needs: {tech: 5}\n    steps: [{after: 5s, lower: {^^billing: 2}}]",
     'categories.fault.steps[0].lower.billing: "billing" is no need at this step'),
    ("step_drops_no_need", "drop: [tech]", "drop: [^^tehc]",
     'categories.invoice.steps[1].drop[0]: "tehc" is no need at this step; did you mean "tech"?'),
    ("step_team", "add_teams: [pool]", "add_teams: [^^pol]",
     'categories.invoice.steps[1].add_teams[0]: no team "pol"; did you mean "pool"?'),
    ("step_overflow_unknown", "90s, overflow_to: back", "90s, overflow_to: ^^bakc",
     'categories.invoice.steps[2].overflow_to: no queue "bakc"; did you mean "back"?'),
    ("step_overflow_here", "90s, overflow_to: back", "90s, overflow_to: ^^front",
     'categories.invoice.steps[2].overflow_to: the contact is in queue "front" already'),
    ("step_priority", "{after: 20s, ", "{after: 20s, raise_priority: ^^10, ",
     "categories.invoice.steps[0].raise_priority: 10 is out of range; must be at most 9"),
    ("step_after_deflect", "      - {after: 90s, overflow_to: back}",
     "      - {after: 70s, deflect: true}\n      - ^^{after: 90s, overflow_to: back}",
     "categories.invoice.steps[3]: never reached: the step before deflects; "
     "remove one of them"),
    ("step_two_ways_out", "{after: 90s, overflow_to: back}",
     "{after: 90s, overflow_to: back, deflect: ^^true}",
     "categories.invoice.steps[2].deflect: a step cannot both overflow and deflect; choose one"),
    ("reserve_larger_than_staff", "when_late: deflect", "when_late: deflect\n    reserve: ^^3",
     "queues.back.reserve: keeps 3 agents, but 2 could serve this queue; keep fewer"),
    ("own_queue_unknown", "pool: {}", "pool: {own_queues: [^^bakc], lend_percent: 80}",
     'teams.pool.own_queues[0]: no queue "bakc"; did you mean "back"?'),
    ("lends_for_nothing", "pool: {}", "pool: {lend_percent: ^^80}",
     "teams.pool.lend_percent: lends by the level of its own queues, but has none; add own_queues"),
    ("lends_above_all", "pool: {}",
     "pool: {own_queues: [back], lend_percent: 90, lend_band: ^^20}",
     "teams.pool.lend_band: begins anew at 90 + 20 percent, more than all; lower one of them"),
    ("lends_too_much", "pool: {}", "pool: {own_queues: [back], lend_percent: ^^101}",
     "teams.pool.lend_percent: 101 is out of range; must be at most 100"),
    ("pair_unknown", "pool: {}", "pool: {pairs: {^^frnot: {base: -30s}}}",
     'teams.pool.pairs.frnot: no queue "frnot"; did you mean "front"?'),
    ("pair_never", "pool: {}", "pool: {pairs: {front: {base: ^^-30s, wait: 0}}}",
     "teams.pool.pairs.front.base: stays below zero for ever, so the team never helps; "
     "let wait or idle count"),
    ("pair_weight", "pool: {}", "pool: {pairs: {front: {wait: ^^-1}}}",
     "teams.pool.pairs.front.wait: -1 is out of range; must be at least 0"),
    ("weight_nothing", "when_late: deflect", "when_late: deflect\n    wait_weight: ^^0",
     "queues.back.wait_weight: 0 is out of range; must be at least 1"),
    ("handle_time_nothing", "when_late: deflect", "when_late: deflect\n    handle_time: ^^0",
     "queues.back.handle_time: 0s is out of range; must be at least 1ms"),
    ("queue_team", "teams: [care]", "teams: [^^car]",
     'queues.front.teams[0]: no team "car"; did you mean "care"?'),
    ("queue_team_twice", "teams: [care]", "teams: [care, ^^care]",
     'queues.front.teams[1]: "care" stands here twice; remove one'),
    ("queue_overflow_unknown", "when_late: overflow\n    overflow_to: back",
     "when_late: overflow\n    overflow_to: ^^bac",
     'queues.front.overflow_to: no queue "bac"; did you mean "back"?'),
    ("queue_late_refused", "when_late: deflect", "when_late: ^^refuse",
     "queues.back.when_late: a contact that already waits cannot be refused; "
     "use overflow, expire or deflect"),
    ("queue_overflow_nowhere", "when_late: deflect", "when_late: ^^overflow",
     "queues.back.when_late: overflow needs a queue to go to; add overflow_to"),
    ("queue_full_nowhere", "when_late: deflect",
     "when_late: deflect\n    length_max: 9\n    when_full: ^^overflow",
     "queues.back.when_full: overflow needs a queue to go to; add overflow_to"),
    ("queue_length", "length_max: 50", "length_max: ^^-1",
     "queues.front.length_max: -1 is out of range; must be at least 0"),
    ("queue_wait_negative", "wait_max: 10m", "wait_max: ^^-10m",
     "queues.front.wait_max: -10m is out of range; must be at least 0s"),
    ("queue_wait_huge", "wait_max: 10m", "wait_max: ^^1000000h",
     "queues.front.wait_max: 1000000h is out of range; must be at most 10 years"),
    ("queue_service_level", "length_max: 50", "length_max: 50\n    service_level_ms: ^^0",
     "queues.front.service_level_ms: 0s is out of range; must be at least 1ms"),
    ("queue_ring_size", "length_max: 50", "length_max: 50\n    ring_size: ^^0",
     "queues.front.ring_size: 0 is out of range; must be at least 1"),
    ("weight_agent", "{ann: 2, ben: 1}", "{ann: 2, ^^bne: 1}",
     'queues.back.weights.bne: no agent "bne"; did you mean "ben"?'),
    ("weight_zero", "{ann: 2, ben: 1}", "{ann: ^^0, ben: 1}",
     "queues.back.weights.ann: 0 is out of range; must be at least 1"),
    ("agent_team", "ann: {team: care", "ann: {team: ^^cary",
     'agents.ann.team: no team "cary"; did you mean "care"?'),
    ("agent_skill", "{tech: 7, billing: 5}", "{tech: 7, ^^bilings: 5}",
     'agents.ben.skills.bilings: no skill "bilings"; did you mean "billing"?'),
    ("agent_level", "{tech: 7, billing: 5}", "{tech: ^^12, billing: 5}",
     "agents.ben.skills.tech: level 12 is out of range; levels go from 1 to 10"),
    ("agent_capacity", "channel_max: {chat: 2}", "capacity: ^^10001",
     "agents.ben.capacity: 10001 is out of range; must be at most 10000"),
    ("agent_channel", "channel_max: {chat: 2}", "channel_max: {^^chatt: 2}",
     'agents.ben.channel_max.chatt: no channel "chatt"; did you mean "chat"?'),
    ("agent_channel_max", "channel_max: {chat: 2}", "channel_max: {chat: ^^-2}",
     "agents.ben.channel_max.chat: -2 is out of range; must be at least 0"),
    ("channel_kind", "  email: {units: 50", "  ^^emale: {units: 50",
     'channels.emale: no kind of channel "emale"; did you mean "email"?'),
    ("channel_units_zero", "units: 50", "units: ^^0",
     "channels.email.units: 0 is out of range; must be at least 1"),
    ("channel_units_over_budget", "units: 50", "units: ^^101",
     "channels.email.units: 101 units are more than any agent's capacity (100)"),
    ("channel_timeout", "agent_max: 3", "offer_timeout: ^^-1s",
     "channels.chat.offer_timeout: -1s is out of range; must be at least 0s"),
    ("channel_both", "interrupts: true}", "interrupts: true, interruptible: ^^true}",
     "channels.phone.interruptible: a channel that interrupts others cannot be interruptible "
     "itself; choose one"),
    ("promise_category", "tiers: [gold]\n", "tiers: [gold]\n    categories: [^^invoise]\n",
     'promises.gold_answer.categories[0]: no category "invoise"; did you mean "invoice"?'),
    ("promise_channel", "channels: [phone]\n    tiers", "channels: [^^fone]\n    tiers",
     'promises.gold_answer.channels[0]: no channel "fone"; did you mean "phone"?'),
    ("promise_tier", "tiers: [gold]", "tiers: [^^gould]",
     'promises.gold_answer.tiers[0]: no tier "gould"; did you mean "gold"?'),
    ("promise_target_zero", "gold_answer:\n    kind: answer\n    channels: [phone]\n    "
     "tiers: [gold]\n    target: 10s", "^^gold_answer:\n    kind: answer\n    "
     "channels: [phone]\n    tiers: [gold]\n    target: 0s",
     "promises.gold_answer: promises nothing; give a target of at least 1ms, "
     "or target_working_days"),
    ("promise_warning_100", "warnings: [50, 80]", "warnings: [50, ^^100]",
     "promises.gold_answer.warnings[1]: 100 is out of range; must be at most 99"),
    ("promise_warning_order", "warnings: [50, 80]", "warnings: [80, ^^50]",
     "promises.gold_answer.warnings[1]: 50 does not follow 80; order them, none twice"),
    ("promise_objective", "objective_percent: 80", "objective_percent: ^^100",
     "promises.answer.objective_percent: 100 is out of range; must be at most 99"),
    ("promise_calendar", "target: 20s", "target: 20s\n    calendar: ^^workdays",
     'promises.answer.calendar: no calendar "workdays"; describe it under calendars, '
     "or write always for plain time"),
    ("promise_no_chain", "on_warning: {raise_priority: 1}", "on_warning: {escalate: ^^true}",
     "promises.gold_answer.on_warning.escalate: nobody to escalate to; "
     "name the chain in escalation"),
    ("promise_signals", "target: 10s", "target: 10s\n    start: [arrived]\n    stop: [^^arrived]",
     'promises.gold_answer.stop[0]: "arrived" is in start too; a signal can do only one of them'),
    ("promise_action_priority", "on_warning: {raise_priority: 1}",
     "on_warning: {raise_priority: ^^11}",
     "promises.gold_answer.on_warning.raise_priority: 11 is out of range; must be at most 9"),
    ("presence_unknown", "unanswered_presence: unanswered", "unanswered_presence: ^^unanswerd",
     'offers.unanswered_presence: no presence "unanswerd"; did you mean "unanswered"?'),
    ("presence_takes_work", "unanswered_presence: unanswered", "unanswered_presence: ^^available",
     "offers.unanswered_presence: the presence after unanswered offers must not take work, "
     'but "available" does; choose one that is false in presences'),
    ("available_missing", "presences:\n  available: true", "^^presences:\n  ready: true",
     'presences: agents sign in as "available", so this presence must take work; '
     "write available: true"),
    ("available_false", "  available: true", "  available: ^^false",
     'presences.available: agents sign in as "available", so this presence must take work; '
     "write available: true"),
    ("backoff", "backoff_declined: 5s", "backoff_declined: ^^-5s",
     "offers.backoff_declined: -5s is out of range; must be at least 0s"),
    ("limit_zero", "open_contacts: 500", "open_contacts: ^^0",
     "limits.open_contacts: 0 is out of range; must be at least 1"),
    ("version", "version: 3", "version: ^^0", "version: 0 is out of range; must be at least 1"),
    ("name", "name: desk", "name: ^^help desk",
     'name: "help desk" is no name; use 1 to 64 letters, digits, dots, colons, hyphens or '
     "underscores"),
    ("skill_twice", 'tech, "lang:en"]', 'tech, ^^tech, "lang:en"]',
     'skills[2]: "tech" stands here twice; remove one'),
    ("tier_name", "tiers: [gold, basic]", "tiers: [gold, basic, ^^a b]",
     'tiers[2]: "a b" is no name; use 1 to 64 letters, digits, dots, colons, hyphens or '
     "underscores"),
    ("escalation_name", "[lead, manager]", "[lead, ^^the boss]",
     'promises.answer.escalation[1]: "the boss" is no name; use 1 to 64 letters, digits, dots, '
     "colons, hyphens or underscores"),
    ("unknown_skill_queue", "version: 3", "version: 3\nunknown_skill_queue: ^^fornt",
     'unknown_skill_queue: no queue "fornt"; did you mean "front"?'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), [row[1:] for row in MISTAKES],
                         ids=[row[0] for row in MISTAKES])  # fmt: skip
def test_a_planted_mistake_is_found_at_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path, place = plant(tmp_path, (old, new))
    assert errors_of(tmp_path) == [f"{path}:{place}: {said}"]


def test_enough_mistakes_are_planted() -> None:
    assert len(MISTAKES) >= 60


def test_the_ground_is_good(tmp_path: Path) -> None:
    assert loaded(tmp_path).problems == ()


# --- whether somebody can serve ---------------------------------------------------

UNSERVED = [
    ("level", ("  fault:\n    queue: back\n    needs: {tech: 5}",
               "  ^^fault:\n    queue: back\n    needs: {tech: 8}"),
     "categories.fault: no agent could ever serve it: it needs tech at 8 and the best has 7"),
    ("nobody", ("  fault:\n    queue: back\n    needs: {tech: 5}",
                '  ^^fault:\n    queue: back\n    needs: {"lang:en": 10}'),
     "categories.fault: no agent could ever serve it: "
     "it needs lang:en at 10 and the best has 9"),
    ("not_in_one", ("  fault:\n    queue: back\n    needs: {tech: 5}",
                    "  ^^fault:\n    queue: back\n    needs: {tech: 6, billing: 7}"),
     "categories.fault: no agent could ever serve it: "
     "no single agent has all of tech 6, billing 7"),
    ("not_of_the_team", ("    wait_max: 20m\n    when_late: deflect\ncategories:",
                         "    teams: [pool]\n    wait_max: 20m\n    when_late: deflect\n"
                         "categories:\n  ^^odd: {queue: back, needs: {billing: 8}}"),
     "categories.odd: no agent could ever serve it: it needs billing 8 from one agent of pool"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in UNSERVED],
                         ids=[row[0] for row in UNSERVED])  # fmt: skip
def test_a_category_that_nobody_could_serve_is_an_error(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path, place = plant(tmp_path, change)
    assert errors_of(tmp_path) == [f"{path}:{place}: {said}"]


@pytest.mark.parametrize(
    "rescue",
    [
        "steps: [{after: 10s, lower: {tech: 7}}]",
        "steps: [{after: 10s, drop: [tech]}]",
        "steps: [{after: 10s, raise_priority: 1}, {after: 20s, lower: {tech: 1}}]",
    ],
)
def test_a_step_can_make_a_category_servable(tmp_path: Path, rescue: str) -> None:
    change = ("needs: {tech: 5}", "needs: {tech: 9}\n    " + rescue)
    assert loaded(tmp_path, change).center.categories["fault"].needs == {"tech": 9}


def test_an_overflow_can_make_a_category_servable(tmp_path: Path) -> None:
    # Only ben, of the pool, has tech 7; the line is care's, but overflows to one open to all.
    change = ("{billing: 6, tech: 2}", "{tech: 7}")
    without = ("      - {after: 20s, lower: {billing: 4}}\n", "")
    bare = ("      - {after: 60s, drop: [tech], add_teams: [pool]}\n", "")
    last = ("      - {after: 90s, overflow_to: back}\n", "")
    head = ("    steps:\n", "")
    loaded(tmp_path, change, without, bare, last, head)
    closed = (
        "    when_full: overflow\n    wait_max: 10m\n    when_late: overflow\n"
        "    overflow_to: back\n",
        "",
    )
    plant(tmp_path, change, without, bare, last, head, closed)
    assert "no agent could ever serve it" in "".join(errors_of(tmp_path))


def test_overflow_rings_are_found_once(tmp_path: Path) -> None:
    path, place = plant(
        tmp_path,
        (
            "when_late: overflow\n    overflow_to: back",
            "when_late: overflow\n    overflow_to: ^^back",
        ),
        ("when_late: deflect", "when_late: overflow\n    overflow_to: front"),
    )
    assert errors_of(tmp_path) == [
        f"{path}:{place}: queues.front.overflow_to: contacts would overflow in a ring: "
        "front -> back -> front; break it at one of them"
    ]


def test_a_queue_that_overflows_to_itself_is_a_ring(tmp_path: Path) -> None:
    plant(tmp_path, ("when_late: deflect", "when_late: overflow\n    overflow_to: back"))
    assert "in a ring: back -> back;" in "".join(errors_of(tmp_path))


def test_names_are_bounded_in_every_map(tmp_path: Path) -> None:
    path, place = plant(tmp_path, ("  pool: {}", '  pool: {}\n  ^^"näme": {}'))
    assert errors_of(tmp_path) == [
        f'{path}:{place}: teams.näme: "näme" is no name; use 1 to 64 letters, digits, dots, '
        "colons, hyphens or underscores"
    ]


def test_the_limit_of_agents_holds_for_the_configuration(tmp_path: Path) -> None:
    path, place = plant(tmp_path, ("open_contacts: 500", "agents: 1"), ("agents:\n", "^^agents:\n"))
    assert errors_of(tmp_path) == [
        f"{path}:{place}: agents: 2 agents, but limits.agents is 1; raise it"
    ]


def test_the_limit_of_needs_holds_for_categories(tmp_path: Path) -> None:
    path, place = plant(
        tmp_path,
        ("open_contacts: 500", "skills_per_contact: 1"),
        ("needs: {billing: 6, tech: 2}", "^^needs: {billing: 6, tech: 2}"),
    )
    assert errors_of(tmp_path) == [
        f"{path}:{place}: categories.invoice.needs: 2 needs, but limits.skills_per_contact is 1; "
        "raise it"
    ]


# --- warnings ------------------------------------------------------------------------

WARNINGS = [
    ("reserve_of_everybody", "when_late: deflect", "when_late: deflect\n    reserve: ^^2",
     "queues.back.reserve: keeps 2 of the 2 agents who could serve this queue, so they would "
     "never help another; keep fewer, or give the queue teams of its own"),
    ("reserve_and_band", "when_late: deflect",
     "when_late: deflect\n    reserve: ^^1\n    reserve_band: 1",
     "queues.back.reserve: keeps 1 + 1 of the 2 agents who could serve this queue, so they would "
     "never help another; keep fewer, or give the queue teams of its own"),
    ("band_alone", "when_late: deflect", "when_late: deflect\n    reserve_band: ^^1",
     "queues.back.reserve_band: unused without a reserve; add reserve or remove it"),
    ("own_queues_alone", "pool: {}", "pool: {^^own_queues: [back]}",
     "teams.pool.own_queues: unused without lend_percent; add it or remove own_queues"),
    ("pairs_unread", "pool: {}", "pool: {^^pairs: {front: {wait: 3}}}",
     "teams.pool.pairs: unused: nobody chooses by pairs and no base is below zero; "
     "set contact_policy"),
    ("weight_unused", "when_late: deflect", "when_late: deflect\n    wait_weight: ^^3",
     "queues.back.wait_weight: unused: no team chooses by longest_weighted_wait or "
     "generalized_c_mu; set contact_policy or remove it"),
    ("handle_time_unused", "when_late: deflect", "when_late: deflect\n    handle_time: ^^3m",
     "queues.back.handle_time: unused: no team chooses by generalized_c_mu; set contact_policy "
     "or remove it"),
    ("share_unused", "when_late: deflect", "when_late: deflect\n    queue_share: ^^3",
     "queues.back.queue_share: unused: no team chooses by fixed_queue_ratio; set contact_policy "
     "or remove it"),
    ("skill_nobody_has", "skills: [billing,", "skills: [^^cobol, billing,",
     'skills[0]: nobody has the skill "cobol"'),
    ("language_too_high", "language_level: 4", "language_level: ^^10",
     "categories.invoice.language_level: no agent could serve it in lang:en: "
     "it needs lang:en at 10 and the best has 9"),
    ("weights_unused", "agent_policy: weighted_share\n    weights",
     "agent_policy: linear\n    ^^weights",
     "queues.back.weights: unused under agent_policy linear; choose weighted_share or "
     "remove them"),
    ("overflow_unused", "when_late: deflect", "when_late: deflect\n    overflow_to: ^^front",
     "queues.back.overflow_to: unused; say overflow in a when_... or at_closing, or remove it"),
    ("limit_missing", "    length_max: 50\n    when_full: overflow", "    when_full: ^^overflow",
     "queues.front.when_full: never happens without a limit; add length_max"),
    ("warning_never", "    warnings: [50, 80]\n    on_warning", "    ^^on_warning",
     "promises.gold_answer.on_warning: never happens without warnings; add warnings: [80]"),
    ("chain_unused", "on_breach: {escalate: true}\n    escalation",
     "on_breach: {raise_priority: 1}\n    ^^escalation",
     "promises.answer.escalation: unused; say escalate: true in on_breach or on_warning"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), [row[1:] for row in WARNINGS],
                         ids=[row[0] for row in WARNINGS])  # fmt: skip
def test_a_doubtful_value_is_warned_of(tmp_path: Path, old: str, new: str, said: str) -> None:
    path, place = plant(tmp_path, (old, new))
    warnings = load_center(tmp_path).problems
    assert [str(found) for found in warnings] == [f"{path}:{place}: warning: {said}"]


def test_a_promise_behind_a_wider_one_is_warned_of(tmp_path: Path) -> None:
    path, place = plant(
        tmp_path,
        ("    tiers: [gold]\n    target: 10s", "    target: 10s"),
        ("  answer:", "  ^^answer:"),
    )
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f'{path}:{place}: warning: promises.answer: never holds: "gold_answer" stands before it '
        "and matches all of its contacts; put the narrower one first"
    ]


def test_a_step_for_teams_that_serve_anyway_is_warned_of(tmp_path: Path) -> None:
    path, place = plant(
        tmp_path, ("    teams: [care]\n", ""), ("add_teams: [pool]", "^^add_teams: [pool]")
    )
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f"{path}:{place}: warning: categories.invoice.steps[1].add_teams: "
        'queue "front" is open to all teams anyway; give the queue teams or remove this'
    ]


def test_a_skill_that_nobody_needs_is_warned_of(tmp_path: Path) -> None:
    path, place = plant(tmp_path, ("    language_level: 4\n", ""), ('"lang:en"]', '^^"lang:en"]'))
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f'{path}:{place}: warning: skills[2]: no category needs "lang:en"'
    ]


def test_a_language_without_language_skills_is_warned_of(tmp_path: Path) -> None:
    path, place = plant(
        tmp_path,
        (', "lang:en"]', "]"),
        (', "lang:en": 9}', "}"),
        ("language_level: 4", "language_level: ^^4"),
    )
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f"{path}:{place}: warning: categories.invoice.language_level: languages are skills, "
        'but none in skills begins with "lang:"'
    ]


def test_a_language_apart_from_the_need_is_warned_of(tmp_path: Path) -> None:
    # The one who speaks English knows nothing of the matter any more.
    path, place = plant(
        tmp_path,
        ('{billing: 8, tech: 5, "lang:en": 9}', '{"lang:en": 9}'),
        ("{tech: 7, billing: 5}", "{tech: 7, billing: 6}"),
        ("    teams: [care]\n", ""),
        (", add_teams: [pool]", ""),
        ("language_level: 4", "language_level: ^^4"),
    )
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f"{path}:{place}: warning: categories.invoice.language_level: no agent could serve it in "
        "lang:en: no single agent has all of lang:en 4, billing 4"
    ]


def test_a_step_that_does_nothing_is_warned_of(tmp_path: Path) -> None:
    found = loaded(tmp_path, ("{after: 20s, lower: {billing: 4}}", "{after: 20s}")).problems
    assert [warning.message for warning in found] == [
        "changes nothing; say what it lowers, drops, adds or does"
    ]


# --- called by the router, without files --------------------------------------------------


def make_center(agents: int = 1, categories: int = 1) -> Center:
    """Return a centre whose agents share few sets of skills, as those of a big one do."""
    return Center(
        name="big",
        version=1,
        channels={"phone": Channel()},
        skills=tuple(f"s{number}" for number in range(50)),
        queues={f"q{number}": Queue() for number in range(min(categories, 200))},
        categories={
            f"c{number}": Category(queue=f"q{number % 200}", needs={f"s{number % 50}": 3})
            for number in range(categories)
        },
        teams={f"t{number}": Team() for number in range(20)},
        agents={
            f"a{number}": Agent(
                team=f"t{number % 20}",
                skills={f"s{(number * factor) % 50}": 3 + number % 8 for factor in range(1, 6)},
            )
            for number in range(agents)
        },
    )


def test_a_big_centre_is_checked_fast() -> None:
    center = make_center(agents=15_000, categories=500)
    began = process_time()
    problems = check_center(center)
    spent_s = process_time() - began
    assert problems == ()
    # 0.03 s where it was written; the router answers nothing else meanwhile.
    assert spent_s < 0.5


def test_a_big_centre_full_of_mistakes_is_checked_fast() -> None:
    good = make_center(agents=15_000)
    bad = {
        name: Agent(team=f"{agent.team}?", skills={"s0x": 3}) for name, agent in good.agents.items()
    }
    began = process_time()
    problems = check_center(_with(good, bad))
    spent_s = process_time() - began
    assert sum(not problem.warning for problem in problems) == 30_001
    assert spent_s < 1.0


def _with(center: Center, agents: dict[str, Agent]) -> Center:
    parts = {name: getattr(center, name) for name in center.__dataclass_fields__}
    return Center(**{**parts, "agents": agents})


def test_an_empty_centre_has_nothing_to_route() -> None:
    center = Center(
        name="none",
        version=1,
        channels={},
        skills=(),
        queues={},
        categories={},
        teams={},
        agents={},
    )
    assert {problem.path for problem in check_center(center)} == {
        ("channels",), ("queues",), ("categories",)
    }  # fmt: skip


def test_the_hash_names_the_content() -> None:
    center = make_center(agents=3)
    same = msgspec.json.decode(msgspec.json.encode(center), type=Center)
    assert config_hash(center) == config_hash(same)
    assert len(config_hash(center)) == 16
    reversed_agents = dict(reversed(center.agents.items()))
    assert config_hash(_with(center, reversed_agents)) != config_hash(center)


def test_a_problem_says_its_suggestion() -> None:
    assert Problem(("queues",), "no such thing", "queue").text() == (
        'no such thing; did you mean "queue"?'
    )
    assert Problem((), "odd").text() == "odd"


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (120_000, "2m"), (-5_000, "-5s")],
)
def test_durations_are_shown_as_they_are_written(value_ms: int, text: str) -> None:
    assert show_duration(value_ms) == text


def test_suggestions_are_near_or_none() -> None:
    assert suggest("Billing", ["tech", "billing"]) == "billing"
    assert suggest("zebra", ["tech", "billing"]) == ""
    assert suggest("a1x", [f"a{number}" for number in range(5_000)]) == ""
