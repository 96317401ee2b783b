"""Start one real Apache Kafka (KRaft, one node) on a free port of this machine, and stop it.

`python -m tests.kafka.broker --port 9092` does so by hand. The jars come through Maven, once, into
`.cache/kafka`; a Java of 17 or later runs them. Each broker has a directory of its own.
Acknowledged means: written, not flushed (Kafka's default; its safety is replication), so a
broker that is killed loses nothing, a machine that loses power may. No topic makes itself.
A killed broker's session ends after 2 s instead of 9, so that it may come back sooner.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
POM: Final = Path(__file__).parent / "pom.xml"
CACHE: Final = ROOT / ".cache" / "kafka"
JAVA_MIN: Final = 17
START_S: Final = 60.0
STOP_S: Final = 20.0
FETCH_S: Final = 600.0

_SETTINGS: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure},MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure},MUTUAL://127.0.0.1:{mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config={login} required user_{user}="{secret}";
listener.name.secure.scram-sha-512.sasl.jaas.config={scram} required;
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.truststore.type=PEM
listener.name.mutual.ssl.truststore.location={directory}/client.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user}
ssl.keystore.type=PKCS12
ssl.keystore.location={directory}/keys.p12
ssl.keystore.password={secret}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""


_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
LIMITED: Final = "engine"
"""A user (SCRAM-SHA-512, `SECRET`) who has no right but those that a test gives him."""
CLIENT: Final = "CN=engine"
"""The subject of the client's certificate; it has no right either."""
USER: Final = "worker"
SECRET: Final = "of-this-test-broker"  # noqa: S105 - of a broker that lives for a test


class BrokerError(Exception):
    """A broker that cannot be had: says what is missing and what to do."""


def find_missing() -> str:
    """Say what this machine lacks for a broker, "" if nothing."""
    java = shutil.which("java")
    if java is None:
        return f"java is not installed; a real Kafka needs a Java of {JAVA_MIN} or later"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < JAVA_MIN:
        return f"java is too old for Kafka ({told.splitlines()[:1]}); install {JAVA_MIN} or later"
    if shutil.which("openssl") is None:
        return "openssl is not installed; it makes the certificate of the tests' client"
    if _jars() is None and shutil.which("mvn") is None:
        return "mvn (Maven) is not installed; it brings Kafka's jars"
    return ""


def _folder() -> Path:
    return CACHE / hashlib.blake2b(POM.read_bytes(), digest_size=6).hexdigest()


def _jars() -> Path | None:
    folder = _folder()
    return folder if folder.is_dir() else None


def fetch_jars() -> Path:
    """Return the directory of Kafka's jars; Maven brings them if they are not there."""
    if (there := _jars()) is not None:
        return there
    CACHE.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a second process may be at it, and either may be killed.
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        jars = Path(made) / "jars"
        arguments = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        arguments += [f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=FETCH_S, check=False
        )
        if done.returncode or not any(jars.glob("kafka_*.jar")):
            raise BrokerError(f"Maven could not bring Kafka's jars:\n{done.stdout[-2000:]}")
        try:
            jars.rename(_folder())
        except OSError:
            # Another process was first: its jars are as good.
            if _jars() is None:
                raise
    return _folder()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Run one broker in `directory`; after `kill` it can be started again on what it wrote."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._controller = free_port()
        self._secure = free_port()
        self._mutual = free_port()

    @property
    def secure_address(self) -> str:
        """Return HOST:PORT where TLS and a login (PLAIN, `USER`, `SECRET`) are asked for."""
        return f"127.0.0.1:{self._secure}"

    @property
    def mutual_address(self) -> str:
        """Return HOST:PORT where a client shows a certificate of its own."""
        return f"127.0.0.1:{self._mutual}"

    @property
    def client_certificate(self) -> Path:
        """Return the certificate of the client, which signs itself; `client_key` is beside it."""
        return self.directory / "client.pem"

    @property
    def client_key(self) -> Path:
        """Return the client's key."""
        return self.directory / "client.key"

    @property
    def certificate(self) -> Path:
        """Return the certificate of the broker, which signs itself."""
        return self.directory / "broker.pem"

    @property
    def address(self) -> str:
        """Return HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Format the directory the first time, start, and return once clients are answered."""
        missing = find_missing()
        if missing:
            raise BrokerError(missing)
        jars = fetch_jars()
        settings = self.directory / "server.properties"
        if not settings.exists():
            data = self.directory / "data"
            self._make_certificate()
            text = _SETTINGS.format(
                port=self.port,
                secure=self._secure,
                controller=self._controller,
                data=data,
                directory=self.directory,
                mutual=self._mutual,
                login=_LOGIN,
                scram=_SCRAM,
                user=USER,
                secret=SECRET,
            )
            settings.write_text(text, encoding="utf-8")
            cluster = base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
            users = f"SCRAM-SHA-512=[name={LIMITED},password={SECRET}]"
            # Joined: a random id may begin with a hyphen.
            make = ["format", f"--cluster-id={cluster}", "-c", str(settings)]
            make += ["--add-scram", users]
            self._java(jars, "kafka.tools.StorageTool", *make)
        with (self.directory / "broker.log").open("ab") as told:
            self.process = subprocess.Popen(
                self._command(jars, "kafka.Kafka", settings),
                stdout=told,
                stderr=told,
                cwd=self.directory,
                # Ctrl-C is for whoever started us; we stop the broker ourselves.
                start_new_session=True,
            )
        self._wait()

    def _make_certificate(self) -> None:
        keys = ["-keystore", str(self.directory / "keys.p12"), "-storepass", SECRET]
        make = ["keytool", "-genkeypair", "-alias", "broker", "-keyalg", "EC", "-validity", "2"]
        make += ["-dname", "CN=broker", "-ext", "SAN=ip:127.0.0.1", "-storetype", "PKCS12", *keys]
        show = ["keytool", "-exportcert", "-rfc", "-alias", "broker", *keys]
        subprocess.run(make, check=True, capture_output=True)
        shown = subprocess.run(show, check=True, capture_output=True)
        self.certificate.write_bytes(shown.stdout)
        own = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        own += ["-nodes", "-days", "2", "-subj", f"/{CLIENT}"]
        own += ["-keyout", str(self.client_key), "-out", str(self.client_certificate)]
        subprocess.run(own, check=True, capture_output=True)

    def _command(self, jars: Path, main: str, *arguments: object) -> list[str]:
        flags = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        flags.append("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        return ["java", *flags, "-cp", f"{jars}/*", main, *map(str, arguments)]

    def _java(self, jars: Path, main: str, *arguments: object) -> None:
        done = subprocess.run(
            self._command(jars, main, *arguments), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BrokerError(f"{main} failed:\n{(done.stdout + done.stderr)[-2000:]}")

    def _wait(self) -> None:
        assert self.process is not None, "started above"
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        told = (self.directory / "broker.log").read_text(errors="replace")[-3000:]
        self.kill()
        raise BrokerError(f"Kafka did not start on {self.address}:\n{told}")

    def kill(self) -> None:
        """Kill it as a failing machine would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Stop it in order, the hard way if it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None


def main() -> int:
    """Run a broker by hand until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9092)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="switchroom-kafka-") as directory:
        broker = Broker(Path(directory), chosen.port)
        try:
            broker.start()
        except BrokerError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        sys.stderr.write(f"Kafka listens on {broker.address}; Ctrl-C stops it and forgets all\n")
        try:
            assert broker.process is not None, "started above"
            return broker.process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
