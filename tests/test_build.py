"""Which core runs here, and was it made from the sources beside it?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import simulation
from benchmarks import builds
from router import build_info
from router.build_info import RECORD_NAME, check_build, hash_file, hash_sources

CORE = Path(build_info.__file__).parent
WORLD = Path(simulation.__file__).parent
BINARY = f"deadlines{sysconfig.get_config_var('EXT_SUFFIX')}"


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Give a copy of the core's sources without anything compiled."""
    copy = tmp_path / "router"
    shutil.copytree(
        CORE, copy, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", RECORD_NAME)
    )
    return copy


def compile_on_paper(core: Path) -> None:
    """Leave what a compiled build leaves."""
    binary = core / BINARY
    binary.write_bytes(b"machine code")
    record = {"source_hash": hash_sources(core), "binaries": {BINARY: hash_file(binary)}}
    (core / RECORD_NAME).write_text(json.dumps(record))


@pytest.mark.parametrize("package", [CORE, WORLD])
def test_what_runs_was_made_from_the_sources_beside_it(package: Path) -> None:
    assert check_build(package) == []


def test_compiled_modules_are_what_the_interpreter_imports() -> None:
    # Asked of a fresh interpreter, since what is imported here depends on the other tests.
    question = (
        "import router.build_info as b, router.deadlines as d, simulation.plan.day as p; "
        "print(b.COMPILED, d.__file__, p.__file__)"
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", question],
        env={"PYTHONPATH": f"{WORLD.parent}:{CORE.parent}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert answer[0] == str(build_info.COMPILED)
    assert [name.endswith(".py") for name in answer[1:]] == [not build_info.COMPILED] * 2


def test_a_pure_build_has_nothing_to_check(core: Path) -> None:
    assert check_build(core) == []


def test_a_compiled_build_agrees_with_its_sources(core: Path) -> None:
    compile_on_paper(core)
    assert check_build(core) == []


def test_an_edit_after_compiling_is_noticed(core: Path) -> None:
    compile_on_paper(core)
    with (core / "deadlines.py").open("a") as source:
        source.write("# edited\n")
    (problem,) = check_build(core)
    assert "edited after they were compiled" in problem


def test_of_a_package_compiled_in_part_only_the_compiled_sources_count(core: Path) -> None:
    compile_on_paper(core)
    record = {
        "source_hash": hash_sources(core, ["deadlines.py"]),
        "sources": ["deadlines.py"],
        "binaries": {BINARY: hash_file(core / BINARY)},
    }
    (core / RECORD_NAME).write_text(json.dumps(record))
    with (core / "skills.py").open("a") as source:
        source.write("# edited\n")
    assert check_build(core) == []
    with (core / "deadlines.py").open("a") as source:
        source.write("# edited\n")
    (problem,) = check_build(core)
    assert "edited after they were compiled" in problem


def test_a_binary_left_behind_is_noticed(core: Path) -> None:
    (core / BINARY).write_bytes(b"machine code")
    (problem,) = check_build(core)
    assert f"without {RECORD_NAME}" in problem


def test_a_binary_from_elsewhere_is_noticed(core: Path) -> None:
    compile_on_paper(core)
    (core / BINARY).write_bytes(b"other machine code")
    (problem,) = check_build(core)
    assert "not the binary" in problem


def test_a_missing_binary_is_noticed(core: Path) -> None:
    compile_on_paper(core)
    (core / BINARY).unlink()
    (problem,) = check_build(core)
    assert "missing" in problem


def test_an_unlisted_binary_is_noticed(core: Path) -> None:
    compile_on_paper(core)
    (core / BINARY.replace("deadlines", "skills")).write_bytes(b"machine code")
    (problem,) = check_build(core)
    assert "does not list" in problem


def test_the_hash_depends_on_names_and_bytes(core: Path) -> None:
    before = hash_sources(core)
    assert before == hash_sources(CORE)
    (core / "skills.py").rename(core / "skill.py")
    assert hash_sources(core) != before


def test_a_day_has_one_digest_and_another_day_another() -> None:
    first, second = builds.play("tiny", 0, 2)
    assert list(builds.play("tiny", 0, 1)) == [first]
    assert first["events"] > 500
    assert (first["digest"], first["tally"]) != (second["digest"], second["tally"])


def test_builds_that_differ_are_told() -> None:
    day = {"day": "tiny 0", "events": 900, "digest": "a", "tally": "b"}
    builds.check_alike([day], [dict(day)])
    with pytest.raises(builds.BuildError, match="differ on tiny 0"):
        builds.check_alike([day], [{**day, "tally": "c"}])


def test_without_a_compiled_build_it_is_said_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builds.main(["--compiled", str(tmp_path / "python")]) == 1
    assert "make compiled" in capsys.readouterr().err
