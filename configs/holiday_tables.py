"""Look up public holidays, and the weekend days worked in lieu, in the `holidays` library.

The library knows the days that a government moves (调休) only for years whose notice it has
seen, and says nothing about the others. Here such a year is told, loudly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holidays import HolidayBase

_LANGUAGE: Final = "en_US"
_SHOWN_MAX: Final = 60
_ESTIMATED: Final = "estimated"


@dataclass(frozen=True)
class HolidayTable:
    """The days of one country in some years.

    `worked` maps each weekend day worked in lieu to the weekday off that it stands for (None
    where the library does not tell). `doubts` are sentences about what is not known.
    """

    closed: Mapping[date, str]
    worked: Mapping[date, date | None]
    doubts: tuple[str, ...]
    source: str


class UnknownCountryError(ValueError):
    """A country or a part of one that the library does not know; `known` are those it does.

    `field` is the field of `router.center.Holidays` that names it.
    """

    def __init__(self, field: str, message: str, known: list[str]) -> None:
        super().__init__(message)
        self.field = field
        self.known = known


def look_up(country: str, subdivision: str, years: tuple[int, ...]) -> HolidayTable:
    """Return the public holidays of a country; raises `UnknownCountryError`."""
    # Half a second and 14 MB that only a calendar with holidays should cost.
    import holidays  # noqa: PLC0415

    known = holidays.list_supported_countries()
    if country not in known:
        message = f'no country "{country[:40]}"; write its two letters (ISO 3166-1), as CN'
        raise UnknownCountryError("country", message, sorted(known))
    if subdivision and subdivision not in known[country]:
        parts = ", ".join(sorted(known[country])[:_SHOWN_MAX]) or "none"
        message = f'no subdivision "{subdivision[:40]}" of {country}; known are {parts}'
        raise UnknownCountryError("subdivision", message, sorted(known[country]))
    entity = getattr(holidays, country)
    found: HolidayBase = holidays.country_holidays(
        country,
        subdiv=subdivision or None,
        years=years,
        language=_LANGUAGE if _LANGUAGE in entity.supported_languages else None,
    )
    closed = {day: name for day, name in sorted(found.items()) if day.year in years}
    in_lieu = _substitutes(found, closed)
    # The library writes the other date as its language does; ours is the same everywhere.
    closed |= {off: f"day off, worked on {worked}" for worked, off in in_lieu.items()}
    worked = {day: in_lieu.get(day) for day in sorted(found.weekend_workdays) if day.year in years}
    where = f"{country}-{subdivision}" if subdivision else country
    return HolidayTable(
        closed, worked, _doubts(found, closed, where, years),
        f"holidays {version('holidays')} {where}",
    )  # fmt: skip


def _substitutes(found: HolidayBase, closed: Mapping[date, str]) -> dict[date, date]:
    """Return, for each weekend day worked in lieu, the day off that it stands for."""
    label = getattr(found, "substituted_label", None)
    form = getattr(found, "substituted_date_format", None)
    if label is None or form is None:
        return {}
    text, form = found.tr(label), found.tr(form)
    match = re.compile(re.escape(text).replace("%s", "(.+)")).fullmatch
    substitutes = {}
    for day, names in closed.items():
        for name in names.split("; "):
            said = match(name)
            if said is not None:
                worked = datetime.strptime(said.group(1), form)  # noqa: DTZ007  # a date
                substitutes[worked.date()] = day
    return substitutes


def _doubts(
    found: HolidayBase, closed: Mapping[date, str], where: str, years: tuple[int, ...]
) -> tuple[str, ...]:
    doubts = []
    moved = getattr(found, "special_public_holidays", {})
    if found.has_substituted_holidays and moved:
        newest = max(moved)
        doubts += [
            f"the days that {where} moves in {year} are not published in holidays "
            f"{version('holidays')} (it ends with {newest}): moved days off and workdays are "
            "missing; update the library when they are out, or write them under exceptions"
            for year in years
            if year > newest
        ]
    for year in years:
        of_year = {day: name for day, name in closed.items() if day.year == year}
        if not of_year:
            doubts.append(f"no holidays of {where} are known for {year}; write them as exceptions")
        estimated = sorted(day for day, name in of_year.items() if _ESTIMATED in name)
        if estimated:
            doubts.append(
                f"{len(estimated)} holidays of {where} in {year} are estimated, the first on "
                f"{estimated[0]}; correct them under exceptions when they are announced"
            )
    return tuple(doubts)
