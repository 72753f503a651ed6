// What makes pages lively. Everything works without it; no text is in here, texts come with the page.
"use strict";

(() => {
  const CLOSED = "tokenok_closed_groups";
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);

  // Copy what stands beside the button.
  const showCopyButtons = (root) => {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = within(event, "[data-copy]");
    if (!button) return;
    const source = button.parentElement.querySelector("code, pre");
    await navigator.clipboard.writeText(source.textContent.trim());
    const label = button.querySelector("span") || button;
    const before = label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = before; }, 1600);
  });

  // One panel at a time; a click beside it or Escape closes it.
  const closePanels = (but) => {
    for (const open of document.querySelectorAll("details.act[open]")) {
      if (open !== but && !open.contains(but)) open.open = false;
    }
  };
  document.addEventListener("click", (event) => closePanels(within(event, "details.act")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.act[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("toggle", (event) => {
    if (!(event.target instanceof Element) || !event.target.matches("details.act[open]")) return;
    const field = event.target.querySelector("input:not([type=hidden]), select, textarea");
    if (field) field.focus();
  }, true);

  // A form that was not taken says so beside its button; what refreshes by itself says it at the top of the page.
  const placeOf = (element) => (element.closest("form") || document).querySelector(".answer, #lost");
  const sayAway = (event) => {
    const away = document.getElementById("away"), place = placeOf(event.detail.elt);
    if (away && place) place.replaceChildren(away.content.cloneNode(true));
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    const token = xhr.getResponseHeader("x-form-token");
    if (token) for (const field of document.querySelectorAll("input[name=_csrf]")) field.value = token;
    if (!xhr.getResponseHeader("x-problem")) return;
    if (requestConfig.verb === "post") event.detail.shouldSwap = true;
    else placeOf(elt).innerHTML = xhr.responseText;
  });
  document.addEventListener("htmx:sendError", sayAway);
  document.addEventListener("htmx:responseError", (event) => {
    if (!event.detail.xhr.getResponseHeader("x-problem")) sayAway(event);
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.successful) document.getElementById("lost")?.replaceChildren();
  });

  // Filters apply when they are chosen.
  document.addEventListener("change", (event) => {
    const form = within(event, "form[data-auto]");
    if (form && event.target.matches("select, input[type=date]")) form.requestSubmit();
  });

  // Charts. The figures stand in the page; styles come from its tokens.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const resolved = (element, variable) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${variable})`;
    element.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const charts = new Map();
  const draw = (element) => {
    if (typeof uPlot === "undefined") return;
    const data = JSON.parse(element.dataset.chart);
    const language = document.documentElement.lang;
    const zone = element.dataset.zone;
    const byHour = element.dataset.group === "hour";
    const short = new Intl.DateTimeFormat(language, byHour
      ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }
      : { month: "short", day: "numeric", timeZone: zone });
    const long = new Intl.DateTimeFormat(language, byHour
      ? { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }
      : { weekday: "short", month: "short", day: "numeric", timeZone: zone });
    const count = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
    const money = new Intl.NumberFormat(language, { maximumFractionDigits: 4 });
    const beside = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    const accent = resolved(element, "--accent");
    const bad = resolved(element, "--bad");
    const good = resolved(element, "--good");
    const faint = resolved(element, "--text-3");
    const grid = resolved(element, "--line");
    const font = `11px ${colour("--font")}`;
    const bars = uPlot.paths.bars({ size: [0.7, 28], radius: 0.18, align: 0 });
    const step = data.times.length > 1 ? data.times[1] - data.times[0] : 3600;
    const tip = document.createElement("div");
    tip.className = "tip num";
    tip.hidden = true;
    const options = {
      width: element.clientWidth - 24,
      height: element.clientHeight - 14,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: true, range: (_, low, high) => [low - step / 2, high + step / 2] },
        y: { range: (_, _low, high) => [0, Math.max(4, high * 1.12)] },
        money: { range: (_, _low, high) => [0, high > 0 ? high * 1.12 : 1] },
      },
      axes: [
        { stroke: faint, font, grid: { show: false }, ticks: { show: false }, gap: 4, size: 24,
          splits: (plot) => data.times.filter((_, at) => at % Math.ceil((data.times.length * 72) / Math.max(72, plot.width - 110)) === 0),
          values: (_, splits) => splits.map((at) => short.format(at * 1000)) },
        { stroke: faint, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, gap: 4, size: 44,
          values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? count.format(value) : "")) },
        { scale: "money", side: 1, stroke: faint, font, grid: { show: false }, ticks: { show: false }, gap: 4, size: 52,
          values: (_, splits) => splits.map((value) => beside.format(value)) },
      ],
      series: [
        {},
        { fill: accent, stroke: accent, width: 0, paths: bars, points: { show: false } },
        { fill: bad, stroke: bad, width: 0, paths: bars, points: { show: false } },
        { scale: "money", stroke: good, width: 1.8, points: { show: false } },
      ],
      hooks: {
        setCursor: [(plot) => {
          const at = plot.cursor.idx;
          tip.hidden = at === null || at === undefined;
          if (tip.hidden) return;
          const names = element.dataset;
          tip.textContent = [
            long.format(data.times[at] * 1000),
            `${names.requests}  ${count.format(data.requests[at])}`,
            `${names.failed}  ${count.format(data.failed[at])}`,
            `${names.spend}  ${money.format(data.credits[at])}`,
          ].join("\n");
          const left = plot.cursor.left + 64;
          const over = left + tip.offsetWidth > element.clientWidth - 8;
          tip.style.left = `${Math.max(4, over ? left - tip.offsetWidth - 24 : left)}px`;
          tip.style.top = "16px";
        }],
      },
    };
    const old = charts.get(element);
    if (old) old.destroy();
    element.replaceChildren();
    charts.set(element, new uPlot(options, [data.times, data.requests, data.failed, data.credits], element));
    element.append(tip);
  };
  const drawAll = (root) => {
    for (const element of charts.keys()) if (!element.isConnected) charts.delete(element);
    for (const element of root.querySelectorAll("[data-chart]")) draw(element);
  };
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => drawAll(document), 120);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));

  // The playground: one question, the answer as it comes, and a way to stop it.
  document.addEventListener("DOMContentLoaded", () => {
    // Groups that somebody has closed stay closed in this browser, but for that of the page.
    const closed = () => { try { return new Set(JSON.parse(localStorage.getItem(CLOSED) || "[]")); } catch { return new Set(); } };
    for (const group of document.querySelectorAll(".menu details")) {
      const name = group.dataset.group;
      if (closed().has(name) && !group.querySelector("[aria-current]")) group.open = false;
      group.querySelector("summary").addEventListener("click", () => {
        const names = closed();
        if (group.open) names.add(name); else names.delete(name);
        try { localStorage.setItem(CLOSED, JSON.stringify([...names])); } catch { /* it is closed on this page only */ }
      });
    }
    const here = document.querySelector(".menu [aria-current]");
    if (here && here.closest(".menu").scrollHeight > here.closest(".menu").clientHeight) here.scrollIntoView({ block: "nearest" });
    showCopyButtons(document);
    drawAll(document);
    document.body.addEventListener("htmx:afterSettle", (event) => {
      showCopyButtons(event.target);
      drawAll(event.target.parentElement || document);
    });
  });
})();
