"""Remember what users say about columns: a small YAML file beside the planning files.

```yaml
ours:
  offered: Calls in
```

One mapping a format, our names to theirs; `switchroom import` uses it for the next file, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from configs.yaml_reader import Leaf, Mapping, YamlError, read_yaml
from simulation.fit.kinds import KINDS
from simulation.fit.layouts import Format
from simulation.fit.tables import TableError

FILE_NAME: Final = "switchroom-columns.yaml"
_NAMES: Final = frozenset(
    {name for fields in KINDS.values() for name in fields} | {"date", "period"}
)


def check_name(ours: str, where: str) -> None:
    """Raise `TableError` unless a name is one of our columns."""
    if ours not in _NAMES:
        raise TableError(
            f'{where}: "{ours}" is no column of ours; there are {", ".join(sorted(_NAMES))}'
        )


def recall(memory: Path, format_: Format) -> dict[str, str]:
    """Return the remembered columns of a format, none without a file; raises `TableError`."""
    if not memory.exists():
        return {}
    try:
        root = read_yaml(memory)
    except YamlError as error:
        raise TableError(str(error)) from error
    remembered: dict[str, str] = {}
    for name, entry in root.entries.items():
        if name not in set(Format) or not isinstance(entry.item, Mapping):
            raise TableError(f"{entry.place}: {name}: needs one of our formats with its columns")
        for ours, column in entry.item.entries.items():
            check_name(ours, str(column.place))
            if not isinstance(column.item, Leaf) or column.item.value is None:
                raise TableError(f"{column.place}: {ours}: needs the name of one column")
            if name == format_.value:
                remembered[ours] = str(column.item.value)
    return remembered


def remember(memory: Path, format_: Format, columns: dict[str, str]) -> None:
    """Keep columns of a format, beside what is kept of the others."""
    kept = {name.value: recall(memory, name) for name in Format}
    kept[format_.value] |= columns
    body = yaml.safe_dump(
        {name: found for name, found in kept.items() if found}, allow_unicode=True, sort_keys=True
    )
    memory.write_text("# Columns of planning files: our name, then the file's.\n" + body, "utf-8")
