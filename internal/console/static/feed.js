"use strict";

// What is live, as it happens. All pages of a browser share one connection: this
// file is the script of pages and of the shared worker that holds the connection.
// Browsers without shared workers have one in the page that is seen.
//
//   stillcast.feed({ snapshot(tiles), tiles(tiles, gone) })
(() => {
  const live = "/console/wall/events", session = "/console/wall/session";
  const silence = 45000; // the server says something every 15 s
  const beat = 5000, nap = 20000; // who did not run for so long has slept, and the connection may be dead
  const soon = 500, late = 5000;

  // core holds the connection, and what it said so far.
  const core = (say) => {
    const tiles = new Map();
    let source = null, whole = false, timer = 0, watchdog = 0, pause = soon;
    let awake = Date.now();
    setInterval(() => {
      const slept = Date.now() - awake > nap;
      awake = Date.now();
      if (slept && source) connect();
    }, beat);
    const heard = () => { clearTimeout(watchdog); watchdog = setTimeout(lost, silence); };
    const connect = () => {
      close();
      heard();
      source = new EventSource(live);
      source.addEventListener("snapshot", (event) => {
        heard();
        pause = soon;
        tiles.clear();
        for (const tile of JSON.parse(event.data).tiles) tiles.set(tile.id, tile);
        whole = true;
        say({ kind: "snapshot", tiles: [...tiles.values()] });
      });
      source.addEventListener("tiles", (event) => {
        heard();
        const change = JSON.parse(event.data);
        for (const tile of change.tiles) tiles.set(tile.id, tile);
        for (const id of change.gone) tiles.delete(id);
        say({ kind: "tiles", tiles: change.tiles, gone: change.gone });
      });
      source.addEventListener("tick", heard);
      source.addEventListener("bye", () => { close(); say({ kind: "bye" }); timer = setTimeout(connect, late); });
      source.addEventListener("error", lost);
    };
    const close = () => {
      clearTimeout(timer);
      clearTimeout(watchdog);
      source?.close();
      source = null;
      whole = false;
    };
    // EventSource would give up for good on an answer that is no stream, such as
    // that of a server that is about to stop. The snapshot tells what was missed.
    const lost = async () => {
      close();
      timer = setTimeout(connect, pause);
      pause = Math.min(late, pause * 1.5);
      say({ kind: "lost" });
      try {
        const answer = await fetch(session, { redirect: "manual", cache: "no-store" });
        if (answer.type === "opaqueredirect") say({ kind: "bye" });
      } catch { /* the server is away, as was said */ }
    };
    return { open: () => { if (!source && !timer) connect(); }, close: () => { close(); timer = 0; }, known: () => (whole ? [...tiles.values()] : null) };
  };

  if (typeof SharedWorkerGlobalScope === "function" && self instanceof SharedWorkerGlobalScope) {
    const ports = new Map(); // for how many minutes each said nothing
    const forget = 10; // background pages are slow to say that they are there
    const feed = core((message) => { for (const port of ports.keys()) port.postMessage(message); });
    const drop = (port) => {
      ports.delete(port);
      if (ports.size === 0) feed.close();
    };
    self.onconnect = (event) => {
      const port = event.ports[0];
      // A page that was frozen, and forgotten meanwhile, missed what was said.
      const here = () => {
        const known = ports.has(port) ? null : feed.known();
        ports.set(port, 0);
        if (known) port.postMessage({ kind: "snapshot", tiles: known });
        feed.open();
      };
      port.onmessage = ({ data }) => { if (data === "leave") drop(port); else here(); };
      here();
    };
    setInterval(() => {
      for (const [port, minutes] of ports) if (minutes === forget) drop(port); else ports.set(port, minutes + 1);
    }, 60000);
    return;
  }

  const script = document.currentScript.src;
  window.stillcast.feed = (on) => {
    const take = (message) => {
      switch (message.kind) {
        case "snapshot": return on.snapshot(message.tiles);
        case "tiles": return on.tiles(message.tiles, message.gone);
        case "bye": return location.reload();
        case "lost": window.stillcast.offline();
      }
    };
    // The page goes on by itself: it need not be loaded again.
    document.addEventListener("stillcast:online", (event) => event.preventDefault());
    if (typeof SharedWorker !== "function") {
      const feed = core(take);
      const seen = () => (document.hidden ? feed.close() : feed.open());
      document.addEventListener("visibilitychange", seen);
      return seen();
    }
    let port = null;
    const join = () => {
      port = new SharedWorker(script, { name: "stillcast" }).port;
      port.onmessage = ({ data }) => take(data);
    };
    join();
    setInterval(() => port?.postMessage("here"), 60000);
    addEventListener("pagehide", () => { port?.postMessage("leave"); port?.close(); port = null; });
    addEventListener("pageshow", () => { if (!port) join(); });
  };
})();
