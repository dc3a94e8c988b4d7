// node-telegram-bot-api 2.x with its own webhook server.
//
// In: hooks.mjs. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide says.

import * as hooks from "./hooks.mjs";
import { Bot } from "node-telegram-bot-api-2";
import { createWebhookServer } from "node-telegram-bot-api-2/node";

const bot = new Bot(hooks.TOKEN, { apiRoot: hooks.BASE });
bot.on("message", async ({ api, message }) => {
  hooks.tell(message);
  const chat_id = message.chat.id;
  if (message.text.startsWith("act")) await api.sendChatAction({ chat_id, action: "typing" });
  if (message.text.startsWith("answer")) await api.sendMessage({ chat_id, text: hooks.ANSWER });
});

createWebhookServer(bot, { path: hooks.PATH, secretToken: hooks.SECRET }).listen(hooks.PORT, hooks.HOST);
await bot.api.setWebhook({ url: hooks.OWN, secret_token: hooks.SECRET });
