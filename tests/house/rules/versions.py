"""The two ways to run the dev services' Kafka run the same one.

In: deploy/dev/kafka/pom.xml and deploy/compose.yaml. Out: an offence if their versions differ.
"""

import re
from typing import Iterator

from .tree import Offence, Tree

POM, COMPOSE = "deploy/dev/kafka/pom.xml", "deploy/compose.yaml"


def check(tree: Tree) -> Iterator[Offence]:
    if POM not in tree.files or COMPOSE not in tree.files:
        return
    jars = re.search(r"<kafka\.version>([^<]+)<", tree.text(POM))
    image = re.search(r"image: apache/kafka:(\S+)", tree.text(COMPOSE))
    if jars is None or image is None or jars[1] != image[1]:
        found = [match[1] if match else "none" for match in (jars, image)]
        yield Offence(COMPOSE, 1, "version", f"Kafka is {found[1]} here and {found[0]} in {POM}")
