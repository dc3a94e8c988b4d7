"""Owns: running Apache Kafka (KRaft, one node) from the jars that Maven resolves.

In: a Part, deploy/dev/kafka/pom.xml. Out: commands to process.py; jars, settings and data
under the part's folder. Invariant: the jars are those of the present pom.xml (a stamp holds
its hash). A broker that was killed recovers its log when it is started again.
"""

import hashlib
import re
import shutil
import subprocess

from .native import Native
from .part import ROOT, Failed

POM = ROOT / "deploy" / "dev" / "kafka" / "pom.xml"

SETTINGS = """\
# Written by deploy/dev/services at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}

# Topics are made by `gramtap topics apply` and by the tests, never by a typing mistake.
auto.create.topics.enable=false
# A test's consumer group starts at once instead of waiting 3 s for more members.
group.initial.rebalance.delay.ms=0
# A killed broker's successor is let in when the old session is over: soon.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000

# One node: one copy. Few partitions of the inner topics: they are made at first use.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# Small machines: modest buffers and threads.
num.network.threads=2
num.io.threads=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=8388608
log.index.size.max.bytes=1048576
"""

# A small heap, no second compiler: less memory and CPU at start, slower under
# sustained load. Leave the first three out when the broker itself is measured.
JVM = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms128m",
    "-Xmx384m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
]


class Kafka(Native):
    """One node that is broker and controller."""

    group = "kafka"

    def prepare(self) -> None:
        self._resolve()
        data, settings = self.folder / "data", self.folder / "server.properties"
        settings.write_text(
            SETTINGS.format(port=self.part.port, controller=self.part.port + 1, data=data)
        )
        if not (data / "meta.properties").exists():
            # A first try may have been cut short.
            self.wipe()
            tool = self._java("kafka.tools.StorageTool")
            cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, text=True, check=False)
            if cluster.returncode != 0:
                raise Failed(f"kafka: no cluster id:\n{cluster.stderr}")
            self.run([*tool, "format", "-t", cluster.stdout.strip(), "-c", str(settings)])

    def command(self) -> list[str]:
        return [*self._java("kafka.Kafka"), str(self.folder / "server.properties")]

    def version(self, probed: str) -> str:
        return wanted_version()

    def _java(self, main: str) -> list[str]:
        return ["java", *JVM, "-cp", f"{self.folder / 'lib'}/*", main]

    def _resolve(self) -> None:
        lib, stamp = self.folder / "lib", self.folder / "lib" / "stamp"
        wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print(f"kafka: fetching Apache Kafka {wanted_version()} with Maven (46 jars, 43 MB; once)", flush=True)
        shutil.rmtree(lib, ignore_errors=True)
        self.run(
            ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(POM), "dependency:copy-dependencies"]
            + [f"-DoutputDirectory={lib}", "-DincludeScope=runtime"]
        )
        stamp.write_text(wanted)


def wanted_version() -> str:
    """The version that pom.xml names."""
    found = re.search(r"<kafka\.version>([^<]+)<", POM.read_text())
    if found is None:
        raise Failed(f"kafka: no version in {POM}")
    return found[1]
