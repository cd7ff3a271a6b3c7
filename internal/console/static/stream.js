"use strict";

// The page of a stream: the film strip with its scrubber, and new shots as they
// come while the newest are shown.
(() => {
  const { word, feed } = window.stillcast;
  const root = document.getElementById("stream"), strip = document.getElementById("strip");
  const scrub = document.getElementById("scrub"), output = document.getElementById("scrub-time");
  const large = document.getElementById("large"), blueprint = document.getElementById("cell").content.firstElementChild;
  const most = 48;

  // load shows a picture in a frame, or why there is none.
  const load = async (frame, url) => {
    const image = frame.querySelector("img"), reason = frame.querySelector(".reason");
    if (frame.dataset.wanted === url) return;
    frame.dataset.wanted = url;
    reason.textContent = "";
    image.onload = () => { image.hidden = false; reason.textContent = ""; };
    image.onerror = async () => {
      image.hidden = true;
      let text = word("js.wall_no_answer");
      try {
        const answer = await fetch(url, { cache: "no-store" });
        if (answer.ok) text = word("js.wall_no_picture");
        else if ((answer.headers.get("Content-Type") ?? "").startsWith("text/plain")) text = await answer.text();
      } catch { /* as it was said */ }
      if (frame.dataset.wanted === url) reason.textContent = text;
    };
    image.src = url;
  };

  const follow = () => feed({
    snapshot(tiles) { changed(tiles.find((tile) => tile.id === root.dataset.id)); },
    tiles(tiles, gone) {
      changed(tiles.find((tile) => tile.id === root.dataset.id), gone.includes(root.dataset.id));
    },
  });
  let reloading = 0;
  const reload = () => { reloading ||= setTimeout(() => location.reload(), 1500); };
  const changed = (tile, gone) => {
    if (gone) document.getElementById("live").textContent = word("js.stream_ended");
    // The first shot, or a push that began, changes more than the film strip.
    if (tile && (root.dataset.live !== "true" || tile.shot && !strip)) return reload();
    if (tile?.shot && strip && root.dataset.newest === "yes") grow(tile);
  };

  if (!strip) {
    follow();
    return;
  }

  const cells = () => [...strip.querySelectorAll("a")];
  const chosen = () => strip.querySelector("[aria-current]") ?? strip.querySelector("li:last-child a");
  const view = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) load(entry.target.querySelector(".frame"), entry.target.dataset.picture);
    }
  }, { root: strip, rootMargin: "0px 400px" });

  let asking = 0, asked = "";
  // choose shows a shot large, at once, and what is known of it a moment later.
  const choose = (cell, late = 0) => {
    for (const other of cells()) if (other !== cell) other.removeAttribute("aria-current");
    cell.setAttribute("aria-current", "true");
    const at = cells().indexOf(cell);
    scrub.max = cells().length - 1;
    scrub.value = at;
    output.textContent = cell.querySelector("time").title;
    scrub.setAttribute("aria-valuetext", output.textContent);
    strip.scrollLeft = Math.max(0, cell.offsetLeft - strip.offsetLeft - (strip.clientWidth - cell.offsetWidth) / 2);
    const url = `/console/picture/${cell.dataset.shot}/0`;
    large.href = url;
    load(large.querySelector(".frame"), url);
    clearTimeout(asking);
    if (asked === cell.dataset.shot) return;
    asking = setTimeout(() => {
      asked = cell.dataset.shot;
      const query = new URLSearchParams(location.search);
      query.set("shot", asked);
      history.replaceState(null, "", "?" + query);
      htmx.ajax("GET", `${root.dataset.path}&shot=${asked}`, { target: "#shot", swap: "outerHTML" });
    }, late);
  };

  const two = (n) => String(n).padStart(2, "0");
  // grow adds a shot that was just taken, and shows it to who saw the newest.
  const grow = (tile) => {
    const last = strip.querySelector("li:last-child a");
    if (last && Number(last.dataset.shot) >= tile.shot) return;
    const followed = chosen() === last && !strip.matches(":hover");
    const item = blueprint.cloneNode(true), cell = item.firstElementChild;
    cell.href = `${root.dataset.path}&shot=${tile.shot}`;
    cell.dataset.shot = tile.shot;
    cell.dataset.picture = tile.picture;
    const time = cell.querySelector("time"), at = new Date(tile.at + zone.minutes * 60000);
    time.dateTime = new Date(tile.at).toISOString();
    time.textContent = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    time.title = `${at.toISOString().slice(0, 10)} ${time.textContent} ${zone.text}`;
    strip.append(item);
    view.observe(cell);
    while (strip.children.length > most) {
      view.unobserve(strip.firstElementChild.firstElementChild);
      strip.firstElementChild.remove();
    }
    scrub.max = cells().length - 1;
    if (followed) choose(cell);
    else scrub.value = cells().indexOf(chosen());
  };
  // The zone of the server's times, as they are written on the page.
  const zone = (() => {
    const time = strip.querySelector("time"), [text, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(time?.title ?? "") ?? ["+00:00", "+", 0, 0];
    return { text, minutes: (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) };
  })();

  strip.addEventListener("click", (event) => {
    const cell = event.target.closest("a");
    if (!cell || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choose(cell);
  });
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const all = cells(), cell = all[Math.min(all.length - 1, Math.max(0, all.indexOf(chosen()) + step))];
    cell.focus({ preventScroll: true });
    choose(cell, 150);
  });
  scrub.addEventListener("input", () => { const cell = cells()[Number(scrub.value)]; if (cell) choose(cell, 200); });

  for (const cell of cells()) view.observe(cell);
  asked = chosen().dataset.shot;
  choose(chosen());
  follow();
})();
