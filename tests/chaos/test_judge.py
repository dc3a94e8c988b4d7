"""The judge of the chaos, told of one fault at a time.

In: journals and records made here. Out: unittest's word. Invariant: what is right has no fault, and each kind of fault is seen.
"""

import importlib.machinery
import importlib.util
import json
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("judge", str(Path(__file__).with_name("judge")))
judge = importlib.util.module_from_spec(importlib.util.spec_from_loader("judge", loader))
loader.exec_module(judge)

SECOND = 1_000_000
BEGAN = 1_760_000_000 * SECOND


def text(micros: int) -> str:
    return datetime.fromtimestamp(micros / SECOND, timezone.utc).isoformat()


class World:
    """Two messages of one queue and a callback, each made, taken in and delivered a second after the other."""

    def __init__(self) -> None:
        self.made, self.came, self.inbox, self.told = [], [], [], []
        self.happened = [{"what": "end", "done": True, "expired_at_telegram": 0, "began": BEGAN}]
        for tag, (queue, life) in enumerate([("chat:7", None), ("chat:7", None), ("callback:7", 150)]):
            at = BEGAN + tag * SECOND
            self.made.append({"tag": tag, "bot": 0, "tenant": "t", "sleeper": False, "queue": queue, "life": life, "at": at})
            self.inbox.append({"tenant": "t", "update_id": 100 + tag, "at": text(at)})
            self.come(tag, at + 10_000)
            self.tell(tag, at + 5_000, "delivered")

    def come(self, tag: int, at: int, status: int | None = 200) -> None:
        self.came.append({"bot": 0, "tag": tag, "update_id": 100 + tag, "at": at, "status": status})

    def tell(self, tag: int, at: int, verdict: str) -> None:
        self.told.append({"tenant": "t", "update_id": 100 + tag, "at": text(at), "took_us": 10_000, "verdict": verdict})

    def forget(self, tag: int) -> None:
        self.came = [it for it in self.came if it["tag"] != tag]
        self.told = [it for it in self.told if it["update_id"] != 100 + tag]

    def faults(self) -> list[str]:
        records = {"gramtap.inbox.v1": self.inbox, "gramtap.deliveries.v1": self.told}
        judge.topic.records = lambda _broker, name, _since: [SimpleNamespace(value=json.dumps(it)) for it in records[name]]
        with tempfile.TemporaryDirectory() as folder:
            for name in ("made", "came", "happened"):
                lines = "".join(json.dumps(it) + "\n" for it in getattr(self, name))
                Path(folder, f"{name}.jsonl").write_text(lines)
            case = judge.Case(Path(folder), "")
            case.numbers()
        return [fault.split(":")[0] for fault in case.faults]


class Judge(unittest.TestCase):
    def setUp(self) -> None:
        self.world = World()

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual(self.world.faults(), [])

    def test_lost_at_the_endpoint(self) -> None:
        self.world.forget(1)
        self.assertEqual(self.world.faults(), ["lost"])

    def test_an_answer_of_502_is_no_delivery(self) -> None:
        self.world.forget(1)
        self.world.come(1, BEGAN + SECOND, 502)
        self.assertEqual(self.world.faults(), ["lost"])

    def test_lost_at_the_door(self) -> None:
        self.world.forget(1)
        del self.world.inbox[1]
        self.assertIn("lost", self.world.faults())

    def test_expired_is_not_lost(self) -> None:
        self.world.forget(2)
        self.assertEqual(self.world.faults(), ["lost"])
        self.world.tell(2, BEGAN + 160 * SECOND, "expired")
        self.assertEqual(self.world.faults(), [])

    def test_delivered_after_its_time(self) -> None:
        self.world.forget(2)
        self.world.come(2, BEGAN + 160 * SECOND)
        self.assertEqual(self.world.faults(), ["expired"])

    def test_order(self) -> None:
        self.world.forget(0)
        self.world.come(0, BEGAN + 3 * SECOND)
        self.assertEqual(self.world.faults(), ["order"])

    def test_an_attempt_is_out_of_order_too(self) -> None:
        self.world.inbox[1]["at"] = text(BEGAN + 1_000)
        self.world.come(1, BEGAN + 5_000, 502)
        self.assertEqual(self.world.faults(), ["order"])

    def test_what_is_relayed_to_one_who_sleeps_is_counted(self) -> None:
        del self.world.inbox[1]
        self.world.come(1, BEGAN + 5_000, 502)
        self.assertEqual(self.world.faults(), [])
        self.world.come(1, BEGAN + 6_000, 200)
        self.assertIn("order", self.world.faults())

    def test_repeated_after_it_was_recorded(self) -> None:
        self.world.happened.append({"what": "kill", "from": BEGAN + SECOND, "to": BEGAN + SECOND})
        self.world.come(1, BEGAN + 9 * SECOND)
        self.assertEqual(self.world.faults(), ["repeated"])

    def test_what_is_told_while_kafka_is_away_is_recorded_when_it_is_back(self) -> None:
        self.world.happened.append({"what": "kill", "from": BEGAN + SECOND, "to": BEGAN + SECOND})
        self.world.happened.append({"what": "kafka", "from": BEGAN + SECOND, "to": BEGAN + 5 * SECOND})
        self.world.come(1, BEGAN + 4 * SECOND)
        self.assertEqual(self.world.faults(), [])
        self.world.come(1, BEGAN + 6 * SECOND)
        self.assertEqual(self.world.faults(), ["repeated"])

    def test_repeated_in_flight_at_a_kill(self) -> None:
        del self.world.told[1]
        self.world.come(1, BEGAN + 9 * SECOND)
        self.assertEqual(self.world.faults(), ["repeated"])
        self.world.happened.append({"what": "kill", "from": BEGAN + 2 * SECOND, "to": BEGAN + 2 * SECOND})
        self.assertEqual(self.world.faults(), [])

    def test_an_update_that_nobody_made(self) -> None:
        self.world.come(7, BEGAN + 9 * SECOND)
        self.assertEqual(self.world.faults(), ["bot 0 has update 107, which was not made"])

    def test_giving_up(self) -> None:
        self.world.happened[0]["done"] = False
        self.assertEqual(self.world.faults(), ["lost"])


if __name__ == "__main__":
    unittest.main()
