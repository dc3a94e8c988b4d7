"""The printed recipe of pyTelegramBotAPI, in the smallest bot that sends, polls, uploads and downloads.

In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from the
environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a traceback.
"""

import json
import os

# {imports}

TOKEN, CHAT, UPLOAD = os.environ["TOKEN"], int(os.environ["CHAT"]), os.environ["UPLOAD"]

# {recipe}

me = bot.get_me()
bot.send_message(CHAT, "a word")
updates = bot.get_updates(long_polling_timeout=10)
with open(UPLOAD, "rb") as file:
    sent = bot.send_document(CHAT, file)
content = bot.download_file(bot.get_file(sent.document.file_id).file_path)
print(json.dumps({"username": me.username, "updates": len(updates), "bytes": len(content)}))
