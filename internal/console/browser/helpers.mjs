// What all scripts use. It is put before each of them.
import { chromium } from "playwright-core";
import { createInterface } from "node:readline";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import assert from "node:assert/strict";

const given = JSON.parse(process.argv[1]);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
// ask has the test do something.
const ask = async (wish) => { console.log("DO " + wish); await answers.next(); };

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const faults = [];
const finish = async (work) => {
  try {
    await work();
    assert.deepEqual(faults, []);
  } catch (err) {
    console.log(err.stack);
    process.exitCode = 1;
  } finally {
    await browser.close();
    process.exit();
  }
};

// open returns a page of a browser that is somebody's own.
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(90000); // for machines that are busy
  const page = await context.newPage();
  watch(page);
  return page;
};
const watch = (page) => {
  page.on("pageerror", (err) => faults.push(err.stack));
  page.on("console", (m) => { if (/Content.Security.Policy/i.test(m.text())) faults.push(m.text()); });
  page.on("request", (r) => { if (!r.url().startsWith(given.url + "/") && !r.url().startsWith("data:")) faults.push("request to " + r.url()); });
};
const login = async (page, account = "admin", password = given.password) => {
  await page.goto(given.url + "/console/login");
  await page.fill("[name=account]", account);
  await page.fill("[name=password]", password);
  await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/login")), page.keyboard.press("Enter")]);
};

// axe fails for what somebody cannot read or use. The checker comes from outside
// the page, whose policy lets no such script in.
const source = await readFile(createRequire(process.cwd() + "/").resolve("axe-core/axe.min.js"), "utf8");
// With rules, those alone are looked at.
const accessible = async (page, name, rules) => {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined);
    return result.value;
  };
  if (!await evaluate("typeof axe === 'object'")) await evaluate(source + ";0");
  const only = rules ? `, runOnly: ${JSON.stringify(rules)}` : "";
  const found = await evaluate(`axe.run({ resultTypes: ["violations"]${only} }).then((r) => r.violations.map((v) => ({
    id: v.id, impact: v.impact, nodes: v.nodes.map((n) => n.html.slice(0, 200) + " " + n.failureSummary) })))`);
  await session.detach();
  assert.deepEqual(found, [], name);
};

// look takes a screenshot of a page, light and dark. The page is the same in both but
// for its colours.
const ofColours = ["color-contrast", "link-in-text-block"];
const look = async (page, name) => {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${given.screenshots}/${name}-${colorScheme}.png` });
    await accessible(page, `${name} ${colorScheme}`, colorScheme === "dark" ? ofColours : undefined);
  }
  await page.emulateMedia({ colorScheme: "light" });
};
// narrow checks that a page can be read at a width of 360 px.
const narrow = async (page, name) => {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360, name + " is wider than 360 px");
  await page.screenshot({ path: `${given.screenshots}/${name}-360.png` });
  await accessible(page, name + " at 360 px");
  await page.setViewportSize(before);
};
