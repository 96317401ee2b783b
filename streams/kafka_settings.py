"""Say how to reach a Kafka cluster, and refuse what would carry secrets or data in the clear.

What is no secret may stand in a settings file; passwords come from files or the environment,
never from the command line, and are in no message and no `repr`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from configs.yaml_reader import Leaf, YamlError, read_yaml
from streams.ports import StoreError
from streams.topics import check_prefix

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
ENVIRONMENT: Final = "SWITCHROOM_KAFKA__"
PORT_MAX: Final = 65_535
_SECRETS: Final = ("sasl_password", "ssl_key_password")


class KafkaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach a cluster; `*_file` name files, the secrets themselves are read at the last."""

    bootstrap_servers: str = ""
    topic_prefix: str = "switchroom"
    security_protocol: str = ""
    allow_insecure: bool = False
    ssl_ca_file: str = ""
    ssl_certificate_file: str = ""
    ssl_key_file: str = ""
    ssl_key_password_file: str = ""
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    fence: bool = False
    append_timeout_ms: int = 8000
    request_timeout_ms: int = 10_000
    session_timeout_ms: int = 6000

    @property
    def protocol(self) -> str:
        """Return the protocol: as set, else SASL_SSL, but plain where nobody else can listen."""
        if self.security_protocol:
            return self.security_protocol
        return "PLAINTEXT" if self.only_loopback else "SASL_SSL"

    @property
    def only_loopback(self) -> bool:
        """Whether all addresses are of this machine."""
        return all(_is_loopback(address) for address in self.bootstrap_servers.split(","))

    @property
    def timeouts_ms(self) -> tuple[int, ...]:
        """Return all that must be positive."""
        return self.append_timeout_ms, self.request_timeout_ms, self.session_timeout_ms

    @property
    def append_s(self) -> float:
        """Return the deadline of an append, in seconds."""
        return self.append_timeout_ms / 1000

    @property
    def request_s(self) -> float:
        """Return the deadline of any other call, in seconds."""
        return self.request_timeout_ms / 1000


def load_settings(
    file: Path | None,
    *,
    bootstrap_servers: str = "",
    topic_prefix: str = "",
    environment: Mapping[str, str] = os.environ,
) -> KafkaSettings:
    """Join flags, environment, file and defaults, in this order; raises `StoreError`."""
    values: dict[str, Any] = {} if file is None else _read_file(file)
    for name in KafkaSettings.__struct_fields__:
        if ENVIRONMENT + name.upper() in environment:
            values[name] = environment[ENVIRONMENT + name.upper()]
    values |= {"bootstrap_servers": bootstrap_servers} if bootstrap_servers else {}
    values |= {"topic_prefix": topic_prefix} if topic_prefix else {}
    where = "the environment" if file is None else str(file)
    try:
        # Not strict: the environment knows only texts.
        settings = msgspec.convert(values, KafkaSettings, strict=False)
    except msgspec.ValidationError as error:
        raise StoreError(f"{where}: {error}; see KAFKA.md for the settings") from None
    _check(settings, where)
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    try:
        found = read_yaml(file)
    except YamlError as error:
        raise StoreError(str(error)) from None
    values: dict[str, Any] = {}
    for name, entry in found.entries.items():
        if name in _SECRETS:
            raise StoreError(
                f"{entry.place}: {name}: no secrets here; put it into a file of its own and name "
                f"that with {name}_file, or set {ENVIRONMENT}{name.upper()}"
            )
        if not isinstance(entry.item, Leaf):
            raise StoreError(f"{entry.place}: {name}: one value is expected")
        values[name] = entry.item.value
    return values


def _check(settings: KafkaSettings, where: str) -> None:
    for address in settings.bootstrap_servers.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
            raise StoreError(f"bootstrap server {address!r}: not HOST:PORT, as in 127.0.0.1:9092")
    if fault := check_prefix(settings.topic_prefix):
        raise StoreError(fault)
    if settings.protocol not in PROTOCOLS:
        raise StoreError(f"{where}: security_protocol must be one of {', '.join(PROTOCOLS)}")
    if settings.sasl_mechanism not in MECHANISMS:
        raise StoreError(f"{where}: sasl_mechanism must be one of {', '.join(MECHANISMS)}")
    if min(settings.timeouts_ms) <= 0:
        raise StoreError(f"{where}: timeouts are positive milliseconds")
    open_to_all = not settings.protocol.endswith("SSL")
    if open_to_all and not settings.only_loopback and not settings.allow_insecure:
        raise StoreError(
            f"{settings.bootstrap_servers}: {settings.protocol} to another machine shows all of "
            "it to whoever listens; set security_protocol: SASL_SSL (or SSL), or, if the network "
            "itself is safe, allow_insecure: true"
        )
    if settings.protocol.startswith("SASL") and not settings.sasl_username:
        raise StoreError(
            f"{where}: {settings.protocol} needs sasl_username and sasl_password_file; see KAFKA.md"
        )


def client_options(
    settings: KafkaSettings, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return what every client of the cluster is told; it holds secrets: never print it."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.protocol,
        "request_timeout_ms": settings.request_timeout_ms,
    }
    if settings.protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings, environment)
    if settings.protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = _secret(
            "sasl_password", settings.sasl_password_file, environment
        )
    return options


def _ssl_context(settings: KafkaSettings, environment: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.ssl_certificate_file:
            password = ""
            if settings.ssl_key_password_file or _name("ssl_key_password") in environment:
                file = settings.ssl_key_password_file
                password = _secret("ssl_key_password", file, environment)
            context.load_cert_chain(
                settings.ssl_certificate_file,
                settings.ssl_key_file or None,
                # Never let OpenSSL ask at the terminal.
                password=lambda: password,
            )
    except (OSError, ssl.SSLError) as error:
        raise StoreError(
            f"the certificates cannot be used ({error}); check ssl_ca_file, ssl_certificate_file "
            "and ssl_key_file"
        ) from None
    return context


def _name(secret: str) -> str:
    return ENVIRONMENT + secret.upper()


def _secret(name: str, file: str, environment: Mapping[str, str]) -> str:
    if file:
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise StoreError(f"{file}: {name} cannot be read ({reason})") from None
    else:
        secret = environment.get(_name(name), "")
    if not secret:
        raise StoreError(f"{name}: none given; name a file with {name}_file, or set {_name(name)}")
    return secret


def _is_loopback(address: str) -> bool:
    host = address.strip().rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
