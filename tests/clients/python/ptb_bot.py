"""python-telegram-bot, pointed at BASE by `base_url` and, for downloads, `base_file_url`.

In: steps.py. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every call
through its public names. A call that fails is told as what the library raised.
"""

import asyncio

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, TypeHandler

import steps


def build(token: str) -> Application:
    builder = Application.builder().token(token)
    return builder.base_url(f"{steps.BASE}/bot").base_file_url(f"{steps.BASE}/file/bot").build()


def shown(value):
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


async def main() -> None:
    application = build(steps.TOKEN)
    bot: Bot = application.bot
    received: asyncio.Queue = asyncio.Queue()
    kept: dict = {}

    async def on_update(update: Update, _) -> None:
        received.put_nowait(update)

    application.add_handler(TypeHandler(Update, on_update))

    async def get_me():
        await application.initialize()
        return shown(bot.bot)

    async def get_me_wrong_token():
        return shown(await Bot(steps.WRONG_TOKEN, base_url=f"{steps.BASE}/bot").get_me())

    async def poll():
        updates = await bot.get_updates(timeout=10)
        kept["offset"] = updates[-1].update_id + 1
        return shown(updates)

    async def poll_empty():
        return shown(await bot.get_updates(offset=kept["offset"], timeout=steps.EMPTY_POLL))

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
        message = await bot.send_document(steps.CHAT, steps.UPLOAD, caption="два мегабайта")
        kept["file"] = message.document.file_id
        return shown(message)

    async def download():
        file = await bot.get_file(kept["file"])
        return steps.digest(bytes(await file.download_as_bytearray()))

    async def unknown_method():
        return await bot.do_api_request("noSuchMethod")

    async def set_webhook():
        return await bot.set_webhook(steps.HOOK, secret_token="s3cret")

    async def delete_webhook():
        return await bot.delete_webhook()

    async def start_loop():
        await application.start()
        await application.updater.start_polling(timeout=steps.LOOP_POLL)
        return [shown(await received.get()) for _ in range(3)]

    async def stop_loop():
        await application.updater.stop()
        await application.stop()

    actions = (get_me, get_me_wrong_token, poll, poll_empty, send, send_long, send_nowhere, edit, upload,
               download, unknown_method, set_webhook, delete_webhook, start_loop, stop_loop)
    await steps.run({action.__name__: action for action in actions})
    await application.shutdown()


asyncio.run(main())
