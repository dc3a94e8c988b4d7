// node-telegram-bot-api 0.x, pointed at BASE by `baseApiUrl`; files follow.
//
// In: steps.mjs. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every
// call through its public names. A call that fails is told as what the library raised.

import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import TelegramBot from "node-telegram-bot-api-0";
import * as steps from "./steps.mjs";

const connect = (token) => new TelegramBot(token, { baseApiUrl: steps.BASE });

const bot = connect(steps.TOKEN);
const kept = {};

const received = steps.three();

await steps.run({
  get_me: () => bot.getMe(),
  get_me_wrong_token: () => connect(steps.WRONG_TOKEN).getMe(),
  async poll() {
    const updates = await bot.getUpdates({ timeout: 10 });
    kept.offset = updates.at(-1).update_id + 1;
    return updates;
  },
  poll_empty: () => bot.getUpdates({ offset: kept.offset, timeout: steps.EMPTY_POLL }),
  async send() {
    const message = await bot.sendMessage(steps.CHAT, steps.TEXT, {
      parse_mode: "HTML",
      reply_markup: steps.KEYBOARD,
    });
    kept.message = message.message_id;
    return message;
  },
  send_long: () => bot.sendMessage(steps.CHAT, steps.LONG_TEXT),
  send_nowhere: () => bot.sendMessage(404, steps.EDITED),
  edit: () => bot.editMessageText(steps.EDITED, { chat_id: steps.CHAT, message_id: kept.message }),
  async upload() {
    const message = await bot.sendDocument(steps.CHAT, steps.UPLOAD, { caption: steps.CAPTION });
    kept.file = message.document.file_id;
    return message;
  },
  async download() {
    const into = await mkdtemp(join(tmpdir(), "download-"));
    return steps.digest(await readFile(await bot.downloadFile(kept.file, into)));
  },
  unknown_method() {
    throw new steps.Unsupported("no public call for a method that the library does not know");
  },
  set_webhook: () => bot.setWebHook(steps.HOOK, { secret_token: "s3cret" }),
  delete_webhook: () => bot.deleteWebHook(),
  start_loop() {
    bot.on("message", received.put);
    bot.on("callback_query", received.put);
    bot.options.polling = { params: { timeout: steps.LOOP_POLL } };
    bot.startPolling();
    return received.taken;
  },
  stop_loop: () => bot.stopPolling({ cancel: true }),
});
