"""Reads Kafka's topics with nothing but Python's standard library.

In: host:port of a broker, a topic's name, a time. Out: its committed records from then on, partition
by partition, in order. The protocol's page (kafka.apache.org/protocol) names all messages and versions used here.
Invariant: every partition is read from its first record at or after that time to the end it had when it was asked;
records of aborted transactions are left out. Fails: an error code, an unknown compression or a broker that is
silent for half a minute raises.
"""

import socket
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import lz4

FETCH, LIST_OFFSETS, METADATA = (1, 4), (2, 2), (3, 1)
READ_COMMITTED, END = 1, -1
LARGEST_FETCH = 16 << 20


@dataclass
class Record:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes | None]


def records(broker: str, topic: str, since_ms: int) -> Iterator[Record]:
    nodes, leaders = _metadata(Connection(broker), topic)
    connections = {leader: Connection(nodes[leader]) for leader in set(leaders.values())}
    for partition, leader in sorted(leaders.items()):
        connection = connections[leader]
        end = connection.offset(topic, partition, END)
        # No record of that time or later has no offset.
        at = connection.offset(topic, partition, since_ms)
        while 0 <= at < end:
            at, read = connection.fetch(topic, partition, at)
            yield from (record for record in read if record.offset < end)


def _metadata(connection: "Connection", topic: str) -> tuple[dict[int, str], dict[int, int]]:
    """Addresses of the brokers, and who leads each partition."""
    answer = connection.ask(METADATA, struct.pack(">i", 1) + _string(topic))
    nodes = {}
    for _ in range(answer.number(">i")):
        node, host, port = answer.number(">i"), answer.string(), answer.number(">i")
        nodes[node] = f"{host}:{port}"
        answer.string()
    answer.number(">i")
    leaders = {}
    for _ in range(answer.number(">i")):
        answer.accept(topic)
        answer.string()
        answer.number(">b")
        for _ in range(answer.number(">i")):
            answer.accept(topic)
            partition, leader = answer.number(">i"), answer.number(">i")
            leaders[partition] = leader
            for _ in ("replicas", "in sync"):
                answer.skip(4 * answer.number(">i"))
    return nodes, leaders


class Connection:
    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.stream = socket.create_connection((host, int(port)), timeout=30).makefile("rwb")

    def ask(self, api: tuple[int, int], body: bytes) -> "Bytes":
        request = struct.pack(">hhi", *api, 0) + _string("plain reader") + body
        self.stream.write(struct.pack(">i", len(request)) + request)
        self.stream.flush()
        (length,) = struct.unpack(">i", self._exactly(4))
        return Bytes(self._exactly(length), 4)

    def _exactly(self, length: int) -> bytes:
        read = self.stream.read(length)
        if len(read) < length:
            raise ConnectionError("the broker closed the connection")
        return read

    def offset(self, topic: str, partition: int, time: int) -> int:
        body = struct.pack(">ibi", -1, READ_COMMITTED, 1) + _string(topic) + struct.pack(">iiq", 1, partition, time)
        answer = self.ask(LIST_OFFSETS, body)
        answer.skip(4 + 4)
        answer.string()
        answer.skip(4 + 4)
        answer.accept(f"{topic} {partition}")
        answer.skip(8)
        return answer.number(">q")

    def fetch(self, topic: str, partition: int, at: int) -> tuple[int, list[Record]]:
        """Records from `at` on, and where to go on."""
        body = struct.pack(">iiiibi", -1, 1000, 1, LARGEST_FETCH, READ_COMMITTED, 1) + _string(topic)
        answer = self.ask(FETCH, body + struct.pack(">iiqi", 1, partition, at, LARGEST_FETCH))
        answer.skip(4 + 4)
        answer.string()
        answer.skip(4 + 4)
        answer.accept(f"{topic} {partition}")
        answer.skip(8 + 8)
        aborted = [(answer.number(">q"), answer.number(">q")) for _ in range(answer.number(">i"))]
        batches = Bytes(answer.take(max(answer.number(">i"), 0)))
        found: list[Record] = []
        # What comes last may be the beginning of a batch.
        while batches.left() >= 12:
            base, length = batches.number(">q"), batches.number(">i")
            if batches.left() < length:
                break
            after, records = _batch(base, Bytes(batches.take(length)), partition, aborted)
            found += (record for record in records if record.offset >= at)
            at = max(at, after)
        return at, found


def _batch(base: int, batch: "Bytes", partition: int, aborted: list[tuple[int, int]]) -> tuple[int, list[Record]]:
    batch.skip(4)
    magic = batch.number(">b")
    if magic != 2:
        raise ValueError(f"a batch of version {magic}")
    batch.skip(4)
    attributes, last = batch.number(">h"), batch.number(">i")
    batch.skip(8 + 8)
    producer = batch.number(">q")
    batch.skip(2 + 4)
    count, after = batch.number(">i"), base + last + 1
    transactional, control = attributes & 16, attributes & 32
    if control:
        # The end of a transaction: what was aborted there is over.
        aborted[:] = [one for one in aborted if one[0] != producer or one[1] > base]
        return after, []
    if transactional and any(who == producer and first <= base for who, first in aborted):
        return after, []
    match attributes & 7:
        case 0:
            rest = Bytes(batch.take(batch.left()))
        case 1:
            rest = Bytes(zlib.decompress(batch.take(batch.left()), wbits=31))
        case 3:
            rest = Bytes(lz4.content(batch.take(batch.left())))
        case other:
            raise ValueError(f"compression {other} is not known here")
    return after, [_record(base, rest, partition) for _ in range(count)]


def _record(base: int, batch: "Bytes", partition: int) -> Record:
    record = Bytes(batch.take(batch.varint()))
    record.skip(1)
    record.varint()
    offset, key, value = base + record.varint(), record.nullable(), record.nullable()
    headers = {}
    for _ in range(record.varint()):
        name = record.take(record.varint()).decode()
        headers[name] = record.nullable()
    return Record(partition, offset, key, value, headers)


class Bytes:
    """Bytes, taken from the front."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, length: int) -> bytes:
        taken = self.data[self.at : self.at + length]
        if length < 0 or len(taken) < length:
            raise ValueError("a message breaks off")
        self.at += length
        return taken

    def skip(self, length: int) -> None:
        self.take(length)

    def number(self, kind: str) -> int:
        return struct.unpack(kind, self.take(struct.calcsize(kind)))[0]

    def accept(self, what: str) -> None:
        if code := self.number(">h"):
            raise RuntimeError(f"{what}: the broker's error code is {code}")

    def string(self) -> str | None:
        length = self.number(">h")
        return None if length < 0 else self.take(length).decode()

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (value >> 1) ^ -(value & 1)

    def nullable(self) -> bytes | None:
        length = self.varint()
        return None if length < 0 else self.take(length)


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
