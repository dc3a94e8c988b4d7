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
