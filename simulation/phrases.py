"""Say a thing once, in English, so that a page can say it in its own language.

A `Phrase` is its English text: terminal, JSON and files show it as it is. Beside that it keeps the
pattern and the values that it was made of. `report/wording` has the patterns of another language
(`names` in `words.json`, by the English ones) and fills in the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeAlias

# A plain text among the values is a name that somebody gave: it is the same in all languages.
Value: TypeAlias = "str | float | tuple[str, ...]"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 day", "1,200 days"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Phrase(str):
    """English text that knows its pattern, as "{agents} more in {where}", and its values.

    Values are shown as `str.format` shows them; several texts are joined by commas, and a phrase
    among them is said in the language of the whole.
    """

    __slots__ = ("pattern", "values")

    pattern: str
    values: Mapping[str, Value]

    def __new__(cls, pattern: str, /, **values: Value) -> Self:
        """Return the text of a pattern with its values filled in; without any it stays as it is.

        So a name may be a pattern, whatever somebody called it. Raises KeyError when the pattern
        has a place that no value fills.
        """
        made = {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
        said = super().__new__(cls, pattern.format(**made) if made else pattern)
        said.pattern, said.values = pattern, values
        return said

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Return what makes the same phrase in another process."""
        return (self.pattern,), dict(self.values)
