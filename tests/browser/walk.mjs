// The walk: everything that somebody does in a console, from the owner's link to signing out.
//
// In: CONSOLE, LINK, BASE, TOKEN, CHAT, UPLOAD, PYTHON, PICTURES from the environment; tests/it/gramtap/walk.rs sets them and runs
// this beside a real `gramtap up`; `webhook.mjs` walks the part of webhooks. Out: pictures of every page; offences, one a line, and an exit code. Invariant: the walk clicks
// what people click and types what they type; the bot that it connects runs the recipe that the page shows.
// Fails: what a page lacks ends the walk with the step's name.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { browse, step, until } from "./browse.mjs";
import { webhook } from "./webhook.mjs";

const { CONSOLE, LINK, BASE, TOKEN, CHAT, UPLOAD, PYTHON, PICTURES, PROGRAM } = process.env;
const OWNER = { name: "olga", password: "four words of a kind" };
const PAGES = ["Overview", "Audience", "Actions", "Sources", "Errors", "Latency", "Deliveries", "Live", "Settings"];

const offences = await browse(CONSOLE, PICTURES, async (page, look) => {
  await step("the owner's link", async () => {
    await page.goto(LINK);
    await look("welcome");
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Become the owner" }).click();
    await page.waitForURL("**/bots");
    await look("bots-none");
  });
  await step("the link is good once", async () => {
    await page.goto(LINK);
    if (await page.getByRole("button", { name: "Become the owner" }).count()) throw new Error("it is good twice");
  });
  await step("a bot by its token", async () => {
    await page.goto("/bots/add");
    await look("add");
    await page.getByLabel("Token", { exact: true }).fill(TOKEN);
    await page.getByRole("textbox", { name: /^Name/ }).fill("Shop bot");
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.waitForURL("**/connect**");
    await look("connect-waiting");
  });
  const connect = page.url();
  await step("the printed aiogram recipe, run as printed, is seen", async () => {
    await page.getByText("aiogram", { exact: true }).click();
    const recipe = page.locator("details", { hasText: "aiogram" }).locator("pre code");
    await runPython(await recipe.first().textContent());
    await page.locator("#first-call.good, #first-call .good").first().waitFor();
    await look("connect-seen");
  });
  await step("a bot by its id, a bot with an address of its own", async () => {
    for (const way of ["id", "code"]) {
      await page.goto("/bots/add");
      await page.locator(`input[name=way][value=${way}]`).check();
      if (way === "id") await page.getByRole("textbox", { name: /^Bot id/ }).fill("7000000999");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.waitForURL("**/connect**");
      await look(`connect-by-${way}`);
    }
  });
  await step("refused requests, and the button that ends them", async () => {
    await call("7000000555:AA-of-a-bot-that-is-not-connected-00000", "getMe");
    await until("it is listed", async () => {
      await page.goto("/refused");
      return page.getByText("7000000555").first().isVisible();
    });
    await look("refused");
    await page.getByRole("button", { name: "Add this bot" }).click();
    await page.goto("/bots");
    await page.getByText("7000000555").first().waitFor();
  });
  await step("errors that the bot makes", async () => {
    for (let time = 0; time < 6; time++) await call(TOKEN, "sendMessage", { chat_id: CHAT, text: "<b>open", parse_mode: "HTML" });
    await call(TOKEN, "editMessageText", { chat_id: CHAT, message_id: 4040, text: "x" });
    await call(TOKEN, "noSuchMethod", {});
    await until("they are counted", async () => {
      await page.goto(connect.replace(/connect.*/, "errors"));
      return (await page.locator("main a[href*='/errors/']").count()) >= 3;
    });
  });
  await step("every page of the bot", async () => {
    for (const name of PAGES) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
      await look(name.toLowerCase());
    }
  });
  await step("an error's advice", async () => {
    await page.getByRole("link", { name: "Errors", exact: true }).click();
    await page.locator("main a[href*='/errors/']").first().click();
    await page.waitForURL("**/errors/*");
    await look("error");
  });
  await webhook(page, look, connect);
  await step("the list of bots, the API keys", async () => {
    await page.getByRole("link", { name: "Bots", exact: true }).click();
    await look("bots");
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await look("keys");
  });
  await step("signing out and in", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/sign-in**");
    await page.goto(connect);
    await page.waitForURL("**/sign-in**");
    await look("sign-in");
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The name or the password is wrong.").waitFor();
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(connect);
  });
});

/** The bot's own program: tests/clients/printed, with what the page shows in the place of its two lines in braces. */
async function runPython(recipe) {
  const [imports, ...code] = recipe.split("\n\n");
  const program = (await readFile(PROGRAM, "utf8"))
    .replace(/^# \{imports\}$/m, () => imports)
    .replace(/^# \{recipe\}$/m, () => code.join("\n\n"));
  const main = join(await mkdtemp(join(tmpdir(), "walk-")), "main.py");
  await writeFile(main, program);
  const env = { ...process.env, TOKEN, CHAT, UPLOAD };
  const { stdout } = await promisify(execFile)(PYTHON, [main], { env, timeout: 60_000 });
  if (JSON.parse(stdout).updates !== 3) throw new Error(`the bot received ${stdout}`);
}

function call(token, method, body) {
  const headers = { "content-type": "application/json" };
  return fetch(`${BASE}/bot${token}/${method}`, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
}

for (const offence of offences) console.log(offence);
process.exit(offences.length ? 1 : 0);
