"use strict";
// Buttons that copy the text of an element, or of an input, to the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  if (!from) return;
  const text = from.value !== undefined && from.value !== "" ? from.value : from.textContent;
  button.dataset.word ??= button.textContent;
  button.textContent = window.stillcast.word(await copy(from, text) ? "js.copied" : "js.not_copied");
  setTimeout(() => { button.textContent = button.dataset.word; }, 2000);
});

// copy uses the clipboard, which browsers have over HTTPS and on this machine only.
// Elsewhere it selects the text and asks for what Ctrl+C does.
async function copy(from, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (from.select) from.select();
    else getSelection().selectAllChildren(from);
    return document.execCommand("copy");
  }
}

// What is wrong is what somebody who sent a form looks for first.
document.querySelector("[aria-invalid=true]")?.focus();
document.getElementById("touched")?.scrollIntoView({ block: "nearest" });
