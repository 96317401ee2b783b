"""Bring a changed configuration into running centres: all of it valid, or nothing changes.

Files are read and checked first, for all centres at once; then each centre journals its new
version as `CenterChanged`, so that a replay meets it at the same place. What was wrong is told
with its place, and the old configuration stays in force.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from router.events import CenterChanged
from streams.desk import Desk, Problem
from streams.ports import StoreError
from streams.service import CenterMismatchError

_NS_PER_S: Final = 1_000_000_000


class ReloadError(Exception):
    """Configuration files that cannot be taken: every mistake with its place."""


class Handover(Struct, frozen=True):
    """How a running centre takes a configuration over: see `router.events.CenterChanged`."""

    moves: dict[str, str] = {}
    drain: tuple[str, ...] = ()
    rebase: bool = False


def load_centers(config: Path, only: str, handed: Handover) -> dict[str, CenterChanged]:
    """Load the centre of a directory, or of each of its directories; raises `ReloadError`.

    `only` names some of them, with commas; "" is all.
    """
    from configs.loader import ConfigError, load_center  # noqa: PLC0415 - heavy, and at start only

    directories = [config]
    if config.is_dir() and not any(config.glob("*.yaml")):
        directories = sorted({path.parent for path in config.glob("*/*.yaml")}) or [config]
    loaded: dict[str, CenterChanged] = {}
    faults: list[str] = []
    for directory in directories:
        try:
            center = load_center(directory).center
        except ConfigError as error:
            faults.append(str(error))
            continue
        if center.name in loaded:
            faults.append(f"{directory}: a second centre is called {center.name!r}; rename one")
        loaded[center.name] = CenterChanged(center, handed.moves, handed.drain, handed.rebase)
    chosen = {name.strip() for name in only.split(",") if name.strip()}
    if not faults and (unknown := chosen - loaded.keys()):
        known = ", ".join(loaded)
        faults.append(f"{config}: no centre is called {', '.join(sorted(unknown))}; there: {known}")
    if faults:
        raise ReloadError("\n".join(faults))
    return {name: one for name, one in loaded.items() if not chosen or name in chosen}


class Report(Struct, frozen=True):
    """What a reload came to; `centers` says for each what became of it."""

    successful: bool
    centers: dict[str, str]
    told: str = ""


class Reloader:
    """Reload all centres of a process, one reload after the other.

    `successful` and `success_s` (seconds since the epoch) are what metrics show; the start counts
    as the first success.
    """

    def __init__(
        self,
        load: Callable[[Handover], Mapping[str, CenterChanged]],
        announce: Callable[[str], None],
    ) -> None:
        self.successful = True
        self.success_s = time.time_ns() // _NS_PER_S
        self.reloads = 0
        self.told = ""
        self._load = load
        self._announce = announce
        self._desks: Sequence[Desk] = ()
        self._one_at_a_time = asyncio.Lock()

    def attend(self, desks: Sequence[Desk]) -> None:
        """Say which centres there are."""
        self._desks = desks

    def facts(self) -> dict[str, Any]:
        """Return how the last reload went."""
        facts = {"successful": self.successful, "success_timestamp_seconds": self.success_s}
        return facts | ({"told": self.told} if self.told else {})

    async def reload(self, handed: Handover | None = None) -> Report:
        """Read the files again and put what changed in force; never raises."""
        async with self._one_at_a_time:
            report = await self._reload(handed or Handover())
        self.reloads += 1
        self.successful, self.told = report.successful, report.told
        if report.successful:
            self.success_s = time.time_ns() // _NS_PER_S
        for name, became in report.centers.items():
            self._announce(f"reload: {name}: {became}")
        if report.told:
            self._announce(f"reload failed, the old configuration stays: {report.told}")
        return report

    async def _reload(self, handed: Handover) -> Report:
        try:
            configured = await asyncio.to_thread(self._load, handed)
        except ReloadError as error:
            return Report(False, {}, str(error))  # noqa: FBT003 - failed
        ours = {desk.name for desk in self._desks}
        if ours != configured.keys():
            told = ", ".join(sorted(ours ^ configured.keys()))
            return Report(False, {}, f"centres came or went ({told}); restart the worker")  # noqa: FBT003 - failed
        faults: list[str] = []
        for desk in self._desks:
            if (worker := desk.worker) is not None:
                try:
                    worker.service.is_new(configured[desk.name])
                except CenterMismatchError as error:
                    faults.append(str(error))
        if faults:
            return Report(False, {}, "; ".join(faults))  # noqa: FBT003 - failed
        became: dict[str, str] = {}
        for desk in self._desks:
            try:
                became[desk.name] = await _change(desk, configured[desk.name])
            except (CenterMismatchError, StoreError) as error:
                faults.append(str(error))
            except Problem as problem:
                faults.append(f"{desk.name}: {problem.detail}")
        return Report(not faults, became, "; ".join(faults))


async def _change(desk: Desk, configured: CenterChanged) -> str:
    if desk.standing_by:
        return "another process has it; it takes the new version over from the journal"
    entry = await desk.change_center(configured)
    if entry is None:
        return "unchanged"
    return f"version {configured.center.version} in force from seq {entry.stamped.seq} on"
