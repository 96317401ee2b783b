"""Fit what a recording tells of patience, work, wrap-up and offers; draw from it what is unseen.

A customer who was answered after w would have waited longer than w: his patience is drawn from the
fitted hazard curve, given that it is more. One who gave up has shown no work: it is drawn from the
law of his category. Work that was cut short is drawn given what was seen of it. Each imputation
draws the parameters of the laws first, within their errors, so that what the recording leaves
open is told as uncertainty (Rubin, Multiple Imputation for Nonresponse in Surveys, 1987).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
from scipy import special

from configs.planning import Law, LawName
from router import events as e
from router.events import Event
from simulation.fit.durations import LawFit, fit_durations
from simulation.fit.handling import fit_paces
from simulation.fit.history import Ending, Visit
from simulation.fit.survival import Hazard, fit_patience
from simulation.whatif.recording import Known, OfferScript, Recording, Script
from simulation.whatif.residuals import residual_ms, total_ms
from simulation.whatif.stages import Held, Kind, Stage

Source: TypeAlias = tuple[str, str]

_FEW: Final = 5
_WORK_MS: Final = 180_000
_GAVE_UP: Final = (e.ContactAbandoned, e.ContactEnded)
_EMPIRICAL_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A law as a recording tells it: with the relative error of its mean, or with hazards."""

    law: Law
    error: float = 0.0
    hazards: tuple[Hazard, ...] = ()

    def drawn(self, normal: float, lots: Iterable[float]) -> Law:
        """Return the law with its parameters drawn within their errors."""
        if self.hazards:
            rates = tuple(
                float(special.gammaincinv(piece.events + 0.5, lot)) / piece.at_risk_minutes
                for piece, lot in zip(self.hazards, lots, strict=False)
            )
            return replace(self.law, per_minute=rates)
        factor = math.exp(self.error * normal)
        if self.law.law is LawName.EMPIRICAL:
            return self.law
        return replace(self.law, mean_ms=max(1, round(self.law.mean_ms * factor)))


@dataclass(slots=True)
class OfferLaws:
    """How offers of a channel were answered: counts, and the times of those who answered."""

    accepted_ms: list[int] = field(default_factory=list)
    declined_ms: list[int] = field(default_factory=list)
    ignored: int = 0
    connected_ms: list[int] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Return how many offers ran their course."""
        return len(self.accepted_ms) + len(self.declined_ms) + self.ignored


@dataclass(frozen=True, slots=True)
class Redial:
    """Who calls again after giving up: a share, after times (ms) as recorded."""

    share: float
    after_ms: tuple[int, ...]


class Laws:
    """Everything that is fitted to a recording."""

    def __init__(self, recording: Recording) -> None:
        self.work = _by_source(recording, Kind.SERVICE, _fit_work)
        self.wrap_up = _by_source(recording, Kind.WRAP_UP, _fit_work)
        self.patience = _by_source(recording, Kind.WAIT, _fit_patience)
        self.resolved = _resolved(recording)
        self.offers = _offers(recording)
        self.paces = _paces(recording)
        self.redial = _redial(recording)


def _by_source(
    recording: Recording, kind: Kind, fit: Callable[[list[Known]], Fitted | None]
) -> dict[Source, Fitted]:
    """Fit each source; where it tells too little, its channel, then everything."""
    groups: dict[Source, list[Known]] = defaultdict(list)
    for known in recording.known:
        if known.kind is kind and not (kind is Kind.WAIT and known.off_line):
            for key in ((known.category, known.channel), ("", known.channel), ("", "")):
                groups[key].append(known)
    found: dict[Source, Fitted] = {}
    for key in sorted(groups):
        fitted = fit(groups[key])
        if fitted is not None:
            found[key] = fitted
    return found


def _seconds(stages: Iterable[Known]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([known.script.length_ms / 1000 for known in stages], dtype=np.float64)


def _fit_work(stages: list[Known]) -> Fitted | None:
    ended = _seconds(known for known in stages if known.script.own_end)
    if len(ended) < _FEW:
        return None
    still_open = _seconds(known for known in stages if not known.script.own_end)
    best = fit_durations(ended, still_open, short_below_s=0.0).best
    if best is None or not _usable(best):
        values = np.sort(ended)[:: max(1, len(ended) // _EMPIRICAL_MAX)]
        milliseconds = tuple(int(value) for value in np.round(values * 1000))
        return Fitted(Law(law=LawName.EMPIRICAL, values_ms=milliseconds))
    law = Law(
        law=LawName(best.law.value),
        mean_ms=max(1, round(best.mean_s.value * 1000)),
        cv=best.cv.value,
    )
    error = best.mean_s.error / best.mean_s.value
    return Fitted(law, error if math.isfinite(error) else 0.0)


def _usable(fit: LawFit) -> bool:
    mean, cv = fit.mean_s.value, fit.cv.value
    return math.isfinite(mean) and 0 < mean < 1e6 and math.isfinite(cv) and 0.02 < cv < 20


def _fit_patience(stages: list[Known]) -> Fitted | None:
    waits = _seconds(stages)
    gave_up = np.array([_gave_up(known.script) for known in stages], dtype=np.bool_)
    fit = fit_patience(waits, gave_up)
    if fit.abandoned < _FEW:
        return None
    law = Law(
        law=LawName.HAZARD,
        from_ms=tuple(round(1000 * piece.from_s) for piece in fit.hazards),
        per_minute=tuple(piece.per_minute.value for piece in fit.hazards),
    )
    return Fitted(law, hazards=fit.hazards)


def _gave_up(script: Script) -> bool:
    return script.own_end and isinstance(script.said[-1].event, _GAVE_UP)


def _resolved(recording: Recording) -> dict[Source, float]:
    """Return the share of services that ended with the matter settled."""
    counts: dict[Source, Counter[bool]] = defaultdict(Counter)
    for known in recording.known:
        if known.kind is Kind.SERVICE and known.script.own_end and known.script.said:
            event = known.script.said[-1].event
            if isinstance(event, e.ContactResolved | e.ContactEnded):
                settled = isinstance(event, e.ContactResolved)
                counts[known.category, known.channel][settled] += 1
    return {key: found[True] / found.total() for key, found in counts.items()}


def _offers(recording: Recording) -> dict[str, OfferLaws]:
    laws: dict[str, OfferLaws] = defaultdict(OfferLaws)
    for channel, offer in recording.offered:
        mine = laws[channel]
        if offer.said:
            first = offer.said[0]
            accepted = isinstance(first.event, e.OfferAccepted)
            (mine.accepted_ms if accepted else mine.declined_ms).append(first.after_ms)
        elif offer.expired:
            mine.ignored += 1
    for known in recording.known:
        for said in known.script.said:
            if isinstance(said.event, e.OfferConnected):
                laws[known.channel].connected_ms.append(said.after_ms)
                break
    return dict(laws)


def _paces(recording: Recording) -> dict[str, float]:
    visits = [
        Visit(
            arrived_ms=0, category=known.category, channel=known.channel, queue="",
            ending=Ending.ANSWERED, handle_s=known.script.length_ms / 1000,
            agent=known.script.agent_id,
        )
        for known in recording.known
        if known.kind is Kind.SERVICE and known.script.own_end
    ]  # fmt: skip
    fit = fit_paces(visits, {}, short_below_s=0.0)
    return {} if fit is None else {pace.agent: pace.factor for pace in fit.agents}


def _redial(recording: Recording) -> Redial:
    gone, after = 0, []
    for known in recording.known:
        if known.kind is Kind.WAIT and _gave_up(known.script):
            gone += 1
    for known in recording.known:
        if known.kind is Kind.CLOSED:
            after += [
                said.after_ms
                for said in known.script.said
                if isinstance(said.event, e.ContactArrived)
            ]
    return Redial(len(after) / gone if gone else 0.0, tuple(sorted(after)))


class Drawn:
    """Answers for one imputation: lots belong to (seed, imputation, contact, purpose)."""

    def __init__(
        self, laws: Laws, seed: int, imputation: int, *, keeps_acceptances: bool = True
    ) -> None:
        self.laws = laws
        self._key = f"{seed}/{imputation}/".encode()
        self._keeps = keeps_acceptances
        self._chosen: dict[tuple[int, Source], Law | None] = {}
        self._again: dict[str, int] = {}

    @property
    def keeps_acceptances(self) -> bool:
        """Say whether recorded answers to offers hold."""
        return self._keeps

    def lot(self, name: str, purpose: str, number: int = 0) -> float:
        """Return the number in (0, 1) that belongs to a name and a purpose."""
        body = self._key + f"{purpose}/{number}/{name}".encode()
        drawn = hashlib.blake2b(body, digest_size=8).digest()
        return (int.from_bytes(drawn, "big") + 0.5) / 2**64

    def _law(self, laws: dict[Source, Fitted], stage: Stage) -> Law | None:
        trail = stage.contact
        key = (id(laws), (trail.category, trail.channel))
        if key not in self._chosen:
            self._chosen[key] = self._draw(laws, key[1])
        return self._chosen[key]

    def _draw(self, laws: dict[Source, Fitted], source: Source) -> Law | None:
        fitted = laws.get(source) or laws.get(("", source[1]))
        if fitted is None and laws is not self.laws.patience:
            fitted = laws.get(("", ""))
        if fitted is None:
            return None
        name = "/".join(source)
        normal = float(special.ndtri(self.lot(name, "mean")))
        return fitted.drawn(normal, (self.lot(name, "hazard", k) for k in range(32)))

    def ends(self, stage: Stage, seen: Script | None) -> tuple[int, Event] | None:
        """Return after how long a stage ends, given what was seen of it, and by what."""
        trail = stage.contact
        seen_ms = -1 if seen is None else seen.length_ms
        lot = self.lot(trail.contact_id, stage.kind.value, stage.number)
        if stage.kind is Kind.WAIT:
            law = None if trail.off_line else self._law(self.laws.patience, stage)
            if law is None:
                return None
            return _longer(law, seen_ms, lot), e.ContactAbandoned(trail.contact_id)
        if stage.kind is Kind.SERVICE:
            law = self._law(self.laws.work, stage) or Law(mean_ms=_WORK_MS)
            share = self.laws.resolved.get((trail.category, trail.channel), 1.0)
            settled = self.lot(trail.contact_id, "resolved", stage.number) < share
            ended = e.ContactResolved if settled else e.ContactEnded
            factor = 1.0 if seen is not None else self.laws.paces.get(stage.agent_id, 1.0)
            return round(_longer(law, seen_ms, lot) * factor), ended(trail.contact_id)
        if stage.kind is Kind.WRAP_UP:
            law = self._law(self.laws.wrap_up, stage)
            if law is None and seen is not None:
                return None
            after_ms = 0 if law is None else _longer(law, seen_ms, lot)
            return after_ms, e.WrapUpEnded(trail.contact_id, stage.agent_id)
        return None

    def answers(self, offer: Held, seen: OfferScript | None) -> tuple[int, Event] | None:
        """Return after how long an offer is answered, and how; None if it is ignored."""
        trail = offer.trail
        laws = self.laws.offers.get(trail.channel)
        ids = (offer.offer_id, trail.contact_id, offer.agent_id)
        if laws is None or not laws.answered:
            return 0, e.OfferAccepted(*ids)
        lot = self.lot(trail.contact_id, "answer", offer.number) * laws.answered
        when = self.lot(trail.contact_id, "reaction", offer.number)
        if lot < laws.ignored:
            return None
        declined = lot < laws.ignored + len(laws.declined_ms)
        times = laws.declined_ms if declined else laws.accepted_ms
        after_ms = times[int(when * len(times))]
        if seen is not None and after_ms <= seen.withdrawn_ms:
            longer = sorted(ms for ms in times if ms > seen.withdrawn_ms)
            after_ms = longer[int(when * len(longer))] if longer else seen.withdrawn_ms + 1
        return after_ms, (e.OfferDeclined(*ids) if declined else e.OfferAccepted(*ids))

    def connects_ms(self, stage: Stage) -> int | None:
        """Return after how long a contact is connected; None where nobody saw one connected."""
        laws = self.laws.offers.get(stage.contact.channel)
        if laws is None or not laws.connected_ms:
            return None
        lot = self.lot(stage.contact.contact_id, "connect", stage.number)
        return laws.connected_ms[int(lot * len(laws.connected_ms))]

    def redials(self, stage: Stage) -> tuple[int, Event] | None:
        """Return when a customer comes again who gave up only in this replay."""
        trail, redial = stage.contact, self.laws.redial
        if stage.exit != "abandoned" or not redial.after_ms:
            return None
        if self.lot(trail.contact_id, "redial", stage.number) >= redial.share:
            return None
        lot = self.lot(trail.contact_id, "redial-after", stage.number)
        number = self._again.get(trail.contact_id, 0) + 1
        self._again[trail.contact_id] = number
        again = e.ContactArrived(
            f"{trail.contact_id[:56]}.again{number}",
            trail.channel,
            trail.category,
            customer=trail.customer,
        )
        return redial.after_ms[int(lot * len(redial.after_ms))], again

    def factor(self, stage: Stage, seen: Script) -> float:
        """Return the pace of who does it now over that of who did it."""
        paces = self.laws.paces
        return paces.get(stage.agent_id, 1.0) / paces.get(seen.agent_id, 1.0)


def _longer(law: Law, seen_ms: int, lot: float) -> int:
    """Return a duration of the law in ms, longer than what was seen (none: -1)."""
    if seen_ms < 0:
        return max(0, round(min(total_ms(law, 0.0, lot), 1e13)))
    return seen_ms + residual_ms(law, float(seen_ms), lot)
