const wall = async () => {
  const page = await open();
  await login(page);

  // The right picture of each push is on the wall, and changes at the interval.
  const tile = (name) => page.locator(`.tile[data-id$="/live/${name}"]`);
  const color = (name) => tile(name).locator("canvas").evaluate((canvas) => {
    const copy = document.createElement("canvas");
    copy.width = copy.height = 1;
    const context = copy.getContext("2d");
    context.drawImage(canvas, 0, 0, canvas.width, canvas.height / 4, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  });
  const isRed = ([r, g, b]) => r > 150 && g < 90 && b < 90, isBlue = ([r, g, b]) => b > 150 && r < 90 && g < 90;
  for (const name of ["red", "blue"]) await tile(name).locator("canvas:not([hidden])").waitFor();
  assert.ok(isRed(await color("red")), "the picture of red is " + await color("red"));
  assert.ok(isBlue(await color("blue")), "the picture of blue is " + await color("blue"));
  const changes = await page.evaluate(() => new Promise((resolve) => {
    const tile = document.querySelector('.tile[data-id$="/live/red"]'), seen = [];
    new MutationObserver(() => {
      if (seen.at(-1)?.url !== tile.dataset.shown) seen.push({ url: tile.dataset.shown, at: performance.now() });
      if (seen.length === 4) resolve(seen);
    }).observe(tile, { attributes: true, attributeFilter: ["data-shown"] });
  }));
  assert.equal(new Set(changes.map((c) => c.url)).size, 4);
  assert.ok(changes.every((c) => c.url.startsWith("/console/thumb/")), "after a while the wall has pictures of its own: " + JSON.stringify(changes));
  const took = changes.at(-1).at - changes[0].at;
  assert.ok(took > 4000 && took < 12000, `three intervals of 2 s took ${took} ms`);
  assert.ok(isRed(await color("red")), "the picture of red is " + await color("red"));
  assert.match(await tile("red").locator(".age").textContent(), /^\d+ s ago$/);
  assert.equal(await tile("red").locator(".size").textContent(), "640×360");

  // Two pages share one connection.
  const second = await page.context().newPage();
  watch(second);
  await second.goto(given.url + "/console/?q=blue");
  await second.locator(".tile canvas:not([hidden])").waitFor();
  assert.equal(await second.locator(".tile").count(), 1);
  await ask("count connections");
  await second.close();

  // Black is marked.
  await tile("dark").locator('[data-mark="black"]:visible').waitFor();

  // Search, filter, sort, size and compact mode, which the browser keeps.
  await page.keyboard.press("/");
  await page.keyboard.type("RED");
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 1);
  assert.match(page.url(), /\?q=RED$/);
  await page.fill("#q", "");
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 3);
  await page.selectOption("#app", "live");
  await page.waitForFunction(() => document.querySelector("#count").textContent === "3 of 3 live");
  await page.selectOption("#app", "");
  await page.selectOption("#sort", "stalest");
  await page.locator("#tile-size").fill("4");
  await page.check("#compact");
  await page.reload();
  assert.deepEqual(await page.evaluate(() => [document.getElementById("sort").value, document.getElementById("wall").dataset.size, document.documentElement.classList.contains("compact")]), ["stalest", "4", true]);
  await page.locator(".tile canvas:not([hidden])").first().waitFor();
  await look(page, "wall-compact");
  await page.uncheck("#compact");
  await page.locator("#tile-size").fill("2");
  await page.selectOption("#sort", "name");

  await look(page, "wall");
  await narrow(page, "wall");
  const chinese = await open({ locale: "zh-CN" });
  await login(chinese);
  assert.equal(await chinese.getAttribute("html", "lang"), "zh-CN");
  await chinese.getByText("共 3 路").waitFor();
  await accessible(chinese, "wall in Chinese");
  await chinese.context().close();

  // A restart: the page says so, and goes on by itself.
  await page.evaluate(() => { window.kept = true; });
  await ask("stop");
  await page.locator("#offline:visible").waitFor();
  await ask("start");
  await page.locator("#offline").waitFor({ state: "hidden" });
  await tile("red").locator('canvas:not([hidden])').waitFor();
  await page.waitForFunction(() => !document.querySelector(".tile.ended"));
  assert.equal(await page.evaluate(() => window.kept), true);
  await tile("dark").waitFor({ state: "detached" });

  // A stream that ended fades and leaves.
  await ask("end blue");
  await page.locator('.tile.ended[data-id$="/live/blue"]').waitFor();
  await tile("blue").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelector("#count").textContent === "1 of 1 live");
  await ask("push blue");
  await tile("blue").locator("canvas:not([hidden])").waitFor();

  // By keyboard to a stream's page.
  await page.locator(".tile a[tabindex='0']").focus();
  await page.keyboard.press("Home");
  const focused = () => page.evaluate(() => document.activeElement.closest("li")?.dataset.id.split("/").at(-1));
  assert.equal(await focused(), "blue");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "red");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "red");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/stream\?.*&app=live&stream=red/);
  await stream(page);
};

const stream = async (page) => {
  await page.locator("#large img:not([hidden])").waitFor();
  await page.getByText("H.264").waitFor();
  await page.getByText("is for the whole domain").waitFor();
  const newest = () => page.locator("#strip li:last-child a").getAttribute("data-shot");
  const shot = () => page.locator("#shot h2").textContent();

  // New shots come by themselves, and are shown to who sees the newest.
  const first = await newest();
  await page.waitForFunction((first) => document.querySelector("#strip li:last-child a").dataset.shot !== first, first);
  await page.waitForFunction(() => document.querySelector("#shot h2").textContent === "Shot " + document.querySelector("#strip li:last-child a").dataset.shot);

  // The scrubber shows others, large and with what is known of them.
  await page.locator("#scrub").focus();
  await page.keyboard.press("Home");
  const oldest = await page.locator("#strip li:first-child a").getAttribute("data-shot");
  await page.getByText("Shot " + oldest, { exact: true }).waitFor();
  const seen = Number(await newest());
  assert.equal(new URL(page.url()).searchParams.get("shot"), oldest);
  await page.waitForFunction((id) => document.querySelector("#large img").src.endsWith(`/console/picture/${id}/0`) && document.querySelector("#large img").naturalWidth === 640, oldest);
  await page.locator("#strip a").nth(1).focus();
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await shot(), "Shot " + await newest());

  await look(page, "stream");
  await narrow(page, "stream");
  const chinese = await open({ locale: "zh-CN" });
  await login(chinese);
  await chinese.goto(page.url());
  await chinese.getByText("推流信息").waitFor();
  await accessible(chinese, "stream in Chinese");
  await chinese.context().close();

  // A picture that cannot be had: the reason, and no broken icon.
  const unseen = await (await page.waitForFunction((seen) => {
    const fresh = [...document.querySelectorAll("#strip a")].map((a) => Number(a.dataset.shot)).filter((id) => id > seen);
    return fresh.length > 1 && fresh[0];
  }, seen)).jsonValue();
  const large = page.locator("#large");
  await page.route("**/picture/*/0", (route) => route.abort());
  await page.goto(page.url().replace(/&shot=.*/, "") + "&shot=" + unseen);
  await large.locator(".reason", { hasText: "The server did not answer." }).waitFor();
  while (await page.locator("#shot .mark", { hasText: /^stored$/ }).count() === 0) await page.reload();
  await page.unroute("**/picture/*/0");
  await ask("lose pictures");
  await page.reload();
  await large.locator(".reason", { hasText: "The store does not have this picture." }).waitFor();
  assert.equal(await large.locator("img").isVisible(), false);

  // Drop asks first.
  await page.getByRole("button", { name: "Drop" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Drop" }).click();
  await page.locator("dialog[open]").getByRole("button", { name: "Drop" }).click();
  await page.getByText("The stream was dropped.").waitFor();

  // So does Forbid, which is taken back.
  await page.fill("#reason", "a test of <b>");
  await page.getByRole("button", { name: "Forbid" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.inputValue("#reason"), "a test of <b>");
  await page.getByRole("button", { name: "Forbid" }).click();
  await page.locator("dialog[open]").getByRole("button", { name: "Forbid" }).click();
  await page.getByText("The stream is forbidden.").waitFor();
  await page.getByText("a test of <b>").waitFor();
  await accessible(page, "a stream that is forbidden");
  await page.getByRole("button", { name: "Let it be pushed again" }).click();
  await page.getByText("The stream may be pushed again.").waitFor();
};

await finish(wall);
