"""Runs deploy/clickhouse/events.sql in chdb over the golden records and compares every column.

In: the statements as they are printed, the golden records of shared/events. Out: a line that says how many columns were equal, or a
failed assertion with the one that is not. Invariant: all that is changed of the statements is the engine of the two queues, because chdb has no Kafka.
"""

import json
import sys
import tempfile
from pathlib import Path

from chdb.session import Session

ROOT = Path(__file__).resolve().parents[2]
TOPICS = {
    "events": ("event_id", ["event-received", "event-refused", "event-gap"]),
    "errors": ("error_id", ["error"]),
}


def statements() -> list[str]:
    text = (ROOT / "deploy/clickhouse/events.sql").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    found = [statement.strip() for statement in "\n".join(lines).split(";")]
    made = []
    for statement in filter(None, found):
        head, queue, _ = statement.partition("ENGINE = Kafka")
        made.append(head + "ENGINE = Null" if queue else statement)
    return made


def plain(column: str, value: object, wanted: object) -> object:
    """A value as the record has it."""
    if column in ("props", "client"):
        return json.loads(str(value))
    if column in ("at", "happened_at"):
        return str(value).replace(" ", "T") + "Z"
    if isinstance(wanted, int) and isinstance(value, str):
        return int(value)
    return value


def main() -> int:
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder)
        for statement in statements():
            session.query(statement)
        for topic, (key, names) in TOPICS.items():
            records = {}
            for name in names:
                record = json.loads((ROOT / f"shared/events/golden/{name}.json").read_text())
                records[record[key]] = record
                text = json.dumps(record).replace("\\", "\\\\").replace("'", "\\'")
                session.query(f"INSERT INTO gramtap.{topic}_queue VALUES ('{text}')")
            rows = str(session.query(f"SELECT * FROM gramtap.{topic} FORMAT JSONEachRow")).splitlines()
            assert len(rows) == len(records), (topic, rows)
            for row in map(json.loads, rows):
                record = records[row[key]]
                assert set(row) == set(record), (topic, set(row) ^ set(record))
                for column, wanted in record.items():
                    found = plain(column, row[column], wanted)
                    assert found == wanted, (topic, column, found, wanted)
                    compared += 1
    print(f"clickhouse: {compared} columns of golden records are as they were")
    return 0


if __name__ == "__main__":
    sys.exit(main())
