"""Find where a forecast begins: a snapshot, what came so far today, and a scenario about it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from configs.planning import Scenario
from router.center import Agent, Center
from router.decisions import RefuseEvent
from router.events import CenterChanged, ContactArrived, Stamped
from router.router import Router
from router.snapshot_facts import FloorFacts
from simulation.journal_sources import entries_in
from simulation.plan.arrivals import burst_mean
from simulation.plan.prepared import Prepared, start_of
from simulation.whatif.altering import Alteration, AlterationError
from simulation.whatif.forecasting import Course, Outlook
from simulation.whatif.posterior import posteriors
from simulation.whatif.starting import Start, Turn, lean, live_scenario

_ANSWER_BYTES_MAX: Final = 512 * 1024 * 1024
_TIMEOUT_S: Final = 30.0


class LiveError(ValueError):
    """A live state that no forecast can begin with: says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A snapshot, and the arrivals counted by (category, channel) with their instants.

    `arrivals` None: nobody counted them.
    """

    body: bytes
    arrivals: tuple[tuple[int, str, str], ...] | None = None


def live_from_file(path: Path) -> Live:
    """Return the state of a snapshot file; raises OSError."""
    return Live(body=path.read_bytes())


def live_from_journal(path: Path, until_ms: int | None = None) -> Live:
    """Return the state after a journal or store, or as it was at an instant.

    Raises `JournalError`, OSError.
    """
    router, arrivals = Router(), []
    for entry in entries_in(path):
        stamped = entry.stamped
        if until_ms is not None and stamped.at_ms > until_ms:
            break
        router.handle(stamped)
        event = stamped.event
        if isinstance(event, ContactArrived):
            arrivals.append((stamped.at_ms, event.category, event.channel))
    return Live(body=router.snapshot(), arrivals=tuple(arrivals))


def live_from_url(url: str, token: str = "", center: str = "") -> Live:
    """Return the state of a running worker (`GET /v1/snapshot`); raises `LiveError`."""
    base = url.rstrip("/")
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise LiveError(f"{url}: write an address as http://127.0.0.1:8080")
    query = f"?{urllib.parse.urlencode({'center': center})}" if center else ""
    asked = urllib.request.Request(f"{base}/v1/snapshot{query}")  # noqa: S310 - checked above
    if token:
        asked.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
            return Live(body=answer.read(_ANSWER_BYTES_MAX))
    except urllib.error.HTTPError as error:
        try:
            told = json.loads(error.read()).get("detail", "")
        except (ValueError, AttributeError):
            told = ""
        raise LiveError(f"{url}: {error.code} {error.reason}: {told}".rstrip(": ")) from error
    except OSError as error:
        raise LiveError(f"{url}: {error}; is a worker listening there?") from error


def outlook_of(
    known: Live,
    scenario: Scenario,
    alterations: Mapping[str, Alteration],
    *,
    horizon_ms: int,
    change_in_ms: int = 0,
    leave_in_ms: int = 0,
    seed: int = 1,
    slice_ms: int = 900_000,
    seen: Mapping[str, int] | None = None,
) -> tuple[Outlook, FloorFacts]:
    """Return the outlook from a live state: nothing changed first, then each alteration.

    `seen` gives contacts that came since opening, by demand, where the source did not count them.
    Raises `LiveError`, `AlterationError`, `SnapshotError`.
    """
    body, facts = lean(known.body)
    if facts.center is None:
        raise LiveError("the snapshot holds no configuration yet; nothing was routed")
    _check_laws(scenario, facts.center)
    body, center = with_newcomers(body, facts.center, alterations.values())
    local = datetime.fromtimestamp(facts.now_ms / 1000, UTC).astimezone(ZoneInfo(scenario.zone))
    # Groups stay those of today: newcomers come by the turn, not by a shift.
    today = live_scenario(scenario, facts.center)
    today = replace(today, center=center, date=local.date().isoformat())
    now_ms = facts.now_ms - start_of(today)
    plain = Prepared(today)
    if not 0 <= now_ms < plain.length_ms:
        raise LiveError(
            f"it is {local:%H:%M} in {scenario.zone}; the scenario knows its customers from "
            f"{scenario.opens} to {scenario.closes} only"
        )
    expected = {
        source.name: 0.0
        if source.profile is None
        else float(source.profile.expected(np.array((0.0, float(now_ms))))[0])
        * burst_mean(source.demand.bursts)
        * (1 - source.demand.bot)
        for source in plain.sources
    }
    counted = dict(seen or {})
    if known.arrivals is not None:
        counted = _count(known.arrivals, plain, start_of(today)) | counted
    start = Start(
        body=body,
        now_ms=now_ms,
        horizon_ms=horizon_ms,
        posteriors=posteriors(today.busyness, expected, counted),
    )
    leave_ms = now_ms + leave_in_ms if leave_in_ms else 0
    courses = [Course(name="nothing changed", turn=Turn(at_ms=now_ms), prepared=plain)]
    for name, alteration in alterations.items():
        newcomers = tuple(alteration.newcomers(facts.center))
        at_ms = now_ms + change_in_ms
        courses.append(_course(name, alteration, plain, newcomers, at_ms, leave_ms))
    outlook = Outlook(start=start, courses=tuple(courses), seed=seed, slice_ms=slice_ms)
    return outlook, facts


def with_newcomers(
    body: bytes, center: Center, alterations: Iterable[Alteration]
) -> tuple[bytes, Center]:
    """Return a lean snapshot in which all who may come are known, signed out, and its centre.

    Who is not signed in changes no decision. So all courses begin with one state, and none of
    them needs a new configuration for people only.
    """
    added: dict[str, Agent] = {}
    for alteration in alterations:
        added |= {name: agent for name, (agent, _) in alteration.newcomers(center).items()}
    if not added:
        return body, center
    grown = replace(center, agents={**center.agents, **added}, version=center.version + 1)
    router = Router.restore(body)
    stamped = Stamped(router.seq + 1, router.now_ms, CenterChanged(grown))
    for decision in router.handle(stamped):
        if isinstance(decision, RefuseEvent):
            raise LiveError(
                f"the centre takes no {len(added)} agents more: {decision.reason.value}"
            )
    return lean(router.snapshot())[0], grown


def _check_laws(scenario: Scenario, center: Center) -> None:
    for name, demand in scenario.demand.items():
        if demand.category not in center.categories or demand.channel not in center.channels:
            raise LiveError(
                f'demand "{name}" is of {demand.category} on {demand.channel}, which the live '
                f'centre "{center.name}" does not know; give a scenario of this centre (--scenario)'
            )


def _count(
    arrivals: tuple[tuple[int, str, str], ...], prepared: Prepared, opened_ms: int
) -> dict[str, int]:
    """Count what came since opening, by demand."""
    found = Counter(
        (category, channel) for at_ms, category, channel in arrivals if at_ms >= opened_ms
    )
    return {
        source.name: found[source.demand.category, source.demand.channel]
        for source in prepared.sources
    }


def _course(
    name: str,
    alteration: Alteration,
    plain: Prepared,
    newcomers: tuple[str, ...],
    at_ms: int,
    leave_ms: int,
) -> Course:
    center = plain.scenario.center
    rules = replace(alteration, reinforcements=()).altered(center)
    changed: Center | None = None
    if rules != center:
        changed = replace(rules, version=center.version + 1)
    if alteration.center is not None and alteration.center.name != center.name:
        raise AlterationError(
            f'the configuration is of "{alteration.center.name}", the centre is "{center.name}"'
        )
    turn = Turn(
        at_ms=at_ms,
        center=changed,
        newcomers=newcomers,
        leave_ms=leave_ms,
        demand=alteration.demand,
    )
    prepared = plain if changed is None else Prepared(replace(plain.scenario, center=changed))
    return Course(name=name, turn=turn, prepared=prepared)
