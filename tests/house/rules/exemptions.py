"""Whoever lifts a ban outside of test code says why, in the attribute itself.

In: the tree (.rs files). Out: offences for `allow` or `expect` of a guarded lint without
`reason = "…"`. The guarded lints are those that the architecture rests on.
"""

import re
from typing import Iterator

from . import rust
from .tree import Offence, Tree, is_test, line_of

GUARDED = ("clippy::disallowed_methods", "clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "unsafe_code")
ATTRIBUTE = re.compile(r"#!?\[\s*(?:allow|expect)\s*\(")


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.sources(".rs"):
        if is_test(path):
            continue
        code = rust.blanked(tree.text(path), strings=True)
        for found in ATTRIBUTE.finditer(code, 0, rust.test_part(code)):
            inside = code[found.end() : rust.closing(code, found.end() - 1)]
            lifted = [lint for lint in GUARDED if lint in inside]
            if lifted and "reason" not in inside:
                yield Offence(path, line_of(code, found.start()), "exemption", f'{lifted[0]} needs a `reason = "…"`')
