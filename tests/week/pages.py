"""Owns: reading every number off the pages of a console.

In: somebody who is signed in, a bot's code. Out: of each span that the pages offer, of each page, its numbers: an
object of their names to their exact values, as texts. A name is that of the element, what its row is about and when it
begins: `commands.n of /start`, `hours.calls at 1951041600`. Invariant: it reads HTML and none of Gramtap's code. What
people read has to be the exact value where it is written with all its digits; if it is not, it is put beside the value,
and `check` finds it.
"""

import json
import re
from collections import defaultdict
from html.parser import HTMLParser

from caller import Caller

# Spans by the names of periods in totals.py; the day is the last one, as each bot has another date.
SPANS = {"today": 1, "week": 7, "month": 30, "90 days": 90}
PAGES = ("overview", "audience", "actions", "sources", "errors", "latency")
# Drawings are as large as all the rest, and each number of theirs stands in a table.
DRAWING = re.compile("<svg.*?</svg>", re.DOTALL)
VOID = {"meta", "link", "input", "br", "img", "hr"}


def numbers(caller: Caller, code: str) -> dict:
    told = {"now": {"bots": bots(caller.get("/bots"), code)}}
    for span, days in SPANS.items():
        told[span] = {}
        for page in PAGES:
            tree = parse(caller.get(f"/bots/{code}/{page}?days={days}"))
            told[span][page] = read(tree)
            if page != "errors":
                continue
            for line in tree.all("article"):
                group = parse(caller.get(f"/bots/{code}/errors/{line.attributes['data-group']}?days={days}"))
                told[span][f"error {line.group()}"] = read(group) | examples(group)
    return told


def bots(html: str, code: str) -> dict:
    """The numbers of the bot's line in the list of bots."""
    told = read(parse(html)).items()
    return {name.removesuffix(f" of {code}"): value for name, value in told if name.endswith(f" of {code}")}


class Node:
    def __init__(self, tag: str, attributes: dict) -> None:
        self.tag, self.attributes = tag, attributes
        self.children: list["Node | str"] = []

    def all(self, tag: str, **attributes: str) -> list["Node"]:
        """Those below it with that tag, in order, that have all these attributes or classes."""
        found = []
        for child in self.children:
            if isinstance(child, str):
                continue
            has = (value in child.attributes.get(name, "").split() for name, value in attributes.items())
            if child.tag == tag and all(has):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def group(self) -> str:
        """Of a line of the list of errors: which they are."""
        (words,) = [it for it in self.all("p") if it.all("code")]
        (method,), (template,) = words.all("code"), words.all("span", **{"class": "template"})
        code = "".join(child for child in words.children if isinstance(child, str)).strip()
        return f"{method.text()} {code or None} {template.text()}"

    def poller(self) -> str:
        """Of a row of the table of pollers: who it is."""
        cells = {cell.attributes.get("data-name"): cell for cell in self.all("td")}
        (addr,), agent = cells["Address"].all("code"), cells["Library"]
        return f"{addr.text()} {'' if agent.all('span') else agent.text()}"


class Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        node = self.open.pop()
        assert node.tag == tag, f"</{tag}> closes <{node.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Node:
    tree = Tree()
    tree.feed(DRAWING.sub("", html))
    tree.close()
    (root,) = tree.open
    return root


def read(tree: Node) -> dict[str, list[str]]:
    """Its numbers, and under `order of …` the labels of each list as they stand."""
    told = defaultdict(list)
    orders = defaultdict(list)

    def visit(node: Node, of: str | None, note: str) -> None:
        attributes = node.attributes
        match node.tag:
            case "tr" if "data-method" in attributes:
                of = attributes["data-method"]
            case "tr" if node.all("data", **{"data-number": "pollers.polls"}):
                of = node.poller()
            case "tr":
                labels = [it.attributes["data-label"] for it in node.all("data") if "data-label" in it.attributes]
                of = labels[0] if labels else None
            case "article" if "data-group" in attributes:
                of = node.group()
            case "li":
                note = "".join(it.text() for it in node.all("small"))
            case "data" if "data-number" in attributes:
                name = attributes["data-number"]
                about = attributes.get("data-bot", of)
                if "data-label" in attributes:
                    orders[name.removesuffix(".n")].append(attributes["data-label"])
                name += f" of {about}" if about is not None else ""
                name += f" at {attributes['data-at']}" if "data-at" in attributes else ""
                value = ("~" if note == "about" else "") + attributes["value"]
                for found in [value, *written(node)]:
                    if found not in told[name]:
                        told[name].append(found)
        for child in node.children:
            if isinstance(child, Node):
                visit(child, of, note)

    visit(tree, None, "")
    return told | {f"order of {name}": [json.dumps(labels)] for name, labels in orders.items()}


def written(data: Node) -> list[str]:
    """What people read, where it is another number than its value says."""
    exact = data.attributes["value"]
    # What is compared shows its change, and its number to whoever points at it.
    text = data.attributes.get("title", data.text()).removeprefix("before: ").strip()
    whole = exact.isdigit() and data.attributes["data-number"].split(".")[-1] not in ("p50", "p95", "p99", "error_rate")
    is_written = re.fullmatch(r"\d{1,3}(,\d{3})*", text) is not None
    differs = text.replace(",", "") != exact if is_written or whole else (exact == "") != (text == "–")
    return [f"written as {text}"] if differs else []


def examples(tree: Node) -> dict[str, list[str]]:
    told = {}
    for place, one in enumerate(tree.all("article", **{"class": "example"})):
        facts = [fact.text() for fact in one.all("dl")[0].children if isinstance(fact, Node)]
        fields = dict(zip(facts[::2], facts[1::2])) | {"id": one.attributes["data-error"]}
        fields["at"] = one.all("time")[0].attributes["datetime"]
        fields["description"] = "".join(said.text() for said in one.all("q"))
        told |= {f"example {place}, {name}": [value] for name, value in fields.items()}
    return told
