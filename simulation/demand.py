"""Play the customers: they arrive, lose patience, answer, come back, complain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from router.decisions import CloseContact, Exit, OpenContact
from router.events import (
    CallbackRequested,
    ComplaintRaised,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactHandedOver,
    ContactMerged,
    ContactRedialled,
    ContactReopened,
    ContactUpdated,
    CustomerReplied,
    CustomerWaitEnded,
    SurveyAnswered,
)
from simulation.scenario import Demand
from simulation.stage import Contact, Phase, Stage

T = TypeVar("T")

_HOUR_MS: Final = 3_600_000
_GENERATIONS_MAX: Final = 3
_REDIALS_MAX: Final = 3


class Arrivals:
    """Produce the arrival instants of one demand.

    Arrival i is the instant at which the integrated rate reaches e_1 + ... + e_i, with unit
    exponentials e: exact inversion for piecewise constant rates. A higher rate moves contacts
    nearer without changing who they are (Cinlar, Introduction to Stochastic Processes, ch. 4).
    """

    def __init__(self, stage: Stage, demand: Demand) -> None:
        self.demand = demand
        self.number = -1
        self._stage = stage
        self._offset_ms = 0.0
        self._interval = 0

    def next_ms(self) -> int | None:
        """Return the next arrival's instant, None when the day has no more."""
        self.number += 1
        demand = self.demand
        mass = self._stage.streams.exponential(demand.name, "arrival", self.number)
        while self._interval < len(demand.rates_per_hour):
            rate = demand.rates_per_hour[self._interval] / _HOUR_MS
            end_ms = (self._interval + 1) * demand.interval_ms
            available = (end_ms - self._offset_ms) * rate
            if mass < available:
                self._offset_ms += mass / rate
                return self._stage.options.start_ms + math.ceil(self._offset_ms)
            mass -= available
            self._offset_ms = end_ms
            self._interval += 1
        return None


def choose(shares: Sequence[tuple[T, float]], uniform: float, otherwise: T) -> T:
    """Return the value in whose share the number falls, `otherwise` beyond the last."""
    for value, share in shares:
        if uniform < share:
            return value
        uniform -= share
    return otherwise


class CustomerSide:
    """Play all customers of one day."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def start(self) -> None:
        """Plan the first arrival of each demand; each plans the next."""
        for demand in self._stage.options.demands:
            self._plan(Arrivals(self._stage, demand))

    def _plan(self, arrivals: Arrivals) -> None:
        at_ms = arrivals.next_ms()
        if at_ms is not None:
            self._stage.env.call_at(at_ms, self._arrive, arrivals)

    def _arrive(self, arrivals: Arrivals) -> None:
        stage, demand, number = self._stage, arrivals.demand, arrivals.number
        self._plan(arrivals)
        if stage.healed:
            return
        person = stage.streams.uniform(demand.name, "customer", number)
        customer = f"{demand.name}-p{int(person * demand.customers)}"
        self.announce(Contact(f"{demand.name}-{number}", demand, number, customer))

    def announce(self, contact: Contact, preferred_agent: str = "") -> None:
        """Let a contact arrive, unless it did before: one follow-up, one return each."""
        stage, demand = self._stage, contact.demand
        if contact.id in stage.contacts:
            return
        contact.arrived_ms = stage.env.now_ms
        stage.contacts[contact.id] = contact
        with_bot = stage.chance(contact, "bot", stage.options.customers.meets_bot)
        if with_bot:
            contact.phase = Phase.SELF_SERVICE
            wait_ms = stage.duration_ms(contact, stage.options.customers.bot, "bot-for")
            stage.env.call_in(max(1, wait_ms), self._leave_bot, contact)
        else:
            self._lose_patience_later(contact)
        customers = stage.options.customers
        if stage.chance(contact, "update-waiting", customers.updates):
            self._later(contact, "update-after", 20_000, self._update)
        if stage.chance(contact, "merge-waiting", customers.merges):
            self._later(contact, "merge-after", 20_000, self._merge)
        if stage.chance(contact, "ask-callback", customers.asks_callback):
            self._later(contact, "ask-callback-after", 40_000, self._ask_callback)
        own = demand.own_skills
        skill = choose(
            [((name, level), share) for name, level, share in own],
            stage.uniform(contact, "own-skill"),
            ("", 0),
        )
        stage.emit(
            ContactArrived(
                contact_id=contact.id,
                channel=demand.channel,
                category=demand.category,
                priority=choose(demand.priorities, stage.uniform(contact, "priority"), -1),
                customer=contact.customer,
                tier=choose(demand.tiers, stage.uniform(contact, "tier"), ""),
                language=choose(demand.languages, stage.uniform(contact, "language"), ""),
                preferred_agent=preferred_agent
                or choose(demand.preferred_agents, stage.uniform(contact, "preferred"), ""),
                skills={skill[0]: skill[1]} if skill[0] else {},
                bot="bot" if with_bot else "",
            )
        )

    def _leave_bot(self, contact: Contact) -> None:
        """Be content with what the bot said, give up, or ask for somebody."""
        stage, customers = self._stage, self._stage.options.customers
        if contact.phase is not Phase.SELF_SERVICE:
            return
        lot = stage.uniform(contact, "bot-end")
        if lot < customers.bot_settles:
            stage.emit(ContactEnded(contact.id))
        elif lot > 0.95:
            stage.emit(ContactAbandoned(contact.id))
        else:
            stage.emit(ContactHandedOver(contact.id))

    def opened(self, decision: OpenContact, origin: Contact | None) -> None:
        """Hear that the router opened a contact; its origin may be long forgotten here."""
        stage = self._stage
        model, number, generation = stage.options.demands[0], 0, 0
        if origin is not None:
            model, number, generation = origin.demand, origin.number, origin.generation
        demand = replace(model, channel=decision.channel, category=decision.category, patience=None)
        contact = Contact(decision.contact_id, demand, number, decision.customer, generation + 1)
        contact.arrived_ms = stage.env.now_ms
        contact.called_back = True
        stage.contacts[contact.id] = contact

    def _later(self, contact: Contact, purpose: str, mean_ms: int, act: object) -> None:
        assert callable(act)
        wait = -math.log1p(-self._stage.uniform(contact, purpose)) * mean_ms
        self._stage.env.call_in(max(1, round(wait)), act, contact)

    # --- while waiting --------------------------------------------------------------

    def _lose_patience_later(self, contact: Contact) -> None:
        law = contact.demand.patience
        contact.patience_over = False
        if law is not None and not contact.called_back:
            wait_ms = self._stage.duration_ms(contact, law, "patience", contact.spell)
            self._stage.env.call_in(wait_ms, self._lose_patience, (contact, contact.spell))

    def _lose_patience(self, subject: tuple[Contact, int]) -> None:
        contact, spell = subject
        if contact.spell != spell or contact.called_back:
            return
        if contact.phase in (Phase.ANNOUNCED, Phase.WAITING, Phase.CONNECTING):
            self._stage.emit(ContactAbandoned(contact.id))
        else:
            contact.patience_over = True

    def enqueued(self, contact: Contact) -> None:
        """Hear that the contact waits: anew after a time with an agent, or for the first time."""
        before, contact.phase = contact.phase, Phase.WAITING
        if before is Phase.SELF_SERVICE:
            self._lose_patience_later(contact)
        elif before not in (Phase.ANNOUNCED, Phase.WAITING, Phase.CALLBACK):
            contact.spell += 1
            self._lose_patience_later(contact)

    def requeued(self, contact: Contact) -> None:
        """Hear that the contact is back at its old place; patience goes on."""
        contact.phase = Phase.WAITING
        if contact.patience_over:
            contact.spell += 1
            self._lose_patience_later(contact)

    def _update(self, contact: Contact) -> None:
        stage = self._stage
        if contact.phase is Phase.CLOSED or stage.healed:
            return
        kind = stage.uniform(contact, "update-kind")
        tiers = stage.center.tiers
        categories = sorted(stage.center.categories)
        pick = stage.uniform(contact, "update-pick")
        if kind < 0.4:
            stage.emit(ContactUpdated(contact.id, priority=int(pick * 10)))
        elif kind < 0.7 and tiers:
            stage.emit(ContactUpdated(contact.id, tier=tiers[int(pick * len(tiers))]))
        else:
            category = categories[int(pick * len(categories))]
            stage.emit(ContactUpdated(contact.id, category=category))

    def _merge(self, contact: Contact) -> None:
        stage = self._stage
        if contact.phase is Phase.CLOSED or stage.healed:
            return
        others = [other for other in stage.open_contacts() if other is not contact]
        if others:
            other = others[int(stage.uniform(contact, "merge-into") * len(others))]
            stage.emit(ContactMerged(contact.id, other.id))

    def _ask_callback(self, contact: Contact) -> None:
        if contact.phase is Phase.WAITING and not contact.called_back and not self._stage.healed:
            self._request_callback(contact)

    def callback_offered(self, contact: Contact) -> None:
        """Hear the offer of a callback: take it or leave it."""
        stage = self._stage
        share = stage.options.customers.takes_callback
        if not stage.healed and stage.chance(contact, "take-callback", share):
            self._later(contact, "take-callback-after", 4_000, self._ask_callback)

    def _request_callback(self, contact: Contact) -> None:
        stage = self._stage
        due_at_ms = 0
        if stage.chance(contact, "callback-dated", 0.5):
            law = stage.options.customers.callback_delay
            due_at_ms = stage.env.now_ms + stage.duration_ms(contact, law, "callback-delay")
        stage.emit(CallbackRequested(contact.id, due_at_ms=due_at_ms))

    # --- while the matter waits on the customer -----------------------------------------

    def awaited(self, contact: Contact) -> None:
        """Hear that the agent waits for an answer."""
        contact.phase = Phase.AWAITED
        stage = self._stage
        wait_ms = stage.duration_ms(contact, stage.options.customers.reply, "reply", contact.turn)
        stage.env.call_in(wait_ms, self._reply, (contact, contact.token))

    def _reply(self, subject: tuple[Contact, int]) -> None:
        contact, token = subject
        stage = self._stage
        if contact.token != token or contact.phase is not Phase.AWAITED or stage.healed:
            return
        if stage.chance(contact, "answers", stage.options.customers.answers_back, contact.turn):
            stage.emit(CustomerReplied(contact.id))
        else:
            stage.emit(CustomerWaitEnded(contact.id))

    # --- afterwards ------------------------------------------------------------------------

    def closed(self, contact: Contact, decision: CloseContact) -> None:
        """Hear the end; some come back."""
        stage, customers = self._stage, self._stage.options.customers
        contact.phase = Phase.CLOSED
        if stage.healed:
            return
        if decision.exit is Exit.ABANDONED:
            if contact.redials < _REDIALS_MAX and stage.chance(
                contact, "redial", customers.redials, contact.redials
            ):
                delay_ms = stage.duration_ms(
                    contact, customers.redial_delay, "redial-after", contact.redials
                )
                contact.redials += 1
                stage.env.call_in(delay_ms, self._redial, contact)
            return
        if decision.exit is not Exit.HANDLED:
            return
        delay_ms = stage.duration_ms(contact, customers.return_delay, "return-after")
        if contact.turn < 4 and stage.chance(contact, "reopen", customers.reopens, contact.turn):
            stage.env.call_in(delay_ms, self._reopen, contact)
        elif stage.chance(contact, "repeat", customers.repeats):
            stage.env.call_in(delay_ms, self._come_again, contact)
        late = max(customers.complains / 2, customers.complains_late)
        if stage.chance(contact, "complain-after", late):
            stage.env.call_in(delay_ms + 1, self._complain, contact)

    def _redial(self, contact: Contact) -> None:
        stage = self._stage
        if stage.healed:
            return
        share = stage.options.customers.redials_anew
        if contact.generation < _GENERATIONS_MAX and stage.chance(
            contact, "redial-anew", share, contact.redials
        ):
            self._come_again(contact)
        else:
            stage.emit(ContactRedialled(contact.id))

    def _reopen(self, contact: Contact) -> None:
        if not self._stage.healed:
            self._stage.emit(ContactReopened(contact.id))

    def _complain(self, contact: Contact) -> None:
        if not self._stage.healed:
            self._stage.emit(ComplaintRaised(contact.id))

    def _come_again(self, contact: Contact) -> None:
        if contact.generation < _GENERATIONS_MAX and not self._stage.healed:
            self.announce(
                Contact(
                    f"{contact.demand.name}-{contact.number}-r{contact.generation + 1}",
                    contact.demand,
                    contact.number,
                    contact.customer,
                    contact.generation + 1,
                )
            )

    def follow_up(self, contact: Contact) -> None:
        """Hear that a follow-up is wanted: it arrives as a contact for the same agent."""
        self._later(contact, "follow-up-after", 60_000, self._follow_up)

    def _follow_up(self, contact: Contact) -> None:
        follow_up = f"{contact.demand.name}-{contact.number}-f{contact.generation + 1}"
        if contact.generation < _GENERATIONS_MAX and not self._stage.healed:
            self.announce(
                Contact(
                    follow_up,
                    contact.demand,
                    contact.number,
                    contact.customer,
                    contact.generation + 1,
                ),
                contact.last_agent_id,
            )

    def surveyed(self, contact: Contact) -> None:
        """Hear the question how it was; some answer."""
        stage, customers = self._stage, self._stage.options.customers
        if stage.chance(contact, "survey", customers.answers_survey):
            delay_ms = stage.duration_ms(contact, customers.survey_delay, "survey-after")
            stage.env.call_in(delay_ms, self._answer_survey, contact)

    def _answer_survey(self, contact: Contact) -> None:
        stage = self._stage
        unhappy = stage.chance(contact, "unhappy", stage.options.customers.unhappy)
        score = 1 + int(stage.uniform(contact, "score") * 2) + (0 if unhappy else 3)
        stage.emit(SurveyAnswered(contact.id, score=min(score, 5), resolved=not unhappy))
