// Who gets in, what they may do, and that nothing gets in with them.
const entry = async () => {
  // From the bare address to the login, which shows where it leads.
  const page = await open();
  await page.goto(given.url + "/");
  await page.waitForURL(/\/console\/login\?back=%2Fconsole%2F$/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "account");
  await look(page, "login");
  await narrow(page, "login");
  const account = "/console/account";
  await page.goto(given.url + account);
  await page.waitForURL(/back=%2Fconsole%2Faccount$/);

  // A wrong password is said at its field, in either language.
  const wrong = async (text) => {
    await page.fill("#account", "admin");
    await page.fill("#password", "guess");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: text }).waitFor();
    assert.equal(await page.getAttribute("#password", "aria-describedby"), "login-fault");
    assert.equal(await page.inputValue("#account"), "admin");
    assert.equal(await page.evaluate(() => document.activeElement.id), "password");
  };
  await wrong("This account and password do not belong together.");
  await accessible(page, "wrong password");
  await page.getByRole("button", { name: "简体中文" }).click();
  await page.getByRole("heading", { name: "登录" }).waitFor();
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  await wrong("账号或密码不正确。");
  await look(page, "login-zh");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  const chinese = await open({ locale: "zh-CN" });
  await chinese.goto(given.url + "/console/");
  await chinese.getByRole("heading", { name: "登录" }).waitFor();
  await chinese.context().close();

  // Colours: as the system asks, until the viewer says otherwise, in a cookie that
  // scripts do not see.
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert.notEqual(light, dark);
  for (const [name, want] of [["light", light], ["dark", dark]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.getByRole("button", { name, exact: true }).click();
      await page.locator(`html[data-theme="${name}"]`).waitFor();
      assert.equal(await ground(), want, `${name} where the system is ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "as the system" }).click();
  await page.locator('html[data-theme="system"]').waitFor();
  assert.equal(await page.evaluate(() => document.cookie), "");

  // In, and to where one wanted to go.
  await page.goto(given.url + account);
  await page.fill("#account", "admin");
  await page.fill("#password", given.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(given.url + account);
  assert.equal(await page.evaluate(() => document.cookie), "");
  const cookies = await page.context().cookies();
  assert.ok(cookies.length >= 4 && cookies.every((c) => c.httpOnly && c.sameSite === "Strict" && c.path === "/console/"), JSON.stringify(cookies));
  await look(page, "account");
  await narrow(page, "account");

  // Ages count.
  const age = page.locator("time[data-ago]").first();
  const before = await age.textContent();
  assert.match(before, /^\d+ s ago$/);
  await page.waitForFunction((before) => document.querySelector("time[data-ago]").textContent !== before, before);

  await keyboard(page);
  const watcher = await accounts(page);
  await forgery(page);
  await viewer(page, watcher);
  await password(page);
  await restart(page);

  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/console\/login$/);
  await page.goto(given.url + account);
  await page.waitForURL(/\/console\/login\?/);
};

// keyboard goes about by keys, and turns them off.
const keyboard = async (page) => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("?");
  const help = page.locator("dialog#keys[open]");
  await help.waitFor();
  await accessible(page, "keys");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await page.waitForURL(/\/console\/users$/);
  await page.keyboard.press("?");
  await page.getByRole("button", { name: "Turn these keys off" }).click();
  await page.locator('html[data-keys="off"]').waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.keyboard.press("?");
  assert.equal(await help.count(), 0);
  assert.match(page.url(), /\/console\/users/);
  await page.getByRole("button", { name: "Keyboard" }).click();
  await page.getByRole("button", { name: "Turn these keys on" }).click();
  await page.locator('html[data-keys="on"]').waitFor();
};

// accounts makes an account for somebody who may look, and returns its password.
const accounts = async (page) => {
  await page.goto(given.url + "/console/users");
  await page.fill("#name", "not a name");
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator("#name-fault", { hasText: "allowed are a to z" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "name");
  await page.fill("#name", "watcher");
  await page.keyboard.press("Enter");
  await page.locator("#new-password").waitFor();
  const password = await page.locator("#new-password strong").textContent();
  await page.locator("#new-password strong").evaluate((e) => { e.textContent = "•".repeat(e.textContent.length); });
  await look(page, "users");
  await narrow(page, "users");
  // The last admin stays.
  await page.getByRole("button", { name: "Delete admin" }).click();
  await page.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("alert").filter({ hasText: "is the last admin" }).waitFor();
  await look(page, "refusal");
  return password;
};

// forgery sends what another site would have the browser send.
const forgery = async (page) => {
  const other = await page.context().newPage();
  await other.goto("about:blank");
  await other.setContent(`<form method="post" action="${given.url}/console/logout"><button>Win</button></form>`);
  await other.getByRole("button").click();
  await other.getByText("requests from other sites are refused").waitFor();
  await other.close();
  // From within the site, but without the token of the page.
  await page.goto(given.url + "/console/account");
  const status = await page.evaluate(async () => (await fetch("/console/users/add", { method: "POST", body: new URLSearchParams({ name: "mallory", role: "admin" }) })).status);
  assert.equal(status, 403);
  await page.goto(given.url + "/console/users");
  assert.equal(await page.getByText("mallory").count(), 0);
};

// viewer may look, and is out at once when an admin says so.
const viewer = async (admin, password) => {
  const page = await open();
  await login(page, "watcher", password);
  await page.goto(given.url + "/console/account");
  assert.equal(await page.getByRole("link", { name: "Accounts" }).count(), 0);
  const refused = await page.goto(given.url + "/console/users");
  assert.equal(refused.status(), 403);
  await page.getByRole("alert").filter({ hasText: "Your role is viewer." }).waitFor();
  const status = await page.evaluate(async () => (await fetch("/console/users/role", {
    method: "POST", headers: { "X-Csrf-Token": document.querySelector("meta[name=csrf]").content }, body: new URLSearchParams({ name: "watcher", role: "admin" }),
  })).status);
  assert.equal(status, 403);

  // It looks at the wall; an admin ends the session, after a second thought.
  await page.goto(given.url + "/console/");
  await admin.goto(given.url + "/console/users");
  const end = admin.getByRole("button", { name: "End the session of watcher" });
  await end.click();
  await accessible(admin, "confirmation");
  await admin.screenshot({ path: `${given.screenshots}/confirmation-light.png` });
  await admin.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await end.evaluate((e) => e === document.activeElement), true);
  assert.equal(await end.count(), 1);
  await end.click();
  await admin.locator("dialog[open]").getByRole("button", { name: "End" }).click();
  await admin.locator("#notice", { hasText: "Ended." }).waitFor();
  assert.equal(await end.count(), 0);
  // The wall notices by itself.
  await page.waitForURL(/\/console\/login\?/);
  await login(page, "watcher", password);

  // The same for the account.
  await admin.getByRole("button", { name: "Delete watcher" }).click();
  await admin.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
  await admin.locator("#notice", { hasText: "Deleted." }).waitFor();
  await page.waitForURL(/\/console\/login\?/);
  await page.context().close();
};

// password changes one's own.
const password = async (page) => {
  await page.goto(given.url + "/console/account");
  const change = async (current, fresh, again) => {
    await page.fill("#current", current);
    await page.fill("#fresh", fresh);
    await page.fill("#again", again);
    await page.keyboard.press("Enter");
  };
  await change(given.password, "short", "short");
  await page.locator("#password-fault", { hasText: "at least 12 characters" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "fresh");
  await accessible(page, "wrong new password");
  await change("guess", "correct horse battery", "correct horse battery");
  await page.locator("#password-fault", { hasText: "not your present password" }).waitFor();
  await change(given.password, "correct horse battery", "correct horse battery");
  await page.locator("#notice", { hasText: "The password was changed." }).waitFor();
  const fresh = await open();
  await login(fresh, "admin", "correct horse battery");
  await fresh.context().close();
};

// restart: pages say that the server is away, keep what was typed in, and come
// back by themselves, still logged in.
const restart = async (page) => {
  const other = await page.context().newPage();
  watch(other);
  await page.goto(given.url + "/console/account");
  await other.goto(given.url + "/console/users");
  await page.fill("#current", "half a passw");
  await other.evaluate(() => { window.old = true; });
  await ask("stop");
  await page.locator("#offline:visible").waitFor();
  await other.locator("#offline:visible").waitFor();
  await look(page, "offline");
  await page.getByRole("link", { name: "Wall" }).click();
  assert.match(page.url(), /\/console\/account$/, "a click while the server is away leaves the page");
  await ask("start");
  await page.locator("#offline").waitFor({ state: "hidden" });
  assert.equal(await page.inputValue("#current"), "half a passw");
  await other.waitForFunction(() => !window.old);
  await other.getByRole("heading", { name: "Accounts" }).waitFor();
  await other.close();
};

await finish(entry);
