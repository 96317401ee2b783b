"""Load good and bad files: YAML's traps, wrong kinds of values, places, groups, origins."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.commands import check_directory
from configs.durations import DurationError, parse_duration
from configs.effective import render_effective
from configs.loader import ConfigError, load_center
from configs.yaml_reader import Leaf, Mapping, Sequence, YamlError, read_yaml
from router.center import AgentPolicy, LimitAction
from router.checks import config_hash
from router.problems import show_duration
from tests.planted import GOOD, errors_of, loaded, plant


def read(directory: Path, body: str | bytes) -> Mapping:
    """Write a file and read it."""
    path = directory / "some.yaml"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return read_yaml(path)


def faults(directory: Path, body: str | bytes) -> list[str]:
    """Return the faults of a file as `line:column: message`."""
    with pytest.raises(YamlError) as caught:
        read(directory, body)
    return [f"{f.place.line}:{f.place.column}: {f.message}" for f in caught.value.faults]


def value(directory: Path, text: str) -> object:
    """Return what a plain scalar is read as."""
    item = read(directory, f"key: {text}\n").entries["key"].item
    assert isinstance(item, Leaf)
    return item.value


# --- what a scalar is ------------


AMBIGUOUS = """
NO no No yes on off y n True FALSE Null 12:30:00 20:30 010 0o17 0x1F 0b11 1_000 +1 1e3 .5 5. =
.nan .inf -.inf nan inf NaN 2026-01-01 2026-01-01T00:00:00Z 9999999999999999999
"""


@pytest.mark.parametrize("text", AMBIGUOUS.split())
def test_what_could_be_read_in_two_ways_is_text(tmp_path: Path, text: str) -> None:
    assert value(tmp_path, text) == text


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-7", -7), ("1.5", 1.5), ('"5"', "5"), ("'true'", "true"), ('""', ""),
    ],
)  # fmt: skip
def test_plain_words_have_one_meaning(tmp_path: Path, text: str, read_as: object) -> None:
    found = value(tmp_path, text)
    assert found == read_as
    assert type(found) is type(read_as)


def test_keys_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    root = read(tmp_path, "1001: a\nno: b\n010: c\ntrue: d\n12:30: e\n")
    assert list(root.entries) == ["1001", "no", "010", "true", "12:30"]


# --- what is no file of ours ------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ['4:3: "c" stands here already, in line 3']),
        ("a: 1\nb: 2\na: 3\nb: 4\n",
         ['3:1: "a" stands here already, in line 1', '4:1: "b" stands here already, in line 2']),
        ("a: !!python/object/apply:os.system [x]\n",
         ["1:4: tags such as !!python/object/apply:os.system are not used here; remove it"]),
        ("a: !!str 5\n", ["1:4: tags such as !!str are not used here; remove it"]),
        ("a: ! 5\n", ["1:4: tags such as ! are not used here; remove it"]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n",
         ["3:3: merge keys (<<) are not used here; write the values out"]),
        ("a: &x [*x]\n", ["1:8: alias *x contains itself"]),
        ("a: *x\n", ["1:4: alias *x stands before its anchor, or has none"]),
        ("? [1, 2]\n: a\n", ["1:3: a key must be a plain word"]),
        ("a: 1\n---\nb: 2\n", ["2:1: a second document begins; one file holds one document"]),
        ("%YAML 1.1\n---\na: 1\n",
         ["1:1: directives (%YAML, %TAG) are not used here; remove it"]),
        ("- a\n- b\n", ["1:1: needs keys with values at the top, found a list"]),
        ("just words\n", ["1:1: needs keys with values at the top, found a single value"]),
        (b"a: caf\xe9\n", ["1:7: not UTF-8; save the file as UTF-8"]),
        (b"ok: 1\n\xff\xfea: 1\n", ["2:1: not UTF-8; save the file as UTF-8"]),
        ("a: 1\n".encode("utf-16"), ["1:1: not UTF-8; save the file as UTF-8"]),
        (b"a: 1\nb: x\x00y\n", ["2:5: control character U+0000; remove it"]),
    ],
)  # fmt: skip
def test_a_trap_is_refused_at_its_place(tmp_path: Path, body: str | bytes, said: list[str]) -> None:
    assert faults(tmp_path, body) == said


def test_a_tab_is_told_from_a_space(tmp_path: Path) -> None:
    (said,) = faults(tmp_path, "a:\n\tb: 1\n")
    assert said.startswith("2:1: is no YAML: ")
    assert said.endswith("; indent with spaces, not tabs")


@pytest.mark.parametrize("body", ["a: [1, 2\n", "a: {b: 1\n", 'a: "open\n', "a: b: c\n", "a: @x\n"])
def test_broken_yaml_is_refused_with_a_place(tmp_path: Path, body: str) -> None:
    (said,) = faults(tmp_path, body)
    assert ": is no YAML: " in said


@pytest.mark.parametrize("body", ["", "\n", "# only words\n", "---\n", "\ufeff", "null\n"])
def test_an_empty_file_holds_nothing(tmp_path: Path, body: str) -> None:
    assert read(tmp_path, body).entries == {}


def test_a_byte_order_mark_moves_no_column(tmp_path: Path) -> None:
    root = read(tmp_path, b"\xef\xbb\xbfname: x\n")
    assert (root.entries["name"].place.line, root.entries["name"].place.column) == (1, 1)


def test_columns_count_characters(tmp_path: Path) -> None:
    root = read(tmp_path, 'a: {"客服": 1, b: 2}\n')
    item = root.entries["a"].item
    assert isinstance(item, Mapping)
    assert item.entries["b"].place.column == 14


def test_an_alias_is_what_it_names(tmp_path: Path) -> None:
    root = read(tmp_path, "a: &x {b: 1}\nc: *x\n")
    assert root.entries["c"].item is root.entries["a"].item


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        inner = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{inner}]")
    (said,) = faults(tmp_path, "\n".join(lines))
    assert said.endswith("holds more than 1000000 values once aliases are written out")


def test_too_many_aliases_are_refused(tmp_path: Path) -> None:
    body = "a: &a 1\nb: [" + ", ".join(["*a"] * 10_001) + "]\n"
    (said,) = faults(tmp_path, body)
    assert said.endswith("more than 10000 aliases; write the values out")


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
def test_deep_nesting_is_refused(tmp_path: Path, depth: int) -> None:
    (said,) = faults(tmp_path, "a: " + "[" * depth + "]" * depth)
    assert said.endswith("nested more than 32 deep; no configuration is")


def test_deep_nesting_through_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 []"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    (said,) = faults(tmp_path, "\n".join(lines))
    assert said.endswith("nested more than 32 deep; no configuration is")


def test_the_greatest_depth_is_read(tmp_path: Path) -> None:
    item = read(tmp_path, "a: " + "[" * 31 + "]" * 31).entries["a"].item
    assert isinstance(item, Sequence)


def test_a_big_file_is_refused_unread(tmp_path: Path) -> None:
    assert faults(tmp_path, "#" * (4 * 1024 * 1024 + 1)) == ["1:1: larger than 4 MiB; split it"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(body)
    with suppress(YamlError):
        assert isinstance(read_yaml(path), Mapping)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,? \n\t01.<~", max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(body, encoding="utf-8")
    with suppress(YamlError):
        assert isinstance(read_yaml(path), Mapping)


# --- values of the wrong kind ------------

KINDS = [
    ("unknown_key", "    teams: [care]", "    ^^taems: [care]",
     'queues.front.taems: unknown key; did you mean "teams"?'),
    ("unknown_far", "  pool: {}", "  pool: {^^zzz: 1}",
     "teams.pool.zzz: unknown key; known are contact_policy, cost_group, lend_band, "
     "lend_percent, lend_window, lend_window_ms, own_queues, pairs"),
    ("unknown_in_step", "{after: 20s, lower", "{after: 20s, ^^lowr: {tech: 1}, lower",
     'categories.invoice.steps[0].lowr: unknown key; did you mean "lower"?'),
    ("unknown_top", "tiers: [gold, basic]", "tiers: [gold, basic]\n^^tier: [x]",
     'tier: unknown key; did you mean "tiers"?'),
    ("bool_no", "interrupts: true", "interrupts: ^^no",
     'channels.phone.interrupts: needs true or false, found the text "no"; write false'),
    ("bool_True", "interrupts: true", "interrupts: ^^True",
     'channels.phone.interrupts: needs true or false, found the text "True"; write true'),
    ("bool_1", "interrupts: true", "interrupts: ^^1",
     "channels.phone.interrupts: needs true or false, found the number 1; write true"),
    ("octal", "units: 50", "units: ^^010",
     'channels.email.units: needs a whole number, found the text "010"; '
     "numbers have no leading zeros and no signs inside: write 10"),
    ("underscore", "units: 50", "units: ^^1_0",
     'channels.email.units: needs a whole number, found the text "1_0"; '
     "numbers have no leading zeros and no signs inside: write 10"),
    ("base_60", "units: 50", "units: ^^12:30:00",
     'channels.email.units: needs a whole number, found the text "12:30:00"'),
    ("nan", "units: 50", "units: ^^.nan",
     'channels.email.units: needs a whole number, found the text ".nan"'),
    ("inf", "units: 50", "units: ^^.inf",
     'channels.email.units: needs a whole number, found the text ".inf"'),
    ("fraction", "units: 50", "units: ^^50.0",
     "channels.email.units: needs a whole number, found the number 50.0"),
    ("quoted", "units: 50", 'units: ^^"50"',
     'channels.email.units: needs a whole number, found the text "50"; '
     "remove the quotes: units: 50"),
    ("true_for_number", "units: 50", "units: ^^true",
     "channels.email.units: needs a whole number, found true"),
    ("number_for_text", "queue: front", "queue: ^^5",
     'categories.invoice.queue: needs a text, found the number 5; put it in quotes: "5"'),
    ("text_for_list", "tiers: [gold, basic]", "tiers: ^^gold, basic",
     'tiers: needs a list, found the text "gold, basic"; write [gold, basic]'),
    ("nothing_for_keys", "  pool: {}", "  pool:^^",
     "teams.pool: needs keys with values, found nothing; give it a value or remove the key"),
    ("list_for_keys", "  pool: {}", "  ^^pool: []",
     "teams.pool: needs keys with values, found a list"),
    ("word", "agent_policy: longest_idle", "agent_policy: ^^longest-idle",
     'queues.front.agent_policy: no such word: "longest-idle"; did you mean "longest_idle"?'),
    ("word_case", "agent_policy: longest_idle", "agent_policy: ^^Longest_Idle",
     'queues.front.agent_policy: no such word: "Longest_Idle"; did you mean "longest_idle"?'),
    ("word_far", "when_late: deflect", "when_late: ^^xyzzy",
     'queues.back.when_late: no such word: "xyzzy"; one of refuse, deflect, overflow, expire'),
    ("missing", "  fault:\n    queue: back\n", "  ^^fault:\n",
     'categories.fault: "queue" is missing and has no default; add it'),
    ("no_unit", "wrap_up: 30s", "wrap_up: ^^30",
     "categories.invoice.wrap_up: 30 has no unit; write 30s, or wrap_up_ms: 30"),
    ("no_duration", "wrap_up: 30s", "wrap_up: ^^soon",
     'categories.invoice.wrap_up: "soon" is no duration; '
     "write for example 20s, 3m, 1h30m or 500ms"),
    ("days", "wrap_up: 30s", "wrap_up: ^^2d",
     'categories.invoice.wrap_up: "2d": a day may be 24 hours or a working day; '
     "write 48h for plain time"),
    ("base_60_duration", "wrap_up: 30s", "wrap_up: ^^12:30:00",
     'categories.invoice.wrap_up: "12:30:00" is no duration; '
     "write for example 20s, 3m, 1h30m or 500ms"),
    ("duration_in_ms", "wrap_up: 30s", "wrap_up_ms: ^^30s",
     'categories.invoice.wrap_up_ms: needs a whole number, found the text "30s"; '
     "write wrap_up: 30s, or wrap_up_ms: 30000"),
    ("both_durations", "wrap_up: 30s", "wrap_up: 30s\n    ^^wrap_up_ms: 30000",
     'categories.invoice.wrap_up_ms: "wrap_up" says the same in line 29; keep one'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), [row[1:] for row in KINDS],
                         ids=[row[0] for row in KINDS])  # fmt: skip
def test_a_value_of_the_wrong_kind_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    path, place = plant(tmp_path, (old, new))
    assert errors_of(tmp_path) == [f"{path}:{place}: {said}"]


def test_a_missing_duration_is_called_as_it_is_written(tmp_path: Path) -> None:
    path, place = plant(tmp_path, ("    target: 10s\n", ""), ("  gold_answer:", "  ^^gold_answer:"))
    assert errors_of(tmp_path) == [
        f"{path}:{place}: promises.gold_answer: promises nothing; give a target of at least 1ms, "
        "or target_working_days"
    ]


# --- all at once ------------


def test_all_errors_come_at_once_in_order(tmp_path: Path) -> None:
    path, _ = plant(
        tmp_path,
        ("units: 50", "units: 010"),
        ("    teams: [care]", "    taems: [care]"),
        ("    queue: front", "    queue: frnot"),
        ("wrap_up: 30s", "wrap_up: soon"),
        ("ann: {team: care", "ann: {team: cary"),
        ("tiers: [gold]", "tiers: [gould]"),
        ("target: 20s", "target: -20s"),
    )
    with pytest.raises(ConfigError) as caught:
        load_center(tmp_path)
    lines = str(caught.value).splitlines()
    places = [line.removeprefix(f"{path}:").split(": ")[:2] for line in lines[:-1]]
    assert places == [
        ["6:18", "channels.email.units"],
        ["12:5", "queues.front.taems"],
        ["25:12", "categories.invoice.queue"],
        ["29:14", "categories.invoice.wrap_up"],
        ["41:15", "agents.ann.team"],
        ["47:13", "promises.gold_answer.tiers[0]"],
        ["54:13", "promises.answer.target"],
    ]
    assert lines[-1] == "7 errors; nothing loaded"


def test_a_mistake_does_not_breed_others(tmp_path: Path) -> None:
    # With ann's skills misspelt nobody could serve invoices; only the spelling is at fault.
    plant(tmp_path, ('skills: {billing: 8, tech: 5, "lang:en": 9}', "skils: {billing: 8}"))
    (only,) = errors_of(tmp_path)
    assert only.endswith('agents.ann.skils: unknown key; did you mean "skills"?')


def test_a_missing_part_is_one_error(tmp_path: Path) -> None:
    path, _ = plant(tmp_path, ("teams:\n  care: {cost_group: inside}\n  pool: {}\n", ""))
    assert errors_of(tmp_path) == [f'{path}:1:1: "teams" is missing and has no default; add it']


def test_an_unreadable_file_does_not_make_the_rest_missing(tmp_path: Path) -> None:
    (tmp_path / "queues.yaml").write_text("queues: [\n", encoding="utf-8")
    (tmp_path / "center.yaml").write_text("name: x\nversion: one\n", encoding="utf-8")
    first, second = errors_of(tmp_path)
    assert first.startswith(f"{tmp_path}/center.yaml:2:10: version: needs a whole number")
    assert ": is no YAML: " in second


def test_one_error_is_counted_as_one(tmp_path: Path) -> None:
    plant(tmp_path, ("version: 3", "version: 0"))
    with pytest.raises(ConfigError, match=r"\n1 error; nothing loaded$"):
        load_center(tmp_path)


# --- directories and files ------------


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    assert errors_of(tmp_path / "none") == [f"{tmp_path}/none:1:1: no such directory"]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    path, _ = plant(tmp_path)
    assert errors_of(path) == [f"{path}:1:1: is a file; give its directory"]


def test_an_empty_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".hidden.yaml").write_text("name: x\n", encoding="utf-8")
    assert errors_of(tmp_path) == [
        f"{tmp_path}:1:1: holds no *.yaml file; a centre needs at least one"
    ]


def test_parts_may_stand_in_several_files(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    parts = tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    (whole / "center.yaml").write_text(GOOD, encoding="utf-8")
    head, tail = GOOD.split("teams:\n  care", 1)
    (parts / "a.yaml").write_text(head, encoding="utf-8")
    (parts / "b.yml").write_text("teams:\n  care" + tail, encoding="utf-8")
    assert load_center(parts).center == load_center(whole).center


def test_a_key_in_two_files_names_both(tmp_path: Path) -> None:
    plant(tmp_path)
    (tmp_path / "more.yaml").write_text("\nteams: {other: {}}\n", encoding="utf-8")
    assert errors_of(tmp_path) == [
        f"{tmp_path}/more.yaml:2:1: teams: stands in {tmp_path}/center.yaml too (line 37); "
        "keep it in one file"
    ]


def test_a_file_that_holds_nothing_is_warned_of(tmp_path: Path) -> None:
    plant(tmp_path)
    (tmp_path / "old.yaml").write_text("# moved\n", encoding="utf-8")
    (warning,) = load_center(tmp_path).problems
    assert str(warning) == f"{tmp_path}/old.yaml:1:1: warning: holds nothing; remove it"


# --- what is loaded ------------


def test_values_arrive_in_the_core(tmp_path: Path) -> None:
    center = loaded(tmp_path).center
    assert (center.name, center.version) == ("desk", 3)
    assert center.queues["back"].agent_policy is AgentPolicy.WEIGHTED_SHARE
    assert center.queues["front"].when_late is LimitAction.OVERFLOW
    assert center.queues["front"].wait_max_ms == 600_000
    assert [step.after_ms for step in center.categories["invoice"].steps] == [
        20_000,
        60_000,
        90_000,
    ]
    assert center.agents["ann"].skills == {"billing": 8, "tech": 5, "lang:en": 9}
    assert center.promises["answer"].target_ms == 20_000


def test_both_spellings_of_a_duration_mean_the_same(tmp_path: Path) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    short.mkdir()
    long.mkdir()
    spelled = loaded(short, ("wrap_up: 30s", "wrap_up: 1m30s")).center
    assert spelled == loaded(long, ("wrap_up: 30s", "wrap_up_ms: 90000")).center
    assert spelled.categories["invoice"].wrap_up_ms == 90_000


@pytest.mark.parametrize(
    ("text", "value_ms"),
    [("0s", 0), ("500ms", 500), ("20s", 20_000), ("3m", 180_000), ("4h", 14_400_000),
     ("1h30m", 5_400_000), ("1h1m1s1ms", 3_661_001), ("-5s", -5_000), ("008s", 8_000)],
)  # fmt: skip
def test_durations_are_read(text: str, value_ms: int) -> None:
    assert parse_duration(text) == value_ms


@pytest.mark.parametrize(
    "text",
    ["", "-", "s", "1", "1.5h", "1 h", "1H", "30m1h", "1h1h", "٣s", "1d", "1w", "9" * 10 + "h"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=315_576_000_000))
def test_a_shown_duration_is_read_as_itself(value_ms: int) -> None:
    assert parse_duration(show_duration(value_ms)) == value_ms


# --- groups of agents ------------

GROUP = "agent_groups:\n  desk: {count: 3, team: care, skills: {billing: 6, tech: 3}}\n"


def test_a_group_is_written_out_as_agents(tmp_path: Path) -> None:
    center = loaded(tmp_path, ("presences:\n", GROUP + "presences:\n")).center
    assert list(center.agents) == ["ann", "ben", "desk-001", "desk-002", "desk-003"]
    assert center.agents["desk-002"].skills == {"billing": 6, "tech": 3}
    assert center.agents["desk-002"].team == "care"


def test_a_group_numbers_as_it_is_told(tmp_path: Path) -> None:
    group = GROUP.replace("count: 3", "count: 2, prefix: x, first: 9, digits: 1")
    center = loaded(tmp_path, ("presences:\n", group + "presences:\n")).center
    assert list(center.agents)[2:] == ["x-9", "x-10"]


def test_a_centre_may_have_groups_only(tmp_path: Path) -> None:
    groups = (
        'agent_groups:\n  d: {count: 2, team: care, skills: {billing: 9, tech: 9, "lang:en": 9}}\n'
    )
    old = GOOD[GOOD.index("agents:\n  ann") : GOOD.index("promises:")]
    center = loaded(tmp_path, (old, groups), ("    weights: {ann: 2, ben: 1}\n", "")).center
    assert list(center.agents) == ["d-001", "d-002"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("team: care", "team: ^^car",
         'agent_groups.desk.team: no team "car"; did you mean "care"?'),
        ("billing: 6", "^^bilings: 6",
         'agent_groups.desk.skills.bilings: no skill "bilings"; did you mean "billing"?'),
        ("count: 3", "count: ^^0",
         "agent_groups.desk.count: 0 is out of range; must be from 1 to 100000"),
        ("count: 3", "count: ^^99999",
         "agent_groups.desk.count: makes 100001 agents, but limits.agents is 15000; raise it"),
        ("count: 3", "count: ^^9999999",
         "agent_groups.desk.count: 9999999 is out of range; must be from 1 to 100000"),
        ("count: 3", "count: 3, digits: ^^99",
         "agent_groups.desk.digits: 99 is out of range; must be from 1 to 9"),
        ("count: 3", "count: 3, ^^cuont: 3",
         'agent_groups.desk.cuont: unknown key; did you mean "count"?'),
        ("count: 3", "count: 3, capacity: ^^-1",
         "agent_groups.desk.capacity: -1 is out of range; must be at least 0"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_group_is_told_once(tmp_path: Path, old: str, new: str, said: str) -> None:
    path, place = plant(tmp_path, ("presences:\n", GROUP.replace(old, new) + "presences:\n"))
    assert errors_of(tmp_path) == [f"{path}:{place}: {said}"]


def test_a_group_cannot_take_an_agents_id(tmp_path: Path) -> None:
    group = "agent_groups:\n  ^^desk: {count: 3, team: care}\n"
    path, place = plant(
        tmp_path,
        ("  ann: {team", "  desk-002: {team: care}\n  ann: {team"),
        ("presences:\n", group + "presences:\n"),
    )
    assert errors_of(tmp_path) == [
        f'{path}:{place}: agent_groups.desk: agent "desk-002" exists already ({path}:41:3); '
        "change first or prefix"
    ]


# --- origins and the effective configuration ------------


def test_each_value_has_its_origin(tmp_path: Path) -> None:
    result = loaded(tmp_path, ("presences:\n", GROUP + "presences:\n"))
    text = render_effective(result)
    lines = {
        " ".join(line.split("  # ")[0].split()): line.split("  # ")[-1]
        for line in text.splitlines()
    }
    assert lines["units: 34"] == f"{tmp_path}/center.yaml:5"
    assert lines["wrap_up: 30s"] == f"{tmp_path}/center.yaml:29"
    assert lines["ring_step: 5s"] == "default"
    assert lines["capacity: 100"] == "default"
    assert lines["skills: {billing: 6, tech: 3}"] == f"{tmp_path}/center.yaml:60"


@pytest.mark.parametrize("change", [(), (("wrap_up: 30s", "wrap_up_ms: -1"),),
                                    (("presences:\n", GROUP + "presences:\n"),)])  # fmt: skip
def test_the_effective_configuration_is_the_same_centre(
    tmp_path: Path, change: tuple[tuple[str, str], ...]
) -> None:
    result = loaded(tmp_path, *change)
    again = tmp_path / "again"
    again.mkdir()
    (again / "center.yaml").write_text(render_effective(result), encoding="utf-8")
    assert config_hash(load_center(again).center) == config_hash(result.center)


# --- the command, without the command line ------------


def test_check_says_that_all_is_well(tmp_path: Path) -> None:
    center = loaded(tmp_path).center
    outcome = check_directory(tmp_path, strict=True)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    first, second = outcome.stdout.splitlines()
    assert first == (
        f"desk version 3, hash {config_hash(center)}: 3 channels, 2 queues, 2 categories, "
        "3 skills, 2 agents, 2 promises; no errors"
    )
    assert re.fullmatch(r"\d+ metric series of at most 5000; .* \(switchroom rules\)", second)


def test_check_fails_with_every_error_on_stderr(tmp_path: Path) -> None:
    plant(tmp_path, ("version: 3", "version: 0"))
    outcome = check_directory(tmp_path)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.endswith("must be at least 1\n1 error; nothing loaded\n")


def test_warnings_fail_only_when_strict(tmp_path: Path) -> None:
    plant(tmp_path, ("skills: [billing,", "skills: [cobol, billing,"))
    easy, strict = check_directory(tmp_path), check_directory(tmp_path, strict=True)
    assert (easy.exit_code, strict.exit_code) == (0, 3)
    assert easy.stdout.splitlines()[0].endswith("no errors; 1 warning")
    assert 'warning: skills[0]: nobody has the skill "cobol"' in strict.stderr


def test_check_answers_in_json(tmp_path: Path) -> None:
    path, _ = plant(tmp_path, ("    queue: front", "    queue: frnot"))
    outcome = check_directory(tmp_path, as_json=True)
    body = json.loads(outcome.stdout)
    assert (outcome.exit_code, body["valid"], body["center"]) == (1, False, None)
    assert body["findings"] == [
        {
            "file": str(path), "line": 25, "column": 12, "path": "categories.invoice.queue",
            "message": 'no queue "frnot"', "suggestion": "front", "severity": "error",
        }
    ]  # fmt: skip
    loaded(tmp_path)
    body = json.loads(check_directory(tmp_path, as_json=True).stdout)
    assert (body["valid"], body["center"], body["version"], body["findings"]) == (
        True,
        "desk",
        3,
        [],
    )
    assert len(body["hash"]) == 16


def test_check_prints_the_effective_configuration(tmp_path: Path) -> None:
    result = loaded(tmp_path)
    assert check_directory(tmp_path, print_effective=True).stdout == render_effective(result)
