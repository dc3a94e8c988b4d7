// The contract of the Node.js programs with a webhook server: settings, and a line for each update that a handler got.
//
// In: BASE, TOKEN, PORT (to listen on), URL (the webhook's own address) and SECRET from the environment
// (tests/it/clients/server.rs writes them). Out: a JSON line with chat and text for each update, on stdout; the library's
// log goes to stderr. Invariant: a text that begins with `act` has the bot make a call, one with `answer` has it send
// a message the way the library does it from a webhook, any other has it do nothing. Ends when it is killed.

import { webcrypto } from "node:crypto";

// Debian 12's Node.js 18 keeps it behind a flag; node-telegram-bot-api 2 asks for it.
globalThis.crypto ??= webcrypto;

const { BASE, TOKEN, SECRET, URL: OWN } = process.env;
const PORT = Number(process.env.PORT);
const PATH = new URL(OWN).pathname;
export { BASE, OWN, PATH, PORT, SECRET, TOKEN };

export const HOST = "127.0.0.1";
export const ANSWER = "ответ & <b>привет</b>";

export function tell(message) {
  process.stdout.write(`${JSON.stringify({ chat: message.chat.id, text: message.text })}\n`);
}
