"""Holds what deploy/clickhouse/queries.sql says of the scripted week, in chdb, against what is true of it.

In: a folder with `truth.json` (tests/week/make), and the embedded log, a file of SQLite, that Gramtap has written
events and errors to; the statements and queries as they are printed. Out: a line that says how many numbers were equal;
or a line for each that is not, and exit status 1. Invariant: of the statements the engine of the queues is changed
(columns.py), of the queries nothing; what they ask for comes as parameters.
"""

import json
import re
import sqlite3
import sys
import tempfile
from collections import defaultdict
from datetime import datetime
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent / "week"))

import zones
from chdb.session import Session
from columns import ROOT, statements

# How many differences are shown.
SHOWN = 40
# How many records of each topic come twice, as Kafka engines may bring them.
TWICE = 2_000


def queries() -> dict[str, str]:
    """By the word that the comment before each begins with."""
    text = (ROOT / "deploy/clickhouse/queries.sql").read_text()
    return dict(re.findall(r"^-- ([a-z]+): .*\n(?:--.*\n)*((?:[^-].*\n)+?.*);$", text, re.MULTILINE))


def load(session: Session, log: str, folder: str) -> int:
    """Puts the topics into the tables, as the queues would bring them, some twice. How many records."""
    records = 0
    connection = sqlite3.connect(f"file:{log}?mode=ro", uri=True)
    for statement in statements():
        session.query(statement)
    for topic in ("events", "errors"):
        dump = Path(folder) / f"{topic}.jsonl"
        with open(dump, "w") as file:
            order = "SELECT CAST(payload AS TEXT) FROM records WHERE topic = ? ORDER BY partition, offset"
            for (payload,) in connection.execute(order, (f"gramtap.{topic}.v1",)):
                file.write(payload + "\n")
                records += 1
        bring = f"INSERT INTO gramtap.{topic}_queue SELECT line FROM file('{dump}', LineAsString)"
        session.query(bring)
        session.query(f"{bring} LIMIT {TWICE}")
    return records


class Week:
    def __init__(self, session: Session, truth: dict) -> None:
        self.session, self.truth = session, truth
        self.queries, self.compared, self.found = queries(), 0, []

    def ask(self, name: str, dates: dict) -> list[dict]:
        for parameter in ("from", "to"):
            self.session.query(f"SET param_{parameter} = '{dates[parameter]}'")
        rows = self.session.query(self.queries[name], "JSONEachRow")
        return [json.loads(row) for row in str(rows).splitlines()]

    def same(self, where: str, expected: object, told: object) -> None:
        self.compared += 1
        if isinstance(expected, int) and isinstance(told, str):
            told = int(told)
        if expected != told:
            self.found.append(f"{where}: should be {expected}, is {told}")

    def bot(self, bot: dict) -> None:
        for name in ("tenant", "zone"):
            self.session.query(f"SET param_{name} = '{bot[name]}'")
        for period, numbers in self.truth["numbers"][bot["name"]].items():
            if period != "now":
                where = f"{bot['name']}, {period}"
                self.days(where, numbers)
                self.commands(where, numbers)
                self.errors(where, numbers, self.hit(bot, numbers["period"]))

    def days(self, where: str, numbers: dict) -> None:
        """Traffic and people by date; a date without any has no row."""
        # Who has blocked the bot is told by refused calls, too: no plain question.
        people = ("active", "fresh", "returning")
        for query, part, names in (("traffic", "traffic", None), ("people", "people", people)):
            rows = {row["date"]: row for row in self.ask(query, numbers["period"])}
            for date, figures in numbers["overview"]["days"].items():
                row = rows.pop(date, {})
                for name in names or figures[part]:
                    empty = None if name == "error_rate" else 0
                    self.same(f"{where}, {date}, {name}", figures[part][name], row.get(name, empty))
            self.same(f"{where}, {query}, other dates", {}, rows)

    def commands(self, where: str, numbers: dict) -> None:
        rows = [(row["label"], int(row["n"])) for row in self.ask("commands", numbers["period"])]
        ranked = [(row["label"], row["n"]) for row in numbers["actions"]["commands"]["ranked"]]
        self.same(f"{where}, commands", ranked, rows)

    def hit(self, bot: dict, dates: dict) -> dict[str, dict]:
        """The different chats and users of each group of errors: the console counts those of whole days of UTC."""
        hit = defaultdict(lambda: {"chats": set(), "users": set()})
        for error in self.truth["errors"][bot["name"]]:
            second = int(datetime.fromisoformat(error["at"]).timestamp())
            if dates["from"] <= zones.shown(zones.date(bot["zone"], second)) <= dates["to"]:
                one = hit[f"{error['method']} {error['code']} {error['template']}"]
                one["chats"].add(error["chat_id"])
                one["users"].add(error["user_id"])
        return {group: {name: len(ids - {None}) for name, ids in one.items()} for group, one in hit.items()}

    def errors(self, where: str, numbers: dict, hit: dict[str, dict]) -> None:
        rows = self.ask("errors", numbers["period"])
        groups = {f"{row['method']} {row['code']} {row['template']}": row for row in rows}
        for group, expected in numbers["errors"].items():
            row = groups.pop(group, {})
            values = {name: expected[name] for name in ("origin", "class", "advice", "n")} | hit[group]
            for name, value in values.items():
                self.same(f"{where}, {group}, {name}", value, row.get(name))
        self.same(f"{where}, other errors", {}, groups)


def main() -> int:
    source, log = sys.argv[1:]
    truth = json.loads((Path(source) / "truth.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        session = Session(f"{folder}/session")
        records = load(session, log, folder)
        week = Week(session, truth)
        assert set(week.queries) == {"traffic", "people", "commands", "errors"}, list(week.queries)
        for bot in truth["bots"]:
            week.bot(bot)
    print("\n".join(week.found[:SHOWN]) or f"clickhouse: {records} records, {week.compared} numbers as they should be")
    return 1 if week.found else 0


if __name__ == "__main__":
    sys.exit(main())
