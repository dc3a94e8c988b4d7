// grammY's webhook callback under node's own server; its first call may travel in the answer, messages do here.
//
// In: hooks.mjs. Out: lines to stdout, calls to BASE. Invariant: the library as installed, served as its guide says.

import { createServer } from "node:http";
import { Bot, webhookCallback } from "grammy";
import * as hooks from "./hooks.mjs";

const bot = new Bot(hooks.TOKEN, {
  client: { apiRoot: hooks.BASE, canUseWebhookReply: (method) => method === "sendMessage" },
});
bot.on("message:text", async (context) => {
  hooks.tell(context.message);
  if (context.message.text.startsWith("act")) await context.replyWithChatAction("typing");
  if (context.message.text.startsWith("answer")) await context.reply(hooks.ANSWER);
});

createServer(webhookCallback(bot, "http", { secretToken: hooks.SECRET })).listen(hooks.PORT, hooks.HOST);
await bot.api.setWebhook(hooks.OWN, { secret_token: hooks.SECRET });
