"""Build small centres and everyday events in one line each.

Whatever a test does not name has one plain value: channels whose offers expire after 20 s, one
queue `q`, one category `c`, one team `t`, agents without skills, no back-off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from router import events as e
from router.center import (
    Agent,
    Calendar,
    Category,
    Center,
    Channel,
    ClockKind,
    OfferRules,
    OpeningTable,
    Promise,
    Queue,
    Team,
)
from tests.playbook import START_MS

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000

# Declined, expired, busy and unreachable alike: the agent may be asked again at once.
PATIENT: Final = OfferRules(
    backoff_declined_ms=0,
    backoff_expired_ms=0,
    backoff_busy_ms=0,
    backoff_unreachable_ms=0,
    per_agent_max=0,
    unanswered_max=0,
)

AUTO: Final = Channel(auto_accept=True)
RING: Final = Channel(offer_timeout_ms=20 * SECOND)

CHANNELS: Final[Mapping[str, Channel]] = {
    "phone": RING,
    "chat": Channel(units=34, offer_timeout_ms=20 * SECOND),
    "email": Channel(units=50, offer_timeout_ms=20 * SECOND, interruptible=True),
}


def desk(
    agents: Iterable[str] | Mapping[str, Agent] = ("a",),
    *,
    queue: Queue | None = None,
    category: Category | None = None,
    promises: Mapping[str, Promise] | None = None,
    channels: Mapping[str, Channel] = CHANNELS,
    **rest: Any,  # noqa: ANN401 - the fields of Center, whatever they are
) -> Center:
    """Return a centre with one queue `q` and one category `c`; `rest` are fields of `Center`."""
    if not isinstance(agents, Mapping):
        agents = {name: Agent(team="t") for name in agents}
    fields: dict[str, Any] = {
        "name": "desk",
        "version": 1,
        "channels": dict(channels),
        "skills": (),
        "queues": {"q": queue or Queue()},
        "categories": {"c": category or Category(queue="q")},
        "teams": {"t": Team()},
        "agents": dict(agents),
        "promises": dict(promises or {}),
        "offers": PATIENT,
    }
    return Center(**{**fields, **rest})


def with_skills(**skills: int) -> Agent:
    """Return an agent of team `t` with these skills."""
    return Agent(team="t", skills=skills)


def hours(*open_ms: tuple[int, int]) -> Calendar:
    """Return a calendar open between these offsets from the start of every play."""
    spans = tuple((START_MS + opens, START_MS + closes) for opens, closes in open_ms)
    table = OpeningTable(from_ms=0, to_ms=30 * 24 * HOUR, open_ms=spans, workdays_ms=spans)
    return Calendar(zone="UTC", hours={"daily": ("00:00-24:00",)}, years=(1970,), table=table)


def promise(kind: ClockKind, target_ms: int, **rest: Any) -> Promise:  # noqa: ANN401 - as above
    """Return a promise of a kind and a target; `rest` are fields of `Promise`."""
    return Promise(kind=kind, target_ms=target_ms, **rest)


def changed(
    center: Center,
    *,
    version: int = 2,
    move_to: dict[str, str] | None = None,
    drain: tuple[str, ...] = (),
    rebase: bool = False,
    **fields: Any,  # noqa: ANN401 - as above
) -> e.CenterChanged:
    """Return the change to a next version of a centre in which these fields are others."""
    return e.CenterChanged(replace(center, version=version, **fields), move_to or {}, drain, rebase)


def arrive(contact_id: str, channel: str = "phone", category: str = "c", **rest: Any) -> e.Event:  # noqa: ANN401 - the fields of ContactArrived
    """Return the arrival of a contact, by phone and of category `c` if nothing else is said."""
    return e.ContactArrived(contact_id, channel, category, **rest)


def sign_in(agent_id: str, session: int = 0, presence: str = "available") -> e.Event:
    """Return an agent's sign-in."""
    return e.AgentSignedIn(agent_id, session, presence)


def go(agent_id: str, presence: str) -> e.Event:
    """Return an agent's change of presence."""
    return e.AgentPresenceChanged(agent_id, presence)


def accept(offer_id: int, contact_id: str, agent_id: str = "a") -> e.Event:
    """Return the acceptance of an offer."""
    return e.OfferAccepted(offer_id, contact_id, agent_id)


def decline(
    offer_id: int,
    contact_id: str,
    agent_id: str = "a",
    cause: e.DeclineCause = e.DeclineCause.DECLINED,
) -> e.Event:
    """Return the refusal of an offer by its agent."""
    return e.OfferDeclined(offer_id, contact_id, agent_id, cause)


def end(contact_id: str) -> e.Event:
    """Return the end of a contact."""
    return e.ContactEnded(contact_id)
