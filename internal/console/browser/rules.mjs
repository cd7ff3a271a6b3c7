// Rules are changed with the keyboard alone, and act on a live push.
import { spawnSync } from "node:child_process";

await finish(async () => {
  const page = await open();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await login(page);

  // to moves the focus with the keyboard until it is on what is wanted.
  const to = async (selector) => {
    for (let i = 0; i < 120; i++) {
      if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail("the keyboard does not get to " + selector + " on " + page.url());
  };
  const enter = async (selector, there) => {
    await to(selector);
    await Promise.all([page.waitForURL(there), page.keyboard.press("Enter")]);
  };
  const type = async (selector, text) => {
    await to(selector);
    await page.keyboard.press("Control+A");
    await page.keyboard.type(text);
  };

  await page.goto(given.url + "/console/rules");
  await look(page, "rules");
  await narrow(page, "rules");

  // An error stands at its field, which has the focus; nothing that was typed is lost.
  await enter('a[href="/console/rules/snapshot-template?id=1"]', /snapshot-template/);
  await type("#f-SnapshotInterval", "1");
  await type("#f-Description", "typed <b>before</b>");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#f-SnapshotInterval-fault");
  assert.equal(await page.textContent("#f-SnapshotInterval-fault"), "SnapshotInterval is 1; allowed are 0 and 2 to 300");
  assert.equal(await page.getAttribute("#f-SnapshotInterval", "aria-invalid"), "true");
  assert.match(await page.getAttribute("#f-SnapshotInterval", "aria-describedby"), /f-SnapshotInterval-fault/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-SnapshotInterval");
  assert.equal(await page.inputValue("#f-Description"), "typed <b>before</b>");
  await look(page, "snapshot");
  await narrow(page, "snapshot");

  // What a change touches is shown before it is saved.
  await type("#f-SnapshotInterval", "3");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#touched");
  assert.match(await page.textContent("#touched"), /127\.0\.0\.1\/live\/room[\s\S]*Interval[\s\S]*2[\s\S]*3/);
  await look(page, "touched");
  await enter('button[value="save"]', /done=done\.rules/);
  assert.equal(await page.textContent("#notice"), "Saved. It acts on live streams already.");

  // A rule that is deleted captures no more, and one that is made captures at once.
  await enter('a[href^="/console/rules/snapshot-rule?"]', /snapshot-rule\?/);
  await enter('a[href*="/delete?"]', /delete\?/);
  assert.match(await page.textContent("#touched"), /not captured/);
  await narrow(page, "delete");
  await enter("button.danger:not(dialog *)", /done=done\.rules_deleted/);
  await enter('a[href="/console/rules/snapshot-rule"]', /snapshot-rule$/);
  await type("#f-AppName", "live");
  await enter('button[value="ask"]', /snapshot-rule$/);
  await page.waitForSelector("#touched");
  await ask("before");
  await enter('button[value="save"]', /done=done\.rules/);
  await ask("acts");

  // Secrets: made, shown, copied.
  await page.goto(given.url + "/console/rules/callback-template");
  await type("#f-TemplateName", "hooks");
  await type("#f-SnapshotNotifyUrl", "http://127.0.0.1:1/hook");
  await to("#f-StillcastSigningSecret-field button");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#f-StillcastSigningSecret").value.startsWith("whsec_"));
  const secret = await page.inputValue("#f-StillcastSigningSecret");
  await look(page, "callback");
  await narrow(page, "callback");
  await enter('button[value="save"]', /done=done\.rules/);
  await page.goto(given.url + "/console/rules/callback-template?id=1");
  assert.ok(!(await page.content()).includes(secret), "the page holds a secret that nobody asked for");
  await page.click('#f-StillcastSigningSecret-field button:has-text("Show")');
  await page.waitForSelector("#f-StillcastSigningSecret-value");
  await page.click('[data-copy="f-StillcastSigningSecret-value"]');
  await page.waitForFunction(() => document.querySelector("[data-copy=f-StillcastSigningSecret-value]").textContent === "Copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await page.goto(given.url + "/console/rules/callback-rule");
  await enter('button[value="ask"]', /callback-rule$/);
  await page.waitForSelector("#touched");
  await enter('button[value="save"]', /done=done\.rules/);

  // A push URL, and its commands as a shell runs them.
  await page.goto(given.url + "/console/rules/push-url");
  await type("#host", "127.0.0.1");
  await type("#stream", "it's made");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#made-url");
  await look(page, "push-url");
  await narrow(page, "push-url");
  const url = await page.textContent("#made-url");
  const run = (command) => {
    const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8", timeout: 60000 });
    assert.equal(status, 0, command + "\n" + stderr);
  };
  run((await page.textContent("#made-test")).replace(" -f flv", " -t 2 -f flv"));

  // The tester.
  await page.goto(given.url + "/console/rules/tester");
  await type("#url", url);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#verdict");
  assert.equal(await page.textContent("#verdict"), "The push is accepted.");
  const sent = JSON.parse(await page.textContent("#body-200"));
  assert.equal(sent.stream_id, "it's made");
  assert.equal(sent.pic_full_url, await page.textContent("#picture-url"));
  assert.match(await page.textContent("#header-200"), /Webhook-Signature: v1,/);
  await look(page, "tester");
  await narrow(page, "tester");

  // In Chinese.
  const chinese = await open({ locale: "zh-CN" });
  await login(chinese);
  for (const [path, text] of [["rules", "推流域名"], ["rules/domain?name=*", "主密钥"], ["rules/tester", "测试推流地址"]]) {
    await chinese.goto(given.url + "/console/" + path);
    assert.ok((await chinese.textContent("main")).includes(text), path + " lacks " + text);
    await accessible(chinese, path + " in Chinese");
  }
  await chinese.goto(given.url + "/console/rules");
  await look(chinese, "rules-zh");

  // A viewer is shown the same, and changes nothing.
  await page.goto(given.url + "/console/users");
  await page.fill("#name", "eve");
  await Promise.all([page.waitForSelector("#new-password"), page.keyboard.press("Enter")]);
  const password = await page.textContent("#new-password strong");
  const viewer = await open();
  await login(viewer, "eve", password);
  await viewer.goto(given.url + "/console/rules/callback-template?id=1");
  assert.equal(await viewer.locator('button[value="save"]').count(), 0);
  await accessible(viewer, "a viewer's callback template");
  for (const path of ["snapshot-template?id=1", "snapshot-rule", "callback-template/reveal?id=1", "domain/delete?name=*", "push-url"]) {
    const status = await viewer.evaluate(async (to) => {
      const body = new URLSearchParams({ csrf: document.querySelector('meta[name="csrf"]').content, step: "save", field: "StillcastSigningSecret" });
      return (await fetch("/console/rules/" + to, { method: "POST", body })).status;
    }, path);
    assert.equal(status, 403, path);
  }
});
