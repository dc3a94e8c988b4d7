// grammY, pointed at BASE by `client.apiRoot`; downloads by its files plugin with the same `apiRoot`.
//
// In: steps.mjs. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every
// call through its public names. A call that fails is told as what the library raised.

import { hydrateFiles } from "@grammyjs/files";
import { Bot, InputFile } from "grammy";
import * as steps from "./steps.mjs";

function connect(token) {
  const bot = new Bot(token, { client: { apiRoot: steps.BASE } });
  bot.api.config.use(hydrateFiles(token, { apiRoot: steps.BASE }));
  return bot;
}

const bot = connect(steps.TOKEN);
const kept = {};
let loop;

const received = steps.three();
bot.use((context) => received.put(context.update));

await steps.run({
  async get_me() {
    await bot.init();
    return bot.botInfo;
  },
  get_me_wrong_token: () => connect(steps.WRONG_TOKEN).api.getMe(),
  async poll() {
    const updates = await bot.api.getUpdates({ timeout: 10 });
    kept.offset = updates.at(-1).update_id + 1;
    return updates;
  },
  poll_empty: () => bot.api.getUpdates({ offset: kept.offset, timeout: steps.EMPTY_POLL }),
  async send() {
    const message = await bot.api.sendMessage(steps.CHAT, steps.TEXT, {
      parse_mode: "HTML",
      reply_markup: steps.KEYBOARD,
    });
    kept.message = message.message_id;
    return message;
  },
  send_long: () => bot.api.sendMessage(steps.CHAT, steps.LONG_TEXT),
  send_nowhere: () => bot.api.sendMessage(404, steps.EDITED),
  edit: () => bot.api.editMessageText(steps.CHAT, kept.message, steps.EDITED),
  async upload() {
    const message = await bot.api.sendDocument(steps.CHAT, new InputFile(steps.UPLOAD), { caption: steps.CAPTION });
    kept.file = message.document.file_id;
    return message;
  },
  async download() {
    const file = await bot.api.getFile(kept.file);
    // The plugin's own download() speaks https alone.
    return steps.fetched(file.getUrl());
  },
  unknown_method: () => bot.api.raw.noSuchMethod({}),
  set_webhook: () => bot.api.setWebhook(steps.HOOK, { secret_token: "s3cret" }),
  delete_webhook: () => bot.api.deleteWebhook(),
  start_loop() {
    loop = bot.start();
    return received.taken;
  },
  async stop_loop() {
    await bot.stop();
    await loop;
  },
});
