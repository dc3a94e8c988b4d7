"""Owns: asking a running console as people and scripts do.

In: its address, a link that makes its owner or lets a guest in. Out: answers as they came; a cookie of a session, and
an API key made with the form that people fill in. Invariant: HTTP alone, no proxy, no redirect followed. Fails: an
assertion that says what was asked and what came.
"""

import http.client
import json
import re
from urllib.parse import urlencode, urlsplit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Who becomes the owner of a console that has none.
OWNER = {"name": "olga", "password": "four words of a kind"}


class Caller:
    """Somebody with a connection, and headers that say who it is."""

    def __init__(self, console: str, headers: dict[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(console).netloc, timeout=30)
        self.headers = headers or {}
        self.asked = 0

    def ask(self, method: str, target: str, body: str | None = None, headers: dict[str, str] | None = None):
        """The answer's status, its headers, and what it says."""
        self.asked += 1
        self.connection.request(method, target, body, self.headers | (headers or {}))
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def get(self, target: str) -> str:
        """What is there."""
        status, _, text = self.ask("GET", target)
        assert status == 200, f"GET {target}: {status} {text}"
        return text

    def json(self, target: str):
        return json.loads(self.get(target))

    def post(self, target: str, fields: list[tuple[str, str]]):
        """Sends a form."""
        return self.ask("POST", target, urlencode(fields), FORM)


def sign_in(link: str) -> str:
    """Opens a link as its owner, or as a guest. The cookie of the session."""
    caller = Caller(link)
    target = urlsplit(link).path
    status, headers, text = caller.ask("GET", target)
    if status == 200:
        status, headers, text = caller.post(target, list(OWNER.items()))
    assert status == 303, f"the link: {status} {text}"
    return headers["Set-Cookie"].split(";")[0]


def make_key(console: str, cookie: str) -> str:
    """An API key that may do everything, for a month."""
    caller = Caller(console, {"Cookie": cookie})
    page = caller.get("/keys")
    (word,) = set(re.findall(r'name="csrf" value="([^"]+)"', page))
    fields = [("csrf", word), ("name", "a test"), ("bots", "all"), ("days", "30")]
    fields += [("scope", scope) for scope in re.findall(r'name="scope" value="([^"]+)"', page)]
    status, _, page = caller.post("/keys", fields)
    assert status == 200, f"the form of keys: {status}"
    return re.search(r"<code>(gt_[^<]+)</code>", page)[1]
