"use strict";

// Ticks of the list of deliveries, and pictures that cannot be loaded.
(() => {
  const all = document.getElementById("tick-all"), button = document.getElementById("replay-selection");
  const ticks = () => [...document.querySelectorAll('#selection tbody input[type="checkbox"]')];
  if (all && button) {
    const label = button.textContent, question = button.dataset.confirm;
    const count = () => {
      const ticked = ticks().filter((tick) => tick.checked).length;
      button.disabled = ticked === 0;
      button.textContent = ticked ? `${label} (${ticked})` : label;
      button.dataset.confirm = question.replace("%d", ticked);
      all.checked = ticked > 0 && ticked === ticks().length;
      all.indeterminate = ticked > 0 && !all.checked;
    };
    all.hidden = ticks().length === 0;
    all.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = all.checked;
      count();
    });
    document.getElementById("selection").addEventListener("change", (event) => { if (event.target !== all) count(); });
    addEventListener("pageshow", count);
    count();
  }

  // A picture that cannot be loaded says why.
  const { word } = window.stillcast;
  for (const image of document.querySelectorAll("img[data-picture]")) {
    const failed = async () => {
      image.hidden = true;
      const reason = image.parentElement.querySelector(".reason");
      reason.textContent = word("js.picture_none");
      try {
        const answer = await fetch(image.dataset.picture, { cache: "no-store" });
        if (!answer.ok && (answer.headers.get("Content-Type") ?? "").startsWith("text/plain")) reason.textContent = await answer.text();
      } catch { /* as it was said */ }
    };
    if (image.complete && image.naturalWidth === 0) failed();
    else image.addEventListener("error", failed);
  }
})();
