"""pyTelegramBotAPI's asynchronous half, pointed at BASE by its own `API_URL` and `FILE_URL`.

In: steps.py. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every call
through its public names. A call that fails is told as what the library raised.
"""

import asyncio

from telebot import asyncio_helper
from telebot.async_telebot import AsyncTeleBot
from telebot.types import InlineKeyboardButton, InlineKeyboardMarkup

import steps

asyncio_helper.API_URL = steps.BASE + "/bot{0}/{1}"
asyncio_helper.FILE_URL = steps.BASE + "/file/bot{0}/{1}"


def shown(value):
    return getattr(value, "json", value)


async def main() -> None:
    bot = AsyncTeleBot(steps.TOKEN)
    received: asyncio.Queue = asyncio.Queue()
    loop: list[asyncio.Task] = []
    kept: dict = {}

    @bot.message_handler(func=lambda _: True)
    @bot.callback_query_handler(func=lambda _: True)
    async def on_update(event) -> None:
        received.put_nowait(event)

    async def get_me():
        return await bot.get_me()

    async def get_me_wrong_token():
        return await AsyncTeleBot(steps.WRONG_TOKEN).get_me()

    async def poll():
        updates = await bot.get_updates(timeout=10)
        kept["offset"] = updates[-1].update_id + 1
        return updates

    async def poll_empty():
        return await bot.get_updates(offset=kept["offset"], timeout=steps.EMPTY_POLL)

    async def send():
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Да", callback_data="yes")]])
        message = await bot.send_message(steps.CHAT, steps.TEXT, parse_mode="HTML", reply_markup=keyboard)
        kept["message"] = message.message_id
        return shown(message)

    async def send_long():
        return shown(await bot.send_message(steps.CHAT, steps.LONG_TEXT))

    async def send_nowhere():
        return shown(await bot.send_message(404, steps.EDITED))

    async def edit():
        return shown(await bot.edit_message_text(steps.EDITED, chat_id=steps.CHAT, message_id=kept["message"]))

    async def upload():
        with open(steps.UPLOAD, "rb") as file:
            message = await bot.send_document(steps.CHAT, file, caption="два мегабайта")
        kept["file"] = message.document.file_id
        return shown(message)

    async def download():
        file = await bot.get_file(kept["file"])
        return steps.digest(await bot.download_file(file.file_path))

    async def unknown_method():
        raise steps.Unsupported("no public call for a method that the library does not know")

    async def set_webhook():
        return await bot.set_webhook(steps.HOOK, secret_token="s3cret")

    async def delete_webhook():
        return await bot.delete_webhook()

    async def start_loop():
        loop.append(asyncio.create_task(bot.infinity_polling(timeout=steps.LOOP_POLL)))
        return sorted([shown(await received.get()) for _ in range(3)], key=str)

    async def stop_loop():
        # Its documented way to stop: end the task; the poll in flight is given up.
        loop[0].cancel()
        await asyncio.gather(loop.pop(), return_exceptions=True)

    actions = (get_me, get_me_wrong_token, poll, poll_empty, send, send_long, send_nowhere, edit, upload,
               download, unknown_method, set_webhook, delete_webhook, start_loop, stop_loop)
    try:
        await steps.run({action.__name__: action for action in actions})
    finally:
        await bot.close_session()


asyncio.run(main())
