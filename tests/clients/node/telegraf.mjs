// telegraf, pointed at BASE by `telegram.apiRoot`: the trailing slash keeps a path in BASE. Files follow.
//
// In: steps.mjs. Out: calls to BASE, lines to stdout. Invariant: the library as installed, every
// call through its public names. A call that fails is told as what the library raised.

import { Input, Telegraf } from "telegraf";
import * as steps from "./steps.mjs";

const connect = (token) => new Telegraf(token, { telegram: { apiRoot: `${steps.BASE}/` } });

const bot = connect(steps.TOKEN);
const { telegram } = bot;
const kept = {};
let loop;

const received = steps.three();
bot.use((context) => received.put(context.update));

await steps.run({
  get_me: () => telegram.getMe(),
  get_me_wrong_token: () => connect(steps.WRONG_TOKEN).telegram.getMe(),
  async poll() {
    const updates = await telegram.callApi("getUpdates", { timeout: 10 });
    kept.offset = updates.at(-1).update_id + 1;
    return updates;
  },
  poll_empty: () => telegram.callApi("getUpdates", { offset: kept.offset, timeout: steps.EMPTY_POLL }),
  async send() {
    const message = await telegram.sendMessage(steps.CHAT, steps.TEXT, {
      parse_mode: "HTML",
      reply_markup: steps.KEYBOARD,
    });
    kept.message = message.message_id;
    return message;
  },
  send_long: () => telegram.sendMessage(steps.CHAT, steps.LONG_TEXT),
  send_nowhere: () => telegram.sendMessage(404, steps.EDITED),
  edit: () => telegram.editMessageText(steps.CHAT, kept.message, undefined, steps.EDITED),
  async upload() {
    const document = Input.fromLocalFile(steps.UPLOAD);
    const message = await telegram.sendDocument(steps.CHAT, document, { caption: steps.CAPTION });
    kept.file = message.document.file_id;
    return message;
  },
  download: async () => steps.fetched(await telegram.getFileLink(kept.file)),
  unknown_method: () => telegram.callApi("noSuchMethod", {}),
  set_webhook: () => telegram.setWebhook(steps.HOOK, { secret_token: "s3cret" }),
  delete_webhook: () => telegram.deleteWebhook(),
  start_loop() {
    loop = bot.launch();
    return received.taken;
  },
  async stop_loop() {
    bot.stop();
    await loop;
  },
});
