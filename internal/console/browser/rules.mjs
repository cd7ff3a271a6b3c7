// Rules are changed with the keyboard alone, and act on a live push.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

await finish(async () => {
  const page = await open();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await login(page);

  const keys = await page.context().newCDPSession(page);
  const tab = (type) => keys.send("Input.dispatchKeyEvent", { type, key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 });
  // to moves the focus with the keyboard until it is on what is wanted: by as many steps
  // as there should be at once, which is faster than to look after each, then one by one.
  const to = async (selector) => {
    const steps = await page.evaluate((s) => {
      const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter((e) => !e.disabled && e.type !== "hidden" && e.checkVisibility({ visibilityProperty: true }));
      return stops.findIndex((e) => e.matches(s)) - stops.indexOf(document.activeElement);
    }, selector);
    await Promise.all(Array.from({ length: Math.max(0, steps) }, () => [tab("rawKeyDown"), tab("keyUp")]).flat());
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
    // What is long is pasted, as people do.
    await (text.length > 20 ? page.keyboard.insertText(text) : page.keyboard.type(text));
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
  await ask("before");
  await enter('button[value="save"]', /done=done\.rules/);
  await ask("interval");
  assert.equal(await page.textContent("#notice"), "Saved. It acts on live streams already.");

  // A rule gets another template, which its live stream sees as one change.
  await enter('a[href="/console/rules/snapshot-template"]', /snapshot-template$/);
  await type("#f-TemplateName", "small");
  await type("#f-SnapshotInterval", "2");
  await type("#f-Width", "320");
  await enter('button[value="save"]', /done=done\.rules/);
  await enter('a[href^="/console/rules/snapshot-rule?"]', /snapshot-rule\?/);
  await to("#f-TemplateId");
  await page.keyboard.type("small");
  await enter('button[value="ask"]', /snapshot-rule\?/);
  await page.waitForSelector("#touched");
  assert.match(await page.textContent("#touched"), /127\.0\.0\.1\/live\/room[\s\S]*Template[\s\S]*every 2 s[\s\S]*small/);
  await ask("before");
  await enter('button[value="save"]', /done=done\.rules/);
  await ask("changed");

  // One that is deleted captures no more, and one that is made captures at once.
  await enter('a[href^="/console/rules/snapshot-rule?"]', /snapshot-rule\?/);
  await enter('a[href*="/delete?"]', /delete\?/);
  assert.match(await page.textContent("#touched"), /not captured/);
  await narrow(page, "delete");
  await ask("before");
  await enter("button.danger:not(dialog *)", /done=done\.rules_deleted/);
  await ask("deleted");
  await enter('a[href="/console/rules/snapshot-rule"]', /snapshot-rule$/);
  await type("#f-AppName", "live");
  await to("#f-TemplateId");
  await page.keyboard.type("every");
  await enter('button[value="ask"]', /snapshot-rule$/);
  await page.waitForSelector("#touched");
  await ask("before");
  await enter('button[value="save"]', /done=done\.rules/);
  await ask("made");

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
  const test = await page.textContent("#made-test");

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

  // The commands as a shell runs them; nobody waits for it.
  const ran = promisify(execFile)("sh", ["-c", test.replace(" -f flv", " -t 0.2 -f flv")], { timeout: 60000 });

  // In Chinese.
  const chinese = await open({ locale: "zh-CN", storageState: await page.context().storageState() });
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
  await ran;
});
