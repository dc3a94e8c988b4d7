"""Owns: the processes that the dev services started, known by a pid file each.

In: commands from native.py. Out: running processes, their pid files and logs.
Invariant: a signal goes only to a process that was started here; a pid that was
given to another program since is recognised by its start time and left alone.
A process that dies takes nothing else along: whoever asks next sees it gone.
"""

import os
import signal
import subprocess
import time
from pathlib import Path


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State letter, parent and start time (clock ticks since boot) of a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name is in parentheses and may hold spaces.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def _children() -> dict[int, list[int]]:
    """Which processes each process is the parent of."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(stat[1], []).append(int(entry.name))
    return children


class Process:
    """One background process with a pid file ("pid start-time") and a log."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "pid"
        self.log = folder / "log"
        # Set while this very process is the parent, so that the child is reaped.
        self.child: subprocess.Popen | None = None

    def pid(self) -> int | None:
        """The pid if the process that was started is still there."""
        if self.child is not None:
            self.child.poll()
        try:
            pid, started = map(int, self.pid_file.read_text().split())
        except (OSError, ValueError):
            return None
        stat = _stat(pid)
        return pid if stat and stat[0] not in "ZX" and stat[2] == started else None

    def paused(self) -> bool:
        """Whether the process is stopped by a signal."""
        pid = self.pid()
        stat = _stat(pid) if pid else None
        return bool(stat and stat[0] == "T")

    def tree(self) -> list[int]:
        """The process and everything below it, the process first."""
        pid = self.pid()
        if pid is None:
            return []
        children, found = _children(), [pid]
        for parent in found:
            found.extend(children.get(parent, []))
        return found

    def start(self, command: list[str], user: str | None = None, folder: Path | None = None) -> None:
        """Starts the command in a session of its own, its output in the log."""
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
                **as_user(user),
            )
        stat = _stat(self.child.pid)
        if stat:
            self.pid_file.write_text(f"{self.child.pid} {stat[2]}\n")

    def signal(self, number: int) -> None:
        """Sends a signal to the process and to all below it."""
        for pid in self.tree():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self, number: int, patience: float = 20.0) -> bool:
        """Asks the process to end, then makes it. False if it had to be killed."""
        tree = self.tree()
        if not tree:
            self.pid_file.unlink(missing_ok=True)
            return True
        if self.paused():
            self.signal(signal.SIGCONT)
        os.kill(tree[0], number)
        willing = self._gone(patience)
        if not willing:
            self.signal(signal.SIGKILL)
            self._gone(10.0)
        if self.pid() is not None:
            raise RuntimeError(f"process {tree[0]} does not end")
        self.pid_file.unlink(missing_ok=True)
        return willing

    def kill(self) -> None:
        """Ends the process and all below it at once, as a crash would."""
        self.signal(signal.SIGKILL)
        self._gone(10.0)

    def _gone(self, patience: float) -> bool:
        until = time.monotonic() + patience
        while self.pid() is not None:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def as_user(user: str | None) -> dict:
    """Arguments of subprocess that run a command as another user (root only)."""
    if user is None:
        return {}
    return {"user": user, "group": user, "extra_groups": []}
