"use strict";

// The plots of the system: what the server remembers of the last hour, and what
// comes to it every ten seconds.
(() => {
  const root = document.getElementById("plots");
  if (!root) return;
  const every = 10000, hour = 3600, height = 160;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
  const plain = (value) => Number(value.toFixed(digits(value))).toString();
  const bytes = (value) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    for (; Math.abs(value) >= 1024 && i < units.length - 1; i++) value /= 1024;
    return `${plain(value)} ${units[i]}`;
  };
  const duration = (value) => (value >= 60 ? `${plain(value / 60)} min` : value >= 1 ? `${plain(value)} s` : `${plain(value * 1000)} ms`);
  const units = { bytes, rate: (value) => `${bytes(value)}/s`, seconds: duration, often: (value) => `${plain(value)}/s`, number: plain };
  // Bytes and counts are marked where people expect it: at 2 KiB, and not at half a stream.
  const steps = {
    bytes: Array.from({ length: 44 }, (_, i) => 2 ** i), rate: Array.from({ length: 44 }, (_, i) => 2 ** i),
    number: Array.from({ length: 30 }, (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3)),
  };
  const write = (unit, value) => (value === null || value === undefined ? "–" : units[unit](value));

  let times = [], values = {};
  // merge adds what came, and forgets what is older than an hour.
  const merge = (more) => {
    if (times.length && more.times.length && more.times[0] <= times[times.length - 1]) return;
    const first = (more.times[more.times.length - 1] ?? 0) - hour * 1000;
    const old = times.findIndex((time) => time >= first);
    const keep = old < 0 ? times.length : old;
    times = times.slice(keep).concat(more.times);
    const lines = {};
    for (const [name, line] of Object.entries(more.values)) lines[name] = (values[name] ?? []).slice(keep).concat(line);
    values = lines;
  };

  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  const offset = Number(root.dataset.offset); // of the server's zone, in which all times of the console are
  const plots = [...root.querySelectorAll("figure")].map((figure) => {
    const place = figure.querySelector(".plot");
    return { figure, place, spec: JSON.parse(place.dataset.plot), chart: null };
  });
  const data = (spec) => [times.map((time) => time / 1000), ...spec.lines.map((line) => values[line.series] ?? times.map(() => null))];
  const options = ({ place, spec }) => {
    const axis = { stroke: colour("--faint"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: place.clientWidth, height,
      legend: { show: false }, cursor: { show: false }, select: { show: false },
      scales: {
        x: { range: () => [times[times.length - 1] / 1000 - hour, times[times.length - 1] / 1000] },
        y: { range: (_, least, most) => [Math.min(0, least ?? 0), most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        { ...axis, size: 28, space: 60, values: (_, marks) => marks.map((mark) => clock.format((mark + offset) * 1000)) },
        { ...axis, size: 72, incrs: steps[spec.unit], values: (_, marks) => marks.map((mark) => write(spec.unit, mark)) },
      ],
      series: [{}, ...spec.lines.map((line) => ({ label: line.label, stroke: colour(line.colour), width: 1.5, spanGaps: false, points: { show: (u, i) => lonely(u.data[i]), size: 4 } }))],
    };
  };
  // lonely says whether there are so few values that no line would be seen.
  const lonely = (line) => line.filter((value) => value !== null).length < 40;

  const draw = () => {
    for (const plot of plots) {
      if (times.length === 0) continue;
      if (plot.chart) plot.chart.setData(data(plot.spec));
      else plot.chart = new window.uPlot(options(plot), data(plot.spec), plot.place);
      plot.spec.lines.forEach((line, i) => {
        plot.figure.querySelector(`[data-now="${i}"]`).textContent = write(plot.spec.unit, values[line.series]?.at(-1));
      });
    }
    root.dataset.drawn = String(times.length);
  };
  const redraw = () => {
    for (const plot of plots) {
      plot.chart?.destroy();
      plot.chart = null;
    }
    draw();
  };

  let asking = false;
  const ask = async () => {
    if (asking || document.hidden) return;
    asking = true;
    const last = times[times.length - 1];
    try {
      const answer = await fetch(root.dataset.from + (last ? `?after=${last}` : ""), { cache: "no-store", redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      merge(await answer.json());
      draw();
    } catch {
      window.stillcast.offline(); // which asks for the health, and comes back
    }
    asking = false;
  };
  ask();
  setInterval(ask, every);
  document.addEventListener("visibilitychange", ask);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => {
    for (const { chart, place } of plots) if (chart && chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height });
  }).observe(root);
})();
