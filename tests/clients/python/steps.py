"""The contract of the Python programs: settings, the loop over steps, one line per step.

In: BASE, TOKEN, WRONG_TOKEN, CHAT and UPLOAD from the environment; names of steps on stdin,
one a line (tests/it/clients/program.rs writes them). Out: one JSON line per step on stdout,
what the library returned or what it raised; the library's own log goes to stderr.
Invariant: a step begins only after its name was read, so whoever writes the names knows
which request belongs to which step. End of stdin ends the program; so does a bug in it,
with a traceback and no line, which the harness reports.
"""

import asyncio
import enum
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

BASE = os.environ["BASE"]
TOKEN = os.environ["TOKEN"]
WRONG_TOKEN = os.environ["WRONG_TOKEN"]
CHAT = int(os.environ["CHAT"])
UPLOAD = os.environ["UPLOAD"]

TEXT = "Привет, <b>мир</b> & 🦀"
LONG_TEXT = "Съешь же ещё этих мягких булок. " * 128
EDITED = "edited & done"
HOOK = "https://example.org/hook"
# What the empty poll waits for, and what the loops of steps `polling` wait for, in seconds.
EMPTY_POLL = 1
LOOP_POLL = 3


class Unsupported(Exception):
    """The library has no public way to take this step."""


def digest(content: bytes) -> dict[str, Any]:
    """What a download is shown as."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def plain(value: Any) -> Any:
    """`value` as JSON can hold it; objects become their public attributes that are set."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    attributes = getattr(value, "__dict__", None)
    if attributes is None:
        return str(value)
    return {
        key: plain(item)
        for key, item in sorted(attributes.items())
        if not key.startswith("_") and item is not None and not callable(item)
    }


def raised(error: BaseException) -> dict[str, Any]:
    """What is told of an error: its class, its text and the fields that bots branch on."""
    told: dict[str, Any] = {"class": type(error).__name__, "text": str(error)}
    for field in ("error_code", "description", "retry_after"):
        value = getattr(error, field, None)
        if value is not None:
            told[field] = plain(value) if not hasattr(value, "total_seconds") else value.total_seconds()
    return told


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False, sort_keys=True), flush=True)


async def run(steps: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
    """Takes the steps that stdin names, until it ends."""
    loop = asyncio.get_running_loop()
    while name := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        try:
            tell({"step": name, "returned": plain(await steps[name]())})
        except Unsupported as reason:
            tell({"step": name, "unsupported": str(reason)})
        except Exception as error:
            tell({"step": name, "raised": raised(error)})


def run_sync(steps: Mapping[str, Callable[[], Any]]) -> None:
    """The same for a library that blocks."""
    while name := sys.stdin.readline().strip():
        try:
            tell({"step": name, "returned": plain(steps[name]())})
        except Unsupported as reason:
            tell({"step": name, "unsupported": str(reason)})
        except Exception as error:
            tell({"step": name, "raised": raised(error)})
