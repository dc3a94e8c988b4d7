"""python-telegram-bot's webhook server (`run_webhook`), which sets the webhook by itself.

In: hooks.py. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide says.
"""

from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

import hooks


async def on_message(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    message = update.effective_message
    hooks.tell(message.chat_id, message.text)
    if message.text.startswith("act"):
        await message.reply_chat_action("typing")
    elif message.text.startswith("answer"):
        await message.reply_text(hooks.ANSWER)


def main() -> None:
    application = Application.builder().token(hooks.TOKEN).base_url(f"{hooks.BASE}/bot").build()
    application.add_handler(MessageHandler(filters.ALL, on_message))
    application.run_webhook(
        listen=hooks.HOST,
        port=hooks.PORT,
        url_path=hooks.PATH,
        webhook_url=hooks.URL,
        secret_token=hooks.SECRET,
    )


main()
