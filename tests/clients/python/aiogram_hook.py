"""aiogram's webhook server on aiohttp; with IN_RESPONSE set, it answers in the webhook's response.

In: hooks.py. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its
guide says; a document in the response makes the answer multipart with a file.
"""

import os

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

import hooks

dispatcher = Dispatcher()


@dispatcher.message()
async def on_message(message: Message, bot: Bot):
    hooks.tell(message.chat.id, message.text)
    if message.text.startswith("act"):
        await bot.send_chat_action(message.chat.id, "typing")
    elif message.text.startswith("answer with a file"):
        return message.answer_document(BufferedInputFile(b"content", "file.txt"))
    elif message.text.startswith("answer"):
        return message.answer(hooks.ANSWER)


@dispatcher.startup()
async def on_startup(bot: Bot) -> None:
    await bot.set_webhook(hooks.URL, secret_token=hooks.SECRET)


def main() -> None:
    bot = Bot(hooks.TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(hooks.BASE)))
    background = "IN_RESPONSE" not in os.environ
    app = web.Application()
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=background, secret_token=hooks.SECRET)
    handler.register(app, path=hooks.PATH)
    setup_application(app, dispatcher, bot=bot)
    web.run_app(app, host=hooks.HOST, port=hooks.PORT, print=None)


main()
