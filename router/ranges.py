"""Bound every number of the configuration, in one table that the checks and the schema read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAME_PATTERN: Final = "[A-Za-z0-9._:-]{1,64}"
LEVELS: Final = (1, 10)
PRIORITIES: Final = (0, 9)
WARNINGS: Final = (1, 99)
CHANNEL_MAX: Final = (0, 10_000)
WEIGHTS: Final = (1, 1_000_000)
# Longer than any contact lives; a bigger number is a slip of the unit (seconds for milliseconds).
DURATION_MS_MAX: Final = 315_576_000_000
# A day more or less of daylight saving before 1970 moves no promise made today.
CALENDAR_YEARS: Final = (1970, 2199)
CALENDAR_YEARS_MAX: Final = 10
CALENDARS_MAX: Final = 100
# JSON numbers are exact up to here in every reader (RFC 8259, section 6).
NUMBER_MAX: Final = 2**53 - 1

_DURATION: Final = (0, DURATION_MS_MAX)
_POSITIVE_DURATION: Final = (1, DURATION_MS_MAX)

RANGES: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "Channel": {
        "units": (1, 10_000),
        "agent_max": (0, 10_000),
        "offer_timeout_ms": _DURATION,
        "connect_timeout_ms": _DURATION,
    },
    "Queue": {
        "ring_size": (1, 1_000),
        "ring_step_ms": _POSITIVE_DURATION,
        "seed": (0, NUMBER_MAX),
        "length_max": (0, 10_000_000),
        "wait_max_ms": _DURATION,
        "service_level_ms": _POSITIVE_DURATION,
        "short_abandon_ms": _DURATION,
        "wait_weight": WEIGHTS,
        "handle_time_ms": _POSITIVE_DURATION,
        "late_weight": (0, 1_000),
        "queue_share": WEIGHTS,
        "overload_length": (0, 10_000_000),
        "reserve": (0, 10_000),
        "reserve_band": (0, 10_000),
    },
    "Step": {"after_ms": _POSITIVE_DURATION, "raise_priority": (0, 9)},
    "Category": {
        "language_level": (0, 10),
        "priority": (0, 9),
        "offer_timeout_ms": (-1, DURATION_MS_MAX),
        "wrap_up_ms": (-1, DURATION_MS_MAX),
        "preferred_wait_ms": _DURATION,
        "last_agent_wait_ms": _DURATION,
        "survey_every": (0, 1_000_000),
        "survey_percent": (0, 100),
    },
    "Team": {
        "lend_percent": (0, 100),
        "lend_band": (0, 100),
        "lend_window_ms": _POSITIVE_DURATION,
    },
    "PairWeight": {
        "base_ms": (-DURATION_MS_MAX, DURATION_MS_MAX),
        "wait": (0, 1_000_000),
        "idle": (0, 1_000_000),
    },
    "PromiseAction": {"raise_priority": (0, 9)},
    "Promise": {
        "target_ms": _DURATION,
        "target_working_days": (0, 1_000),
        "objective_percent": (1, 99),
        "escalate_every_ms": _DURATION,
    },
    "Agent": {"capacity": (0, 10_000)},
    "OfferRules": {
        "backoff_declined_ms": _DURATION,
        "backoff_expired_ms": _DURATION,
        "backoff_busy_ms": _DURATION,
        "backoff_unreachable_ms": _DURATION,
        "per_agent_max": (0, 1_000),
        "unanswered_max": (0, 1_000),
        "heartbeat_timeout_ms": _DURATION,
        "lost_agent_timeout_ms": _DURATION,
    },
    "Limits": {
        "open_contacts": (1, 10_000_000),
        "agents": (1, 1_000_000),
        "queues": (1, 100_000),
        "need_sets": (1, 1_000_000),
        "skills_per_contact": (1, 1_000),
        "event_ids": (1, 10_000_000),
        "duplicate_window_ms": _POSITIVE_DURATION,
        "contact_life_ms": _POSITIVE_DURATION,
        "overload_open_contacts": (0, 10_000_000),
    },
    "CallbackRules": {
        "attempts_max": (0, 1_000),
        "spacing_ms": _POSITIVE_DURATION,
        "busy_spacing_ms": _POSITIVE_DURATION,
    },
    "ReturnRules": {"redial_window_ms": _DURATION, "deflection_window_ms": _DURATION},
    "SurveyRules": {
        "cool_down_ms": _DURATION,
        "answer_within_ms": _DURATION,
        "unhappy_score": (0, 4),
    },
    "Center": {"version": (1, NUMBER_MAX), "ageing_points_ms": _POSITIVE_DURATION},
}
