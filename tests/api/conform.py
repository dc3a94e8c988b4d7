"""Asks a running console for what its description of /v1 says, and holds every answer to it.

In: CONSOLE and LINK (`check` says what they are). Out: what Schemathesis says, exit status 0 where all answers are as described. Some runs ask
for bots that there are, so that answers have numbers and records in them; one makes up everything. Invariant: the same questions in every
run; the API key is in the environment of Schemathesis alone.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "console"))

from caller import Caller, make_key, sign_in

CONSOLE = os.environ["CONSOLE"]
LINK = os.environ["LINK"]
# Seconds until the bots have been used enough to have something in every answer.
DEADLINE = 60
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
# Its answer has no end, so it would be waited for until a time limit; `open_ended` asks for it.
ENDLESS = "live"


def ask(method: str, target: str, headers: dict[str, str] | None = None, body: str | None = None):
    """The answer's status, its headers, and what it says."""
    return Caller(CONSOLE, headers).ask(method, target, body)


def no_key(description: dict) -> int:
    """Every operation is refused without a key, as it is described. How many there are."""
    count = 0
    for path, item in description["paths"].items():
        for method in item:
            status, headers, body = ask(method.upper(), re.sub(r"\{\w+\}", "x", path))
            told = (status, headers["Content-Type"], headers["WWW-Authenticate"])
            assert told == (401, "application/problem+json", "Bearer"), f"{method} {path}: {told}"
            assert json.loads(body)["type"] == "urn:gramtap:problem:no-key", body
            count += 1
    return count


class Script:
    """Somebody with the key."""

    def __init__(self, key: str) -> None:
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def json(self, method: str, target: str, body: object = None):
        status, _, text = ask(method, target, self.headers, None if body is None else json.dumps(body))
        assert status < 300, f"{method} {target}: {status} {text}"
        return json.loads(text)

    def until(self, target: str, field: str) -> list:
        """What a field of an answer lists, as soon as it lists something."""
        end = time.monotonic() + DEADLINE
        while not (found := self.json("GET", target)[field]):
            assert time.monotonic() < end, f"{target}: nothing in {field}"
            # paced: another process sums up what happened
            time.sleep(0.2)
        return found

    def open_ended(self, code: str) -> None:
        """The answer without an end begins as it is described."""
        connection = http.client.HTTPConnection(urlsplit(CONSOLE).netloc, timeout=30)
        connection.request("GET", f"/v1/bots/{code}/{ENDLESS}", headers=self.headers)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
        while not (line := answer.readline()).startswith(b"event: open"):
            assert line, "it ends before it is open"
        connection.close()


def schemathesis(folder: Path, name: str, key: str, parameters: dict[str, str], *words: str) -> bool:
    """One run. Whether all answers were as described."""
    settings = [
        "[generation]",
        "no-shrink = true",
        "[headers]",
        'Authorization = "Bearer ${API_KEY}"',
        "[parameters]",
        *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in parameters.items()),
    ]
    config = folder / f"{name}.toml"
    config.write_text("\n".join(settings) + "\n")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
        *(f"{CONSOLE}/v1/openapi.json", "--url", CONSOLE),
        *("--checks", ",".join(CHECKS), "--exclude-operation-id", ENDLESS),
        *("--generation-deterministic", "--request-timeout", "30"),
        *("--suppress-health-check", "all", "--no-color", "--warnings", "off"),
        *("--continue-on-failure", *words),
    ]
    environment = os.environ | {"API_KEY": key, "NO_PROXY": "*"}
    print(f"\n{name}", flush=True)
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode == 0


def main() -> int:
    _, _, text = ask("GET", "/v1/openapi.json")
    description = json.loads(text)
    print(no_key(description), "operations, none without a key")
    key = make_key(CONSOLE, sign_in(LINK))
    script = Script(key)
    bots = {bot["name"]: bot["code"] for bot in script.json("GET", "/v1/bots")["bots"]}
    code = bots["Clumsy"]
    group = script.until(f"/v1/bots/{code}/errors", "groups")[0]["group"]
    script.until(f"/v1/bots/{code}/events", "records")
    script.until(f"/v1/bots/{code}/events?topic=errors", "records")
    script.open_ended(code)
    spare = script.json("POST", "/v1/bots", {"name": "spare"})["code"]
    there = {"path.code": code, "path.group": group}
    ways = ("--phases", "examples,coverage,fuzzing", "--max-examples")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        held = [
            schemathesis(folder, "read", key, there, *ways, "15", "--include-method", "GET"),
            schemathesis(folder, "change", key, {"path.code": spare}, *ways, "15", "--include-method", "PATCH"),
            schemathesis(folder, "anything", key, {}, *ways, "10"),
            schemathesis(folder, "remove", key, {"path.code": spare}, *ways, "10", "--include-method", "DELETE"),
        ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
