// A wall of many streams: how soon it is there, and what it keeps.
await finish(async () => {
  const page = await open({ viewport: { width: 1920, height: 1080 } });
  await login(page, "viewer");
  await page.goto(given.url + "/console/");
  await page.waitForFunction(() => {
    const seen = [...document.querySelectorAll(".tile")].filter((tile) => tile.getBoundingClientRect().top < innerHeight);
    return seen.length > 0 && seen.every((tile) => !tile.querySelector("canvas").hidden);
  });
  const figures = await page.evaluate(() => ({
    streams: document.querySelectorAll(".tile").length,
    firstContentful: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    allPictures: performance.now(),
  }));
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const kept = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name) => metrics.find((m) => m.name === name).value;
    return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners"), task: of("TaskDuration") };
  };
  await page.waitForTimeout(5000);
  figures.before = await kept();
  await ask("begin");
  // Somebody looks around meanwhile: what leaves the view lets its picture go.
  const ends = Date.now() + given.seconds * 1000;
  while (Date.now() < ends) {
    await page.mouse.wheel(0, 3000);
    await page.waitForTimeout(1000);
    await page.mouse.wheel(0, -3000);
    await page.waitForTimeout(Math.min(9000, Math.max(0, ends - Date.now())));
  }
  await ask("end");
  figures.after = await kept();
  figures.pictures = await page.evaluate(() => document.querySelectorAll(".tile canvas:not([hidden])").length);
  figures.changed = await page.evaluate(() => [...document.querySelectorAll(".tile canvas:not([hidden])")].every((c) => c.closest(".tile").dataset.shown));
  console.log("FIGURES " + JSON.stringify(figures));
});
