"use strict";

// What every page needs. Other scripts use it as window.stillcast:
//   word(key, …)   the words "js.…" in the viewer's language, with %d and %s filled in
//   now()          the server's time, in milliseconds
//   ago(time)      how long ago that was, in words
//   keys()         whether keys that are single letters do something
//   offline()      to be called when the server did not answer
// and the events "stillcast:offline" and "stillcast:online" of document. A page
// that can go on by itself when the server is back prevents the default of the
// latter, which is to load the page again.
(() => {
  const root = document.documentElement;
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  const words = JSON.parse(meta("words") || "{}");
  const skew = Number(root.dataset.now) - Date.now();

  const word = (key, ...values) => (words[key] ?? key).replace(/%[ds]/g, () => String(values.shift()));
  const now = () => Date.now() + skew;

  const units = [["js.ago_days", 86400], ["js.ago_hours", 3600], ["js.ago_minutes", 60], ["js.ago_seconds", 1]];
  const ago = (time) => {
    const seconds = Math.max(0, (now() - time) / 1000);
    const [key, size] = units.find(([, size]) => size === 1 || seconds >= 2 * size);
    return word(key, Math.floor(seconds / size));
  };
  const countOn = () => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-ago]")) {
      const text = ago(Date.parse(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  };
  setInterval(countOn, 1000);

  // The server is asked for its health now and then, so that a page that does
  // nothing by itself knows, too, and more often while it does not answer.
  const idle = 10000, soon = 500, late = 5000;
  let gone = false, pause = soon, timer = 0;
  const notice = document.getElementById("offline");
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };
  const ask = async () => {
    if (document.hidden && !gone) return later(idle);
    try {
      const answer = await fetch("/console/health", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(answer.status);
      back((await answer.json()).version);
    } catch {
      offline();
    }
  };
  const offline = () => {
    if (!gone) {
      gone = true;
      pause = soon;
      notice.hidden = false;
      document.dispatchEvent(new CustomEvent("stillcast:offline"));
    }
    later(pause);
    pause = Math.min(late, pause * 1.5);
  };
  const untouched = (field) => {
    if (field.type === "hidden") return true;
    if (field.type === "checkbox" || field.type === "radio") return field.checked === field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value === field.defaultValue;
    const first = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
    return field.value === (first?.value ?? "");
  };
  const edited = () => ![...document.querySelectorAll("main input, main select, main textarea")].every(untouched);
  const back = (version) => {
    later(idle);
    if (!gone) return;
    gone = false;
    notice.hidden = true;
    const goesOn = !document.dispatchEvent(new CustomEvent("stillcast:online", { cancelable: true }));
    // What was typed in is not thrown away.
    if (!edited() && (!goesOn || version !== root.dataset.version)) location.reload();
  };
  later(idle);

  // While the server is away, leaving the page would leave nothing that comes back.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (gone && link && !link.getAttribute("href").startsWith("#")) {
      event.preventDefault();
      notice.scrollIntoView({ block: "nearest" });
    }
  }, true);

  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Csrf-Token"] = meta("csrf"); });
  document.addEventListener("htmx:sendError", offline);
  document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status === 503) ask(); });

  // A button with data-confirm asks first. Its form is sent once it was answered.
  const dialog = document.getElementById("confirm");
  const confirmed = new WeakSet();
  const confirm = (button, go) => {
    document.getElementById("confirm-text").textContent = button.dataset.confirm;
    document.getElementById("confirm-yes").textContent = button.dataset.confirmYes || button.textContent;
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => { if (dialog.returnValue === "yes") go(); else button.focus(); }, { once: true });
    dialog.showModal();
  };
  addEventListener("submit", (event) => {
    const button = event.submitter;
    if (gone && event.target.method !== "dialog") {
      event.preventDefault();
      event.stopImmediatePropagation();
      notice.scrollIntoView({ block: "nearest" });
    } else if (button?.dataset.confirm && !confirmed.delete(button)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      confirm(button, () => { confirmed.add(button); event.target.requestSubmit(button); });
    }
  }, true);
  document.addEventListener("htmx:confirm", (event) => {
    const element = event.detail.elt;
    if (!element.dataset.confirm || element.form) return;
    event.preventDefault();
    confirm(element, () => event.detail.issueRequest(true));
  });

  // Keys. They are off where the viewer turned them off, and while somebody types.
  const keys = () => root.dataset.keys !== "off";
  const help = document.getElementById("keys"), opener = document.getElementById("keys-open");
  if (help) {
    opener.hidden = false;
    opener.addEventListener("click", () => help.showModal());
  }
  let going = 0; // when g was pressed
  document.addEventListener("keydown", (event) => {
    if (!keys() || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) return;
    const link = Date.now() - going < 1500 ? document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`) : null;
    going = 0;
    if (link) link.click();
    else if (event.key === "g") going = Date.now();
    else if (event.key === "?" && help) help.showModal();
    else if (event.key === "/" && document.querySelector("[data-search]")) document.querySelector("[data-search]").focus();
    else return;
    event.preventDefault();
  });

  window.stillcast = { word, now, ago, keys, offline };
})();
