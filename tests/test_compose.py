"""The compose file: every file and option it names exists. No Docker: nothing is started here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from streams.kafka_settings import load_settings
from switchroom import build

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "configs" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_mounts_and_needs_is_there(name: str) -> None:
    service = SERVICES[name]
    for mount in service.get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (FOLDER / source).exists(), mount
            assert mount.endswith(":ro"), "what is ours is not written to"
        else:
            assert source in COMPOSE["volumes"], mount
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "open to this machine only"
    assert re.fullmatch(r"switchroom|[a-z/]+:v?\d+\.\d+\.\d+", service["image"]), "a version"


def test_ports_are_taken_once() -> None:
    ports = [port.split(":")[1] for each in SERVICES.values() for port in each.get("ports", ())]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("name", ["worker", "views"])
def test_our_commands_have_the_options_that_are_used(name: str) -> None:
    command, *options = SERVICES[name]["command"]
    group = typer.main.get_command(build())
    known = {
        option
        for parameter in group.commands[command].params  # type: ignore[attr-defined]
        for option in parameter.opts
    }
    assert {option.split("=")[0] for option in options} <= known


def test_the_settings_of_its_kafka_can_be_read() -> None:
    settings = load_settings(FOLDER / "kafka.yaml", bootstrap_servers="kafka:19092", environment={})
    assert (settings.protocol, settings.allow_insecure) == ("PLAINTEXT", True)
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert "INSIDE://kafka:19092" in listeners


def test_prometheus_here_differs_in_addresses_only() -> None:
    own = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    other = yaml.safe_load((ROOT / "configs/prometheus/prometheus.yml").read_text())

    def without_addresses(config: dict[str, Any]) -> str:
        return re.sub(r"'[\w.]+:\d+'", "ADDRESS", str(config))

    assert without_addresses(own) == without_addresses(other)
    target = own["scrape_configs"][0]["static_configs"][0]["targets"][0]
    host, _, port = target.partition(":")
    assert f":{port}" in next(o for o in SERVICES[host]["command"] if o.startswith("--http="))


def test_the_image_copies_what_exists_and_is_not_root() -> None:
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line
    assert "USER switchroom" in lines
