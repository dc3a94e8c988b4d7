// The printed recipe of telegraf, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from
// the environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a stack.

import { Input } from "telegraf";
// {imports}

const { TOKEN: token, CHAT, UPLOAD } = process.env;

// {recipe}

const me = await bot.telegram.getMe();
await bot.telegram.sendMessage(CHAT, "a word");
const updates = await bot.telegram.callApi("getUpdates", { timeout: 10 });
const sent = await bot.telegram.sendDocument(CHAT, Input.fromLocalFile(UPLOAD));
const answer = await fetch(await bot.telegram.getFileLink(sent.document.file_id));
const bytes = (await answer.arrayBuffer()).byteLength;
console.log(JSON.stringify({ username: me.username, updates: updates.length, bytes }));
