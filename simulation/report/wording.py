"""Say things in English or Chinese: the words stand in `words.json`, one entry a key."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from simulation.phrases import Phrase, Value
from simulation.plan.answers import Figure

LANGUAGES: Final = ("en", "zh")
_FILE: Final = Path(__file__).parent / "words.json"


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f'language "{language}": known are {", ".join(LANGUAGES)}')
        self.language = language
        self._words = read_words()[language]
        self._names: dict[str, str] = read_words()["names"].get(language, {})

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of a key with its values filled in, phrases in this language."""
        return str(self._words[key]).format(
            **{place: self._value(value) for place, value in values.items()}
        )

    def name(self, text: str) -> str:
        """Return what a study says (a phrase, a measure, a kind of cost) in this language."""
        if isinstance(text, Phrase) and text.values:
            pattern = self._names.get(text.pattern, text.pattern)
            return pattern.format(
                **{place: self._value(value) for place, value in text.values.items()}
            )
        return self._names.get(text, text)

    def _value(self, value: Value) -> Value:
        """Return a value of a phrase; what somebody named stays as it is."""
        if isinstance(value, tuple):
            return self("comma").join(str(self._value(part)) for part in value)
        return self.name(value) if isinstance(value, Phrase) else value

    def share(self, figure: Figure) -> str:
        """Return a share with the half-width of its interval in points."""
        if figure.value is None:
            return "–"
        if figure.low is None:
            return f"{figure.value:.1%}"
        return self("share", value=f"{figure.value:.1%}", reach=f"{100 * figure.half_width:.1f}")

    def number(self, figure: Figure, digits: int = 1) -> str:
        """Return a number with the half-width of its interval."""
        if figure.value is None:
            return "–"
        if figure.low is None:
            return f"{figure.value:,.{digits}f}"
        return f"{figure.value:,.{digits}f} ± {figure.half_width:,.{digits}f}"

    def duration(self, milliseconds: float) -> str:
        """Return a duration in seconds, minutes or hours, whichever reads best."""
        seconds = milliseconds / 1000
        if seconds < 120:
            return self("seconds", value=f"{seconds:g}")
        if seconds < 7200:
            return self("minutes", value=f"{seconds / 60:.3g}")
        return self("hours", value=f"{seconds / 3600:.3g}")


@cache
def read_words() -> dict[str, dict[str, Any]]:
    """Return the words of all languages."""
    read: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read
