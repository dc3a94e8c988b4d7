"""The printed recipe of aiogram, in the smallest bot that sends, polls, uploads and downloads.

In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from the
environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a traceback.
"""

import asyncio
import io
import json
import os

from aiogram.types import FSInputFile

# {imports}

TOKEN, CHAT, UPLOAD = os.environ["TOKEN"], int(os.environ["CHAT"]), os.environ["UPLOAD"]

# {recipe}


async def main() -> None:
    me = await bot.get_me()
    await bot.send_message(CHAT, "a word")
    updates = await bot.get_updates(timeout=10)
    sent = await bot.send_document(CHAT, FSInputFile(UPLOAD))
    into = io.BytesIO()
    await bot.download(sent.document.file_id, destination=into)
    print(json.dumps({"username": me.username, "updates": len(updates), "bytes": len(into.getvalue())}))
    await bot.session.close()


asyncio.run(main())
