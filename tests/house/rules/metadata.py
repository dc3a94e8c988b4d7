"""Cargo's view of the workspace and of all it is built from.

In: `cargo metadata --locked`, the default features, Linux. Out: Metadata for edges and licences.
Invariant: only packages that are really part of a build are in it.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

TARGET = "x86_64-unknown-linux-gnu"


@dataclass
class Metadata:
    """The packages of a resolved workspace, as `cargo metadata` describes them."""

    packages: list[dict]
    members: list[dict]

    @classmethod
    def of_workspace(cls, root: Path) -> "Metadata":
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]
        answer = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
        return cls.of_json(json.loads(answer.stdout))

    @classmethod
    def of_json(cls, answer: dict) -> "Metadata":
        used = {node["id"] for node in answer["resolve"]["nodes"]}
        packages = [package for package in answer["packages"] if package["id"] in used]
        members = [package for package in packages if package["id"] in answer["workspace_members"]]
        return cls(packages, members)
