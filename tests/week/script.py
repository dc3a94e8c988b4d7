"""Owns: a week of traffic: three bots, two thousand users, and all that ingress tells of it.

In: a seed, the moment at which the week ends, the tenants' ids; what is done comes from people.py and conduct.py.
Out: the deeds, for
truth.py; the records that tell of them in the order of the bus, for `make`. Invariant: the same seed and moment give
the same
week, whatever the tenants' ids are. The records: ids by two instances of ingress, each of which is started anew on
the way; one that
hands its records over a quarter of an hour late; runs of records that are sent twice.
"""

import random
from dataclasses import dataclass

import wire
import zones
from conduct import Conduct
from people import SECOND, Crowd, everybody

MINUTE = 60 * SECOND
DAYS = 8
USERS = 2_000


@dataclass
class Week:
    bots: list[dict]
    # By bot and number, in no order.
    deeds: dict[str, list[dict]]
    # (topic, key, what it says), in the order of the bus.
    records: list[tuple[str, str, dict]]
    now: int


def bots(tenants: dict[str, str], end: int) -> list[dict]:
    """`end` is in microseconds. Two of them are fought for: one in the middle of the week, one up to its end."""
    middle = end - 3 * 24 * 60 * MINUTE
    clients = [
        {"addr": f"10.42.0.{place}", "agent": agent} for place,
        agent in ((17, "aiogram/3.31"), (18, "python-requests/2.32"), (19, "grammY"))
    ]
    shop = {
        "name": "shop", "id": 7_000_000_001, "zone": "Europe/Berlin", "way": "poll", "first": 700_000_000,
        "users": (0, 1_100),
        "clients": clients[:2], "fights": [(middle, middle + 15 * MINUTE), (end - 8 * MINUTE, end - SECOND)],
        "rivals": "through 2",
    }
    tour = {
        "name": "tour", "id": 7_000_000_002, "zone": "Asia/Kolkata", "way": "poll", "first": 31, "users": (900, 1_600),
        "clients": clients[2:], "fights": [(end - 5 * MINUTE, end - SECOND)], "rivals": "beside",
    }
    news = {
        "name": "news", "id": 7_000_000_003, "zone": "UTC", "way": "webhook", "first": 5_000, "users": (1_500, 2_000),
        "clients": [{"addr": "10.42.0.20", "agent": None}], "fights": [], "rivals": "none",
    }
    stranger = {"addr": "203.0.113.9", "agent": "curl/8"}
    return [bot | {"tenant": tenants[bot["name"]], "stranger": stranger} for bot in (shop, tour, news)]


def week(seed: int, now: int, tenants: dict[str, str]) -> Week:
    """`now` is in seconds since 1970."""
    people = everybody(random.Random(f"{seed} people"), USERS)
    begin = now // zones.DAY * zones.DAY - (DAYS - 1) * zones.DAY - 6 * zones.HOUR
    deeds, sendings = {}, []
    ours = bots(tenants, now * SECOND)
    for number, bot in enumerate(ours):
        dice = random.Random(f"{seed} {bot['name']}")
        crowd = Crowd(dice, bot["zone"], begin, now, number)
        acts = crowd.all(people[slice(*bot["users"])])
        conduct = Conduct(dice, bot, crowd, acts, begin, now)
        conduct.all()
        deeds[bot["name"]] = conduct.deeds
        sendings += conduct.sendings
    order(random.Random(f"{seed} order"), sendings, begin * SECOND, now * SECOND)
    by_name = {bot["name"]: bot for bot in ours}
    records = []
    for place, sending in enumerate(sendings):
        bot, deed = by_name[sending["bot"]], deeds[sending["bot"]][sending["deed"]]
        if "told" not in deed:
            # The first record on the bus is the one that counts.
            deed["told"] = {name: sending.get(name) for name in ("record", "at", "via")} | {"place": place}
        records.append((sending["topic"], bot["tenant"], wire.record(deed, sending, bot)))
    return Week(ours, deeds, records, now)


def order(dice: random.Random, sendings: list[dict], begin: int, end: int) -> None:
    """Names the records as they are made, and puts them in the order in which they reach the bus."""
    sendings.sort(key=lambda sending: sending["made"])
    starts = {
        name: sorted([begin] + [dice.randrange(begin, end) for _ in range(2)]) for name in ("ingress-0", "ingress-1")
    }
    sequences: dict[str, int] = {}
    late = dice.randrange(begin, end - 60 * MINUTE)
    for sending in sendings:
        made = sending["made"]
        instance = "ingress-0" if dice.random() < 0.6 else "ingress-1"
        epoch = max([start for start in starts[instance] if start <= made], default=begin) // 1_000
        name = f"{instance}-{epoch}"
        sequence = sequences.get(name, 0)
        sequences[name] = sequence + 1
        sending["record"] = f"{name}-{sequence}"
        # Workers bring calls a little out of order.
        sending["arrived"] = made + (dice.randrange(50_000) if sending["topic"] == "calls" else 0)
        if instance == "ingress-1" and late <= made < late + 15 * MINUTE:
            sending["arrived"] = late + 15 * MINUTE + (made - late) // 100
    # Sent twice: one now and then, and everything of a while once the bus was away.
    twice = [sending for sending in sendings if dice.random() < 0.005]
    again = [dict(sending, arrived=sending["arrived"] + dice.randrange(MINUTE)) for sending in twice]
    for _ in range(2):
        since = dice.randrange(begin, end - 180 * MINUTE)
        replayed = [one for one in sendings if since <= one["made"] < since + 120 * MINUTE]
        again += [dict(one, arrived=one["arrived"] + 121 * MINUTE) for one in replayed]
    sendings += again
    sendings.sort(key=lambda sending: sending["arrived"])
