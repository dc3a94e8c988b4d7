"""Owns: what a part is: its name, address, folder, and who runs it.

In: the environment (GRAMTAP_TEST_*, GRAMTAP_DEV_*_PORT). Out: a Part for native.py,
kafka.py, compose.py (which say how it is run) and services (which says when).
Invariant: an address that the environment gives is used and never started or ended here.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import probes
from .probes import NotReady

ROOT = Path(__file__).resolve().parents[3]
# Always the repository's own target folder: `cargo clean` takes it away, and
# every shell finds the same services, whatever its CARGO_TARGET_DIR is.
STATE = ROOT / "target" / "dev-services"


class Failed(Exception):
    """A part cannot be run; the text says why and what to do."""


@dataclass(frozen=True)
class Part:
    """One service that the tests use."""

    name: str
    # The environment variable that holds its address, for us and for the tests.
    variable: str
    port: int
    # Its own address, when the environment gives none.
    own: str
    probe: Callable[[str], str]

    @property
    def given(self) -> bool:
        """Whether the environment names another address than our own."""
        return self.address != self.own

    @property
    def address(self) -> str:
        return os.environ.get(self.variable) or self.own

    @property
    def folder(self) -> Path:
        return STATE / self.name

    def answers(self) -> str | None:
        """The version of the server if it answers."""
        try:
            return self.probe(self.address)
        except NotReady:
            return None


def _port(name: str, usual: int) -> int:
    return int(os.environ.get(f"GRAMTAP_DEV_{name}_PORT", usual))


def _kafka_version(address: str) -> str:
    probes.kafka(address)
    return "unknown"


def parts() -> list[Part]:
    """All parts, in the order they are started."""
    kafka, redis, postgres = _port("KAFKA", 29092), _port("REDIS", 26379), _port("POSTGRES", 25432)
    return [
        Part("kafka", "GRAMTAP_TEST_KAFKA", kafka, f"127.0.0.1:{kafka}", _kafka_version),
        Part("redis", "GRAMTAP_TEST_REDIS", redis, f"redis://127.0.0.1:{redis}", probes.redis),
        Part(
            "postgres",
            "GRAMTAP_TEST_POSTGRES",
            postgres,
            f"postgres://gramtap@127.0.0.1:{postgres}/gramtap",
            probes.postgres,
        ),
    ]
