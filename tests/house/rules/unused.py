"""No crate of ours declares a dependency that its sources never name.

In: cargo's metadata, the .rs files beside each manifest. Out: offences. A dependency that is
there for its features alone is listed in the manifest: `[package.metadata.house]` with
`features-only = ["…"]`. Every unused crate is build time for everybody who depends on us.
"""

import re
from pathlib import Path
from typing import Iterator

from . import rust
from .metadata import Metadata
from .tree import Offence


def check(metadata: Metadata, _deny: dict) -> Iterator[Offence]:
    for member in metadata.members:
        folder = Path(member["manifest_path"]).parent
        words = _words(folder)
        house = (member.get("metadata") or {}).get("house", {})
        for dependency in member["dependencies"]:
            name = dependency.get("rename") or dependency["name"]
            if name.replace("-", "_") not in words and name not in house.get("features-only", []):
                yield Offence(member["manifest_path"], 1, "unused", f"{name} is not named in any source of {member['name']}")


def _words(folder: Path) -> set[str]:
    """All names in the Rust sources of a package, strings too (`serde(with = "…")`); not fuzz/, a package of its own."""
    words: set[str] = set()
    for path in folder.rglob("*.rs"):
        if not {"target", "node_modules", "fuzz"} & set(path.relative_to(folder).parts):
            words.update(re.findall(r"\w+", rust.blanked(path.read_text(errors="replace"))))
    return words
