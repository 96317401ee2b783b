"""Keep what a search knows on its way: plans played both ways, cuts, what is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from simulation.phrases import Phrase
from simulation.staffing.confirming import Bench, Try, lacking
from simulation.staffing.deadline import Deadline
from simulation.staffing.master import Cut, Master
from simulation.staffing.spaces import Plan
from simulation.staffing.trials import Trials, Verdict, tolerance

Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """Say how much is played: days of a plan, fresh days of a confirmation, plans tried."""

    days: int = 20
    confirm_days: int = 60
    rounds: int = 14
    confidence: float = 0.9


@dataclass
class Hunt:
    """What is known on the way. `asked`: what a plan must have to spare as a surrogate, by need.

    `live`: in the order in which plans were played with the live core.
    """

    trials: Trials
    master: Master
    effort: Effort
    bench: Bench
    tell: Tell
    asked: list[float]
    ceiling: float
    bound: float
    deadline: Deadline
    cuts: list[Cut] = field(default_factory=list)
    tried: list[Verdict] = field(default_factory=list)
    held: dict[Plan, Verdict] = field(default_factory=dict)
    live: dict[Plan, Verdict] = field(default_factory=dict)
    extra: list[float] = field(default_factory=list)
    failed: dict[Plan, Try] = field(default_factory=dict)

    def cost(self, plan: Plan) -> float:
        """Return what a plan costs a day."""
        return self.master.space.cost_of(plan)

    def known(self) -> list[Plan]:
        """Return the plans that held with the live core and did not fail on fresh days."""
        return [plan for plan, one in self.live.items() if one.meets and plan not in self.failed]

    def lacked(self, one: Verdict) -> list[float]:
        """Return what live days lack, by need, of what is wanted now."""
        return lacking(one.margins, one.days, self.extra, self.effort.confirm_days)

    def judge(self, plan: Plan) -> Verdict:
        """Play surrogate days of a plan and say whether it holds."""
        verdict = self.trials.judge(plan, self.asked)
        self.tried.append(verdict)
        self.told(Phrase("plan {number}", number=len(self.tried)), verdict)
        if verdict.meets:
            self.held[plan] = verdict
        return verdict

    def ask_more(self, lacked: Sequence[float]) -> None:
        """Ask for what was lacking, of the needs that lacked it."""
        for index, missing in enumerate(lacked):
            if missing > 0:
                more = max(missing, 0.1 * tolerance(self.master.needs[index]))
                self.extra[index] += more
                self.asked[index] += more
        self.renew()

    def renew(self) -> None:
        """Judge anew who held before something else was asked."""
        again = [self.trials.judge(plan, self.asked) for plan in self.held]
        self.held = {verdict.plan: verdict for verdict in again if verdict.meets}

    def told(self, what: str, verdict: Verdict) -> None:
        """Tell what came of a plan."""
        worst = min(range(len(verdict.margins)), key=lambda index: verdict.margins[index].mean)
        self.tell(
            Phrase(
                "{what}: cost {cost:,.1f} {verdict}; least to spare {spare:+.2f} points, {need} "
                "({days} days)",
                what=what,
                cost=self.cost(verdict.plan),
                verdict=Phrase("holds") if verdict.meets else Phrase("falls short"),
                spare=100 * verdict.margins[worst].mean,
                need=self.master.needs[worst].name,
                days=verdict.days,
            )
        )
