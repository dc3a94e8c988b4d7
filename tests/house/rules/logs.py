"""Log messages begin with a small letter, end without a full stop, and interpolate nothing.

In: the tree (.rs files). Out: offences. What varies goes into fields, so that one message
is one kind of line whoever reads the logs.
"""

import re
from typing import Iterator

from . import rust
from .tree import Offence, Tree, line_of

MACRO = re.compile(r"(?<![\w:])(?:tracing::)?(?:trace|debug|info|warn|error)!\s*\(")
# `name: "…"`, `target: "…"` and `parent: …` come before the fields.
NAMED = re.compile(r"(?:name|target|parent)\s*:")


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.sources(".rs"):
        text = rust.blanked(tree.text(path))
        blank = rust.blanked(tree.text(path), strings=True)
        for found in MACRO.finditer(blank):
            for argument in rust.arguments(text, blank, found.end() - 1):
                if argument.startswith('"') and not NAMED.match(argument):
                    for what in faults(argument.strip('"')):
                        yield Offence(path, line_of(text, found.start()), "log", f"{what}: {argument}")
                    break


def faults(message: str) -> Iterator[str]:
    """What is wrong with a message."""
    if message[:1].isupper():
        yield "begins with a capital letter"
    if message.endswith((".", "!", ":")):
        yield "ends with a full stop or the like"
    if "{" in message.replace("{{", ""):
        yield "interpolates, use fields"
