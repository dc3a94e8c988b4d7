"""Owns: what the bots of the scripted week do, and when Gramtap is told of what.

In: a bot, the acts of its users (people.py). Out: deeds, each with what it was, and sendings: the records that tell
of them, with
the time at which they were made. Invariant: a deed is one fact, however often a record tells of it: a bot that restarts
without having confirmed its last updates is given them again, and so is a webhook that failed.
"""

import random
from bisect import bisect_right
from collections import defaultdict

import failures
from people import SECOND, Crowd

MS = 1_000
# Sends with a result: method, media, whether a file goes up.
SENDS = [
    (60, "sendMessage", None, False), (10, "sendPhoto", "photo", True), (5, "sendPhoto", "photo", False),
    (6, "sendDocument", "document", True),
    (4, "sendMediaGroup", "photo", True), (3, "sendSticker", "sticker", False), (3, "sendLocation", "location", False),
    (3, "copyMessage", None, False), (3, "forwardMessage", None, False), (2, "sendInvoice", "invoice", False),
]
# The ways in which clients write their parameters.
SHAPES = ["json", "json", "form", "query", "multipart"]


class Conduct:
    def __init__(self, dice: random.Random, bot: dict, crowd: Crowd, acts: list[dict], begin: int, end: int) -> None:
        self.dice, self.bot, self.crowd, self.acts = dice, bot, crowd, acts
        self.begin, self.end = begin * SECOND, end * SECOND
        self.deeds: list[dict] = []
        self.sendings: list[dict] = []
        self.number, self.used = bot["first"], set()
        self.client = bot["clients"][0]
        self.blocks: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        self.seconds: set[tuple[int, int]] = set()
        for act in acts:
            if act["user"]:
                self.seconds.add((act["user"]["id"], act["t"] // SECOND))
                if act["did"] in ("blocked", "unblocked"):
                    self.blocks[act["user"]["id"]].append((act["t"], act["did"] == "blocked"))
        for user, second in crowd.silent:
            self.blocks[user].append((second * SECOND, True))

    def all(self) -> None:
        self.hook() if self.bot["way"] == "webhook" else self.poll()
        self.fights()
        self.broadcasts()
        self.strangers()
        self.losses()

    def deed(self, did: str, **more: object) -> int:
        self.deeds.append({"did": did, "bot": self.bot["name"], **more})
        return len(self.deeds) - 1

    def send(self, made: int, topic: str, deed: int, **more: object) -> None:
        self.sendings.append({"made": made, "topic": topic, "bot": self.bot["name"], "deed": deed, **more})

    def unique(self, at: int) -> int:
        while at in self.used:
            at += 1
        self.used.add(at)
        return at

    # What Telegram tells the bot.

    def heard(self, act: dict) -> int:
        self.number += self.dice.choice([1] * 400 + [2, 7])
        return self.deed(
            act["did"], number=self.number, **{name: value for name, value in act.items() if name != "did"}
        )

    def poll(self) -> None:
        dice, at, before, place = self.dice, self.begin, [], 0
        moments = sorted(dice.randrange(self.begin, self.end - 12 * 3_600 * SECOND) for _ in range(6))
        lengths = [dice.randrange(120, 1_800) for _ in moments]
        lengths[2] = 4 * 3_600
        outages = [(down, down + length * SECOND) for down, length in zip(moments, lengths)]
        arrival = [act["t"] + dice.randrange(20, 300) * MS for act in self.acts]
        while place < len(self.acts):
            again: list[int] = []
            due = max(arrival[place], at + 30 * MS)
            if outages and due >= outages[0][0]:
                _, up = outages.pop(0)
                due, again = max(up, at + 30 * MS), before
            self.idle(at, due)
            bunch = list(again)
            while place < len(self.acts) and arrival[place] <= due and len(bunch) < 100:
                bunch.append(self.heard(self.acts[place]))
                place += 1
            client = self.poller(due)
            asked = self.unique(max(at + 5 * MS, due - dice.randrange(1, 50) * SECOND))
            self.call("getUpdates", asked, total=max(due - asked, MS), client=client)
            for deed in bunch:
                self.send(due, "updates", deed, at=due, via="poll", client=client)
                self.react(deed, due)
            at, before = due, bunch

    def idle(self, since: int, until: int) -> None:
        """Empty polls, as far as the script tells of them."""
        at = since + SECOND
        while at + 12 * SECOND < until and self.dice.random() < 0.5:
            to = at + self.dice.randrange(1, 10 * SECOND)
            self.fold(at, to, self.poller(at))
            at = to + self.dice.randrange(60, 3_600) * SECOND

    def fold(self, since: int, to: int, client: dict) -> None:
        count = self.dice.randrange(1, 20)
        longest = (to - since) // count
        deed = self.deed("polled", since=since, to=to, count=count, longest=longest, client=client)
        self.send(to, "calls", deed)

    def poller(self, at: int) -> dict:
        """Who polls at a time: while two fight, now one and now the other."""
        fights = any(since <= at < to for since, to in self.bot["fights"])
        return self.dice.choice(self.bot["clients"]) if fights else self.client

    def fights(self) -> None:
        for since, to in self.bot["fights"]:
            at = since
            while at < to:
                client = self.poller(at)
                self.call("getUpdates", self.unique(at), failure=failures.RIVAL, client=client)
                if self.dice.random() < 0.2:
                    self.fold(at + 3 * SECOND, at + 4 * SECOND, self.poller(at))
                at += self.dice.randrange(5, 12) * SECOND
        for _ in range(12):
            at = self.dice.randrange(self.begin, self.end)
            failure = self.dice.choice([failures.POLL_GATEWAY, failures.POLL_CUT])
            if self.bot["way"] == "webhook":
                failure = failures.WEBHOOK_SET
            self.call("getUpdates", self.unique(at), failure=failure)

    def hook(self) -> None:
        for place, method in enumerate(["setWebhook", "getWebhookInfo", "deleteWebhook", "setWebhook"]):
            self.call(method, self.unique(self.begin + place * 60 * SECOND))
        for act in self.acts:
            at = act["t"] + self.dice.randrange(20, 300) * MS
            deed = self.heard(act)
            for turn in range(2 if self.dice.random() < 0.06 else 1):
                self.send(at, "updates", deed, at=at, via="webhook", client=None)
                at += self.dice.randrange(1, 90) * SECOND
            self.react(deed, at)

    # What the bot does.

    def react(self, deed: int, at: int) -> None:
        dice, told = self.dice, self.deeds[deed]
        at += dice.randrange(30, 900) * MS
        if dice.random() < 0.04:
            weights, rows = zip(*failures.EVERYDAY)
            self.call_failing(dice.choices(rows, weights)[0], at, told["chat"])
            return
        chat = told["chat"]
        private = chat is not None and chat["type"] == "private"
        match told["did"]:
            case "wrote" if private:
                if told.get("media") and dice.random() < 0.4:
                    self.call("getFile", self.unique(at))
                    self.call("file", self.unique(at + 200 * MS))
                if dice.random() < 0.7:
                    self.reply(chat, at, told["message"])
            case "wrote" if dice.random() < 0.1:
                method = dice.choice(["deleteMessage", "deleteMessages", "getChatMember", "setMessageReaction"])
                self.call(method, self.unique(at), chat=chat, message=told["message"])
            case "pressed":
                self.call("answerCallbackQuery", self.unique(at))
                if dice.random() < 0.5:
                    self.call(
                        "editMessageText", self.unique(at + 90 * MS), chat=chat, message=told["message"],
                        length=dice.randrange(1, 300),
                    )
            case "queried":
                self.call("answerInlineQuery", self.unique(at))
            case "checkout":
                self.call("answerPreCheckoutQuery", self.unique(at))

    def reply(self, chat: dict, at: int, to: int | None = None) -> None:
        dice = self.dice
        if self.is_blocked(chat["id"], at):
            if (chat["id"], at // SECOND) not in self.seconds:
                self.call_failing(failures.BLOCKED, at, chat)
            return
        weights, methods, medias, uploads = zip(*SENDS)
        place = dice.choices(range(len(SENDS)), weights)[0]
        method, media = methods[place], medias[place]
        more: dict = {"message": next(self.crowd.messages), "media": media}
        if method == "sendMediaGroup":
            more["messages"] = 2
        if uploads[place]:
            more["files"] = [dice.randrange(1_000, 900_000) for _ in range(more.get("messages", 1))]
        elif media in ("photo", "document", "sticker"):
            more["size"] = dice.randrange(1_000, 900_000)
        if method == "sendMessage" or media == "photo":
            more["length"] = dice.randrange(1, 500)
        if dice.random() < 0.2 and method not in ("copyMessage", "forwardMessage"):
            more["reply_to"] = to
        self.call(method, self.unique(at), chat=chat, **more)

    def is_blocked(self, user: int, at: int) -> bool:
        changes = self.blocks.get(user, [])
        place = bisect_right(changes, at, key=lambda change: change[0])
        return place > 0 and changes[place - 1][1]

    def call_failing(self, failure: failures.Failure, at: int, chat: dict | None) -> None:
        chat = chat if failure.into_chat() else None
        self.call(failure.method, self.unique(at), failure=failure, chat=chat, number=self.dice.randrange(1, 90))

    def call(
        self, method: str, at: int, total: int | None = None, failure: failures.Failure | None = None, **more: object,
    ) -> None:
        dice = self.dice
        own = dice.randrange(80, 900) if dice.random() < 0.95 else dice.randrange(900, 40_000)
        if total is None:
            total = own + int(dice.lognormvariate(11.3, 0.7))
        own = min(own, total)
        took = {"total": total, "own": own, "upstream": total - own}
        shape = "none" if method in ("getMe", "file") else dice.choice(SHAPES)
        if more.get("files"):
            shape = "multipart"
        more.setdefault("client", self.client)
        deed = self.deed("called", method=method, at=at, took=took, failure=failure, shape=shape, verified=True, **more)
        self.send(at + total, "calls", deed)

    def broadcasts(self) -> None:
        """A message to many, some of whom have blocked the bot, of some of whom nothing else was ever seen."""
        dice, known = self.dice, sorted(
            {act["user"]["id"] for act in self.acts if act["user"] and act["chat"] and act["chat"]["type"] == "private"}
        )
        gone = [9_000_000_000 + number for number in range(12)]
        for user in gone[:8]:
            self.blocks[user].append((0, True))
        at = self.begin + 6 * 3_600 * SECOND
        while at < self.end - 3_600 * SECOND:
            blocked = [user for user in self.blocks if self.is_blocked(user, at)]
            some = dice.sample(known, min(60, len(known))) + dice.sample(gone, 4) + dice.sample(
                sorted(blocked), len(blocked) // 3,
            )
            moment = at
            for user in dice.sample(some, len(some)):
                moment += dice.randrange(30, 400) * MS
                if dice.random() < 0.03:
                    self.call_failing(failures.FLOOD, moment, {"id": user, "type": "private"})
                else:
                    self.reply({"id": user, "type": "private"}, moment)
            at += dice.randrange(10, 20) * 3_600 * SECOND

    def strangers(self) -> None:
        """Calls with tokens that Telegram has never accepted: bot ids are public."""
        for _ in range(60):
            at = self.unique(self.dice.randrange(self.begin, self.end))
            self.call(
                self.dice.choice(["getMe", "sendMessage", "getUpdates"]), at, chat={"id": 77, "type": "private"},
                client=self.bot["stranger"],
            )
            self.deeds[-1].update(verified=False, refused=self.dice.random() < 0.9)

    def losses(self) -> None:
        for _ in range(5):
            since = self.dice.randrange(self.begin, self.end - 60 * SECOND)
            to = since + self.dice.randrange(1, 60) * SECOND
            count, reason = self.dice.randrange(1, 2_000), self.dice.choice(["spool_full", "killed"])
            self.send(to, "calls", self.deed("lost", since=since, to=to, count=count, reason=reason))
