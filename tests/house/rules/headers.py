"""Every source file starts with its header: what it owns, in, out, invariant, overload or death.

In: the tree. Out: offences. Only the form is checked: the right comment in the right place
(`//!` in Rust, a docstring in Python, a comment elsewhere) and, in Rust outside of tests, at
least three lines.
"""

from typing import Iterator

from .tree import Offence, Tree, is_test

# How a header begins, by kind of file.
BEGINNINGS = {
    ".rs": ("//!",),
    ".py": ('"""', 'r"""'),
    ".sh": ("# ",),
    ".js": ("//", "/*"),
    ".mjs": ("//", "/*"),
    ".cjs": ("//", "/*"),
    ".ts": ("//", "/*"),
    ".go": ("//", "/*"),
    ".java": ("//", "/*"),
}
LEAST = 3


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.sources():
        kind = tree.kind(path)
        lines = [line for line in tree.text(path).splitlines() if line.strip()]
        if lines and lines[0].startswith("#!") and not lines[0].startswith("#!["):
            lines = lines[1:]
        first = lines[0] if lines else ""
        if not first.startswith(BEGINNINGS[kind]):
            yield Offence(path, 1, "header", f"starts with {BEGINNINGS[kind][0].strip()} and what the file owns")
            continue
        if kind == ".rs" and not is_test(path):
            count = next((n for n, line in enumerate(lines) if not line.startswith("//!")), len(lines))
            if count < LEAST:
                yield Offence(path, 1, "header", f"{count} lines say too little: owns, in, out, invariant, overload")
