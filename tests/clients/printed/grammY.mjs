// The printed recipe of grammY, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT, UPLOAD and, for
// the download that the note tells to GET, BASE from the environment. Out: one JSON line. Invariant: the library
// knows no address but the recipe's. A call that fails ends it with a stack.

import { InputFile } from "grammy";
// {imports}

const { TOKEN: token, CHAT, UPLOAD, BASE } = process.env;

// {recipe}

const me = await bot.api.getMe();
await bot.api.sendMessage(CHAT, "a word");
const updates = await bot.api.getUpdates({ timeout: 10 });
const sent = await bot.api.sendDocument(CHAT, new InputFile(UPLOAD));
const file = await bot.api.getFile(sent.document.file_id);
const answer = await fetch(`${BASE}/file/bot${token}/${file.file_path}`);
const bytes = (await answer.arrayBuffer()).byteLength;
console.log(JSON.stringify({ username: me.username, updates: updates.length, bytes }));
