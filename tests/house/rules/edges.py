"""Which of our crates may depend on which: the architecture as a table.

In: cargo's metadata. Out: an offence for every edge that is not in the table, test edges
included, and for every crate that is not in it. An edge is added here first, with its
reason in ARCHITECTURE.md. Only gramtap-tests knows everybody; it may be a test edge of any crate.
"""

from typing import Iterator

from .metadata import Metadata
from .tree import Offence

SHARED = {
    "telegram", "settings", "telemetry", "actors", "events", "bus", "database", "tenants", "outbound", "simulator",
    "botapi", "process", "endpoint", "privacy",
}
ALLOWED = {
    "telegram": set(),
    "settings": set(),
    "telemetry": set(),
    "actors": set(),
    "events": {"telegram"},
    "bus": {"events", "settings", "telemetry", "actors"},
    "database": {"settings", "telemetry"},
    "tenants": {"database", "bus", "events", "telegram", "settings", "telemetry", "actors"},
    "outbound": {"settings", "telemetry", "actors"},
    "endpoint": {"tenants", "outbound", "events", "settings"},
    "privacy": {"events", "telegram"},
    "simulator": {"telegram"},
    "botapi": {"telegram", "settings", "telemetry"},
    "process": {"actors", "bus", "events", "settings", "telemetry", "telegram", "tenants"},
    # A service never depends on a service: they meet in Kafka, Redis and SQL.
    "ingress": SHARED - {"simulator"},
    "forwarder": SHARED - {"simulator"},
    "analytics": SHARED - {"simulator"},
    # The all-in-one binary is the only one that names services.
    "gramtap": SHARED | {"ingress", "forwarder", "analytics"},
    "bench": SHARED - {"simulator"},
    "tests": SHARED | {"ingress", "forwarder", "analytics", "gramtap"},
}


def check(metadata: Metadata, _deny: dict) -> Iterator[Offence]:
    ours = {member["name"]: member for member in metadata.members}
    for name, member in ours.items():
        short = _short(name)
        path = member["manifest_path"]
        if short not in ALLOWED:
            yield Offence(path, 1, "edge", f"{name} is not in the table of tests/house/rules/edges.py")
            continue
        for dependency in member["dependencies"]:
            other = _short(dependency["name"])
            if dependency["name"] not in ours or other in ALLOWED[short]:
                continue
            if other == "tests" and dependency["kind"] == "dev":
                continue
            kind = dependency["kind"] or "normal"
            yield Offence(path, 1, "edge", f"{short} must not depend on {other} ({kind} dependency)")


def _short(name: str) -> str:
    return name.removeprefix("gramtap-")
