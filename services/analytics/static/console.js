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
