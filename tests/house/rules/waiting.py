"""Tests wait for events, not for time, and none is switched off.

In: the tree. Out: offences for `#[ignore]` anywhere but on the body of a child process that
other tests start (`#[ignore = "the child of …"]`), and for sleeps in test code unless the
line or the one above has a comment with `paced:` and the reason why the pace is the point
(at the margin such a comment speaks for the whole file). Where tokio's clock is paused its
sleeps are virtual and free.
"""

import re
from typing import Iterator

from . import rust
from .tree import Offence, Tree, is_test, line_of

SLEEPS = {
    ".rs": re.compile(r"(?<!fn )(?<!\.)\bsleep(?:_until)?\s*\("),
    ".py": re.compile(r"\b(?:time|asyncio)\.sleep\s*\("),
    ".sh": re.compile(r"^\s*sleep\s", re.MULTILINE),
    ".js": re.compile(r"\bsetTimeout\s*\("),
    ".mjs": re.compile(r"\bsetTimeout\s*\("),
    ".cjs": re.compile(r"\bsetTimeout\s*\("),
    ".ts": re.compile(r"\bsetTimeout\s*\("),
    ".go": re.compile(r"\btime\.Sleep\s*\("),
    ".java": re.compile(r"\bThread\.sleep\s*\("),
}
PAUSED = re.compile(r"\bstart_paused\s*=\s*true|\btime::pause\s*\(")
IGNORED = re.compile(r"#\[\s*(?:cfg_attr\([^]]*\b)?ignore\b")
# What is run by another test, in a process of its own.
CHILD = '#[ignore = "the child of '


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.sources():
        kind, text = tree.kind(path), tree.text(path)
        code = rust.blanked(text, strings=True) if kind == ".rs" else text
        begin = 0 if is_test(path) else rust.test_part(code) if kind == ".rs" else len(code)
        lines = text.splitlines()
        free = any(line.startswith(("// paced:", "# paced:")) for line in lines)
        virtual = kind == ".rs" and PAUSED.search(code) is not None
        for found in SLEEPS[kind].finditer(code, begin):
            number = line_of(code, found.start() + len(found[0]) - len(found[0].lstrip()))
            if free or virtual and not code[: found.start()].endswith("thread::"):
                continue
            if not any("paced:" in line for line in lines[max(0, number - 2) : number]):
                yield Offence(path, number, "waiting", "a sleep in a test: wait for the event, or say `paced:` why")
        if kind == ".rs":
            for found in IGNORED.finditer(code):
                number = line_of(code, found.start())
                if CHILD not in lines[number - 1]:
                    yield Offence(path, number, "waiting", "an ignored test tests nothing")
