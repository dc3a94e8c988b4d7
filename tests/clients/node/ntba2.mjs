// node-telegram-bot-api 2.x, pointed at BASE by `apiRoot`. It has no download helper; retries are off by its own option.
//
// In: steps.mjs. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every
// call through its public names. A call that fails is told as what the library raised.

import { Bot } from "node-telegram-bot-api-2";
import { fromPath } from "node-telegram-bot-api-2/node";
import * as steps from "./steps.mjs";

const connect = (token) => new Bot(token, { apiRoot: steps.BASE, maxRetries: 0 });

const bot = connect(steps.TOKEN);
const { api } = bot;
const kept = {};
let loop;

const received = steps.three();
bot.use((context) => received.put(context.update));

await steps.run({
  get_me: () => api.getMe(),
  get_me_wrong_token: () => connect(steps.WRONG_TOKEN).api.getMe(),
  async poll() {
    const updates = await api.getUpdates({ timeout: 10 });
    kept.offset = updates.at(-1).update_id + 1;
    return updates;
  },
  poll_empty: () => api.getUpdates({ offset: kept.offset, timeout: steps.EMPTY_POLL }),
  async send() {
    const message = await api.sendMessage({
      chat_id: steps.CHAT,
      text: steps.TEXT,
      parse_mode: "HTML",
      reply_markup: steps.KEYBOARD,
    });
    kept.message = message.message_id;
    return message;
  },
  send_long: () => api.sendMessage({ chat_id: steps.CHAT, text: steps.LONG_TEXT }),
  send_nowhere: () => api.sendMessage({ chat_id: 404, text: steps.EDITED }),
  edit: () => api.editMessageText({ chat_id: steps.CHAT, message_id: kept.message, text: steps.EDITED }),
  async upload() {
    const message = await api.sendDocument({
      chat_id: steps.CHAT,
      document: await fromPath(steps.UPLOAD),
      caption: steps.CAPTION,
    });
    kept.file = message.document.file_id;
    return message;
  },
  async download() {
    const file = await api.getFile({ file_id: kept.file });
    return steps.fetched(`${steps.BASE}/file/bot${steps.TOKEN}/${file.file_path}`);
  },
  unknown_method() {
    throw new steps.Unsupported("no public call for a method that the library does not know");
  },
  set_webhook: () => api.setWebhook({ url: steps.HOOK, secret_token: "s3cret" }),
  delete_webhook: () => api.deleteWebhook(),
  start_loop() {
    loop = bot.startPolling(undefined, { timeout: steps.LOOP_POLL });
    return received.taken;
  },
  async stop_loop() {
    bot.stop();
    await loop;
  },
});
