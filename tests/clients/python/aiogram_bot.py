"""aiogram, pointed at BASE by `TelegramAPIServer.from_base`; files follow.

In: steps.py. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every call
through its public names. A call that fails is told as what aiogram raised.
"""

import asyncio
import io

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import TelegramMethod
from aiogram.types import FSInputFile, InlineKeyboardButton, InlineKeyboardMarkup

import steps


def connect(token: str) -> Bot:
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(steps.BASE)))


class NoSuchMethod(TelegramMethod[bool]):
    """A method that the library does not know is a class of the user's."""

    __returning__ = bool
    __api_method__ = "noSuchMethod"


def shown(value):
    """aiogram's types are pydantic models."""
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value.model_dump(mode="json", exclude_none=True) if hasattr(value, "model_dump") else value


async def main() -> None:
    bot = connect(steps.TOKEN)
    stranger = connect(steps.WRONG_TOKEN)
    dispatcher = Dispatcher()
    received: asyncio.Queue = asyncio.Queue()
    loop: list[asyncio.Task] = []
    kept: dict = {}

    @dispatcher.message()
    @dispatcher.callback_query()
    async def on_update(event) -> None:
        received.put_nowait(event)

    async def get_me():
        return shown(await bot.get_me())

    async def get_me_wrong_token():
        return shown(await stranger.get_me())

    async def poll():
        updates = await bot.get_updates(timeout=10)
        kept["offset"] = updates[-1].update_id + 1
        return shown(updates)

    async def poll_empty():
        return shown(await bot.get_updates(offset=kept["offset"], timeout=steps.EMPTY_POLL))

    async def send():
        button = InlineKeyboardButton(text="Да", callback_data="yes")
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
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
        message = await bot.send_document(steps.CHAT, FSInputFile(steps.UPLOAD), caption="два мегабайта")
        kept["file"] = message.document.file_id
        return shown(message)

    async def download():
        into = io.BytesIO()
        await bot.download(kept["file"], destination=into)
        return steps.digest(into.getvalue())

    async def unknown_method():
        return await bot(NoSuchMethod())

    async def set_webhook():
        return await bot.set_webhook(steps.HOOK, secret_token="s3cret")

    async def delete_webhook():
        return await bot.delete_webhook()

    async def start_loop():
        polling = dispatcher.start_polling(
            bot, polling_timeout=steps.LOOP_POLL, handle_signals=False, close_bot_session=False
        )
        loop.append(asyncio.create_task(polling))
        return [shown(await received.get()) for _ in range(3)]

    async def stop_loop():
        await dispatcher.stop_polling()
        await loop.pop()

    actions = (get_me, get_me_wrong_token, poll, poll_empty, send, send_long, send_nowhere, edit, upload,
               download, unknown_method, set_webhook, delete_webhook, start_loop, stop_loop)
    try:
        await steps.run({action.__name__: action for action in actions})
    finally:
        await bot.session.close()
        await stranger.session.close()


asyncio.run(main())
