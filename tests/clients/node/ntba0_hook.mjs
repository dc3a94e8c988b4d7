// node-telegram-bot-api 0.x with its own webhook server, which wants the token in the path and knows no secret.
//
// In: hooks.mjs. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide says.

import TelegramBot from "node-telegram-bot-api-0";
import * as hooks from "./hooks.mjs";

const bot = new TelegramBot(hooks.TOKEN, {
  baseApiUrl: hooks.BASE,
  webHook: { host: hooks.HOST, port: hooks.PORT },
});
bot.on("message", async (message) => {
  hooks.tell(message);
  if (message.text.startsWith("act")) await bot.sendChatAction(message.chat.id, "typing");
  if (message.text.startsWith("answer")) await bot.sendMessage(message.chat.id, hooks.ANSWER);
});
await bot.setWebHook(`${hooks.OWN}/bot${hooks.TOKEN}`);
