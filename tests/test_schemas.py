"""Compare the published schemas with the code, and use them as a stranger would."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

import configs
from configs.commands import generate_schemas
from configs.loader import load_center
from configs.schema import check_schemas, config_schema, message_schema, write_schemas
from router.decisions import DECISION_TYPES, AssignContact, Reason
from router.events import EVENT_TYPES, CenterChanged, ContactArrived
from tests.planted import GOOD

CONFIGS = Path(configs.__file__).parent
SCHEMAS = CONFIGS / "schemas"
SAMPLES = sorted([*CONFIGS.glob("sample/*.yaml"), *CONFIGS.glob("tiny/*.yaml")])

config = Draft202012Validator(config_schema())


def said(validator: Draft202012Validator, body: object) -> list[str]:
    """Return where a body breaks a schema."""
    return sorted(error.json_path for error in validator.iter_errors(body))


# --- generated and committed ------------------------------------------------------


def test_committed_schemas_are_what_the_code_generates() -> None:
    assert check_schemas(SCHEMAS) == [], "run: switchroom schema -o configs/schemas"


def test_every_event_and_decision_has_its_file() -> None:
    files = {str(path.relative_to(SCHEMAS)) for path in SCHEMAS.rglob("*.json")}
    assert len(files) == 2 + len(EVENT_TYPES) + len(DECISION_TYPES)
    assert "events/contact_arrived/1.json" in files
    assert "decisions/offer_contact/1.json" in files


def test_a_difference_is_found_and_mended(tmp_path: Path) -> None:
    assert len(write_schemas(tmp_path)) == 2 + len(EVENT_TYPES) + len(DECISION_TYPES)
    assert write_schemas(tmp_path) == []
    (tmp_path / "events/contact_held/1.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "events/contact_ended/1.json").unlink()
    (tmp_path / "events/contact_lost.json").write_text("{}\n", encoding="utf-8")
    differing = check_schemas(tmp_path)
    assert differing == [
        "events/contact_ended/1.json", "events/contact_held/1.json", "events/contact_lost.json",
    ]  # fmt: skip
    outcome = generate_schemas(tmp_path, check=True)
    assert outcome.exit_code == 1
    assert f"{tmp_path}/events/contact_held/1.json: differs from the code\n" in outcome.stderr
    outcome = generate_schemas(tmp_path)
    assert outcome.exit_code == 0
    assert outcome.stdout.count("\n") == 2
    assert check_schemas(tmp_path) == ["events/contact_lost.json"]


@pytest.mark.parametrize("path", sorted(SCHEMAS.rglob("*.json")), ids=lambda path: path.parent.name)
def test_a_schema_is_a_schema(path: Path) -> None:
    schema = msgspec.json.decode(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:switchroom:")


# --- configuration -------------------------------------------------------------------


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_names_and_keeps_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    assert (path.parent / first.removeprefix(prefix)).resolve() == (
        SCHEMAS / "config.schema.json"
    ).resolve()
    assert said(config, yaml.safe_load(text)) == []


def with_change(old: str, new: str) -> object:
    """Return the good configuration with one change, as a stranger's tool reads it."""
    assert GOOD.count(old) == 1
    return yaml.safe_load(GOOD.replace(old, new))


def test_the_good_configuration_keeps_the_schema() -> None:
    assert said(config, yaml.safe_load(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("    teams: [care]", "    taems: [care]", "$.queues.front"),
        ("tiers: [gold, basic]", "tier: [gold]", "$"),
        ("units: 50", "units: 0", "$.channels.email.units"),
        ("units: 50", "units: '50'", "$.channels.email.units"),
        ("interrupts: true", "interrupts: 'no'", "$.channels.phone.interrupts"),
        ("wrap_up: 30s", "wrap_up: 30", "$.categories.invoice.wrap_up"),
        ("wrap_up: 30s", "wrap_up: 2d", "$.categories.invoice.wrap_up"),
        ("wrap_up: 30s", "wrap_up: 30s\n    wrap_up_ms: 30000", "$.categories.invoice"),
        ("    target: 10s\n", "", "$.promises.gold_answer"),
        ("target: 10s", "target: 10s\n    target_ms: 10000", "$.promises.gold_answer"),
        ("agent_policy: longest_idle", "agent_policy: LongestIdle", "$.queues.front.agent_policy"),
        ("warnings: [50, 80]", "warnings: [50, 100]", "$.promises.gold_answer.warnings[1]"),
        ("needs: {tech: 5}", "needs: {tech: 11}", "$.categories.fault.needs.tech"),
        ("  fault:\n    queue: back\n", "  fault:\n", "$.categories.fault"),
        ("  chat: {units: 34", "  chatter: {units: 34", "$.channels"),
        ("  pool: {}", "  'a pool': {}", "$.teams"),
    ],
)
def test_the_schema_sees_the_mistake_too(old: str, new: str, path: str) -> None:
    assert said(config, with_change(old, new)) == [path]


def test_the_schema_knows_agent_groups() -> None:
    assert said(config, {"agent_groups": {"g": {"count": 2, "team": "care"}}}) == []
    assert said(config, {"agent_groups": {"g": {"count": 0, "team": "care"}}}) == [
        "$.agent_groups.g.count"
    ]


# --- events and decisions --------------------------------------------------------------


def arrived() -> dict[str, object]:
    """Return an event as it is written."""
    event = ContactArrived(
        contact_id="c-1", channel="phone", category="billing", skills={"billing": 3}
    )
    return msgspec.json.decode(msgspec.json.encode(event), type=dict[str, object])


def test_an_event_keeps_its_schema() -> None:
    validator = Draft202012Validator(message_schema(ContactArrived, "event"))
    assert said(validator, arrived()) == []
    assert said(validator, arrived() | {"x_own": 1}) == []
    assert said(validator, arrived() | {"unknown": 1}) == ["$"]
    assert said(validator, arrived() | {"priority": 10}) == ["$.priority"]
    assert said(validator, arrived() | {"contact_id": "a b"}) == ["$.contact_id"]


def test_a_decision_keeps_its_schema() -> None:
    decision = AssignContact(offer_id=1, contact_id="c", agent_id="a", reason=Reason.ACCEPTED)
    body = msgspec.json.decode(msgspec.json.encode(decision))
    validator = Draft202012Validator(message_schema(AssignContact, "decision"))
    assert said(validator, body) == []
    assert said(validator, body | {"reason": "mood"}) == ["$.reason"]


def test_a_whole_centre_in_an_event_keeps_its_schema() -> None:
    center = load_center(CONFIGS / "sample").center
    body = msgspec.json.decode(msgspec.json.encode(CenterChanged(center=center)))
    validator = Draft202012Validator(message_schema(CenterChanged, "event"))
    assert said(validator, body) == []
    body["center"]["queues"]["care"]["colour"] = "red"
    assert said(validator, body) == ["$.center.queues.care"]


@pytest.mark.parametrize("kind", [*EVENT_TYPES, *DECISION_TYPES], ids=lambda kind: kind.__name__)
def test_every_message_schema_is_closed(kind: type[msgspec.Struct]) -> None:
    schema = message_schema(kind, "event")
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["patternProperties"] == {"^x_": {}}
