"""No file, folder or module is named like a drawer.

In: the tree. Out: offences. A name says the step or the thing owned; `foo.rs` + `foo/`
is how a module with parts is laid out, so there is no mod.rs either.
"""

import re
from pathlib import Path
from typing import Iterator

from . import rust
from .tree import Offence, Tree, line_of

DRAWERS = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "types", "misc", "legacy"}
MODULE = re.compile(r"\bmod\s+(\w+)\s*\{")


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.sources():
        name = Path(path)
        for word in [*name.parts[:-1], name.stem]:
            if word in DRAWERS:
                yield Offence(path, 1, "name", f"{word!r} says nothing: name the step or the thing owned")
        if name.name == "mod.rs":
            yield Offence(path, 1, "name", f"{name.parent.name}.rs beside the folder instead of mod.rs")
    for path in tree.sources(".rs"):
        code = rust.blanked(tree.text(path), strings=True)
        for found in MODULE.finditer(code):
            if found[1] in DRAWERS:
                yield Offence(path, line_of(code, found.start()), "name", f"module {found[1]!r} says nothing")
