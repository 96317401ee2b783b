"""Keep who is on shift at closing as long as somebody waits whom he may serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.plan.phases import WAITING

if TYPE_CHECKING:
    from simulation.plan.crews import Crew
    from simulation.plan.desks import Desk, Desks


class Late:
    """Those who stay after their shift: agents with shifts, and crews.

    `wanted`, here and below: by channel, the bits of the demands in which somebody waits who is to
    be served today. An agent may serve one of them if its bit stands in his mask of the channel.
    """

    def __init__(self, desks: Desks) -> None:
        self.day = desks.day
        self.desks = desks
        self.agents: list[Desk] = []
        self.crews: list[Crew] = []

    def stay(self, desk: Desk) -> bool:
        """Let an agent stay if he is wanted, and say whether he does."""
        stays = self._is_wanted(desk, self._wanted())
        if stays:
            self.agents.append(desk)
        return stays

    def stay_on(self, crew: Crew) -> bool:
        """Let a crew stay if somebody of it is wanted, and say whether it does."""
        stays = self._are_wanted(crew, self._wanted())
        if stays:
            self.crews.append(crew)
        return stays

    def hear(self) -> None:
        """Hear that somebody waits no more: who stayed for him may go, now."""
        if self.agents or self.crews:
            self.day.clockwork.call_in(0, self._look, None)

    def go_home(self) -> None:
        """Let all go home, whoever waits."""
        self._let_go([0] * len(self.day.driver.router.floor.channel_list))

    def _look(self, _: object) -> None:
        self._let_go(self._wanted())

    def _wanted(self) -> list[int]:
        floor, customers = self.day.driver.router.floor, self.day.customers
        wanted = [0] * len(floor.channel_list)
        if not customers.waiting:
            return wanted
        for call in customers.calls.values():
            if call.phase != WAITING or not call.source.is_awaited:
                continue
            contact = floor.contacts.get(call.id)
            lane = None if contact is None else contact.lane
            if lane is not None:
                wanted[lane.demand.channel.index] |= lane.demand.bit
        return wanted

    def _is_wanted(self, desk: Desk, wanted: list[int]) -> bool:
        masks = self.day.driver.router.floor.agents[desk.agent_id].masks
        return any(mask & bits for mask, bits in zip(masks, wanted, strict=True))

    def _are_wanted(self, crew: Crew, wanted: list[int]) -> bool:
        return any(desk.signed_ms >= 0 and self._is_wanted(desk, wanted) for desk in crew.members)

    def _let_go(self, wanted: list[int]) -> None:
        crews, self.crews = self.crews, []
        for crew in crews:
            if self._are_wanted(crew, wanted):
                self.crews.append(crew)
            else:
                crew.set_size(0)
        agents, self.agents = self.agents, []
        for desk in agents:
            if desk.signed_ms < 0 or desk.after_ms < 0:
                continue
            if self._is_wanted(desk, wanted):
                self.agents.append(desk)
            else:
                self.desks.send_home(desk)
