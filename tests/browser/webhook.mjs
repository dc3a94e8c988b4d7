// The part of the walk that is about a bot's webhook: set, failing, dead letters and their replays, given back.
//
// In: the page of a bot that has none yet, WEBHOOK from the environment: where the bot's own server listens, which is started here. Out:
// pictures of every page, offences (`browse.mjs`). Invariant: updates are pushed as Telegram pushes them, and all of them are with the bot at the end.
// Fails: what a page lacks ends the walk with the step's name.

import { once } from "node:events";
import { createServer } from "node:http";
import { step, until } from "./browse.mjs";

const { WEBHOOK } = process.env;
const SECRET = "AAcanary-of-the-webhook";

/** Walks it; `connect` is the address of the bot's page that says how to point it here. */
export async function webhook(page, look, connect) {
  const settings = connect.replace(/connect.*/, "settings");
  const deliveries = connect.replace(/connect.*/, "deliveries");
  const dead = connect.replace(/connect.*/, "dead");
  const endpoint = await listen();
  await step("a webhook, refused and set", async () => {
    await setWebhook(page, settings, "https://bot.example.org/updates", "not a certificate");
    await page.getByText("BEGIN CERTIFICATE").first().waitFor();
    await look("webhook-refused");
    await setWebhook(page, settings, `${WEBHOOK}/updates`);
    await page.getByRole("heading", { name: "Tell Telegram, once" }).waitFor();
    await look("webhook-address");
  });
  const address = (await page.locator("main pre code").first().textContent()).trim();
  await step("the way of its updates", async () => {
    await page.goto(settings);
    await page.locator("input[name=mode][value=inbox]").check();
    await page.getByRole("button", { name: "Set the way" }).click();
    await page.waitForURL("**/settings?done=mode**");
    await look("webhook-settings");
  });
  await step("updates that the endpoint does not take", async () => {
    await push(address, 1, 3);
    await until("they wait", async () => {
      await page.goto(deliveries);
      const waits = await page.locator("#waiting data").count();
      return waits > 0 && (await page.locator("#failures article").count()) > 0;
    });
    await look("deliveries-failing");
  });
  await step("dead letters", async () => {
    // An address in an inner network, as its name tells only once it is called.
    await setWebhook(page, settings, "https://localhost/updates");
    await push(address, 4, 3);
    await until("they are given up", async () => {
      await page.goto(dead);
      return (await page.locator("tr[data-record]").count()) >= 3;
    });
    await look("dead-letters");
  });
  await step("one of them, opened, and not delivered where it may not go", async () => {
    await page.locator("tr[data-record] a").first().click();
    await page.waitForURL("**/dead/*");
    await look("dead-letter");
    await page.getByRole("button", { name: "Open it" }).click();
    await page.waitForURL("**/open");
    await page.getByText("update_id").first().waitFor();
    await look("dead-letter-open");
    await page.getByLabel("Another address").fill("http://10.0.0.1/updates");
    await page.getByRole("button", { name: "Deliver again" }).click();
    await page.getByText("The address is refused").waitFor();
    await look("dead-letter-refused");
  });
  await step("one of them, delivered after all", async () => {
    endpoint.stands = true;
    await setWebhook(page, settings, `${WEBHOOK}/updates`);
    await page.goto(dead);
    await page.locator("tr[data-record] a").first().click();
    await page.waitForURL("**/dead/*");
    await page.getByRole("button", { name: "Deliver again" }).click();
    await page.waitForURL("**?done=replay");
    await until("it is delivered", async () => {
      await page.reload();
      return page.locator("tr[data-record] .tag.good").first().isVisible();
    });
    await look("dead-letter-replayed");
  });
  await step("all that fit, delivered after all", async () => {
    await page.goto(dead);
    await page.getByLabel("Cause").selectOption({ index: 1 });
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL("**cause=*");
    await page.getByLabel(/^Yes, deliver/).check();
    await page.getByRole("button", { name: "Deliver again" }).click();
    await page.waitForURL("**asked=*");
    await page.getByText("No dead letter fits.").waitFor();
    await look("dead-letters-replayed");
    await until("the endpoint has all", async () => endpoint.taken.size === 6);
    await until("the page says so", async () => {
      await page.goto(deliveries);
      return page.getByText("Nothing waits to be tried again.").isVisible();
    });
    await look("deliveries-mended");
  });
  await step("what was done", async () => {
    await page.getByRole("link", { name: "What was done" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    if ((await page.locator("tbody tr").count()) < 5) throw new Error("something is missing");
    await look("done");
  });
  await step("the webhook, given back", async () => {
    await page.goto(settings);
    await page.getByLabel("Yes, give it back").check();
    await page.getByRole("button", { name: "Give it back" }).click();
    await page.waitForURL("**/settings?done=release**");
    await look("webhook-given-back");
  });
  endpoint.server.close();
}

/** Sets the bot's webhook, or another one in its place, as the form of the settings does. */
async function setWebhook(page, settings, url, certificate) {
  await page.goto(settings);
  const form = page.locator("form[action$='/settings/webhook']");
  if (!(await form.isVisible())) await page.getByText("Another target", { exact: true }).click();
  await form.getByLabel("Where the bot takes updates").fill(url);
  await form.getByLabel("Secret token").fill(SECRET);
  if (certificate) await form.getByLabel("Certificate").fill(certificate);
  await form.getByRole("button").click();
}

/** The bot's own server: 503 until it stands; it knows what it has taken then. */
async function listen() {
  const endpoint = { stands: false, taken: new Set() };
  endpoint.server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (endpoint.stands) endpoint.taken.add(JSON.parse(Buffer.concat(parts)).update_id);
    response.writeHead(endpoint.stands ? 200 : 503).end();
  });
  const { hostname, port } = new URL(WEBHOOK);
  endpoint.server.listen(Number(port), hostname);
  await once(endpoint.server, "listening");
  return endpoint;
}

/** So many updates from this number on, each of a chat of its own, as Telegram pushes them. */
async function push(address, first, count) {
  for (let id = first; id < first + count; id++) {
    const chat = { id, type: "private", first_name: "Ann" };
    const message = { message_id: id, date: 1_700_000_000, from: { ...chat, type: undefined, is_bot: false }, chat, text: "hello" };
    const headers = { "content-type": "application/json", "x-telegram-bot-api-secret-token": SECRET };
    const body = JSON.stringify({ update_id: id, message });
    await until(`update ${id} is taken`, async () => (await fetch(address, { method: "POST", headers, body })).status === 200);
  }
}
