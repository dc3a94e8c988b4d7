"""No file names the host of a package registry: whoever builds may have a mirror.

In: the tree, lock files left out (tools write them). Out: offences.
The hosts are written in pieces here so that this file names none either.
"""

from pathlib import Path
from typing import Iterator

from .tree import LOCK_FILES, Offence, Tree, line_of

HOSTS = [
    ".".join(pieces)
    for pieces in (
        ("crates", "io"),
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("rubygems", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]


def check(tree: Tree) -> Iterator[Offence]:
    for path in tree.files:
        if Path(path).name in LOCK_FILES:
            continue
        text = tree.text(path)
        for host in HOSTS:
            position = text.find(host)
            if position >= 0:
                yield Offence(path, line_of(text, position), "host", f"names a registry ({host})")
