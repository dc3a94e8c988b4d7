// telegraf's webhook callback under node's own server; by default a chat action travels in the answer.
//
// In: hooks.mjs. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide says.

import { createServer } from "node:http";
import { Telegraf } from "telegraf";
import * as hooks from "./hooks.mjs";

const bot = new Telegraf(hooks.TOKEN, { telegram: { apiRoot: hooks.BASE } });
bot.on("text", async (context) => {
  hooks.tell(context.message);
  if (context.message.text.startsWith("act")) await context.sendChatAction("typing");
  if (context.message.text.startsWith("answer")) await context.reply(hooks.ANSWER);
});

createServer(bot.webhookCallback(hooks.PATH, { secretToken: hooks.SECRET })).listen(hooks.PORT, hooks.HOST);
await bot.telegram.setWebhook(hooks.OWN, { secret_token: hooks.SECRET });
