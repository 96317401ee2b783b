"""Generate the JSON Schemas that we publish, from the types that the code runs on.

Written are `config.schema.json` (for editors; one schema for every file of a configuration),
`scenario.schema.json` (the same for a planner's scenario),
`events/<tag>/1.json` and `decisions/<tag>/1.json` (JSON Schema 2020-12). Schemas of what we
produce are closed: unknown keys are refused, except those that begin with `x_`, so that a later
version with one optional field more stays compatible with its readers.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from pydantic import TypeAdapter

from configs.durations import PATTERN as DURATION_PATTERN
from configs.planning import ScenarioFile
from configs.shapes import DURATION_SUFFIX, GROUP_SIZE_MAX, SHORTHANDS, CenterFiles
from configs.weekly_hours import DAYS_PATTERN, SPAN_PATTERN
from router.center import CHANNEL_KINDS
from router.decisions import DECISION_TYPES
from router.events import EVENT_TYPES
from router.ranges import (
    CALENDAR_YEARS,
    CALENDAR_YEARS_MAX,
    CHANNEL_MAX,
    LEVELS,
    NAME_PATTERN,
    RANGES,
    WARNINGS,
    WEIGHTS,
)

Schema: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
CONFIG_FILE: Final = "config.schema.json"
SCENARIO_FILE: Final = "scenario.schema.json"
VERSION: Final = 1

_EXTENSIONS: Final[Schema] = {"^x_": {}}
_LEVEL_MAPS: Final = ("needs", "lower", "skills")
_RANGES: Final = {
    **RANGES,
    "CenterFiles": RANGES["Center"],
    "AgentGroup": {**RANGES["Agent"], "count": (1, GROUP_SIZE_MAX), "first": (0, GROUP_SIZE_MAX)},
}


def config_schema() -> Schema:
    """Return the schema of one configuration file: any part of a centre, unknown keys refused."""
    schema = TypeAdapter(CenterFiles).json_schema()
    definitions: Schema = schema.pop("$defs")
    for name, part in definitions.items():
        if "properties" in part:
            definitions[name] = _as_written(name, part)
    top = _as_written("CenterFiles", schema)
    # A centre is spread over files, so none of them holds all that is required.
    top.pop("required", None)
    for name, part in top["properties"].items():
        if "additionalProperties" in part and name != "channels":
            part["propertyNames"] = {"pattern": f"^{NAME_PATTERN}$"}
    top["properties"]["channels"]["propertyNames"] = {"enum": list(CHANNEL_KINDS)}
    top["title"] = "switchroom configuration"
    top["description"] = (
        "One file of a centre's configuration; a top-level key is in one file only."
    )
    return {"$schema": DIALECT, "$id": "urn:switchroom:config", **top, "$defs": definitions}


def scenario_schema() -> Schema:
    """Return the schema of a scenario file: whole, or a base and what changes."""
    schema = TypeAdapter(ScenarioFile).json_schema()
    definitions: Schema = schema.pop("$defs")
    for name, part in definitions.items():
        if "properties" in part:
            definitions[name] = _as_written(name, part)
    top = _as_written("ScenarioFile", schema)
    top["title"] = "switchroom scenario"
    top["anyOf"] = [{"required": ["base"]}, {"required": ["center", "date", "demand"]}]
    return {"$schema": DIALECT, "$id": "urn:switchroom:scenario", **top, "$defs": definitions}


def _as_written(name: str, part: Schema) -> Schema:
    """Turn the schema of a dataclass into that of its YAML: ranges, and both ways of durations."""
    written = {key: value for key, value in part.items() if key != "title"}
    required = set(written.pop("required", []))
    choices: list[Schema] = []
    properties: Schema = {}
    for key, value in written["properties"].items():
        field = {k: v for k, v in value.items() if k != "title"}
        low, high = _RANGES.get(name, {}).get(key, (None, None))
        if low is not None:
            field |= {"minimum": low, "maximum": high}
        _bound_elements(key, field)
        _as_hours(name, key, field)
        if key.endswith(DURATION_SUFFIX):
            short = key.removesuffix(DURATION_SUFFIX)
            written_short: Schema = {
                "anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}],
            }
            if field.get("type") == "array":
                written_short = {"type": "array", "items": written_short}
            properties[short] = {
                "description": f"A duration such as 20s, 3m, 1h30m; or `{key}` in milliseconds.",
                **written_short,
            }
            ways = [{"required": [short]}, {"required": [key]}]
            choices.append(
                {"oneOf": ways} if key in required else {"not": {"required": [short, key]}}
            )
        properties[key] = field
    written["properties"] = properties
    if name == "Promise":
        targets = ("target", "target_ms", "target_working_days")
        choices.append({"anyOf": [{"required": [target]} for target in targets]})
    needed = sorted(key for key in required if not key.endswith(DURATION_SUFFIX))
    if needed:
        written["required"] = needed
    if choices:
        written["allOf"] = choices
    return written


def _bound_elements(key: str, field: Schema) -> None:
    """Bound what lists and maps of numbers hold."""
    bounds = {"weights": WEIGHTS, "channel_max": CHANNEL_MAX, **dict.fromkeys(_LEVEL_MAPS, LEVELS)}
    if key in bounds and "additionalProperties" in field:
        low, high = bounds[key]
        field["additionalProperties"] = {"type": "integer", "minimum": low, "maximum": high}
    for name, (low, high) in (("warnings", WARNINGS), ("years", CALENDAR_YEARS)):
        if key == name:
            field["items"] = {"type": "integer", "minimum": low, "maximum": high}


def _as_hours(name: str, key: str, field: Schema) -> None:
    """Say how the parts of a calendar are written."""
    spans = {"type": "array", "items": {"type": "string", "pattern": SPAN_PATTERN}}
    if (name, key) == ("CalendarDefinition", "hours"):
        field |= {"propertyNames": {"pattern": DAYS_PATTERN}, "additionalProperties": spans}
    elif (name, key) == ("CalendarDefinition", "years"):
        field |= {"minItems": 1, "maxItems": CALENDAR_YEARS_MAX}
    elif (name, key) == ("DayException", "hours"):
        field |= {"items": spans["items"]}
    elif (name, key) == ("DayException", "date"):
        field["format"] = "date"
    for kind in SHORTHANDS:
        reference = {"$ref": f"#/$defs/{kind.__name__}"}
        if field.get("$ref") == reference["$ref"]:
            field["anyOf"] = [{"$ref": field.pop("$ref")}, {"type": "string"}]
        elif reference in field.get("anyOf", []):
            field["anyOf"].append({"type": "string"})


def message_schema(kind: type[msgspec.Struct], family: str) -> Schema:
    """Return the closed schema of an event or a decision; `family` is `event` or `decision`."""
    schema = msgspec.json.schema(kind)
    definitions: Schema = {name: _closed(part) for name, part in schema["$defs"].items()}
    own = definitions.pop(kind.__name__)
    identity = f"urn:switchroom:{family}:{_tag(kind)}:{VERSION}"
    whole: Schema = {"$schema": DIALECT, "$id": identity, **own}
    return {**whole, "$defs": definitions} if definitions else whole


def _closed(part: Schema) -> Schema:
    closed = dict(part)
    if "description" in closed:
        closed["description"] = inspect.cleandoc(closed["description"])
    if "properties" in closed:
        closed |= {"additionalProperties": False, "patternProperties": _EXTENSIONS}
    return closed


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _files() -> Iterator[tuple[str, str]]:
    """Yield each schema file: its path below the directory, and its text."""
    schemas: list[tuple[str, Schema]] = [
        (CONFIG_FILE, config_schema()),
        (SCENARIO_FILE, scenario_schema()),
    ]
    for family, kinds in (("event", EVENT_TYPES), ("decision", DECISION_TYPES)):
        schemas += [
            (f"{family}s/{_tag(kind)}/{VERSION}.json", message_schema(kind, family))
            for kind in kinds
        ]
    for path, schema in schemas:
        yield path, json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(directory: Path) -> list[str]:
    """Write all schemas below a directory; return the paths of the files that changed."""
    changed = []
    for path, text in _files():
        target = directory / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def check_schemas(directory: Path) -> list[str]:
    """Return the files below a directory that are missing, differ, or belong to nothing we have."""
    expected = dict(_files())
    found = {
        str(path.relative_to(directory)): path.read_text(encoding="utf-8")
        for path in directory.rglob("*.json")
    }
    return sorted(
        path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)
    )
