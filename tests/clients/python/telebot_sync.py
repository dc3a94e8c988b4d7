"""pyTelegramBotAPI's blocking half, pointed at BASE by `API_URL` and, for downloads, `FILE_URL`.

In: steps.py. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every call
through its public names. A call that fails is told as what the library raised.
"""

import queue
import threading

import telebot
from telebot import apihelper
from telebot.types import InlineKeyboardButton, InlineKeyboardMarkup

import steps

apihelper.API_URL = steps.BASE + "/bot{0}/{1}"
apihelper.FILE_URL = steps.BASE + "/file/bot{0}/{1}"

bot = telebot.TeleBot(steps.TOKEN)
received: queue.Queue = queue.Queue()
loop: list[threading.Thread] = []
kept: dict = {}


@bot.message_handler(func=lambda _: True)
@bot.callback_query_handler(func=lambda _: True)
def on_update(event) -> None:
    received.put(event)


def shown(value):
    return getattr(value, "json", value)


def get_me():
    return bot.get_me()


def get_me_wrong_token():
    return telebot.TeleBot(steps.WRONG_TOKEN, threaded=False).get_me()


def poll():
    updates = bot.get_updates(long_polling_timeout=10)
    kept["offset"] = updates[-1].update_id + 1
    return updates


def poll_empty():
    return bot.get_updates(offset=kept["offset"], long_polling_timeout=steps.EMPTY_POLL)


def send():
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Да", callback_data="yes")]])
    message = bot.send_message(steps.CHAT, steps.TEXT, parse_mode="HTML", reply_markup=keyboard)
    kept["message"] = message.message_id
    return shown(message)


def send_long():
    return shown(bot.send_message(steps.CHAT, steps.LONG_TEXT))


def send_nowhere():
    return shown(bot.send_message(404, steps.EDITED))


def edit():
    return shown(bot.edit_message_text(steps.EDITED, chat_id=steps.CHAT, message_id=kept["message"]))


def upload():
    with open(steps.UPLOAD, "rb") as file:
        message = bot.send_document(steps.CHAT, file, caption="два мегабайта")
    kept["file"] = message.document.file_id
    return shown(message)


def download():
    file = bot.get_file(kept["file"])
    return steps.digest(bot.download_file(file.file_path))


def unknown_method():
    raise steps.Unsupported("no public call for a method that the library does not know")


def set_webhook():
    return bot.set_webhook(steps.HOOK, secret_token="s3cret")


def delete_webhook():
    return bot.delete_webhook()


def start_loop():
    polling = {"timeout": 20, "long_polling_timeout": steps.LOOP_POLL}
    loop.append(threading.Thread(target=bot.infinity_polling, kwargs=polling))
    loop[0].start()
    return sorted((shown(received.get()) for _ in range(3)), key=str)


def stop_loop():
    bot.stop_bot()
    loop.pop().join()


actions = (get_me, get_me_wrong_token, poll, poll_empty, send, send_long, send_nowhere, edit, upload,
           download, unknown_method, set_webhook, delete_webhook, start_loop, stop_loop)
steps.run_sync({action.__name__: action for action in actions})
