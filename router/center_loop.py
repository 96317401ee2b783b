"""Describe what happens around the routing: callbacks, returns, surveys, follow-ups, complaints.

Parts of `router.center.Center` and of its categories. With every part as it is by default nothing
of it happens. Durations are integer milliseconds in names that end in `_ms`.
"""

from __future__ import annotations

from dataclasses import dataclass

_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class CallbackRules:
    """Say how often, how soon again and within which hours customers are called back.

    A call that reaches nobody is tried again after `spacing_ms` (`busy_spacing_ms` where the line
    was busy); after `attempts_max` calls (0: no limit) the contact expires. `calendar` names the
    hours in which customers are called, beside the opening hours of the queue. A customer with a
    callback who calls himself takes its place with `taken_over`, and the callback is over.
    """

    __pydantic_config__ = _CLOSED

    attempts_max: int = 0
    spacing_ms: int = 1_800_000
    busy_spacing_ms: int = 300_000
    calendar: str = "always"
    taken_over: bool = False


@dataclass(frozen=True, kw_only=True)
class ReturnRules:
    """Say for how long a customer who comes again about the same category is recognised.

    Within `redial_window_ms` of abandoning, a new contact keeps the age of the abandoned one; one
    that had been refused is counted. Within `deflection_window_ms` of being deflected, a new
    contact makes the deflection a failed one. 0 switches either off.
    """

    __pydantic_config__ = _CLOSED

    redial_window_ms: int = 0
    deflection_window_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class SurveyRules:
    """Say whom to spare and for how long an answer counts.

    A customer is not asked again within `cool_down_ms`. Answers are taken for
    `answer_within_ms` after the contact's end (0: as long as closed contacts are remembered); up
    to `unhappy_score` a customer is unhappy.
    """

    __pydantic_config__ = _CLOSED

    cool_down_ms: int = 0
    answer_within_ms: int = 0
    unhappy_score: int = 2


@dataclass(frozen=True, kw_only=True)
class ComplaintRules:
    """Say where a complaint goes that needs a contact of its own.

    A complaint about a closed contact opens one of `category` ("": it is refused), on `channel`
    ("": that of the contact). With `always` one about an open contact does so, too.
    """

    __pydantic_config__ = _CLOSED

    category: str = ""
    channel: str = ""
    always: bool = False


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Say how an unhappy answer is followed up: by a contact that the router opens itself.

    It is of `category` ("": none is opened), on `channel` ("": that of the contact); its queue,
    needs and promises are the category's. With `same_agent` it first waits for the agent who served
    the customer, as long as that category's `preferred_wait_ms` says.
    """

    __pydantic_config__ = _CLOSED

    category: str = ""
    channel: str = ""
    same_agent: bool = False
