"""The staffing file: who is scheduled at an instant, what is refused, when it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import switchroom
from configs.loader import load_center
from router.measures_text import render
from streams.instants import parse_instant
from streams.staffing import Staffing, StaffingError

TINY = Path(__file__).parent.parent / "configs" / "tiny"
SAMPLE = Path(__file__).parent.parent / "configs" / "sample"
HEAD = "interval_start,group,agents"


class Wall:
    """A clock that is set by hand."""

    def __init__(self, instant: str) -> None:
        self.set(instant)

    def set(self, instant: str) -> None:
        self.now_ns = parse_instant(instant) * 1_000_000

    def __call__(self) -> int:
        return self.now_ns


def write(folder: Path, text: str) -> Path:
    path = folder / "staff.csv"
    path.write_text(text, encoding="utf-8")
    return path


def shown(staffing: Staffing, *teams: str) -> dict[str, float]:
    """Return what the page shows, by what stands before the number."""
    page = render(staffing.families(teams), openmetrics=False).decode()
    lines = (line.rpartition(" ") for line in page.splitlines() if line[:1] != "#")
    return {name.removeprefix("switchroom_agents_"): float(number) for name, _, number in lines}


def test_the_clock_chooses_the_interval(tmp_path: Path) -> None:
    wall = Wall("2026-03-02T07:59:59.999Z")
    path = write(
        tmp_path,
        "interval_start,group,agents,required\n"
        "2026-03-02T09:00:00+01:00,care-zh,40,35.5\n"
        "2026-03-02T09:00:00+01:00,care-en,6,4\n"
        "2026-03-02T09:30:00+01:00,care-zh,44,\n"
        "2026-03-02T13:00:00+01:00,technical,9,8\n",
    )
    staffing = Staffing(path, wall)
    staffing.read([load_center(SAMPLE).center])
    assert staffing.told() == f"{path}: staffing up to 2026-03-02T12:30:00.000Z"
    nobody = {'scheduled{team="care"}': 0, 'required{team="care"}': 0}
    assert shown(staffing, "care") == nobody
    wall.set("2026-03-02T08:00:00Z")
    # Groups of one team add up; another team has its own rows; a third one has none.
    assert shown(staffing, "care", "technical", "sales") == {
        'scheduled{team="care"}': 46, 'required{team="care"}': 39.5,
        'scheduled{team="technical"}': 0, 'required{team="technical"}': 0,
        'scheduled{team="sales"}': 0, 'required{team="sales"}': 0,
    }  # fmt: skip
    wall.set("2026-03-02T08:29:59.999Z")
    assert shown(staffing, "care")['scheduled{team="care"}'] == 46
    wall.set("2026-03-02T08:30:00Z")
    assert shown(staffing, "care") == {'scheduled{team="care"}': 44, 'required{team="care"}': 0}
    wall.set("2026-03-02T09:00:00Z")
    assert shown(staffing, "care") == nobody, "a gap in the plan: nobody is scheduled"
    wall.set("2026-03-02T12:30:00Z")
    assert shown(staffing, "technical")['scheduled{team="technical"}'] == 0
    assert staffing.told().endswith("it is over: nobody is scheduled")


def test_without_requirements_there_is_no_such_series(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "interval_start,interval_minutes,team,agents\n2026-03-02T09:00:00Z,15,shop,3\n",
    )
    wall = Wall("2026-03-02T09:14:59Z")
    staffing = Staffing(path, wall)
    staffing.read([load_center(TINY).center])
    (team,) = load_center(TINY).center.teams
    assert shown(staffing, team) == {f'scheduled{{team="{team}"}}': 3}
    wall.set("2026-03-02T09:15:00Z")
    assert shown(staffing, team) == {f'scheduled{{team="{team}"}}': 0}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column interval_start, group, agents"),
        ("interval_start,team\n", "no column agents"),
        (f"{HEAD}\n", "no row"),
        (f"{HEAD}\n2026-03-02 09:00,care,3\n", 'row 2: interval_start: "2026-03-02 09:00"'),
        (f"{HEAD}\n2026-03-02T09:00:00Z,cares,3\n", 'row 2: group: "cares" is no team'),
        (f"{HEAD}\n2026-03-02T09:00:00Z,care,\n", 'row 2: agents: "" is no number'),
        (f"{HEAD}\n2026-03-02T09:00:00Z,care\n", 'row 2: agents: "" is no number'),
        (f"{HEAD}\n2026-03-02T09:00:00Z,care,-1\n", 'agents: "-1" must be a number from 0 on'),
        (f"{HEAD}\n2026-03-02T09:00:00Z,care,nan\n", "must be a number from 0 on"),
        (f"{HEAD}\n2026-03-02T09:00:00Z,care,3\n", "add a column interval_minutes"),
    ],
)
def test_a_bad_file_is_refused_and_the_former_one_stays(
    tmp_path: Path, text: str, complaint: str
) -> None:
    centers = [load_center(SAMPLE).center]
    good = f"{HEAD}\n2026-03-02T09:00:00Z,care,3\n2026-03-02T10:00:00Z,care,4\n"
    staffing = Staffing(write(tmp_path, good), Wall("2026-03-02T09:30:00Z"))
    staffing.read(centers)
    write(tmp_path, text)
    with pytest.raises(StaffingError) as told:
        staffing.read(centers)
    assert complaint in str(told.value)
    assert str(tmp_path) in str(told.value)
    assert shown(staffing, "care") == {'scheduled{team="care"}': 3}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "it needs --port"),
        (["--port", "0", "--as-fast-as-possible"], "the wall's clock"),
        (["--port", "0", "--speed", "60"], "the wall's clock"),
        (["--port", "0"], "staff.csv: No such file"),
    ],
)
def test_the_command_says_what_staffing_needs(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    run = ["run", "--config", str(TINY), "--store", str(tmp_path / "day.db"), "--input", "-"]
    staffing = ["--staffing", str(tmp_path / "staff.csv")]
    done = CliRunner().invoke(switchroom.build(), [*run, *staffing, *options])
    assert complaint in done.output
    assert done.exit_code == (1 if "No such" in complaint else 2)
    assert not (tmp_path / "day.db").exists()
