// A platform with many streams: what the wall shows of them, and a picture of each page.
import { mkdir, writeFile } from "node:fs/promises";

// The pictures stay in the repository, so they are small.
const mostBytes = 150 << 10;
// shoot takes a picture of a page as it is, light and dark.
const shoot = async (page, name, { height = 800, width = 1280 } = {}) => {
  await mkdir(given.gallery, { recursive: true });
  await page.setViewportSize({ width, height });
  await page.evaluate(() => { document.activeElement?.blur(); });
  const session = await page.context().newCDPSession(page);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction(() => [...document.images].every((image) => image.hidden || image.complete));
    // Plots and tiles are drawn by frames.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
    const picture = Buffer.from(data, "base64");
    assert.ok(picture.length > 5000 && picture.length < mostBytes, `the picture of ${name} has ${picture.length} bytes`);
    await writeFile(`${given.gallery}/${name}-${colorScheme}.webp`, picture);
  }
  await session.detach();
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  await page.setViewportSize({ width: 1280, height: 800 });
};

const names = (page) => page.locator(".tile .name").allTextContents();
const marked = (page, mark) => page.locator(`.tile:has([data-mark="${mark}"]:not([hidden])) .name`).allTextContents();
const tileOf = (page, name) => page.locator(".tile", { has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) });
const byCode = (a, b) => (a < b ? -1 : 1);

const wall = async (page) => {
  const asked = [];
  page.on("request", (r) => { if (/\/console\/(thumb|picture)\//.test(r.url())) asked.push(new URL(r.url()).pathname); });
  await page.setViewportSize({ width: 1280, height: 1300 });
  await page.goto(given.url + "/console/");
  const all = given.live.map((id) => id.split("/")[1]).sort(byCode);
  await page.waitForFunction((n) => document.querySelectorAll(".tile canvas:not([hidden])").length === n, all.length - 1);
  assert.deepEqual(await names(page), all, "sorted by name");

  // Each mark is on what it is for, and on nothing else.
  await page.waitForFunction(() => ["stale", "black", "duplicate", "none"].every((m) => document.querySelector(`[data-mark="${m}"]:not([hidden])`)));
  await page.waitForFunction(() => document.querySelectorAll('[data-mark="none"]:not([hidden])').length === 1);
  assert.deepEqual(await marked(page, "stale"), ["speedrun"]);
  assert.deepEqual(await marked(page, "black"), ["intermission"]);
  assert.deepEqual(await marked(page, "none"), ["jazz-fm"]);
  assert.deepEqual(await marked(page, "ended"), []);
  // What moves may look alike by chance, what stands still always does.
  await page.waitForFunction(() => {
    const still = [...document.querySelectorAll('.tile:has([data-mark="duplicate"]:not([hidden])) .name')].map((name) => name.textContent);
    return ["lobby", "intermission"].every((name) => still.includes(name)) && !["night-racer", "summit-cam", "listening-party"].some((name) => still.includes(name));
  });
  // A picture that is higher than wide is shown whole.
  assert.ok(await tileOf(page, "anna").locator("canvas").evaluate((canvas) => {
    const { top, bottom, height } = canvas.getBoundingClientRect(), frame = canvas.parentElement.getBoundingClientRect();
    return getComputedStyle(canvas).objectFit === "contain" && height > 50 && top >= frame.top - 1 && bottom <= frame.bottom + 1;
  }), "a high picture is cut off");
  assert.equal(await tileOf(page, "anna").locator(".size").textContent(), "360×640");
  assert.equal(await tileOf(page, "jazz-fm").locator(".age").textContent(), "");

  // The age counts.
  const age = async () => Number((await tileOf(page, "speedrun").locator(".age").textContent()).match(/^(\d+) s ago$/)[1]);
  const before = await age();
  assert.ok(before >= 8, `what is stale is ${before} s old`);
  await page.waitForFunction(([name, before]) => [...document.querySelectorAll(".tile")].some((t) =>
    t.querySelector(".name").textContent === name && parseInt(t.querySelector(".age").textContent, 10) >= before + 2), ["speedrun", before]);

  // What loads is small, made with the shot and not by the browser, since somebody looks.
  await page.waitForFunction(() => [...document.querySelectorAll(".tile:not(.stale):has(canvas:not([hidden]))")].every((t) => t.dataset.shown.startsWith("/console/thumb/")));
  asked.length = 0;
  await page.reload();
  await page.waitForFunction((n) => document.querySelectorAll(".tile canvas:not([hidden])").length === n, all.length - 1);
  const widths = await page.locator(".tile canvas:not([hidden])").evaluateAll((all) => all.map((canvas) => canvas.width));
  assert.ok(widths.every((width) => width <= 320), "the wall shows pictures of these widths: " + widths);
  assert.ok(asked.length > 0 && asked.every((path) => /^\/console\/(thumb\/\d+|picture\/\d+\/1)$/.test(path)), "the wall asks for " + asked);

  await shoot(page, "wall", { height: 860 });
  await accessible(page, "wall of a platform");
  await narrow(page, "platform");
  await shoot(page, "wall-phone", { width: 360, height: 740 });

  // Orders. Streams without a shot count from their beginning.
  const order = async (sort) => {
    await page.selectOption("#sort", sort);
    await page.waitForTimeout(500);
    return names(page);
  };
  assert.deepEqual((await order("stalest")).slice(0, 2).sort(), ["jazz-fm", "speedrun"]);
  assert.deepEqual((await order("newest")).slice(-2).sort(), ["jazz-fm", "speedrun"]);
  await page.selectOption("#sort", "name");

  // Filters and the search, together and alone.
  const count = (n) => page.waitForFunction((n) => document.querySelectorAll(".tile").length === n, n);
  assert.deepEqual(await page.locator("#app option").evaluateAll((all) => all.map((o) => o.value)), ["", "chat", "game", "radio", "show", "体育"]);
  await page.selectOption("#app", "体育");
  await count(2);
  await page.fill("#q", "足球");
  await count(1);
  await page.selectOption("#app", "");
  await page.fill("#q", "example.com game");
  await count(4);
  await page.selectOption("#domain", "push.example.com");
  await page.fill("#q", "nowhere");
  await count(0);
  assert.ok(await page.locator("#no-match").isVisible() && !(await page.locator("#empty").isVisible()));
  await page.fill("#q", "");
  await page.selectOption("#domain", "");
  await count(all.length);

  // Tiles grow, and only pictures in view are loaded, and let go.
  const width = () => page.locator(".tile").first().evaluate((tile) => tile.getBoundingClientRect().width);
  const normal = await width();
  await page.setViewportSize({ width: 1280, height: 400 });
  await page.locator("#tile-size").fill("4");
  assert.ok(await width() > 1.5 * normal, `tiles of ${normal} px grow to ${await width()}`);
  const last = page.locator(".tile:has(canvas)").last();
  await page.waitForFunction(() => [...document.querySelectorAll(".tile canvas")].at(-1).hidden);
  assert.ok(await page.locator(".tile canvas:not([hidden])").count() < 9);
  await last.scrollIntoViewIfNeeded();
  await last.locator("canvas:not([hidden])").waitFor();
  await page.waitForFunction(() => document.querySelector(".tile canvas").hidden);
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator("#tile-size").fill("2");
  await page.setViewportSize({ width: 1280, height: 1300 });

  // A picture that cannot be loaded says why, and comes when it can be.
  const lost = tileOf(page, "night-racer");
  await page.route("**/thumb/*", (route) => route.fulfill({ status: 410, contentType: "text/plain; charset=utf-8", body: "It is gone." }));
  await lost.locator(".reason", { hasText: "It is gone." }).waitFor();
  assert.equal(await lost.locator("canvas").isVisible(), false);
  await page.unroute("**/thumb/*");
  await page.route("**/thumb/*", (route) => route.abort());
  await lost.locator(".reason", { hasText: "The server did not answer." }).waitFor();
  await page.unroute("**/thumb/*");
  await lost.locator("canvas:not([hidden])").waitFor();
  assert.equal(await lost.locator(".reason").textContent(), "");

  // Compact: nothing but pictures, names, ages and marks.
  await page.locator("#tile-size").fill("1");
  await page.check("#compact");
  await page.evaluate(() => scrollTo(0, 0));
  const inside = await page.locator(".tile").first().evaluate((tile) => {
    const frame = tile.querySelector(".frame").getBoundingClientRect(), name = tile.querySelector(".name").getBoundingClientRect();
    return name.bottom <= frame.bottom + 1 && tile.getBoundingClientRect().height - frame.height < 4 && getComputedStyle(tile.querySelector(".where")).display === "none";
  });
  assert.ok(inside, "compact tiles have more than a picture");
  await page.waitForFunction((n) => document.querySelectorAll(".tile canvas:not([hidden])").length === n, all.length - 1);
  await shoot(page, "wall-compact", { height: 560 });
  await page.uncheck("#compact");
  await page.locator("#tile-size").fill("2");

  // On a wall screen the wall is as wide as the screen, in letters to be read from afar.
  await page.setViewportSize({ width: 3840, height: 2160 });
  const afar = await page.evaluate(() => ({
    list: document.getElementById("wall").getBoundingClientRect().width, all: document.documentElement.scrollWidth,
    letters: [".name", ".age", ".mark"].map((part) => parseFloat(getComputedStyle(document.querySelector(".tile " + part)).fontSize)),
  }));
  assert.ok(afar.list > 3700 && afar.all <= 3840 && afar.letters.every((size) => size >= 18), JSON.stringify(afar));
  await page.waitForFunction((n) => document.querySelectorAll(".tile canvas:not([hidden])").length === n, all.length - 1);
  await page.screenshot({ path: `${given.screenshots}/wall-3840.png` });
  await page.setViewportSize({ width: 1280, height: 800 });

  const chinese = await open({ locale: "zh-CN", viewport: { width: 1280, height: 1300 } });
  await login(chinese);
  await chinese.waitForFunction((n) => document.querySelectorAll(".tile canvas:not([hidden])").length === n, all.length - 1);
  await chinese.getByText(`共 ${all.length} 路`).waitFor();
  assert.equal(await tileOf(chinese, "jazz-fm").locator("[data-mark=none]").textContent(), "暂无截图");
  await shoot(chinese, "wall-zh", { height: 860 });
  await chinese.context().close();

  // A click opens the stream.
  await lost.locator("canvas").click();
  await page.waitForURL(/\/stream\?domain=push\.example\.com&app=game&stream=night-racer/);
};

// told waits until a page says something.
const told = async (page, text) => {
  for (let tries = 0; !text.test(await page.locator("main").innerText()); tries++) {
    assert.ok(tries < 60, `${page.url()} never says ${text}:\n${await page.locator("main").innerText()}`);
    await page.waitForTimeout(500);
    await page.reload();
  }
};

const pages = async (page) => {
  const to = (path) => page.goto(given.url + "/console/" + path);

  // The stream that the click opened: by which rule, and what came of it.
  await page.waitForFunction(() => document.querySelectorAll("#strip li").length >= 5);
  await page.locator("#large img:not([hidden])").waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("#strip img")].slice(-4).every((image) => image.naturalWidth > 0));
  await page.getByText("games").first().waitFor();
  await shoot(page, "stream", { height: 960 });
  const acts = page.locator("section", { has: page.getByRole("heading", { name: "What acts on it" }) });
  assert.match(await acts.innerText(), /games[\s\S]*moderation/, "the rule that wins comes first");
  await acts.scrollIntoViewIfNeeded();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await shoot(page, "stream-rules", { height: 640 });

  await to("rules");
  await told(page, /push\.example\.cn[\s\S]*moderation[\s\S]*体育|push\.example\.cn[\s\S]*moderation/);
  await shoot(page, "rules", { height: 1300 });
  await page.getByRole("link", { name: "games" }).first().click();
  await page.fill("#f-SnapshotInterval", "5");
  await page.locator('button[value="ask"], button[value="save"]').first().click();
  await page.locator("#touched").waitFor();
  assert.match(await page.locator("#touched").innerText(), /night-racer/);
  await page.setViewportSize({ width: 1280, height: 640 });
  await page.locator("#touched").evaluate((e) => e.scrollIntoView());
  await shoot(page, "rule-touches", { height: 640 });

  await to("rules/domain?name=push.example.com");
  assert.match(await page.locator("main").innerText(), /push\.example\.com/);
  assert.doesNotMatch(await page.content(), /key of moderation/);
  await shoot(page, "domain", { height: 900 });
  await to("rules");
  await page.getByRole("link", { name: "archive" }).last().click();
  await page.waitForURL(/callback-template\?id=/);
  assert.equal(await page.locator("#f-SnapshotNotifyUrl").inputValue().then((url) => new URL(url).pathname), "/v2/pictures");
  await shoot(page, "callback", { height: 1100 });

  await to("rules/push-url");
  await page.fill("#stream", "morning-news");
  await page.fill("#app", "show");
  await page.fill("#address", "push.example.com");
  await page.locator("main form button").first().click();
  await page.locator("#made-url").waitFor();
  const url = await page.locator("#made-url").textContent();
  assert.match(url, /^rtmp:\/\/push\.example\.com\/show\/morning-news\?txSecret=[0-9a-f]{32}&txTime=/);
  await shoot(page, "push-url", { height: 1000 });
  await to("rules/tester");
  await page.fill("#url", url);
  await page.keyboard.press("Enter");
  await page.locator("#verdict.good").waitFor();
  await shoot(page, "tester", { height: 1250 });

  await to("destinations");
  await told(page, /archive[\s\S]*Parked [1-9]/);
  await told(page, /moderation/);
  await shoot(page, "destinations", { height: 960 });
  await to("deliveries");
  await told(page, /Parked/);
  assert.match(await page.locator("main").innerText(), /Delivered/);
  await shoot(page, "deliveries", { height: 860 });
  await to("deliveries?state=parked");
  await page.locator("tbody td.number a").first().click();
  await page.waitForURL(/deliveries\/\d+$/);
  await told(page, /no space left on device/);
  await page.locator(".shot img").evaluate((image) => image.decode());
  await shoot(page, "delivery", { height: 1100 });
  await to("replays?state=parked");
  await page.getByRole("button", { name: "Begin the replay" }).click();
  await page.locator("#confirm-yes").click();
  await page.waitForURL(/replay_begun/);
  await page.locator("#replay-jobs .mark.good").waitFor();
  await to("replays");
  await shoot(page, "replays");

  await to("users");
  for (const [name, role] of [["mei.chen", "admin"], ["night-shift", "viewer"]]) {
    await page.fill("#name", name);
    await page.selectOption("#role", role);
    await Promise.all([page.locator("#new-password", { hasText: name }).waitFor(), page.locator("form", { has: page.locator("#name") }).getByRole("button").click()]);
  }
  await to("users");
  assert.match(await page.locator("main").innerText(), /night-shift/);
  await shoot(page, "accounts");
  await to("account");
  await shoot(page, "account");

  await to("system");
  const samples = given.long ? 18 : 1;
  await page.waitForFunction((n) => Number(document.getElementById("plots").dataset.drawn) >= n, samples, { timeout: 300000 });
  assert.equal(await page.locator("#plot-pushes [data-now]").innerText(), String(given.live.length));
  await page.evaluate(() => scrollTo(0, 0));
  await shoot(page, "system", { height: 1200 });
  const chinese = await open({ locale: "zh-CN" });
  await login(chinese);
  await chinese.goto(given.url + "/console/deliveries");
  await chinese.getByRole("heading", { level: 1 }).waitFor();
  await shoot(chinese, "deliveries-zh", { height: 860 });
  await chinese.context().close();

  await to("stream?domain=push.example.com&app=game&stream=nobody");
  await shoot(page, "stream-unknown", { height: 640 });

  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/login/);
  await shoot(page, "login", { height: 640 });
};

await finish(async () => {
  const page = await open();
  await login(page);
  await wall(page);
  await pages(page);
});
