"""Owns: running the parts as containers of deploy/compose.yaml, where an engine answers.

In: a Part. Out: commands to Docker Compose. Invariant: only the containers of this clone
are touched (the Compose project is named after its path), and `down` removes them. An engine
that cannot fetch the images is no engine for us: services falls back to native packages.
"""

import hashlib
import os
import re
import shutil
import subprocess

from .part import ROOT, Failed, Part

FILE = ROOT / "deploy" / "compose.yaml"
PROJECT = "gramtap-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def command() -> list[str] | None:
    """Docker Compose's command if an engine answers it."""
    if shutil.which("docker") is None or not _answers(["docker", "info"]):
        return None
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) and _answers([*words, "version"]):
            return [*words, "-p", PROJECT, "-f", str(FILE)]
    return None


def _answers(words: list[str]) -> bool:
    try:
        return subprocess.run(words, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class Compose:
    """A part that runs as a container."""

    how = "compose"

    def __init__(self, part: Part, words: list[str]) -> None:
        self.part = part
        self.words = words

    def _run(self, *more: str, patience: float = 120.0) -> subprocess.CompletedProcess:
        ports = {f"GRAMTAP_DEV_{self.part.name.upper()}_PORT": str(self.part.port)}
        return subprocess.run(
            [*self.words, *more, self.part.name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
            env={**os.environ, **ports},
        )

    def fetch(self) -> str | None:
        """Fetches the image unless the engine has it; the reason if that fails."""
        if _answers(["docker", "image", "inspect", self._image()]):
            return None
        print(f"{self.part.name}: fetching the image {self._image()}", flush=True)
        try:
            done = self._run("pull", patience=600.0)
        except subprocess.TimeoutExpired:
            return "10 minutes were not enough"
        lines = done.stderr.strip().splitlines()
        return None if done.returncode == 0 else (lines[-1] if lines else "no reason given")

    def install(self) -> None:
        """Nothing: the image was fetched."""

    def start(self) -> None:
        self.part.folder.mkdir(parents=True, exist_ok=True)
        # A killed container is started again, with its data; `up` may make a new one instead.
        self._checked(*(["start"] if self._container() else ["up", "-d"]))

    def stop(self) -> bool:
        if self._container() and self.state().endswith("paused"):
            self._checked("unpause")
        self._checked("rm", "--force", "--stop", "-v")
        return True

    def kill(self) -> None:
        self._checked("kill")

    def pause(self) -> None:
        self._checked("pause")

    def resume(self) -> None:
        self._checked("unpause")

    def running(self) -> bool:
        return self._inspect("{{.State.Running}}") == "true"

    def state(self) -> str:
        container = self._container()
        if not container:
            return "-"
        return f"container {container[:12]}" + (" paused" if self._inspect("{{.State.Paused}}") == "true" else "")

    def version(self, probed: str) -> str:
        """The probe's answer, or the image's tag where the protocol tells no version."""
        return self._image().partition(":")[2] if probed == "unknown" else probed

    def log_tail(self) -> str:
        return self._run("logs", "--no-color", "--tail", "30").stdout

    def wipe(self) -> None:
        """Nothing: a container's data goes with it."""

    def _image(self) -> str:
        """The image that compose.yaml names for this part."""
        found = re.search(rf"^  {self.part.name}:\n(?:    .*\n)*?    image: (\S+)$", FILE.read_text(), re.MULTILINE)
        if found is None:
            raise Failed(f"{FILE} names no image for {self.part.name}")
        return found[1]

    def _checked(self, *more: str) -> None:
        done = self._run(*more)
        if done.returncode != 0:
            raise Failed(f"{self.part.name}: docker compose {more[0]}: {done.stderr.strip()}")

    def _container(self) -> str:
        return self._run("ps", "-a", "-q").stdout.strip()

    def _inspect(self, form: str) -> str:
        container = self._container()
        if not container:
            return ""
        done = subprocess.run(["docker", "inspect", "-f", form, container], capture_output=True, text=True, check=False)
        return done.stdout.strip()
