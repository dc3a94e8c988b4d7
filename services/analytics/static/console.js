// What a page cannot do by itself. In: elements with data- attributes, written by the templates. Out: the same page, a
// little livelier. Invariant: every page works without it; nothing is asked of another host; text from the server is set
// as text, never as HTML. Fails: the page stays as the server wrote it.
"use strict";

// === Copying: a button for each [data-copy] ===
for (const block of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.className = "quiet";
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
  });
  block.append(button);
}

// === The page of a bot that is shown, where its name does not fit on a phone ===
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// === The first call: [data-first-call] is asked for until it was good ===
for (const place of document.querySelectorAll("[data-first-call]")) {
  const looks = { none: "note warn", refused: "note bad", good: "note good" };
  const [title, lines] = [place.querySelector("h2"), place.querySelector("div")];
  const set = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const ask = async () => {
    try {
      const answer = await fetch(place.dataset.firstCall, { headers: { accept: "application/json" } });
      if (answer.redirected || answer.status === 404) return;
      if (answer.ok) {
        const first = await answer.json();
        place.className = looks[first.state];
        set(title, first.title);
        while (lines.children.length > first.lines.length) lines.lastChild.remove();
        while (lines.children.length < first.lines.length) lines.append(document.createElement("p"));
        first.lines.forEach((line, at) => set(lines.children[at], line));
        if (first.state === "good") return;
      }
    } catch {
      // The console is away for a moment: ask again.
    }
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 2000);
}

// === Live: the page's records, continued from [data-live]; a watcher that was too slow comes back where it was ===
for (const note of document.querySelectorAll("[data-live]")) {
  const rows = document.querySelector("table.live tbody");
  const form = document.querySelector(".live-choice");
  const [choice, pause] = [form.querySelector("select"), form.querySelector("button")];
  const known = new Set();
  const shown = 200;
  let paused = false;
  let missed = 0;
  const say = () => {
    if (paused) note.textContent = `Paused. ${missed} records came since.`;
    else note.textContent = "Records are shown as they come.";
  };
  const fits = (row) => !choice.value || row.dataset.event === choice.value;
  const learn = (name) => {
    if (known.has(name)) return;
    known.add(name);
    const option = document.createElement("option");
    option.textContent = option.value = name;
    choice.append(option);
  };
  const cell = (row, text) => {
    const made = row.insertCell();
    if (text !== null && text !== undefined) made.textContent = text;
    return made;
  };
  const add = (record, name) => {
    const row = rows.insertRow(0);
    row.dataset.event = name;
    const time = document.createElement("time");
    time.dateTime = record.at;
    time.textContent = record.at.slice(11, 23);
    cell(row).append(time);
    cell(row, name);
    cell(row, record.chat_id);
    cell(row, record.user_id);
    cell(row, record.command);
    cell(row, record.method);
    const group = record.error_group ?? record.group;
    const failed = cell(row);
    if (group) {
      const link = document.createElement("a");
      link.href = note.dataset.errors + encodeURIComponent(group);
      link.textContent = record.error_code ?? record.code ?? "no answer";
      failed.append(link);
    }
    learn(name);
    row.hidden = !fits(row);
    while (rows.rows.length > shown) rows.deleteRow(-1);
    document.querySelector("[data-nothing]")?.remove();
  };
  const take = (name) => (message) => {
    if (paused) {
      missed += 1;
      return say();
    }
    const record = JSON.parse(message.data);
    add(record, name ?? record.event);
  };
  for (const row of rows.rows) {
    row.dataset.event = row.cells[1].textContent;
    learn(row.dataset.event);
  }
  choice.addEventListener("change", () => {
    for (const row of rows.rows) row.hidden = !fits(row);
  });
  pause.addEventListener("click", () => {
    paused = !paused;
    missed = 0;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", paused);
    say();
  });
  const source = new EventSource(note.dataset.live);
  source.addEventListener("open", () => {
    form.hidden = false;
    say();
  });
  source.addEventListener("event", take());
  source.addEventListener("error", (message) => {
    // The same word is the browser's for a lost connection, which it mends by itself.
    if (message.data) take("error")(message);
    else note.textContent = "The connection is lost. It is tried again.";
  });
}
