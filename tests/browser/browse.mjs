// A browser that forgives nothing: what a walk through the console is made of.
//
// In: the console's address, a folder for pictures, Debian's chromium (or the one that CHROMIUM names). Out: pages to walk on;
// a list of everything that was wrong. Invariant: an error on the browser's console, a request to another host, a file that is
// not there, a fault of accessibility that axe calls serious or critical: each is an offence. A picture of every page is taken
// wide and narrow, light and dark. Fails: with the offences, at the end of the walk.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

/** Starts the browser; `walk` gets a page and the means to look at it. */
export async function browse(base, pictures, walk) {
  const offences = [];
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  try {
    const context = await browser.newContext({ baseURL: base, viewport: SIZES.wide, bypassCSP: false });
    const page = await context.newPage();
    watch(page, base, offences);
    await walk(page, (name) => look(page, name, pictures, offences), offences);
  } finally {
    await browser.close();
  }
  return offences;
}

function watch(page, base, offences) {
  page.on("console", (message) => {
    // A page that is refused on purpose is told by the browser as an error of loading.
    const refused = /status of (4\d\d)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !refused) {
      offences.push(`${page.url()}: the browser says: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => offences.push(`${page.url()}: the script fails: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) {
      offences.push(`${page.url()}: asks another host: ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() >= 500) offences.push(`${response.url()}: ${response.status()}`);
  });
}

/** Takes pictures of the page as it is, asks axe about it, and sees that it is no wider than its window. */
async function look(page, name, pictures, offences) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) offences.push(`${name}: ${wider} px wider than a ${size} window`);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot({ path: join(pictures, `${name}-${size}-${scheme}.png`), fullPage: true });
      const found = await audit(page);
      for (const fault of found) offences.push(`${name} (${size}, ${scheme}): ${fault}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(SIZES.wide);
}

async function audit(page) {
  // Evaluated from outside the page's own scripts, which its policy would refuse.
  await page.evaluate(`typeof axe === "undefined" && (() => { ${AXE} })()`);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((it) => ["serious", "critical"].includes(it.impact))
    .flatMap((it) => it.nodes.map((node) => `${it.id}: ${it.help}: ${node.html.slice(0, 200)}`));
}

/** A part of a walk; says its name if it fails. */
export async function step(name, walk) {
  try {
    await walk();
  } catch (error) {
    console.log(`in step "${name}":`);
    throw error;
  }
}

/** Asks until it is so, a minute at most. */
export async function until(what, holds) {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    // paced: numbers come a moment after what they count
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
