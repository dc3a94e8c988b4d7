"""The contract of the Python programs with a webhook server: settings, and a line for each update that a handler got.

In: BASE, TOKEN, PORT (to listen on), URL (the webhook's own address) and SECRET from the environment
(tests/it/clients/server.rs writes them). Out: a JSON line with chat and text for each update, on stdout; the library's
log goes to stderr. Invariant: a text that begins with `act` has the bot make a call, one with `answer` has it send
a message the way the library does it from a webhook, any other has it do nothing. Ends when it is killed.
"""

import json
import os
import sys
from urllib.parse import urlsplit

BASE = os.environ["BASE"]
TOKEN = os.environ["TOKEN"]
PORT = int(os.environ["PORT"])
URL = os.environ["URL"]
SECRET = os.environ["SECRET"]
PATH = urlsplit(URL).path

HOST = "127.0.0.1"
ANSWER = "ответ & <b>привет</b>"


def tell(chat: int, text: str) -> None:
    # In one write: some libraries handle updates in several threads.
    sys.stdout.write(json.dumps({"chat": chat, "text": text}) + "\n")
    sys.stdout.flush()
