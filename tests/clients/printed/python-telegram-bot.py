"""The printed recipe of python-telegram-bot, in the smallest bot that sends, polls, uploads and downloads.

In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from the
environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a traceback.
"""

import asyncio
import json
import os

# {imports}

TOKEN, CHAT, UPLOAD = os.environ["TOKEN"], int(os.environ["CHAT"]), os.environ["UPLOAD"]

# {recipe}


async def main() -> None:
    async with app:
        me = await app.bot.get_me()
        await app.bot.send_message(CHAT, "a word")
        updates = await app.bot.get_updates(timeout=10)
        sent = await app.bot.send_document(CHAT, UPLOAD)
        file = await sent.document.get_file()
        content = await file.download_as_bytearray()
    print(json.dumps({"username": me.username, "updates": len(updates), "bytes": len(content)}))


asyncio.run(main())
