"""The centres of one process: new configurations, takeovers, dry runs, a loop that hangs."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from router.decisions import ActivateCenter
from router.events import CenterChanged
from router.journal import Entry
from streams.watchdog import EXIT_STUCK, Watchdog, notify
from tests.kill_soak import ROOT
from tests.listening import Listening, event, listening

TINY = ROOT / "configs" / "tiny"
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
SIGNED_IN = event("agent.signed_in", "s", agent_id="ben")
ARRIVED = event("contact.arrived", "a", contact_id="c-1", channel="phone", category="order_status")


def write_center(directory: Path, name: str = "corner-shop", version: int = 1) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    text = (TINY / "center.yaml").read_text().replace("name: corner-shop", f"name: {name}")
    text = text.replace("version: 1\n", f"version: {version}\n")
    (directory / "center.yaml").write_text(text)
    return directory


def entries_of(store: Path) -> list[Entry]:
    from streams.journal_commands import entries_in  # noqa: PLC0415

    return list(entries_in(store))


def activated(store: Path) -> list[int]:
    return [
        entry.stamped.event.center.version
        for entry in entries_of(store)
        if isinstance(entry.stamped.event, CenterChanged)
        and any(isinstance(decision, ActivateCenter) for decision in entry.decisions)
    ]


def post(worker: Listening, *events: object, center: str = "") -> dict[str, object]:
    path = f"/v1/events?center={center}" if center else "/v1/events"
    status, answer = worker.call("POST", path, list(events), BATCH)
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


# --- new configurations -------------------------------------------------------------------------


def test_a_changed_configuration_comes_in_without_a_restart(tmp_path: Path) -> None:
    config, store = write_center(tmp_path / "config"), tmp_path / "store.db"
    told = ["--config", str(config), "--store", str(store), "--enable-lifecycle"]
    with listening(told) as worker:
        post(worker, SIGNED_IN, ARRIVED)
        assert worker.call("POST", "/-/reload") == (200, {"centers": {"corner-shop": "unchanged"}})
        file = config / "center.yaml"
        file.write_text(file.read_text().replace("20s", "25s"))
        status, answer = worker.call("POST", "/-/reload")
        assert (status, answer["title"]) == (422, "Not reloaded; the old configuration stays")
        assert "set `version` to 2 or more" in answer["detail"]
        file.write_text(file.read_text().replace("version: 1", "version: 2").replace("25s", "25x"))
        status, answer = worker.call("POST", "/-/reload")
        assert status == 422
        assert "config/center.yaml:" in answer["detail"]
        assert '"25x" is no duration' in answer["detail"]
        failed = worker.get("/healthz")["last_reload"]
        assert (failed["successful"], "center.yaml" in failed["told"]) == (False, True)
        file.write_text(file.read_text().replace("25x", "25s"))
        worker.process.send_signal(signal.SIGHUP)
        worker.wait_for("reload: corner-shop: version 2 in force from seq")
        assert worker.get("/healthz")["last_reload"]["successful"] is True
        # A browser's page may not ask, and a queue in use does not go.
        assert worker.call("POST", "/-/reload", headers={"Origin": "http://evil"})[0] == 403
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 0
    assert activated(store) == [1, 2]
    again = ["run", "--config", str(config), "--store", str(store), "--input", "/dev/null"]
    done = subprocess.run(
        [sys.executable, "-m", "switchroom", *again], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert activated(store) == [1, 2]


def test_a_queue_in_use_goes_only_with_a_word_about_its_contacts(tmp_path: Path) -> None:
    config, store = write_center(tmp_path / "config"), tmp_path / "store.db"
    told = ["--config", str(config), "--store", str(store), "--enable-lifecycle"]
    with listening(told) as worker:
        post(worker, ARRIVED)
        file = config / "center.yaml"
        text = (
            file.read_text()
            .replace("version: 1", "version: 2")
            .replace("  orders:\n", "  wares:\n", 1)
        )
        file.write_text(text.replace("queue: orders", "queue: wares"))
        status, answer = worker.call("POST", "/-/reload")
        assert (status, "is refused: " in answer["detail"]) == (422, True)
        assert worker.get("/v1/queues")["queues"][0]["queue"] in {"orders", "billing"}
        status, answer = worker.call("POST", "/-/reload?move_to=orders=wares")
        assert status == 200, answer
    assert activated(store) == [1, 2]


def test_reloading_over_http_must_be_allowed(tmp_path: Path) -> None:
    with listening(["--config", str(TINY), "--store", str(tmp_path / "store.db")]) as worker:
        assert worker.call("POST", "/-/reload")[0] == 403
        assert worker.get("/healthz")["last_reload"]["successful"] is True, "the start was one"


# --- several centres ----------------------------------------------------------------------------


def test_several_centres_share_a_process_and_nothing_else(tmp_path: Path) -> None:
    for name in ("north", "south", "west"):
        write_center(tmp_path / "config" / name, name)
    stores = tmp_path / "stores"
    told = [
        "--config",
        str(tmp_path / "config"),
        "--centers",
        "north,south",
        "--store",
        str(stores),
    ]
    with listening([*told, "--enable-lifecycle"]) as worker:
        assert worker.get("/v1/centers")["centers"] == {"north": "ok", "south": "ok"}
        status, answer = worker.call("POST", "/v1/events", [ARRIVED], BATCH)
        assert (status, answer["detail"]) == (400, "say ?center=NAME, of: north, south")
        post(worker, SIGNED_IN, ARRIVED, center="north")
        post(worker, SIGNED_IN, center="south")
        assert worker.get("/v1/queues?center=north")["open_contacts"] == 1
        assert worker.get("/v1/queues?center=south")["open_contacts"] == 0
        assert worker.call("GET", "/v1/queues?center=east")[0] == 404
        health = worker.get("/healthz")
        assert (health["status"], set(health["centers"])) == ("ok", {"north", "south"})
        write_center(tmp_path / "config" / "north", "north", version=2)
        write_center(tmp_path / "config" / "south", "south", version=0)
        assert worker.call("POST", "/-/reload")[0] == 422
        assert activated(stores / "north.db") == [1], "all of it is valid, or nothing changes"
        write_center(tmp_path / "config" / "south", "south", version=2)
        assert worker.call("POST", "/-/reload")[0] == 200
    assert activated(stores / "north.db") == activated(stores / "south.db") == [1, 2]
    assert not (stores / "west.db").exists()


def test_one_centre_that_cannot_go_on_does_not_stop_the_other(tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_center(tmp_path / "config" / name, name)
    stores = tmp_path / "stores"
    stores.mkdir()
    (stores / "south.db").write_bytes(b"not a store" * 100)
    with listening(["--config", str(tmp_path / "config"), "--store", str(stores)]) as worker:
        assert worker.get("/v1/centers")["centers"] == {"north": "ok", "south": "failed"}
        post(worker, ARRIVED, center="north")
        assert worker.call("POST", "/v1/events?center=south", [ARRIVED], BATCH)[0] == 503
        assert worker.call("GET", "/readyz")[0] == 503
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 1


def test_a_second_process_takes_the_stores_of_a_killed_one_over(tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_center(tmp_path / "config" / name, name)
    told = ["--config", str(tmp_path / "config"), "--store", str(tmp_path / "stores"), "--standby"]
    with listening(told) as first, listening(told) as second:
        post(first, SIGNED_IN, ARRIVED, center="north")
        assert second.get("/v1/centers")["centers"] == {"north": "standby", "south": "standby"}
        assert second.get("/readyz") == {"status": "ready"}
        assert second.get("/healthz")["status"] == "standby"
        killed_s = time.monotonic()
        first.process.kill()
        while set(second.get("/v1/centers")["centers"].values()) != {"ok"}:
            assert time.monotonic() - killed_s < 20
        assert second.get("/v1/queues?center=north")["open_contacts"] == 1
        assert post(second, ARRIVED, center="north")["duplicates"] == 1


# --- dry runs -----------------------------------------------------------------------------------


def test_a_dry_run_decides_and_leaves_no_trace(tmp_path: Path) -> None:
    config, store = write_center(tmp_path / "config"), tmp_path / "store.db"
    told = ["--config", str(config), "--store", str(store)]
    with listening(told) as worker:
        post(worker, SIGNED_IN)
        before = entries_of(store)
        (tmp_path / "more.ndjson").write_text(json.dumps(ARRIVED) + "\n")
        changed = write_center(tmp_path / "changed", version=2)
        run = ["run", "--config", str(changed), "--store", str(store), "--dry-run"]
        done = subprocess.run(
            [sys.executable, "-m", "switchroom", *run, "--input", str(tmp_path / "more.ndjson")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"type":"switchroom.contact.offered"' in done.stdout
        assert "OfferContact 1" in done.stderr
        assert "nothing was journaled, nothing published" in done.stderr
        # The owner never stopped, and knows nothing of it.
        assert entries_of(store) == before
        assert post(worker, ARRIVED)["accepted"] == 1


# --- the watchdog -------------------------------------------------------------------------------


def test_a_loop_that_hangs_ends_the_process_with_a_code_of_its_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    codes: list[int] = []

    async def hang() -> None:
        watchdog = Watchdog(0.05, codes.append)
        watchdog.start()
        await asyncio.sleep(0)
        until_s = time.monotonic() + 10
        while not codes and time.monotonic() < until_s:
            pass
        watchdog.stop()

    asyncio.run(hang())
    assert codes == [EXIT_STUCK]
    told = capfd.readouterr().err
    assert "the loop has hung" in told
    assert "test_host.py" in told, "it shows where"


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    config, store = write_center(tmp_path / "config"), tmp_path / "store.db"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        address = tmp_path / "notify"
        manager.bind(str(address))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        with listening(["--config", str(config), "--store", str(store)]) as worker:
            heard = set()
            while "READY=1" not in heard or "WATCHDOG=1" not in heard:
                heard.add(manager.recv(100).decode())
            worker.process.send_signal(signal.SIGTERM)
            worker.process.wait(10)
            while "STOPPING=1" not in heard:
                heard.add(manager.recv(100).decode())
