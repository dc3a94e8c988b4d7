// The printed recipe of node-telegram-bot-api 0.6x, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from
// the environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a stack.

import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
// {imports}

const { TOKEN: token, CHAT, UPLOAD } = process.env;

// The recipe begins to poll by itself.
let updates = 0;
// {recipe}
const three = new Promise((resolve) => {
  const count = () => ++updates === 3 && resolve();
  bot.on("message", count);
  bot.on("callback_query", count);
});

const me = await bot.getMe();
await bot.sendMessage(CHAT, "a word");
await three;
const sent = await bot.sendDocument(CHAT, UPLOAD);
const path = await bot.downloadFile(sent.document.file_id, await mkdtemp(join(tmpdir(), "printed-")));
const bytes = (await stat(path)).size;
// Not cancelled: a poll that is under way would be followed by the next one, and the program would not end.
await bot.stopPolling();
console.log(JSON.stringify({ username: me.username, updates, bytes }));
