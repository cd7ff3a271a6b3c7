// How a wall hears what is live: empty, in several tabs, without shared workers,
// after a sleep, and when the session ends.
const tile = (page, name) => page.locator(`.tile[data-id$="/live/${name}"]`);
// changes waits until another picture of a stream is shown.
const changes = async (page, name) => {
  const shown = () => tile(page, name).getAttribute("data-shown");
  const before = await shown();
  await page.waitForFunction(([name, before]) => {
    const now = document.querySelector(`.tile[data-id$="/live/${name}"]`)?.dataset.shown;
    return now && now !== before;
  }, [name, before]);
};

const empty = async (page) => {
  // Who can make a push URL is led there.
  await page.locator("#empty:visible").waitFor();
  await look(page, "wall-empty");
  await narrow(page, "wall-empty");
  await page.getByRole("link", { name: "Make a push URL" }).click();
  await page.getByLabel("App", { exact: true }).waitFor();
  await page.goto(given.url + "/console/users");
  await page.fill("#name", "watcher");
  await Promise.all([page.locator("#new-password").waitFor(), page.keyboard.press("Enter")]);
  const password = await page.locator("#new-password strong").textContent();
  const viewer = await open();
  await login(viewer, "watcher", password);
  await viewer.getByText("An admin can make a push URL.").waitFor();
  assert.equal(await viewer.getByRole("link", { name: "Make a push URL" }).count(), 0);

  // What is pushed appears by itself.
  await page.goto(given.url + "/console/");
  await page.locator("#empty:visible").waitFor();
  await ask("push");
  for (const each of [page, viewer]) {
    await tile(each, "red").locator("canvas:not([hidden])").waitFor();
    assert.equal(await each.locator("#empty").isVisible(), false);
  }
  await ask("2 connections");
  await viewer.context().close();
  await ask("1 connection");
};

// tabs share one connection, which ends with the last of them.
const tabs = async (page) => {
  const others = [];
  for (let i = 0; i < 3; i++) {
    const other = await page.context().newPage();
    watch(other);
    await other.goto(given.url + "/console/");
    await tile(other, "red").locator("canvas:not([hidden])").waitFor();
    others.push(other);
  }
  await ask("1 connection");
  for (const each of [page, ...others]) await changes(each, "red");
  await page.goto(given.url + "/console/account");
  await changes(others[0], "red");
  for (const other of others.slice(1)) await other.close();
  await others[0].goto(given.url + "/console/account");
  await ask("0 connections");
  await others[0].goBack();
  await changes(others[0], "red");
  await ask("1 connection");
  // Out in one tab is out in all.
  await page.goto(given.url + "/console/");
  await page.getByRole("button", { name: "Log out" }).click();
  await others[0].waitForURL(/\/console\/login\?/);
  await ask("0 connections");
  await page.context().close();
};

// alone is a browser without shared workers: a page that is seen has a connection.
const alone = async () => {
  const page = await open();
  await page.context().addInitScript(() => { delete window.SharedWorker; });
  await page.clock.install();
  await login(page);
  assert.equal(await page.evaluate(() => typeof SharedWorker), "undefined");
  await tile(page, "red").locator("canvas:not([hidden])").waitFor();
  await changes(page, "red");
  await ask("1 connection");
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  await ask("0 connections");
  await hide(false);
  await ask("1 connection");
  await changes(page, "red");

  // The laptop sleeps, and its network is gone when it wakes: nothing says that the
  // connection is dead.
  await page.evaluate(() => {
    new MutationObserver(() => { window.away = true; }).observe(document.getElementById("offline"), { attributes: true });
  });
  await ask("sleep");
  await page.clock.fastForward(30000);
  await changes(page, "red");
  await changes(page, "red");
  assert.equal(await page.evaluate(() => window.away), undefined, "the page noticed too late, and says that the server is away");
  await page.context().close();
  await ask("0 connections");
};

await finish(async () => {
  const page = await open();
  await login(page);
  await empty(page);
  await tabs(page);
  await alone();
});
