"""pyTelegramBotAPI's webhook server on FastAPI (`run_webhooks`), which sets the webhook by itself.

In: hooks.py. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide
says, but in one thread, so that it handles updates in the order in which they come. Its path ends with a slash.
"""

import telebot
from telebot import apihelper

import hooks

apihelper.API_URL = hooks.BASE + "/bot{0}/{1}"

bot = telebot.TeleBot(hooks.TOKEN, threaded=False)


@bot.message_handler(func=lambda message: True)
def on_message(message: telebot.types.Message) -> None:
    hooks.tell(message.chat.id, message.text)
    if message.text.startswith("act"):
        bot.send_chat_action(message.chat.id, "typing")
    elif message.text.startswith("answer"):
        bot.send_message(message.chat.id, hooks.ANSWER)


bot.run_webhooks(
    listen=hooks.HOST,
    port=hooks.PORT,
    url_path=hooks.PATH.strip("/"),
    webhook_url=hooks.URL + "/",
    secret_token=hooks.SECRET,
)
