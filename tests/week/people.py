"""Owns: what users do to a bot in the scripted week.

In: dice, the bot's zone, the bounds of the week. Out: acts in the order of their time, for conduct.py, which says
when the bot

them, fall into the same second; who has blocked the bot does nothing until the block is taken back.
"""

import base64
import random
from itertools import count

import zones

SECOND = 1_000_000
LANGUAGES = ["en", "en", "en", "de", "de", "hi", "pt-br", "ru", "ru", "zh-hans", None]
COMMANDS = ["/help", "/help", "/menu", "/menu", "/price", "/settings", "/stop", "/lang_de"]
PAYLOADS = ["promo", "promo", "promo", "autumn-7", "ref_17", "ref_18", "QR"]
UTM = [
    "utm_source=ads&utm_medium=cpc", "utm_source=ads&utm_medium=cpc", "utm_source=blog&utm_campaign=autumn",
    "utm_source=Flyer&utm_content=a&x=1",
]
BUTTONS = [("buy:17", "Buy"), ("buy:17", "Buy"), ("buy:18", "Buy"), ("menu", "Menu"), ("page:2", "»"), ("vote:1", None)]
MEDIA = [
    ("photo", 54_321), ("photo", 99_000), ("sticker", 31_000), ("voice", 8_100), ("document", 700_000),
    ("video", 2_400_000),
    ("location", None), ("contact", None),
]
# Telegram's own: its notices, anonymous administrators, channels that write.
SERVICE = [(777_000, False), (1_087_968_824, True), (136_817_688, True)]


def everybody(dice: random.Random, how_many: int) -> list[dict]:
    people = []
    for number in range(how_many):
        people.append({
            "id": 5_000_000_000 + 7_919 * number, "bot": False, "language": dice.choice(LANGUAGES),
            "premium": dice.random() < 0.2,
        })
    return people


class Crowd:
    """The users of one bot."""

    def __init__(self, dice: random.Random, zone: str, begin: int, end: int, number: int) -> None:
        self.dice, self.begin, self.end = dice, begin, end
        self.messages = count(100)
        self.groups = [{"id": -1_001_000_000_000 - 10 * number - place, "type": "supergroup"} for place in range(4)]
        self.channel = {"id": -1_002_000_000_000 - number, "type": "channel"}
        first, last = zones.date(zone, begin), zones.date(zone, end)
        self.midnights = [zones.start(zone, day) for day in range(first + 1, last + 1)]
        self.acts: list[dict] = []
        # Who blocks the bot without Telegram telling it, and since when.
        self.silent: list[tuple[int, int]] = []

    def all(self, people: list[dict]) -> list[dict]:
        for person in people:
            self.live(person)
        for _ in range(len(people) // 8):
            self.strange()
        for group in self.groups:
            self.group(group, people)
        self.acts.sort(key=lambda act: act["t"])
        return self.acts

    def moment(self) -> int:
        """Somewhere in the week; now and then close to a midnight of the bot, or to where clocks change."""
        if self.dice.random() < 0.15:
            near = self.dice.choice(self.midnights) + self.dice.randrange(-1_800, 1_800)
            return min(max(near, self.begin), self.end - 600)
        return self.dice.randrange(self.begin, self.end - 600)

    def act(self, did: str, second: int, user: dict | None, chat: dict | None, **more: object) -> None:
        t = second * SECOND + self.dice.randrange(SECOND)
        snapshot = {name: value for name, value in user.items() if name != "since"} if user else None
        self.acts.append({"did": did, "t": t, "user": snapshot, "chat": chat, **more})

    def live(self, person: dict) -> None:
        dice, person = self.dice, dict(person)
        sessions = sorted(self.moment() for _ in range(dice.choice([1, 1, 1, 2, 2, 3, 6])))
        private = {"id": person["id"], "type": "private"}
        second, begun, blocked = 0, False, False
        for session in sessions:
            second = max(second + 60, session)
            if second >= self.end - 120:
                break
            if dice.random() < 0.05:
                person["language"] = dice.choice(LANGUAGES)
                person["premium"] = not person["premium"]
            if blocked:
                self.act("unblocked", second, person, private)
                second, blocked, begun = second + dice.randrange(3, 30), False, False
            if not begun or dice.random() < 0.2:
                self.start(second, person, private)
                begun = True
            for _ in range(dice.randrange(1, 6)):
                second += dice.randrange(3, 90)
                if second >= self.end - 60:
                    return
                self.something(second, person, private)
            if dice.random() < 0.05:
                second += dice.randrange(3, 90)
                if second >= self.end - 60:
                    return
                blocked = True
                if dice.random() < 0.6:
                    self.act("blocked", second, person, private)
                else:
                    self.silent.append((person["id"], second))
                    return

    def start(self, second: int, person: dict, chat: dict) -> None:
        dice, payload, pairs = self.dice, None, None
        if dice.random() < 0.3:
            payload = dice.choice(PAYLOADS)
        elif dice.random() < 0.3:
            pairs = dice.choice(UTM)
            payload = base64.urlsafe_b64encode(pairs.encode()).decode().rstrip("=")
        length = 6 + (1 + len(payload) if payload else 0)
        self.wrote(second, person, chat, length=length, command="/start", payload=payload, pairs=pairs)

    def wrote(self, second: int, person: dict | None, chat: dict, **more: object) -> int:
        message = next(self.messages)
        self.act("wrote", second, person, chat, message=message, **more)
        return message

    def something(self, second: int, person: dict, chat: dict) -> None:
        dice = self.dice
        match dice.choices(range(9), [30, 14, 8, 24, 6, 3, 3, 4, 3])[0]:
            case 0:
                self.wrote(second, person, chat, length=dice.randrange(1, 400))
            case 1:
                command = dice.choice(COMMANDS)
                self.wrote(second, person, chat, length=len(command), command=command)
            case 2:
                media, size = dice.choice(MEDIA)
                length = dice.randrange(1, 50) if media in ("photo", "video") and dice.random() < 0.5 else None
                self.wrote(second, person, chat, media=media, size=size, length=length)
            case 3:
                data, text = dice.choice(BUTTONS)
                self.act("pressed", second, person, chat, data=data, button=text, message=next(self.messages))
            case 4:
                did = "queried" if dice.random() < 0.7 else "chose"
                self.act(did, second, person, None, length=dice.randrange(0, 30))
            case 5:
                poll = str(dice.randrange(5_000, 5_040))
                self.act(
                    "voted", second, person, None, poll=poll,
                    options=sorted(dice.sample(range(4), dice.randrange(0, 3))),
                )
                self.act(
                    "poll", second, None, None, poll=poll, voters=dice.randrange(1, 90), closed=dice.random() < 0.1,
                )
            case 6:
                amount, currency = dice.choice([(100, "XTR"), (1_999, "EUR"), (49_900, "INR")])
                self.act("checkout", second, person, None, amount=amount, currency=currency)
                self.act(
                    "paid", second + 2, person, chat, message=next(self.messages), amount=amount, currency=currency,
                )
            case 7:
                message = next(self.messages)
                self.act(
                    "edited", second, person, chat, message=message, first=second - dice.randrange(1, 9_000),
                    length=dice.randrange(1, 90),
                )
            case 8:
                self.act(
                    "reacted", second, person, chat, message=next(self.messages), new=[dice.choice(["👍", "🔥"])], old=[],
                )

    def strange(self) -> None:
        """What counts for nobody: bots, Telegram's accounts, channels, and a kind of a later version."""
        dice, second = self.dice, self.moment()
        group = dice.choice(self.groups)
        match dice.randrange(5):
            case 0:
                id, bot = dice.choice(SERVICE)
                user = {"id": id, "bot": bot, "language": None, "premium": False}
                self.wrote(second, user, group, length=dice.randrange(1, 90), command=dice.choice([None, "/rules"]))
            case 1:
                user = {"id": 900_000 + dice.randrange(5), "bot": True, "language": None, "premium": False}
                self.wrote(second, user, group, length=dice.randrange(1, 90))
            case 2:
                self.act(
                    "posted", second, None, self.channel, message=next(self.messages), length=dice.randrange(1, 900),
                )
            case 3:
                first = second - dice.randrange(60, 3_600)
                self.act(
                    "post edited", second, None, self.channel, message=next(self.messages), first=first,
                    length=dice.randrange(1, 900),
                )
            case 4:
                id = 6_000_000_000 + dice.randrange(40)
                user = {"id": id, "bot": False, "language": "en", "premium": False}
                self.act("hologram", second, user, {"id": id, "type": "private"})

    def group(self, group: dict, people: list[dict]) -> None:
        """A group adds the bot, talks, raises it, and may put it out again. Its members are users of the bot, too."""
        dice = self.dice
        owner = {"id": 7_000_000_000 + abs(group["id"]) % 1_000, "bot": False, "language": "en", "premium": True}
        second = self.begin + dice.randrange(600, 86_400)
        self.act("added", second, owner, group)
        self.act("promoted", second + 30, owner, group)
        for _ in range(len(people) // 4):
            second = self.moment()
            person = {"id": 8_000_000_000 + dice.randrange(60), "bot": False, "language": "en", "premium": False}
            if dice.random() < 0.1:
                self.act("member", second, person, group)
            else:
                self.wrote(second, person, group, length=dice.randrange(1, 200), thread=dice.choice([None, 9]))
        if dice.random() < 0.5:
            self.act("removed", self.end - dice.randrange(600, 86_400), owner, group)
