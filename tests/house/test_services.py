"""Tests what `deploy/dev/services` rests on: processes by pid file, probes, whose address it is.

In: small processes and one-answer servers made here. Out: unittest's verdict.
Invariant: needs no Kafka, Redis, Postgres or container engine; whatever is started is ended.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from contextlib import suppress
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "dev"))

from parts import compose, kafka, probes
from parts.part import parts
from parts.process import Process

# Ends by itself should a test be cut short.
IDLE = ["python3", "-c", "import signal; signal.alarm(60); signal.pause()"]
STUBBORN = [
    "python3",
    "-c",
    "import signal; signal.alarm(60); signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.sigwait([10])",
]


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.process = Process(Path(folder.name))
        self.addCleanup(self.process.kill)

    def test_another_command_finds_pauses_and_ends_it(self):
        self.process.start(IDLE)
        other = Process(self.process.pid_file.parent)
        self.assertEqual(other.pid(), self.process.child.pid)
        other.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, other.pid(), os.WSTOPPED | os.WNOWAIT)
        self.assertTrue(other.paused())
        self.assertTrue(other.stop(signal.SIGTERM))
        self.assertIsNone(other.pid())
        self.assertFalse(other.pid_file.exists())

    def test_what_does_not_listen_is_killed(self):
        self.process.start(STUBBORN)
        while b"deaf" not in self.process.log.read_bytes():
            self.assertIsNotNone(self.process.pid())
        self.assertFalse(self.process.stop(signal.SIGTERM, patience=0.2))
        self.assertIsNone(self.process.pid())

    def test_a_pid_that_belongs_to_another_program_now_is_left_alone(self):
        with subprocess.Popen(IDLE) as foreign:
            self.process.pid_file.write_text(f"{foreign.pid} 1\n")
            self.assertIsNone(self.process.pid())
            self.process.kill()
            self.assertTrue(self.process.stop(signal.SIGTERM))
            self.assertIsNone(foreign.poll())
            foreign.kill()


class Probes(unittest.TestCase):
    def server(self, answer: bytes) -> int:
        """A server that gives one answer to whatever it is asked first."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            # A probe that has heard enough hangs up.
            with suppress(ConnectionError), listener, listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(answer)
                connection.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)
        return listener.getsockname()[1]

    def refuses(self, probe, scheme: str, answer: bytes):
        with self.assertRaises(probes.NotReady):
            probe(f"{scheme}127.0.0.1:{self.server(answer)}")

    def test_redis_that_loads_its_data_is_not_ready(self):
        self.refuses(probes.redis, "redis://", b"-LOADING Redis is loading the dataset in memory\r\n")

    def test_redis_that_answers(self):
        info = b"# Server\r\nredis_version:7.0.15\r\n"
        port = self.server(b"+PONG\r\n$%d\r\n%s\r\n" % (len(info), info))
        self.assertEqual(probes.redis(f"redis://127.0.0.1:{port}"), "7.0.15")

    def test_postgres_that_starts_up_is_not_ready(self):
        fields = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"
        self.refuses(probes.postgres, "postgres://", b"E" + struct.pack("!i", len(fields) + 4) + fields)

    def test_postgres_that_wants_a_password_is_ready(self):
        port = self.server(b"R" + struct.pack("!ii", 8, 5) + b"salt")
        self.assertEqual(probes.postgres(f"postgres://127.0.0.1:{port}"), "unknown")

    def test_kafka_without_a_broker_is_not_ready(self):
        body = struct.pack("!iii", 1, 0, 0)
        self.refuses(probes.kafka, "", struct.pack("!i", len(body)) + body)

    def test_a_closed_port_is_not_ready(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        for probe, scheme in ((probes.redis, "redis://"), (probes.postgres, "postgres://"), (probes.kafka, "")):
            with self.assertRaises(probes.NotReady):
                probe(f"{scheme}127.0.0.1:{port}")


class Addresses(unittest.TestCase):
    def test_an_address_from_the_environment_is_not_ours(self):
        with mock.patch.dict(os.environ, {"GRAMTAP_TEST_REDIS": "redis://elsewhere:1"}):
            redis = {part.name: part for part in parts()}["redis"]
            self.assertTrue(redis.given)
            self.assertEqual(redis.address, "redis://elsewhere:1")

    def test_our_own_address_stays_ours(self):
        own = {part.variable: part.own for part in parts()}
        with mock.patch.dict(os.environ, own):
            self.assertFalse(any(part.given for part in parts()))

    def test_an_empty_variable_gives_nothing(self):
        with mock.patch.dict(os.environ, {"GRAMTAP_TEST_REDIS": ""}):
            self.assertFalse(any(part.given for part in parts()))


class Images(unittest.TestCase):
    def test_compose_runs_the_same_kafka_as_the_native_package(self):
        images = {part.name: compose.Compose(part, [])._image() for part in parts()}
        self.assertEqual(images["kafka"], f"apache/kafka:{kafka.wanted_version()}")
        self.assertTrue(images["redis"].startswith("redis:"))
        self.assertTrue(images["postgres"].startswith("postgres:"))


if __name__ == "__main__":
    unittest.main()
