"""Owns: what pages must show of what is true of a bot.

In: the truth of a period (totals.py), its dates, the bot's zone. Out: the numbers of each page by their names
(pages.py), and how much of the truth no page shows, by the reason why. Invariant: every part of the truth is asked
where it is shown, one by one; what is of a kind that is not known here is an error, so that nothing is passed over in
silence.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import zones

# Rows of a list.
ROWS = 15
HEADLINES = ("active", "updates", "calls", "errors")
CLASSES = ("outage", "config", "bug", "capacity", "expected")
# What is counted is 0 in a slot of a chart in which nothing happened, as soon as that has begun; what is measured is
# nothing.
COUNTED, COUNTED_BEFORE = ("days.", "hours.", "course."), ("days_before.", "hours_before.")


@dataclass
class Unshown:
    """Why no page shows it."""

    why: str


HEADLINES_ALONE = Unshown("charts are of the headlines alone")
IN_WORDS = Unshown("told in words, not as a number")
AS_PLACE = Unshown("it is where a row of a chart begins, by which its numbers are found")
ONE_DATE = Unshown("of one date there is no chart by date: its numbers are the period's")
ADDED_UP = Unshown("hours are added up to dates")
MEASURED = Unshown("how many were measured is told of the whole, and once of a method")
POLLERS_APART = Unshown("polls are told by poller, conflicts of a period by kind of error")
NO_CONFLICT = Unshown("pollers are shown where one is in another's way")

# Page, name, value.
Cell = tuple[str, str, object]


class Pages:
    """Those of a period, of so many days from a first one of the zone on, as they are at some second."""

    def __init__(self, zone: str, first: int, days: int, now: int, has_conflict: bool) -> None:
        self.days, self.zone, self.now = days, zone, now
        self.numbers: dict[tuple[str, str], object] = {}
        self.unshown: Counter[str] = Counter()
        # Whether somebody's poll was ended by another one, in any period.
        self.has_conflict = has_conflict
        before = first - max(days, 7)
        # A row of a chart also holds the number of the same place of the earlier period.
        self.dates = {zones.shown(before + day): zones.start(zone, first + day) for day in range(days)}
        hours = [list(range(zones.start(zone, it), zones.start(zone, it + 1), zones.HOUR)) for it in (before, first)]
        self.hours = dict(zip(map(str, hours[0]), hours[1]))

    def all(self, truth: dict, pollers: dict) -> "Pages":
        for part, numbers in truth.items():
            self.take((part,), numbers)
        if "errors" in truth:
            self.classes(truth["errors"])
            for name, group in truth["errors"].items():
                if group["code"] == 409:
                    self.pollers(f"error {name}", pollers)
        return self

    def take(self, path: tuple, value: object) -> None:
        """Puts each part of the truth where it is shown."""
        if isinstance(value, dict) and "ranked" not in value and value:
            for name, part in value.items():
                self.take((*path, name), part)
            return
        found = self.place(path, value)
        if isinstance(found, Unshown):
            self.unshown[found.why] += 1
            return
        for page, name, shown in found:
            assert self.numbers.setdefault((page, name), shown) == shown, (page, name)

    def place(self, path: tuple, value: object) -> list[Cell] | Unshown:
        match path:
            case ("period", _):
                return IN_WORDS
            case ("overview", *rest):
                return self.overview(rest, value)
            case ("audience", "languages"):
                return list(ranking("audience", "languages", value, {}))
            case ("audience", name):
                return [("audience", name, value)]
            case ("actions" | "sources" as page, "arrived" as name):
                return list(ranking(page, name, value, {}))
            case ("actions" | "sources" as page, name) if isinstance(value, dict):
                pairs = [(row["label"], row["n"]) for row in value["ranked"]]
                before = {row["label"]: row["before"] for row in value["ranked"]}
                if value["other"]:
                    raise ValueError("the week has few labels: none is counted together")
                words = (lambda it: it.replace("_", " ")) if (page, name) == ("actions", "updates") else str
                return list(ranking(page, name, pairs, before, words))
            case ("sources", "by_source" | "direct" as name):
                return [("sources", name, value)]
            case ("errors", *rest):
                return self.error(rest, value)
            case ("latency", *rest):
                return self.latency(rest, value)
            case ("bots", "today", _, "fresh" | "active" | "updates" | "calls" | "errors" as name):
                return [("bots", f"today.{name}", value)]
            case ("bots", "today", _, _):
                return HEADLINES_ALONE
            case ("bots", "last_hour"):
                return IN_WORDS
            case ("polls", "pollers", _, "polls" | "conflicts"):
                # On the pages of those errors: `pollers`, below.
                return [] if self.has_conflict else NO_CONFLICT
            case ("polls", "pollers", *_) | ("polls", "rivals"):
                return IN_WORDS
            case ("polls", *_):
                return POLLERS_APART
        raise ValueError(f"nothing says where {path} is shown")

    def overview(self, path: list, value: object) -> list[Cell] | Unshown:
        match path:
            case ["total" | "before" as whole, _, name]:
                audience = [("audience", f"{whole}.{name}", value)] if name in ("fresh", "returning", "blocked") else []
                return [("overview", f"{whole}.{name}", value), *audience]
            case ["days" | "days_before", _, "start"]:
                return AS_PLACE
            case ["days" | "days_before", *_] if self.days == 1:
                return ONE_DATE
            case ["days" | "days_before" as whole, date, _, name]:
                at = zones.start(self.zone, zones.day(date)) if whole == "days" else self.dates[date]
                drawn = ("returning", "fresh", "blocked") if whole == "days" else ("active", "fresh", "blocked")
                cells = [("overview", name) for it in HEADLINES if it == name]
                cells += [("audience", name) for it in drawn if it == name]
                return [(page, f"{whole}.{it} at {at}", value) for page, it in cells] or HEADLINES_ALONE
            case ["hours" | "hours_before"]:
                # An hour in which nothing happened is in no period of the truth, and a 0 on the page.
                return []
            case ["hours" | "hours_before" as whole, hour, "updates" | "calls" | "errors" as name]:
                at = hour if whole == "hours" else self.hours[hour]
                return [("overview", f"{whole}.{name} at {at}", value)]
            case ["hours" | "hours_before", *_]:
                return HEADLINES_ALONE
        raise ValueError(f"nothing says where {path} is shown")

    def error(self, path: list, value: object) -> list[Cell] | Unshown:
        match path:
            case []:
                return []
            case [name, "n"]:
                return [("errors", f"errors.n of {name}", value), (f"error {name}", "n", value)]
            case [name, "chats" | "users" as hit]:
                return [(f"error {name}", hit, Hit(value))]
            case [name, "hours", hour]:
                if self.days > 7:
                    self.add(f"error {name}", "hours.n", self.date(hour), value)
                    return ADDED_UP
                return [(f"error {name}", f"hours.n at {hour}", value)]
            case [name, "examples"]:
                return [cell for place, one in enumerate(value) for cell in example(f"error {name}", place, one)]
            case [_, "method" | "code" | "template"]:
                return []
            case [_, "origin" | "class" | "advice" | "first_at" | "last_at"]:
                return IN_WORDS
        raise ValueError(f"nothing says where {path} is shown")

    def classes(self, groups: dict) -> None:
        """What follows of all groups: their sums by class, and the course of those."""
        sums = Counter({f"classes.{name}": 0 for name in ("all", *CLASSES)})
        for group in groups.values():
            sums["classes.all"] += group["n"]
            sums[f"classes.{group['class']}"] += group["n"]
            if group["class"] != "expected":
                for hour, n in group["hours"].items():
                    at = hour if self.days <= 2 else self.date(hour)
                    self.add("errors", f"course.{group['class']}", at, n)
        self.numbers |= {("errors", name): n for name, n in sums.items()}

    def pollers(self, page: str, pollers: dict) -> None:
        for poller, told in pollers.items():
            for name in ("polls", "conflicts"):
                self.numbers[page, f"pollers.{name} of {poller}"] = told[name]

    def latency(self, path: list, value: object) -> list[Cell] | Unshown:
        match path:
            case ["methods" | "series"]:
                return []
            case ["all", side, name] | ["polls", "telegram" as side, name]:
                return [("latency", f"{path[0]}.{side}.{name}", Time.of(name, value))]
            case ["methods", method, "own", "n"]:
                return [("latency", f"methods.own.n of {method}", value)]
            case [_, *_, "n"]:
                return MEASURED
            case ["polls", "own", name]:
                return [("latency", f"polls.own.{name}", Time.of(name, value))]
            case ["methods", method, side, name]:
                return [("latency", f"methods.{side}.{name} of {method}", Time.of(name, value))]
            case ["series", begins, side, name]:
                return [("latency", f"series.{side}.{name} at {begins}", Time.of(name, value))]
        raise ValueError(f"nothing says where {path} is shown")

    def date(self, hour: str) -> int:
        return zones.start(self.zone, zones.date(self.zone, int(hour)))

    def add(self, page: str, name: str, at: object, n: int) -> None:
        self.numbers[page, f"{name} at {at}"] = self.numbers.get((page, f"{name} at {at}"), 0) + n

    def empty(self, name: str) -> str | None:
        """What a slot of a chart holds in which nothing happened; None: it is no slot."""
        _, is_slot, at = name.rpartition(" at ")
        if not is_slot:
            return None
        is_over = name.startswith(COUNTED) and int(at) <= self.now
        return "0" if is_over or name.startswith(COUNTED_BEFORE) else ""


@dataclass
class Hit:
    """A number that may be an estimate."""

    n: int


@dataclass
class Time:
    """A duration, told within the width of a bucket."""

    ms: float | None

    @classmethod
    def of(cls, name: str, value: object) -> object:
        return value if name == "n" else cls(value)


def ranking(page: str, key: str, pairs: list, before: dict, words=str) -> Iterator[Cell]:
    """The rows of a list, their order, and what is behind them."""
    top, rest = pairs[:ROWS], pairs[ROWS:]
    for label, n in top:
        yield page, f"{key}.n of {words(label)}", n
        if before:
            yield page, f"{key}.before of {words(label)}", before[label]
    if top:
        yield page, f"order of {key}", json.dumps([words(label) for label, _ in top])
    if rest:
        yield page, f"{key}.rest", sum(n for _, n in rest)
        if before:
            yield page, f"{key}.rest_labels", len(rest)


def example(page: str, place: int, one: dict) -> Iterator[Cell]:
    whole = zones.moment(one["at"] // 1_000_000)
    yield page, f"example {place}, id", one["error_id"]
    yield page, f"example {place}, at", whole
    yield page, f"example {place}, description", one["description"] or ""
    words = {"chat_id": "Chat", "user_id": "User", "update_id": "Update", "addr": "From", "agent": "Library"}
    for name, word in words.items():
        if one[name] is not None:
            yield page, f"example {place}, {word}", one[name]
