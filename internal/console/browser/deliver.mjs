// A failing receiver is seen, looked into, paused, repaired, tested, resumed, and
// gets what it missed, by keyboard where that is shorter.
const mainText = (page) => page.locator("main").innerText();
// reloadUntil loads a page again until it says something.
const reloadUntil = async (page, says) => {
  for (let tries = 0; !says.test(await mainText(page)); tries++) {
    assert.ok(tries < 150, `the page never says ${says}:\n${await mainText(page)}`);
    await page.waitForTimeout(200);
    await page.reload();
  }
};
const confirmed = async (page, button, arrives) => {
  await button.click();
  await Promise.all([page.waitForURL(arrives), page.locator("#confirm-yes").click()]);
};

const deliver = async (page) => {
  const to = (path) => page.goto(given.url + "/console/" + path);
  const card = page.locator("article", { has: page.locator("p", { hasText: /^\d+-shot / }) });

  // It is seen, and looked into.
  await page.keyboard.press("g");
  await Promise.all([page.waitForURL(/deliveries$/), page.keyboard.press("d")]);
  await page.getByRole("link", { name: "Destinations" }).click();
  await reloadUntil(page, /Parked [3-9]/);
  assert.match(await card.innerText(), /HTTP 503/);
  for (const want of [/0 % of the last/, /p50 [/] p95\s+[\d.]+ m?s [/] [\d.]+ m?s/]) assert.match(await card.innerText(), want);
  await card.getByRole("link", { name: /^Parked/ }).click();
  await page.waitForURL(/state=parked/);
  await page.locator("tbody td.number a").last().click();
  await page.waitForURL(/deliveries\/\d+$/);
  const text = await mainText(page);
  for (const want of ["out for <script>window.hacked = 1</script>", "⟨U+202E⟩repairs", "␛[31m", "POST " + given.receiver + "/shot", "Stillcast-Event-Id", '"event_type":200', "Attempt 2"]) {
    assert.ok(text.includes(want), `the delivery does not show ${want}:\n${text}`);
  }
  assert.ok(!text.includes("hush"), "the query of the URL is shown");
  // To its stream, where its picture is the one that is shown large, and back.
  await page.locator("a.shot").click();
  await page.waitForURL(/[/]stream[?]domain=127\.0\.0\.1&app=live&stream=red&shot=\d+$/);
  await page.locator("#large img:not([hidden])").waitFor();
  await page.locator("#shot a[href^='/console/deliveries/']").first().click();
  await page.waitForURL(/deliveries\/\d+$/);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator(".shot img").evaluate(async (image) => { await image.decode(); return image.naturalWidth; }), 640);
  await look(page, "delivery");
  await narrow(page, "delivery");
  await page.locator("details.attempt summary").last().press("Enter");
  assert.equal(await page.locator("details.attempt[open]").count(), 2);

  // It is paused by keyboard.
  await to("destinations");
  await card.locator("summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("repairs of <b>");
  await Promise.all([page.waitForURL(/done\.paused/), page.keyboard.press("Enter")]);
  assert.match(await card.innerText(), /Paused since .*: repairs of <b>/);
  await look(page, "destinations");
  await narrow(page, "destinations");
  await reloadUntil(page, /Paused since[^·]*Pending [1-9]/);
  assert.match(await card.innerText(), /Oldest owed\s+\d+ s ago/);

  // A viewer sees it, and can do nothing.
  const back = page.url();
  await to("users");
  await page.fill("#name", "watcher");
  await page.locator("form", { has: page.locator("#name") }).getByRole("button").click();
  const password = await page.locator("#new-password strong").innerText();
  await page.goto(back);
  const viewer = await open();
  await login(viewer, "watcher", password);
  for (const path of ["deliveries", "destinations", "replays", "system"]) {
    await viewer.goto(given.url + "/console/" + path);
    assert.equal(await viewer.locator("main form[method=post] button").count(), 0, `a viewer has buttons on ${path}`);
  }
  await viewer.goto(given.url + "/console/destinations");
  const forbidden = await viewer.evaluate(async (path) => {
    const body = new URLSearchParams({ csrf: document.querySelector('meta[name="csrf"]').content });
    return (await fetch(path, { method: "POST", body })).status;
  }, new URL(await card.locator("details form").evaluate((form) => form.action)).pathname);
  assert.equal(forbidden, 403);
  await viewer.context().close();

  // It is repaired; a test event shows it, and the page says by itself that it works.
  await card.getByRole("button", { name: /^Send a test event/ }).click();
  await page.locator("#tested .mark.bad").waitFor();
  await ask("repair");
  await card.getByRole("button", { name: /^Send a test event/ }).click();
  await page.locator("#tested .mark.good").waitFor();
  await page.locator("#tested summary").click();
  assert.match(await page.locator("#tested").innerText(), /Stillcast-Test/);
  await accessible(page, "tested");
  await card.getByRole("button", { name: /^Resume/ }).focus();
  await Promise.all([page.waitForURL(/done\.unpaused/), page.keyboard.press("Enter")]);
  await card.locator(".mark.good").waitFor();

  // One is replayed, some are, and all that a filter selects.
  await to("deliveries?state=parked&event_type=shot");
  const before = await page.locator("tbody input[type=checkbox]").count();
  assert.ok(before >= 3, `${before} are parked`);
  await look(page, "deliveries");
  await narrow(page, "deliveries");
  await page.locator("tbody td.number a").last().click();
  await page.waitForURL(/deliveries\/\d+$/);
  await confirmed(page, page.getByRole("button", { name: "Replay", exact: true }), /done\.replayed/);
  await reloadUntil(page, /Delivery \d+ Delivered/);
  await to("deliveries?state=parked&event_type=shot");
  await page.locator("#tick-all").focus();
  await page.keyboard.press("Space");
  assert.match(await page.locator("#replay-selection").innerText(), new RegExp(`\\(${before - 1}\\)`));
  await page.locator("#tick-all").press("Space");
  assert.ok(await page.locator("#replay-selection").isDisabled(), "nothing is ticked, yet it can be replayed");
  await page.locator("tbody input[type=checkbox]").last().press("Space");
  await page.locator("#replay-selection").click();
  assert.match(await page.locator("#confirm-text").innerText(), /the 1 ticked/);
  await page.locator("#confirm-yes").click();
  await page.locator("#replayed.good").waitFor();
  await to("deliveries?state=parked&event_type=shot");
  await page.getByRole("link", { name: /^Replay all of these/ }).click();
  assert.equal(await page.locator("#event_type").inputValue(), "shot");
  await confirmed(page, page.getByRole("button", { name: "Begin the replay" }), /replay_begun/);
  await page.locator("#replay-jobs .mark.good").waitFor();
  assert.match(await page.locator("#replay-jobs tbody").innerText(), new RegExp(`100 %\\s+${before - 2}\\s`));
  await look(page, "replays");
  await narrow(page, "replays");
  await to("deliveries?state=parked&event_type=shot");
  await reloadUntil(page, /There are no such deliveries/);
  await ask("all arrived");

  // What is delivered is replayed only with what bounds it; the field says so.
  await to("replays?state=delivered");
  await page.getByRole("button", { name: "Begin the replay" }).click();
  await page.locator("#confirm-yes").click();
  await page.locator("#destination-fault").waitFor();
  assert.equal(await page.locator("#destination").getAttribute("aria-invalid"), "true");
  await accessible(page, "replays with a fault");

  // A picture that is gone says so.
  await ask("lose pictures");
  await to("deliveries?event_type=shot");
  const links = page.locator("tbody td.number a");
  await links.nth(await links.count() - 3).click(); // not the last: this browser has that picture
  await page.waitForFunction(() => document.querySelector(".shot .reason")?.textContent.length > 10);
  assert.ok(await page.locator(".shot img").isHidden());
  return new URL(page.url()).pathname.replace("/console/", "");
};

// lose ends the server while a replay goes on, and looks what its page says then.
const lose = async (page) => {
  await page.goto(given.url + "/console/replays");
  await confirmed(page, page.getByRole("button", { name: "Begin the replay" }), /replay_begun/);
  const job = new URL(page.url()).searchParams.get("job");
  await page.locator("#replay-jobs tbody tr .mark.good").first().waitFor();
  await ask("stop");
  await ask("start");
  await page.reload();
  await page.locator("#replay-lost", { hasText: job }).waitFor();
  await look(page, "replay-lost");
  await narrow(page, "replay-lost");
};

const system = async (page) => {
  await page.goto(given.url + "/console/system");
  const drawn = () => page.locator("#plots").getAttribute("data-drawn").then(Number);
  await page.waitForFunction(() => Number(document.getElementById("plots").dataset.drawn) > 1, null, { timeout: 60000 });
  const first = await drawn();
  const inked = await page.locator("#plot-pushes canvas").evaluate((canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0));
  assert.ok(inked, "nothing is drawn");
  assert.equal(await page.locator("#plot-pushes [data-now]").innerText(), "1");
  await page.locator("#plot-pushes summary").press("Enter");
  assert.match(await page.locator("#plot-pushes table").innerText(), /Live/);
  await page.locator("#plot-pushes summary").press("Enter");
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await look(page, "system");
  await narrow(page, "system");
  await page.locator("text=Show the configuration").press("Enter");
  assert.match(await page.locator("#settings").innerText(), /signed_urls: true/);
  assert.ok(!(await page.content()).includes("hush"), "a secret is shown");
  // It goes on by itself, which takes ten seconds.
  return () => page.waitForFunction((first) => Number(document.getElementById("plots").dataset.drawn) > first, first, { timeout: 60000 });
};

// inChinese looks at all pages in the other language, in the session of a page.
const inChinese = async (page, delivery) => {
  const chinese = await open({ locale: "zh-CN", storageState: await page.context().storageState() });
  for (const path of ["deliveries", "destinations", "replays", "system", delivery]) {
    await chinese.goto(given.url + "/console/" + path);
    assert.equal(await chinese.locator("html").getAttribute("lang"), "zh-CN");
    assert.match(await chinese.locator("h1").innerText(), /^[\u4e00-\u9fff]+/);
    await narrow(chinese, path.replace(/[/].*/, "-one") + "-zh"); // which looks whether all can use it, too
  }
  await chinese.context().close();
};

await finish(async () => {
  const page = await open();
  await login(page);
  const delivery = await deliver(page);
  const goesOn = await system(page);
  await inChinese(page, delivery);
  await goesOn();
  await lose(page);
});
