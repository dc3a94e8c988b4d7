"""No source file is longer than 500 lines, nine Rust files in ten are not longer than 330.

In: the tree. Out: offences; for the share of long files one, naming the longest.
"""

from typing import Iterator

from .tree import Offence, Tree

MOST = 500
USUAL = 330
# One in this many may be longer than that.
SHARE = 10


def check(tree: Tree) -> Iterator[Offence]:
    lengths = {path: tree.text(path).count("\n") for path in tree.sources()}
    for path, length in lengths.items():
        if length > MOST:
            yield Offence(path, MOST + 1, "length", f"{length} lines, {MOST} at most: split it by step")
    rust = {path: length for path, length in lengths.items() if path.endswith(".rs")}
    long = sorted((path for path in rust if rust[path] > USUAL), key=rust.__getitem__, reverse=True)
    if len(long) * SHARE > len(rust):
        yield Offence(long[0], USUAL + 1, "length", f"{len(long)} of {len(rust)} .rs files have over {USUAL} lines")
