"""Licences, bans and sources of everything we are built from, as deny.toml says.

In: cargo's metadata, deny.toml (the one table, also read by cargo-deny where that is installed).
Out: offences. Only what deny.toml uses is understood: licenses.allow, licenses.exceptions,
bans.deny with `deny-multiple-versions` and `reason`; any source but a registry is refused.
"""

import re
from collections import Counter
from typing import Iterator

from .metadata import Metadata
from .tree import Offence


def check_licences(metadata: Metadata, deny: dict) -> Iterator[Offence]:
    allowed = set(deny["licenses"]["allow"])
    exceptions = {entry["crate"]: set(entry["allow"]) for entry in deny["licenses"].get("exceptions", [])}
    for package in metadata.packages:
        licence = package["license"]
        if licence is None:
            yield _of(package, "licence", "names no licence")
        elif not satisfied(licence, allowed | exceptions.get(package["name"], set())):
            yield _of(package, "licence", f"{licence} is not among those that deny.toml allows")


def check_bans(metadata: Metadata, deny: dict) -> Iterator[Offence]:
    count = Counter(package["name"] for package in metadata.packages)
    for entry in deny["bans"]["deny"]:
        name, reason = entry["crate"], entry["reason"]
        if entry.get("deny-multiple-versions"):
            if count[name] > 1:
                yield Offence("Cargo.lock", 1, "ban", f"{name} in {count[name]} versions: {reason}")
        elif count[name]:
            yield Offence("Cargo.lock", 1, "ban", f"{name}: {reason}")
    for package in metadata.packages:
        source = package["source"]
        if source is not None and not source.startswith(("registry+", "sparse+")):
            yield _of(package, "source", f"comes from {source}: registries only")


def satisfied(licence: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with these licences ("/" is the old way to say OR)."""
    words = re.findall(r"\(|\)|[^\s()]+", licence.replace("/", " OR "))
    verdict, rest = _either(words, allowed)
    return verdict and not rest


def _either(words: list[str], allowed: set[str]) -> tuple[bool, list[str]]:
    verdict, words = _both(words, allowed)
    while words[:1] == ["OR"]:
        other, words = _both(words[1:], allowed)
        verdict = verdict or other
    return verdict, words


def _both(words: list[str], allowed: set[str]) -> tuple[bool, list[str]]:
    verdict, words = _one(words, allowed)
    while words[:1] == ["AND"]:
        other, words = _one(words[1:], allowed)
        verdict = verdict and other
    return verdict, words


def _one(words: list[str], allowed: set[str]) -> tuple[bool, list[str]]:
    if words[:1] == ["("]:
        verdict, words = _either(words[1:], allowed)
        return verdict, words[1:]
    name = words[0] if words else ""
    if words[1:2] == ["WITH"]:
        return " ".join(words[:3]) in allowed, words[3:]
    return name in allowed, words[1:]


def _of(package: dict, rule: str, what: str) -> Offence:
    return Offence("Cargo.lock", 1, rule, f"{package['name']} {package['version']}: {what}")
