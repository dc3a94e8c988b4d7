"""Owns: the time zones of the scripted week.

In: moments, in seconds since 1970. Out: how far the clock is ahead of UTC then, dates, and where they begin.
Invariant: the rules are
written down here by hand, and are those of UTC, India, and Germany in this century: no other code is asked.
"""

import datetime

HOUR, DAY = 3_600, 86_400


def _last_sunday(year: int, month: int) -> int:
    """One o'clock UTC of the last Sunday of a month of 31 days, when Europe's clocks change."""
    last = datetime.date(year, month, 31)
    sunday = last - datetime.timedelta(days=(last.weekday() + 1) % 7)
    return (sunday - datetime.date(1970, 1, 1)).days * DAY + HOUR


def offset(zone: str, second: int) -> int:
    match zone:
        case "UTC":
            return 0
        case "Asia/Kolkata":
            return 5 * HOUR + HOUR // 2
        case "Europe/Berlin":
            year = datetime.datetime.fromtimestamp(second, datetime.UTC).year
            summer = _last_sunday(year, 3) <= second < _last_sunday(year, 10)
            return 2 * HOUR if summer else HOUR
    raise ValueError(f"no rule for {zone}")


def date(zone: str, second: int) -> int:
    """Days since 1970, by the clock of the zone."""
    return (second + offset(zone, second)) // DAY


def start(zone: str, day: int) -> int:
    """The second that a date begins with: no clock here changes at midnight."""
    for ahead in {offset(zone, day * DAY - DAY), offset(zone, day * DAY + DAY)}:
        if date(zone, day * DAY - ahead) == day and date(zone, day * DAY - ahead - 1) == day - 1:
            return day * DAY - ahead
    raise ValueError(f"{zone} has no midnight on {day}")


def hour(zone: str, second: int) -> int:
    """The second that an hour of the clock begins with."""
    ahead = offset(zone, second)
    return (second + ahead) // HOUR * HOUR - ahead


def moment(second: int) -> str:
    """As machines read it."""
    return datetime.datetime.fromtimestamp(second, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(shown: str) -> int:
    return (datetime.date.fromisoformat(shown) - datetime.date(1970, 1, 1)).days


def shown(day: int) -> str:
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day))
