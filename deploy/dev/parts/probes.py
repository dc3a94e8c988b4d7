"""Owns: asking Kafka, Redis and Postgres over the wire whether they answer.

In: addresses from native.py. Out: a version to services, or NotReady with the reason.
Invariant: "answers" means that the server did its work (PONG, a row, a broker in its own
metadata), not that a port is open. Each question takes 2 s at most.
"""

import socket
import ssl
import struct
from urllib.parse import unquote, urlsplit

PATIENCE = 2.0


class NotReady(Exception):
    """The part does not answer yet, or never will; the text says why."""


def _connect(host: str, port: int) -> socket.socket:
    try:
        connection = socket.create_connection((host, port), timeout=PATIENCE)
    except OSError as error:
        raise NotReady(f"{host}:{port}: {error}") from error
    connection.settimeout(PATIENCE)
    return connection


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise NotReady("closed the connection")
        data += part
    return data


def redis(url: str) -> str:
    """PING and the server's version."""
    parts = urlsplit(url)
    connection = _connect(parts.hostname or "127.0.0.1", parts.port or 6379)
    try:
        if parts.scheme == "rediss":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
        with connection, connection.makefile("rb") as lines:
            if parts.password:
                words = ["AUTH", *([unquote(parts.username)] if parts.username else []), unquote(parts.password)]
                _redis(connection, lines, *words)
            if _redis(connection, lines, "PING") != b"PONG":
                raise NotReady("no PONG")
            for line in _redis(connection, lines, "INFO", "server").splitlines():
                if line.startswith(b"redis_version:"):
                    return line.partition(b":")[2].decode()
            return "unknown"
    except OSError as error:
        raise NotReady(f"redis: {error}") from error


def _redis(connection: socket.socket, lines, *words: str) -> bytes:
    request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    connection.sendall(request.encode())
    first = lines.readline().rstrip(b"\r\n")
    if first.startswith(b"+"):
        return first[1:]
    if first.startswith(b"$"):
        return lines.read(int(first[1:]) + 2)
    raise NotReady(f"redis: {first.decode(errors='replace') or 'closed the connection'}")


def postgres(url: str) -> str:
    """SELECT 1 and the server's version; a server that wants a password is ready as it is."""
    parts = urlsplit(url)
    user = unquote(parts.username or "postgres")
    database = parts.path.lstrip("/") or user
    try:
        with _connect(parts.hostname or "127.0.0.1", parts.port or 5432) as connection:
            start = struct.pack("!i", 196608)
            start += f"user\0{user}\0database\0{database}\0\0".encode()
            connection.sendall(struct.pack("!i", len(start) + 4) + start)
            version, asked = "unknown", False
            while True:
                kind, size = struct.unpack("!ci", _exactly(connection, 5))
                body = _exactly(connection, size - 4)
                if kind == b"E":
                    fields = {field[:1]: field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
                    raise NotReady(f"postgres: {fields.get(b'M', 'an error')}")
                if kind == b"R" and struct.unpack("!i", body[:4])[0] != 0:
                    return version
                if kind == b"S" and body.startswith(b"server_version\0"):
                    version = body.split(b"\0")[1].decode().split()[0]
                if kind == b"Z" and not asked:
                    connection.sendall(b"Q" + struct.pack("!i", 13) + b"SELECT 1\0")
                    asked = True
                if kind == b"D" and asked:
                    return version
    except OSError as error:
        raise NotReady(f"postgres: {error}") from error


def kafka(brokers: str) -> None:
    """A metadata answer that names at least one broker and a controller."""
    host, _, port = brokers.split(",")[0].strip().rpartition(":")
    try:
        with _connect(host, int(port)) as connection:
            # Metadata v4: no topics, none created. Header v1: client id "services".
            client = struct.pack("!h", 8) + b"services"
            request = struct.pack("!hhi", 3, 4, 1) + client + struct.pack("!ib", 0, 0)
            connection.sendall(struct.pack("!i", len(request)) + request)
            size = struct.unpack("!i", _exactly(connection, 4))[0]
            answer = _exactly(connection, size)
            # Correlation id, throttle time, then the array of brokers.
            count = struct.unpack("!i", answer[8:12])[0]
            if count < 1:
                raise NotReady("kafka: no broker in its metadata yet")
    except OSError as error:
        raise NotReady(f"kafka: {error}") from error
