"""The files that the rules look at, and what a rule gives back.

In: a folder, or git's list of its files. Out: Tree and Offence for every rule.
Invariant: what git ignores (target, node_modules, virtual environments) is never looked at;
new files are, before they are added.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Written by tools, read by tools.
LOCK_FILES = {"Cargo.lock", "package-lock.json", "go.sum", "uv.lock", "poetry.lock"}
SOURCES = {".rs", ".py", ".sh", ".js", ".mjs", ".cjs", ".ts", ".go", ".java"}


@dataclass(frozen=True)
class Offence:
    """One thing to mend."""

    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


@dataclass
class Tree:
    """Relative paths below a root, and their texts."""

    root: Path
    files: list[str] = field(default_factory=list)

    @classmethod
    def of_repository(cls, root: Path) -> "Tree":
        """What git knows or would add; without git (an unpacked archive) all but the usual litter."""
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        try:
            listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        except (OSError, subprocess.CalledProcessError):
            return cls.of_folder(root)
        return cls(root, sorted({path for path in listed if path and (root / path).is_file()}))

    @classmethod
    def of_folder(cls, root: Path) -> "Tree":
        litter = {"target", "node_modules", ".git", ".venv", "__pycache__"}
        found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return cls(root, sorted(str(path) for path in found if not litter & set(path.parts)))

    def text(self, path: str) -> str:
        return (self.root / path).read_text(errors="replace")

    def sources(self, *suffixes: str) -> list[str]:
        """Source files of these suffixes (all kinds without any), generated ones left out."""
        wanted = set(suffixes) or SOURCES
        return [path for path in self.files if self.kind(path) in wanted and not self._generated(path)]

    def kind(self, path: str) -> str:
        """The suffix of a source file; that of its language for a script without one."""
        suffix = Path(path).suffix
        if suffix or Path(path).name in LOCK_FILES:
            return suffix
        with open(self.root / path, "rb") as file:
            first = file.readline(200)
        if first.startswith(b"#!"):
            return ".py" if b"python" in first else ".sh" if first.rstrip().endswith(b"sh") else ""
        return ""

    def _generated(self, path: str) -> bool:
        with open(self.root / path, errors="replace") as file:
            return "@generated" in file.readline(200)


def line_of(text: str, position: int) -> int:
    """The line number of a position in a text."""
    return text.count("\n", 0, position) + 1


def is_test(path: str) -> bool:
    """Whether a whole file is test code."""
    parts = Path(path).parts
    return "tests" in parts or "benches" in parts or parts[-1].endswith("tests.rs")
