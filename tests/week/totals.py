"""Owns: every number of the console of the scripted week.

In: what is true of each deed (truth.py). Out: the answers of overview, audience, actions, sources, errors, latency,
polls and the list of bots, for each day, the last two, the week, the month and 90 days; rankings whole. Invariant:
counted plainly, from lists and sets, by the definitions of the contract of records and those beside the numbers in
`services/analytics/src/query`; nothing is summed up beforehand.
"""

from collections import Counter, defaultdict

import zones
from people import SECOND, SERVICE

HOURS = 24
KINDS = ("telegram", "own")


def periods(zone: str, now: int) -> dict[str, tuple[int, int]]:
    """The first date and the number of dates of each period that is asked for."""
    today = zones.date(zone, now)
    days = {f"day {zones.shown(day)}": (day, 1) for day in range(today - 8, today + 1)}
    spans = {"two days": 2, "week": 7, "month": 30, "90 days": 90}
    return days | {name: (today - many + 1, many) for name, many in spans.items()}


def numbers(bot: dict, events: list[dict], now: int) -> dict:
    one = Bot(bot, events, now)
    today = zones.date(bot["zone"], now)
    told = {name: one.period(first, days) for name, (first, days) in periods(bot["zone"], now).items()}
    hours = sorted({event["hour"] for event in one.events if event["date"] == today})
    told["now"] = {
        "polls": one.polls(), "bots": {"today": one.figures(today, 1), "last_hour": hours[-1] if hours else None},
    }
    return told


def is_person(columns: dict) -> bool:
    user = columns["user_id"]
    return user is not None and not columns["user_is_bot"] and user not in {id for id, _ in SERVICE}


def filled(event: dict, name: str) -> list[str]:
    """A column of an update, if there is anything in it."""
    value = event["columns"][name]
    return [value] if event["update"] and value else []


def ranked(counts: Counter) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda it: (-it[1], it[0]))


def quantiles(values: list[int]) -> dict:
    values = sorted(values)
    rank = lambda hundredths: values[max(-(-len(values) * hundredths // 100), 1) - 1] / 1_000 if values else None
    return {"n": len(values), "p50": rank(50), "p95": rank(95), "p99": rank(99)}


class Bot:
    def __init__(self, bot: dict, events: list[dict], now: int) -> None:
        self.bot, self.zone, self.now, self.events = bot, bot["zone"], now, events
        self.users: dict[int, list[dict]] = defaultdict(list)
        # Signs of each user: when, whether it says that the bot is blocked.
        signs: dict[int, list[tuple[tuple[int, int, int], bool]]] = defaultdict(list)
        for event in events:
            columns = event["columns"]
            update = columns["direction"] == "in" and columns["event"] != "gap"
            event["update"] = update
            counted = event["happened"] if columns["direction"] == "in" else event["at"]
            event["second"] = counted // SECOND
            event["hour"] = zones.hour(self.zone, event["second"])
            event["date"] = zones.date(self.zone, event["second"])
            when = (event["second"], event["at"], event["place"])
            if update and is_person(columns):
                self.users[columns["user_id"]].append(event)
                signs[columns["user_id"]].append((when, columns["event"] == "bot_blocked"))
            if event.get("error", {}).get("advice") == "blocked_by_user":
                signs[columns["chat_id"]].append((when, True))
        last = {user: max(told) for user, told in signs.items()}
        self.blocked = {user: when[0] for user, (when, is_blocked) in last.items() if is_blocked}
        self.first = {user: min(event["date"] for event in told) for user, told in self.users.items()}
        starts = {user: [event for event in told if event["columns"]["payload"]] for user, told in self.users.items()}
        self.source = {
            user: min(told, key=lambda event: (event["second"], event["at"], event["place"]))["columns"]["payload"]
            for user, told in starts.items() if told
        }
        self.by_date: dict[int, list[dict]] = defaultdict(list)
        for event in events:
            self.by_date[event["date"]].append(event)

    def within(self, first: int, days: int) -> list[dict]:
        return [event for day in range(first, first + days) for event in self.by_date.get(day, [])]

    def active(self, first: int, days: int) -> set[int]:
        told = [event["columns"] for event in self.within(first, days) if event["update"]]
        return {columns["user_id"] for columns in told if is_person(columns)}

    def period(self, first: int, days: int) -> dict:
        before = first - max(days, 7)
        overview = {
            "total": self.figures(first, days), "before": self.figures(before, days), "days": self.days(first, days),
            "days_before": self.days(before, days),
        }
        hourly = days <= 2
        overview["hours"] = self.hours(first, days) if hourly else {}
        overview["hours_before"] = self.hours(before, days) if hourly else {}
        dates = {
            "from": zones.shown(first), "to": zones.shown(first + days - 1), "days": days,
            "before_from": zones.shown(before), "time_zone": self.zone,
        }
        return {
            "period": dates, "overview": overview, "audience": self.audience(first, days),
            "actions": self.actions(first, days, before), "sources": self.sources(first, days, before),
            "errors": self.errors(first, days), "latency": self.latency(first, days),
        }

    # Overview.

    @staticmethod
    def traffic(events: list[dict]) -> dict:
        told = dict.fromkeys(("updates", "calls", "failed", "errors", "polls", "polls_failed", "unverified", "lost"), 0)
        for event in events:
            columns = event["columns"]
            name, failed = columns["event"], columns["ok"] is False
            if event["update"]:
                told["updates"] += 1
            elif name == "gap":
                told["lost"] += columns["props"]["count"]
            elif name == "call_unverified":
                told["unverified"] += 1
            elif name == "polled":
                told["polls"] += columns["props"]["count"]
                told["polls_failed"] += failed
            else:
                told["calls"] += 1
                told["failed"] += failed
                told["errors"] += failed and columns["error_class"] != "expected"
        return told | {"error_rate": told["errors"] / told["calls"] if told["calls"] else None}

    def figures(self, first: int, days: int) -> dict:
        people = dict.fromkeys(("active", "fresh", "returning", "blocked"), 0)
        for day in range(first, first + days):
            active = self.active(day, 1)
            new = {user for user in active if self.first[user] == day}
            people["active"] += len(active)
            people["fresh"] += len(new)
            people["returning"] += len(active - new)
            people["blocked"] += sum(zones.date(self.zone, second) == day for second in self.blocked.values())
        return {"traffic": self.traffic(self.within(first, days)), "people": people}

    def days(self, first: int, days: int) -> dict:
        return {
            zones.shown(day): {"start": zones.start(self.zone, day)} | self.figures(day, 1)
            for day in range(first, first + days)
        }

    def hours(self, first: int, days: int) -> dict:
        hours = defaultdict(list)
        for event in self.within(first, days):
            hours[event["hour"]].append(event)
        return {str(hour): self.traffic(told) for hour, told in hours.items()}

    # Audience.

    def audience(self, first: int, days: int) -> dict:
        since = zones.start(self.zone, first)
        active = self.active(first, days)
        languages, premium, seen = Counter(), 0, 0
        for told in self.users.values():
            if max(event["second"] for event in told) < since:
                continue
            last = max(told, key=lambda event: (event["second"], event["at"], event["place"]))["columns"]
            languages[last["language"]] += 1
            premium += last["is_premium"]
            seen += 1
        nameless = languages.pop(None, 0)
        return {
            "active": len(active), "ever": len(self.users), "blocked": len(self.blocked),
            "languages": ranked(languages), "no_language": nameless,
            "premium": premium, "regular": seen - premium,
        }

    # Actions and sources.

    def ranking(self, label, first: int, days: int, before: int) -> dict:
        now, then = (
            [found for event in self.within(since, days) for found in label(event)] for since in (first, before)
        )
        now, then = Counter(now), Counter(then)
        return {"ranked": [{"label": it, "n": n, "before": then[it]} for it, n in ranked(now)], "other": 0}

    def actions(self, *period: int) -> dict:
        column = lambda name: lambda event: filled(event, name)
        names = {
            "commands": "command", "callbacks": "callback_data", "buttons": "button_text", "media": "media",
            "updates": "event",
        }
        return {shown: self.ranking(column(name), *period) for shown, name in names.items()}

    def sources(self, first: int, days: int, before: int) -> dict:
        payload = lambda event: filled(event, "payload")
        new = [user for user, day in self.first.items() if first <= day < first + days]
        arrived = Counter(self.source[user] for user in new if user in self.source)
        return {
            "starts": self.ranking(payload, first, days, before), "utm": self.ranking(pairs, first, days, before),
            "arrived": ranked(arrived), "by_source": sum(arrived.values()),
            "direct": sum(user not in self.source for user in new),
        }

    # Errors and latency.

    def errors(self, first: int, days: int) -> dict:
        groups = defaultdict(list)
        ever = defaultdict(list)
        for event in self.events:
            if "error" in event and event["deed"]["verified"]:
                ever[event["error"]["group"]].append(event)
                if first <= event["date"] < first + days:
                    groups[event["error"]["group"]].append(event)
        # Chats and users are told of the days of UTC that the period touches.
        bounds = [zones.start(self.zone, first) // zones.DAY, (zones.start(self.zone, first + days) - 1) // zones.DAY]
        return {" ".join(map(str, group)): self.group(told, ever[group], bounds) for group, told in groups.items()}

    @staticmethod
    def group(told: list[dict], ever: list[dict], bounds: list[int]) -> dict:
        columns, error = told[0]["columns"], told[0]["error"]
        hit = lambda name: len({
            event["columns"][name] for event in ever
            if event["columns"][name] is not None and bounds[0] <= event["second"] // zones.DAY <= bounds[1]
        })
        newest = sorted(ever, key=lambda event: (event["at"], event["columns"]["event_id"]), reverse=True)[:5]
        times = [event["at"] for event in ever]
        hours = Counter(str(event["hour"]) for event in told)
        examples = [{
            "error_id": event["columns"]["event_id"], "at": event["at"], "description": event["error"]["description"],
            **{name: event["columns"][name] for name in ("chat_id", "user_id", "update_id")},
            **event["error"]["client"],
        } for event in newest]
        return {
            "method": columns["method"], "code": columns["error_code"], "template": error["group"][2],
            "origin": error["origin"],
            "class": columns["error_class"], "advice": error["advice"], "n": len(told), "first_at": min(times),
            "last_at": max(times),
            "hours": dict(hours), "chats": hit("chat_id"), "users": hit("user_id"), "examples": examples,
        }

    def latency(self, first: int, days: int) -> dict:
        calls = [event for event in self.within(first, days) if "took" in event]
        polls = [event for event in calls if event["columns"]["method"] == "getUpdates"]
        calls = [event for event in calls if event["columns"]["method"] != "getUpdates"]
        methods, series = defaultdict(list), defaultdict(list)
        for event in calls:
            methods[event["columns"]["method"]].append(event)
            series[str(event["hour"] if days <= 2 else zones.start(self.zone, event["date"]))].append(event)
        by = lambda many: {name: self.times(told) for name, told in many.items()}
        return {"all": self.times(calls), "polls": self.times(polls), "methods": by(methods), "series": by(series)}

    @staticmethod
    def times(events: list[dict]) -> dict:
        telegram = [event["took"]["upstream"] for event in events if event["answered"]]
        return {"telegram": quantiles(telegram), "own": quantiles([event["took"]["own"] for event in events])}

    # Polls.

    def polls(self) -> dict:
        """Of the last hours, the first of which may have begun before."""
        begin = self.now - HOURS * zones.HOUR
        told = [event for event in self.events if event["columns"]["event"] == "polled"]
        told = [event for event in told if event["hour"] + zones.HOUR > begin]
        pollers = defaultdict(list)
        for event in told:
            props = event["columns"]["props"]
            pollers[f"{props['addr']} {props.get('agent', '')}"].append(event)
        conflicts = [event for event in told if event["columns"]["error_code"] == 409]
        reasons = Counter(event["error"]["advice"] for event in conflicts)
        count = lambda events: sum(event["columns"]["props"]["count"] for event in events)
        clash = lambda events: sum(event["columns"]["error_code"] == 409 for event in events)
        each = {
            name: {
                "polls": count(it), "conflicts": clash(it), "first_at": min(e["happened"] for e in it),
                "last_at": max(e["at"] for e in it)
            }
            for name, it in pollers.items()
        }
        return {
            "polls": count(told), "conflicts": len(conflicts), "reasons": dict(reasons), "pollers": each,
            "rivals": self.bot["rivals"],
        }


def pairs(event: dict) -> list[str]:
    """The UTM pairs that the script hid in a payload."""
    hidden = event["deed"].get("pairs") or ""
    split = [pair.split("=") for pair in hidden.split("&")]
    return [f"{pair[0]}={pair[1]}" for pair in split if pair[0].startswith("utm_")]
