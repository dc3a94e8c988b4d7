"""Owns: reading every number of the scripted week from `/v1`.

In: somebody with an API key, the week's bots and periods (week.json). Out: the answers, in the shape of totals.py.
Invariant: it knows what the description of `/v1` says and none of Gramtap's code; nothing is added up, only put where
`check` looks for it: lists of rows with a name become objects by that name, times become numbers since 1970.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import zones
from caller import Caller

TOP = 10
HOURS = 24
# What is true of the week and is not told there, and why.
UNTOLD = {
    "overview, days_before": "/v1 tells the dates of the earlier period when it is asked for that period",
    "sources, by_source": "it is what `arrived` and `arrived_rest` add up to",
    "bots": "/v1 lists bots without their numbers; those of today are told by overview",
}


def codes(caller: Caller) -> dict[str, dict]:
    """The bots by name, as they are told."""
    return {bot["name"]: bot for bot in caller.json("/v1/bots")["bots"]}


def numbers(caller: Caller, code: str, bot: dict) -> dict:
    one = Reader(caller, code)
    today = max(first + days for first, days in bot["periods"].values()) - 1
    told = {}
    for name, (first, days) in bot["periods"].items():
        told[name] = one.period(asked(first, days, today))
    told["now"] = {"polls": one.polls()}
    return told


def asked(first: int, days: int, today: int) -> dict:
    if first + days - 1 == today:
        return {"days": days}
    return {"from": zones.shown(first), "to": zones.shown(first + days - 1)}


def micros(time: str) -> int:
    return (datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def seconds(time: str) -> int:
    whole, rest = divmod(micros(time), 1_000_000)
    assert not rest, time
    return whole


class Reader:
    def __init__(self, caller: Caller, code: str) -> None:
        self.caller, self.base = caller, f"/v1/bots/{code}"

    def get(self, path: str, asked: dict) -> dict:
        return self.caller.json(f"{self.base}/{path}?{urlencode(asked)}")

    def period(self, asked: dict) -> dict:
        told, periods = {}, []
        for page in ("overview", "audience", "actions", "sources", "errors", "latency"):
            ranked = {"top": TOP} if page in ("actions", "sources") else {}
            answer = self.get(page, asked | ranked)
            periods.append(answer.pop("period"))
            told[page] = getattr(self, page)(answer, asked)
        assert all(period == periods[0] for period in periods), periods
        return told | {"period": periods[0]}

    @staticmethod
    def overview(told: dict, _: dict) -> dict:
        days = {day["date"]: {"start": seconds(day["start"]), **day["figures"]} for day in told["days"]}
        hours = {
            name: {str(seconds(hour["start"])): hour["traffic"] for hour in told[name]}
            for name in ("hours", "hours_before")
        }
        return told | hours | {"days": days}

    @staticmethod
    def audience(told: dict, _: dict) -> dict:
        return told | {"languages": [[row["language"], row["n"]] for row in told["languages"]]}

    @staticmethod
    def actions(told: dict, _: dict) -> dict:
        return told

    @staticmethod
    def sources(told: dict, _: dict) -> dict:
        return told | {"arrived": [[row["source"], row["n"]] for row in told["arrived"]]}

    def errors(self, told: dict, asked: dict) -> dict:
        groups = {}
        order = [(row["class"] == "expected", -row["n"]) for row in told["groups"]]
        assert order == sorted(order), f"those that matter come first: {order}"
        for row in told["groups"]:
            one = self.get(f"errors/{row['group']}", asked)
            assert one["group"] == row, f"the list says {row}, the group itself {one['group']}"
            name = f"{row['method']} {row['code']} {row['template']}"
            assert name not in groups, f"two groups of {name}"
            groups[name] = self.group(one)
        return groups

    @staticmethod
    def group(one: dict) -> dict:
        group = one.pop("group")
        del group["group"], one["period"]
        return one | group | {
            "advice": group["advice"]["key"], "hours": {str(seconds(row["start"])): row["n"] for row in one["hours"]},
            "first_at": micros(group["first_at"]), "last_at": micros(group["last_at"]),
            "examples": [row | {"at": micros(row["at"])} for row in one["examples"]],
        }

    @staticmethod
    def latency(told: dict, _: dict) -> dict:
        methods = {row.pop("method"): row for row in told["methods"]}
        series = {str(seconds(row.pop("start"))): row for row in told["series"]}
        return told | {"methods": methods, "series": series}

    def polls(self) -> dict:
        told = self.get("polls", {"hours": HOURS})
        assert told.pop("hours") == HOURS
        pollers = {}
        for row in told["pollers"]:
            name = f"{row.pop('addr')} {row.pop('agent')}"
            pollers[name] = row | {"first_at": micros(row["first_at"]), "last_at": micros(row["last_at"])}
        kind, clients = told["rivals"]["kind"], told["rivals"]["clients"]
        return told | {
            "reasons": {row["advice"]: row["n"] for row in told["reasons"]}, "pollers": pollers,
            "rivals": kind if clients is None else f"{kind} {clients}",
        }
