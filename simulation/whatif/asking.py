"""Replay a recording many times with a change, and say what the replays say together.

Each replay is one imputation: it draws what the recording does not show. With recorded acceptances
differences are taken from the recording itself; with drawn ones, and for a list of calls, in which
nobody wrote down what was decided, from a replay of the same lots without the change.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from simulation.phrases import Phrase
from simulation.plan.processes import Processes
from simulation.whatif.altering import Alteration
from simulation.whatif.comparing import (
    ChangedContact,
    Compared,
    Row,
    Told,
    changed_contacts,
    reproduced_in,
    rows_of,
)
from simulation.whatif.laws import Drawn, Laws
from simulation.whatif.outcomes import Outcomes
from simulation.whatif.recording import Recording
from simulation.whatif.replaying import Replay

_INTERVAL_MS: Final = 1_800_000


class NotRepeatedError(Exception):
    """A recording that the core, under its own rules, does not repeat: says where."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a what-if says. `same_digest`: without a change the core repeats the recording.

    `listed`: it was a list of calls, without decisions. `reproduced`: where there are replays
    without the change, (as it happened, as they have it) of the shares that gave up and waited,
    and of the mean wait in seconds.
    """

    change: str
    acceptances: str
    imputations: int
    seed: int
    entries: int
    contacts: int
    digest: str
    same_digest: bool
    sentence: str
    rows: tuple[Row, ...]
    promises: dict[str, tuple[int, float]]
    contacts_changed: tuple[ChangedContact, ...]
    changed: float
    notes: tuple[str, ...] = ()
    interval_ms: int = _INTERVAL_MS
    first_ms: int = 0
    listed: bool = False
    reproduced: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A recording with a change, and how it is asked: all that a process needs."""

    recording: Recording
    laws: Laws
    alteration: Alteration
    seed: int
    keeps_acceptances: bool = True
    interval_ms: int = _INTERVAL_MS

    @property
    def starts_anew(self) -> bool:
        """Say whether a replay without the change is one draw among others, too."""
        return self.recording.listed or not self.keeps_acceptances

    def play(self, alteration: Alteration, imputation: int) -> Told:
        """Play one imputation of an alteration."""
        lots = Drawn(self.laws, self.seed, imputation, keeps_acceptances=self.keeps_acceptances)
        outcomes = Outcomes()
        replay = Replay(
            self.recording,
            lots,
            center=alteration.altered,
            more=alteration.events(self.recording, lots),
            drop=lambda said: alteration.drops(said, lots),
            hear=outcomes.fold,
        )
        replay.run()
        return Told(outcomes.finish(self.recording.end_ms), outcomes.breached)


def is_repeated(recording: Recording, laws: Laws) -> bool:
    """Say whether a replay without a change gives the recorded digest."""
    replay = Replay(recording, Drawn(laws, 0, 0), keeps_digest=True)
    replay.run()
    return replay.digest.hexdigest() == recording.digest.hexdigest()


# --- many replays -------------------------------------------------------------------------

_question: Question | None = None


def _take(body: bytes) -> None:
    global _question  # noqa: PLW0603 - one question a process, sent once and not with each task
    _question = pickle.loads(body)  # noqa: S301 - made by this very module


def _play_pair(imputation: int) -> tuple[Told, Told | None]:
    assert _question is not None, "a process is given its question first"
    return play_pair(_question, imputation)


def play_pair(question: Question, imputation: int) -> tuple[Told, Told | None]:
    """Play an imputation with the change and, where it is not the recording, without it."""
    after = question.play(question.alteration, imputation)
    before = None
    if question.starts_anew:
        before = question.play(Alteration(), imputation)
    return after, before


def play_all(
    question: Question, imputations: int, workers: int
) -> Iterator[tuple[Told, Told | None]]:
    """Yield all imputations in order, on some processes."""
    if workers <= 1 or imputations == 1:
        for number in range(imputations):
            yield play_pair(question, number)
        return
    crew = Processes(workers, _take, (pickle.dumps(question, protocol=5),))
    try:
        played = [crew.submit(_play_pair, number) for number in range(imputations)]
        yield from (future.result() for future in played)
    finally:
        crew.end()


def ask(question: Question, happened: Outcomes, imputations: int = 20, workers: int = 1) -> Answer:
    """Replay with the change and lay the outcomes beside what happened.

    Raises `NotRepeatedError` when the core does not repeat the recording under its own rules.
    """
    recording = question.recording
    if not recording.listed and not is_repeated(recording, question.laws):
        raise NotRepeatedError(
            "the recording is not repeated by this version of the core under its own rules; run "
            "`switchroom replay` on it: it says at which seq the decisions part"
        )
    seen = Told(happened.finish(recording.end_ms), happened.breached)
    pairs = [(after, before or seen) for after, before in play_all(question, imputations, workers)]
    rows = rows_of(seen, pairs, recording.first_ms, question.interval_ms)
    changed, told = changed_contacts(seen, pairs)
    change = question.alteration.told or Phrase("no change")
    listed = recording.listed
    breached = {
        name: (
            seen.breached.get(name, 0),
            sum(after.breached.get(name, 0) for after, _ in pairs) / len(pairs),
        )
        for name in sorted(
            {*seen.breached, *(name for after, _ in pairs for name in after.breached)}
        )
    }
    return Answer(
        change=change,
        acceptances="drawn" if question.starts_anew else "recorded",
        imputations=imputations,
        seed=question.seed,
        entries=recording.entries,
        contacts=len(seen.contacts),
        digest="" if listed else recording.digest.hexdigest(),
        same_digest=not listed,
        sentence=sentence_of(change, rows[0], changed),
        rows=rows,
        promises=breached,
        contacts_changed=told,
        changed=changed,
        interval_ms=question.interval_ms,
        first_ms=recording.first_ms,
        listed=listed,
        reproduced=reproduced_in(seen, pairs) if question.starts_anew else {},
    )


def sentence_of(change: str, whole: Row, changed: float) -> str:
    """Answer in one sentence: who would have given up, and been answered in time, instead of who.

    `changed`: how many contacts end otherwise, on average.
    """
    level, gone = whole.service_level, whole.abandoned
    moved = [level.difference or 0.0, gone.difference or 0.0, changed]
    if not any(moved):
        return Phrase("With {change}, nothing would have been different.", change=change)
    assert gone.without is not None, "counts are always there"
    assert gone.would_be is not None, "counts are always there"
    in_time: str = ""
    if level.without is not None and level.would_be is not None:
        in_time = Phrase(
            ", and {level:.1%} instead of {was:.1%} would have been answered in time "
            "({difference} points)",
            level=level.would_be, was=level.without, difference=_signed(level, 100.0, 1),
        )  # fmt: skip
    return Phrase(
        "With {change}, {gone:.1f} contacts would have given up instead of {was} ({difference})"
        "{in_time}.",
        change=change, gone=gone.would_be, was=_plain(gone.without),
        difference=_signed(gone, 1.0, 1), in_time=in_time,
    )  # fmt: skip


def _plain(count: float) -> str:
    """Return a count as it was, or the mean of replays."""
    return f"{count:.0f}" if count == round(count) else f"{count:.1f}"


def _signed(compared: Compared, unit: float, digits: int) -> str:
    if compared.difference is None or compared.half_width is None:
        return Phrase("not known")
    return f"{compared.difference * unit:+.{digits}f} ± {compared.half_width * unit:.{digits}f}"
