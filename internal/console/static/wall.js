"use strict";

// The wall. Each live stream has an element, made by the server or of the template,
// which is used again when the stream is gone. Elements out of view have no
// picture; all that changes is drawn once per frame.
(() => {
  const { word, now, ago, feed } = window.stillcast;
  const list = document.getElementById("wall"), form = document.getElementById("wall-form");
  const blueprint = document.getElementById("tile").content.firstElementChild;
  const field = (id) => document.getElementById(id);
  const size = field("tile-size"), compact = field("compact"), count = field("count");

  const fade = 4000, rearrange = 5000, mostSpare = 100, again = 10000;
  const shown = new Map(); // the tiles, by id: { data, element, … }
  const spare = [];        // elements without a stream

  // --- What a viewer chose, kept in the browser.
  const key = "stillcast.wall";
  const kept = (() => { try { return JSON.parse(localStorage.getItem(key)) ?? {}; } catch { return {}; } })();
  const keep = () => {
    try { localStorage.setItem(key, JSON.stringify({ size: size.value, compact: compact.checked, sort: field("sort").value })); } catch { /* private mode */ }
  };
  const look = () => {
    list.dataset.size = size.value;
    document.documentElement.classList.toggle("compact", compact.checked);
  };
  if (kept.size !== undefined) size.value = kept.size;
  compact.checked = kept.compact === true;
  if (kept.sort && !new URLSearchParams(location.search).has("sort")) field("sort").value = kept.sort;
  look();

  // --- One tile.
  const part = (element, name) => element.querySelector("." + name);
  const hold = (element) => ({
    element, link: element.firstElementChild, canvas: element.querySelector("canvas"),
    pixels: element.querySelector("canvas").getContext("bitmaprenderer"), reason: part(element, "reason"),
    name: part(element, "name"), where: part(element, "where"), age: part(element, "age"), size: part(element, "size"),
    marks: Object.fromEntries([...element.querySelectorAll("[data-mark]")].map((mark) => [mark.dataset.mark, mark])),
    data: null, inView: false, wanted: "", loading: null, timer: 0, retry: 0,
  });
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const show = (element, on) => { if (element.hidden === on) element.hidden = !on; };

  const view = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const tile = shown.get(entry.target.dataset.id);
      if (!tile || tile.element !== entry.target) continue;
      tile.inView = entry.isIntersecting;
      if (tile.inView) drawAge(tile);
      picture(tile);
    }
  }, { rootMargin: "300px 0px" });

  // picture loads the picture of a tile in view, and lets go that of another. What
  // loads is shown even if a newer one came meanwhile, which is next, so that a slow
  // connection shows something. Canvases, since browsers keep the decoded pixels of
  // images that are gone for long.
  const picture = (tile) => {
    const wanted = tile.inView ? tile.data.picture ?? "" : "";
    if (wanted === tile.wanted) return;
    tile.wanted = wanted;
    clearTimeout(tile.retry);
    if (!wanted) {
      tile.loading?.abort();
      tile.loading = null;
      tile.pixels.transferFromImageBitmap(null);
      show(tile.canvas, false);
      write(tile.reason, "");
    } else if (!tile.loading) {
      load(tile);
    }
  };
  const load = async (tile) => {
    const url = tile.wanted, loading = new AbortController();
    tile.loading = loading;
    let reason = word("js.wall_no_answer"), bitmap = null;
    try {
      const answer = await fetch(url, { signal: loading.signal });
      const kind = answer.headers.get("Content-Type") ?? "";
      if (answer.ok && kind.startsWith("image/")) {
        reason = word("js.wall_no_picture");
        bitmap = await createImageBitmap(await answer.blob());
      } else if (kind.startsWith("text/plain")) {
        reason = await answer.text();
      }
    } catch { /* as the reason says */ }
    if (tile.loading !== loading) {
      bitmap?.close();
      return;
    }
    tile.loading = null;
    if (bitmap) {
      if (tile.canvas.width !== bitmap.width) tile.canvas.width = bitmap.width;
      if (tile.canvas.height !== bitmap.height) tile.canvas.height = bitmap.height;
      tile.pixels.transferFromImageBitmap(bitmap);
      tile.element.dataset.shown = url;
    }
    show(tile.canvas, Boolean(bitmap));
    write(tile.reason, bitmap ? "" : reason);
    if (tile.wanted !== url) load(tile);
    else if (!bitmap) tile.retry = setTimeout(() => load(tile), again);
  };

  const newest = (data) => data.at ?? data.since;
  const drawAge = (tile) => {
    const { data } = tile;
    write(tile.age, data.at ? ago(data.at) : "");
    const stale = Boolean(data.at) && now() - data.at > data.stale;
    show(tile.marks.stale, stale);
    if (tile.element.classList.contains("stale") !== stale) tile.element.classList.toggle("stale", stale);
  };
  const draw = (tile) => {
    const { data } = tile;
    write(tile.name, data.name);
    write(tile.where, `${data.domain}/${data.app}`);
    write(tile.size, data.width ? `${data.width}×${data.height}` : "");
    show(tile.marks.none, !data.shot);
    show(tile.marks.black, Boolean(data.black));
    show(tile.marks.duplicate, Boolean(data.duplicate));
    drawAge(tile);
    picture(tile);
  };
  const add = (data) => {
    const tile = spare.pop() ?? hold(blueprint.cloneNode(true));
    tile.data = data;
    tile.element.dataset.id = data.id;
    tile.link.href = "/console/stream?" + new URLSearchParams({ domain: data.domain, app: data.app, stream: data.name });
    tile.link.tabIndex = -1;
    shown.set(data.id, tile);
    draw(tile);
    return tile;
  };
  const update = (data) => {
    const tile = shown.get(data.id);
    if (!tile) return add(data);
    if (tile.timer) stay(tile);
    tile.data = data;
    draw(tile);
    return tile;
  };
  const stay = (tile) => {
    clearTimeout(tile.timer);
    tile.timer = 0;
    tile.element.classList.remove("ended");
    show(tile.marks.ended, false);
  };
  const end = (id) => {
    const tile = shown.get(id);
    if (!tile || tile.timer) return;
    tile.element.classList.add("ended");
    show(tile.marks.ended, true);
    tile.timer = setTimeout(() => remove(tile), fade);
  };
  const remove = (tile) => {
    if (tile.link === document.activeElement) move(neighbour(tile.element, 1) ?? neighbour(tile.element, -1));
    shown.delete(tile.data.id);
    tile.element.remove();
    view.unobserve(tile.element);
    tile.inView = false;
    picture(tile);
    stay(tile);
    delete tile.element.dataset.shown;
    tile.data = null;
    if (spare.length < mostSpare) spare.push(tile);
    arrangeSoon();
  };

  // --- Which tiles are to be seen, and where. The server does the same at first.
  const chosen = () => ({
    words: field("q").value.toLowerCase().split(/\s+/).filter(Boolean),
    domain: field("domain").value, app: field("app").value, sort: field("sort").value,
  });
  const selects = (choice, data) => {
    if (choice.domain && choice.domain !== data.domain || choice.app && choice.app !== data.app) return false;
    const text = `${data.domain}/${data.app}/${data.name}`.toLowerCase();
    return choice.words.every((w) => text.includes(w));
  };
  const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const byName = (a, b) => byText(a.name, b.name) || byText(a.id, b.id);
  const orders = {
    name: byName,
    newest: (a, b) => newest(b) - newest(a) || byName(a, b),
    stalest: (a, b) => newest(a) - newest(b) || byName(a, b),
  };

  const arrange = () => {
    const choice = chosen();
    const tiles = [...shown.values()].filter((tile) => selects(choice, tile.data));
    tiles.sort((a, b) => orders[choice.sort](a.data, b.data));
    const focused = document.activeElement;
    const wanted = new Set(tiles);
    for (const tile of shown.values()) {
      if (wanted.has(tile) || !tile.element.parentNode) continue;
      tile.element.remove();
      view.unobserve(tile.element);
      tile.inView = false;
      picture(tile);
    }
    let at = list.firstElementChild;
    for (const tile of tiles) {
      if (tile.element === at) { at = at.nextElementSibling; continue; }
      const fresh = !tile.element.parentNode;
      list.insertBefore(tile.element, at);
      if (fresh) view.observe(tile.element);
    }
    if (focused && focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
    write(count, word("js.wall_count", tiles.length, shown.size));
    show(field("empty"), shown.size === 0);
    show(field("no-match"), shown.size > 0 && tiles.length === 0);
    offer("domain", choice.domain);
    offer("app", choice.app);
    rove();
  };
  // offer keeps the choice of a filter up to date with what is live.
  const offer = (name, current) => {
    const select = field(name);
    const wanted = [...new Set([...shown.values()].map((tile) => tile.data[name]).concat(current || []))].sort(byText);
    const offered = [...select.options].slice(1).map((option) => option.value);
    if (wanted.join("\n") === offered.join("\n")) return;
    for (const option of [...select.options].slice(1)) option.remove();
    for (const value of wanted) select.add(new Option(value, value, false, value === current));
  };
  let arranging = 0;
  const arrangeSoon = () => { arranging ||= setTimeout(() => { arranging = 0; requestAnimationFrame(arrange); }, 200); };

  // --- Keys: one tile is in the order of the tab key, arrows go from tile to tile.
  let current = null;
  const rove = () => {
    const link = current?.isConnected ? current : list.querySelector("a");
    if (link === current && link?.tabIndex === 0) return;
    if (current) current.tabIndex = -1;
    current = link;
    if (link) link.tabIndex = 0;
  };
  const move = (link) => {
    if (!link) return;
    if (current) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
    link.focus();
    link.scrollIntoView({ block: "nearest" });
  };
  const neighbour = (element, step) => {
    const all = list.children, at = [...all].indexOf(element);
    return all[at + step]?.firstElementChild;
  };
  list.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (!link || link === current) return;
    if (current) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
  });
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const item = event.target.closest("li");
    if (!item) return;
    const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const all = list.children.length, at = [...list.children].indexOf(item);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: all - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(list.children[Math.min(all - 1, Math.max(0, to))]?.firstElementChild);
  });

  // --- What the viewer changes.
  const remember = () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value || name === "sort") query.delete(name);
    history.replaceState(null, "", query.size ? "?" + query : location.pathname);
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); list.querySelector("a")?.focus(); });
  form.addEventListener("input", (event) => {
    look();
    keep();
    if (event.target === size || event.target === compact) return;
    remember();
    arrangeSoon();
  });
  const still = () => list.matches(":hover") || list.contains(document.activeElement);
  setInterval(() => { if (!document.hidden && field("sort").value !== "name" && !still()) arrange(); }, rearrange);
  setInterval(() => { if (!document.hidden) for (const tile of shown.values()) if (tile.inView) drawAge(tile); }, 1000);

  // --- What is live.
  const pending = new Map(); // what was heard since the last frame, by id; null: it is gone
  let everything = false, drawing = false;
  const flush = () => {
    drawing = false;
    let moved = false;
    if (everything) {
      for (const id of shown.keys()) if (!pending.get(id)) end(id);
      everything = false;
    }
    for (const [id, data] of pending) {
      if (data === null) { end(id); continue; }
      moved ||= !shown.has(id);
      update(data);
    }
    pending.clear();
    if (moved) arrangeSoon();
  };
  const flushSoon = () => {
    if (drawing) return;
    drawing = true;
    // Without a frame to come, as in a background tab, what was heard is drawn all the same.
    if (document.hidden) setTimeout(flush, 1000); else requestAnimationFrame(flush);
  };

  for (const element of list.children) {
    const tile = hold(element);
    tile.data = JSON.parse(element.dataset.tile);
    element.removeAttribute("data-tile");
    shown.set(tile.data.id, tile);
    draw(tile);
    view.observe(element);
  }
  delete blueprint.dataset.tile;
  rove();
  feed({
    snapshot(tiles) {
      everything = true;
      pending.clear();
      for (const data of tiles) pending.set(data.id, data);
      for (const tile of shown.values()) if (tile.reason.textContent && !tile.loading) load(tile);
      flushSoon();
    },
    tiles(tiles, gone) {
      for (const data of tiles) pending.set(data.id, data);
      for (const id of gone) pending.set(id, null);
      flushSoon();
    },
  });
})();
