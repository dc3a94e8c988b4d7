"""Owns: running Redis and Postgres from the distribution's packages (Kafka: kafka.py).

In: a Part. Out: commands to process.py, data under the part's folder.
Invariant: nothing of the distribution's own clusters and configuration is touched; every
listener is on loopback. A part that dies is seen by `status` and started again by `up`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .part import ROOT, Failed, Part
from .process import Process, as_user


class Native:
    """A part that runs as a process of ours."""

    how = "native"
    # What `prerequisites` is asked for.
    group = ""
    # The signal that asks the server to end in order.
    ending = signal.SIGTERM

    def __init__(self, part: Part) -> None:
        self.part = part
        self.folder = part.folder
        self.process = Process(part.folder)

    # === what each part says for itself ===

    def prepare(self) -> None:
        """Makes the data folder, once."""

    def command(self) -> list[str]:
        """The server's command line."""
        raise NotImplementedError

    def user(self) -> str | None:
        """Whom the server runs as, when not as ourselves."""
        return None

    def version(self, probed: str) -> str:
        """The server's version."""
        return probed

    # === the same for all ===

    def install(self) -> None:
        """Installs what the part needs, saying so."""
        script = ROOT / "deploy" / "dev" / "prerequisites"
        if subprocess.run([script, self.group], check=False).returncode != 0:
            raise Failed(f"{self.part.name}: its programs are missing (see above)")

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process.log.write_bytes(b"")
        self.prepare()
        self.process.start(self.command(), self.user(), self.folder)

    def stop(self) -> bool:
        return self.process.stop(self.ending)

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.signal(signal.SIGCONT)

    def running(self) -> bool:
        return self.process.pid() is not None

    def state(self) -> str:
        """For status: the pid, and whether it is paused."""
        pid = self.process.pid()
        if pid is None:
            return "-"
        return f"pid {pid}" + (" paused" if self.process.paused() else "")

    def log_tail(self) -> str:
        lines = self.process.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-30:])

    def wipe(self) -> None:
        """Removes the data; programs that were fetched stay."""
        data = self.folder / "data"
        # A link leads to a data folder elsewhere (Postgres under a private home).
        target = data.resolve()
        shutil.rmtree(target, ignore_errors=True)
        if data.is_symlink():
            data.unlink()

    def run(self, command: list[str], **more) -> None:
        """Runs a step of preparation to its end, its output in the log."""
        with open(self.process.log, "ab") as log:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, **more)
        if done.returncode != 0:
            raise Failed(f"{self.part.name}: {command[0]} failed:\n{self.log_tail()}")


class Redis(Native):
    """A cache that starts empty each time: it keeps nothing on disk."""

    group = "redis"

    def command(self) -> list[str]:
        return [
            "redis-server",
            "--bind", "127.0.0.1",
            "--port", str(self.part.port),
            "--save", "",
            "--appendonly", "no",
            "--daemonize", "no",
            "--dir", str(self.folder),
            "--maxmemory", "256mb",
        ]  # fmt: skip


class Postgres(Native):
    """A cluster of our own; role gramtap may log in from loopback and create databases."""

    group = "postgres"
    # Fast shutdown: sessions are ended, the data is left clean.
    ending = signal.SIGINT

    def prepare(self) -> None:
        data = self.folder / "data"
        if (data / "PG_VERSION").exists():
            # A cluster is only read by the release that made it.
            if (data / "PG_VERSION").read_text().strip() == _release(_program("postgres")):
                self._forget_crash(data.resolve())
                return
            self.wipe()
        # A first try may have been cut short.
        self.wipe()
        self._make_folder(data)
        options = ["--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--no-sync"]
        self.run([_program("initdb"), *options, "-D", str(data.resolve())], cwd="/", **as_user(self.user()))
        # The role is no superuser, so whoever else is on this machine and
        # connects as it reaches no files and runs no commands.
        (data / "pg_hba.conf").write_text(
            "# Written by deploy/dev/services.\n"
            "host all gramtap 127.0.0.1/32 trust\n"
        )
        sql = "CREATE ROLE gramtap LOGIN CREATEDB;\nCREATE DATABASE gramtap OWNER gramtap;\n"
        single = [_program("postgres"), "--single", "-D", str(data.resolve()), "postgres"]
        with open(self.process.log, "ab") as log:
            done = subprocess.run(
                single, input=sql.encode(), stdout=log, stderr=log, cwd="/", check=False, **as_user(self.user())
            )
        if done.returncode != 0:
            raise Failed(f"postgres: its role and database could not be made:\n{self.log_tail()}")

    def command(self) -> list[str]:
        data = (self.folder / "data").resolve()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.part.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "64MB",
            # A crash of the machine may take the test data with it; a crash of the server does not.
            "fsync": "off",
            "full_page_writes": "off",
            "log_min_messages": "warning",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [_program("postgres"), "-D", str(data), *options]

    def user(self) -> str | None:
        # The server refuses to run as root.
        return "postgres" if os.geteuid() == 0 else None

    def _forget_crash(self, data: Path) -> None:
        """Removes the lock of a killed server once all its processes are gone.

        The server does that itself, unless the dead one is still a zombie: in a
        container whose first process reaps no orphans that is for ever.
        """
        until = time.monotonic() + 10.0
        while _inside(data):
            if time.monotonic() > until:
                raise Failed(f"postgres: processes of a server that is gone still use {data}")
            time.sleep(0.05)
        (data / "postmaster.pid").unlink(missing_ok=True)

    def _make_folder(self, data: Path) -> None:
        """A folder that the server's user can enter, elsewhere if it cannot come here."""
        user = self.user()
        if user is None or _enters(user, self.folder):
            data.mkdir()
        else:
            place = tempfile.mkdtemp(prefix="gramtap-postgres-", dir="/var/tmp")
            data.symlink_to(place)
            print(f"postgres: user {user} cannot enter {self.folder}: its data is in {place}", flush=True)
        if user is not None:
            shutil.chown(data, user, user)
        os.chmod(data, 0o700)


def _enters(user: str, folder: Path) -> bool:
    test = subprocess.run(["test", "-x", str(folder)], check=False, cwd="/", **as_user(user))
    return test.returncode == 0


def _inside(data: Path) -> bool:
    """Whether a living process works in this folder, as all of a Postgres server's do."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if os.readlink(link) == str(data):
                return True
        except OSError:
            continue
    return False


def _program(name: str) -> str:
    """A program of Postgres; Debian keeps them outside the path, a folder per release."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise Failed(f"postgres: no {name} found")
    return path


def _release(server: str) -> str:
    """"15" of "postgres (PostgreSQL) 15.18 (Debian …)"."""
    text = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return text.split()[2].partition(".")[0]
