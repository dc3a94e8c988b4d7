// The contract of the Node.js programs: settings, the loop over steps, one line per step.
//
// In: BASE, TOKEN, WRONG_TOKEN, CHAT and UPLOAD from the environment; names of steps on stdin,
// one a line (tests/it/clients/program.rs writes them). Out: one JSON line per step on stdout,
// what the library returned or what it raised; a library's own log goes to stderr.
// Invariant: a step begins only after its name was read, so whoever writes the names knows
// which request belongs to which step. End of stdin ends the program; so does a bug in it.

import { createHash, webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

// Debian 12's Node.js 18 keeps it behind a flag; node-telegram-bot-api 2 says that it runs on 18, and asks for it.
globalThis.crypto ??= webcrypto;

const { BASE, TOKEN, WRONG_TOKEN, UPLOAD } = process.env;
const CHAT = Number(process.env.CHAT);
export { BASE, CHAT, TOKEN, UPLOAD, WRONG_TOKEN };

export const TEXT = "Привет, <b>мир</b> & 🦀";
export const LONG_TEXT = "Съешь же ещё этих мягких булок. ".repeat(128);
export const EDITED = "edited & done";
export const CAPTION = "два мегабайта";
export const HOOK = "https://example.org/hook";
// What the empty poll waits for, and what the loops wait for where they can be told, in seconds.
export const EMPTY_POLL = 1;
export const LOOP_POLL = 3;

export const KEYBOARD = { inline_keyboard: [[{ text: "Да", callback_data: "yes" }]] };

/** The library has no public way to take this step. */
export class Unsupported extends Error {}

/** What a download is shown as. */
export function digest(content) {
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/** Downloads what has no helper in the library, with the platform's own client. */
export async function fetched(url) {
  const answer = await fetch(url);
  return digest(Buffer.from(await answer.arrayBuffer()));
}

/** A queue of three updates: `put` is given to the handlers, `taken` resolves when all are there. */
export function three() {
  const events = [];
  let done;
  const taken = new Promise((resolve) => (done = resolve));
  const put = (event) => {
    if (events.push(event) === 3) done(events);
  };
  return { put, taken };
}

/** What is told of an error: its class, its text and the fields that bots branch on. */
function raised(error) {
  const told = { class: error.constructor.name, text: String(error.message) };
  const envelope = error.response?.body ?? error.response ?? error;
  for (const field of ["code", "error_code", "errorCode", "description", "parameters", "responseText"]) {
    const value = error[field] ?? envelope[field];
    if (["string", "number"].includes(typeof value) || field === "parameters") told[field] = value;
  }
  return told;
}

/** Takes the steps that stdin names, until it ends. */
export async function run(steps) {
  for await (const name of createInterface({ input: process.stdin })) {
    const line = { step: name };
    try {
      line.returned = (await steps[name]()) ?? null;
    } catch (error) {
      if (error instanceof Unsupported) line.unsupported = error.message;
      else if (error instanceof Error) line.raised = raised(error);
      else throw error;
    }
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  // Sockets kept alive and timers of the libraries would hold the process.
  process.exit(0);
}
