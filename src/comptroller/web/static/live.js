"use strict";
// Reads the page anew when the server says that something happened; charts; uploads. Pages work without it.
(() => {
  const token = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

  const busy = () => {
    const field = document.activeElement;
    const typing = field && field.closest("#live") && ["INPUT", "TEXTAREA", "SELECT"].includes(field.tagName);
    const chosen = document.querySelector("#upload input[type=file]")?.files.length > 0;
    return typing || chosen || document.querySelector("#live details.act[open]") !== null || document.hidden;
  };

  let wanted = false;
  const refresh = () => {
    if (!wanted || busy() || !document.getElementById("live")) return;
    wanted = false;
    window.htmx.ajax("GET", location.pathname + location.search, { target: "#live", select: "#live", swap: "outerHTML" });
  };

  const listen = () => {
    if (!document.body.dataset.live || !window.EventSource) return;
    const source = new EventSource(`/events?last=${encodeURIComponent(document.body.dataset.live)}`);
    source.addEventListener("open", () => document.body.classList.add("is-live"));
    source.addEventListener("error", () => document.body.classList.remove("is-live"));
    source.addEventListener("pulse", () => { wanted = true; refresh(); });
    setInterval(refresh, 1500);
    addEventListener("pagehide", () => source.close());
  };

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const draw = () => {
    for (const place of document.querySelectorAll("[data-plot]:not(.is-drawn)")) {
      const said = JSON.parse(place.dataset.plot);
      place.classList.add("is-drawn");
      const axis = { stroke: style("--muted"), grid: { stroke: style("--line"), width: 1 }, ticks: { show: false } };
      const series = said.names.map((name, index) => ({
        label: name, stroke: style(`--s${index % 9}`), width: 1.5, value: (_, v) => (v == null ? "–" : v.toLocaleString()),
      }));
      const size = () => ({ width: place.clientWidth, height: 260 });
      const plot = new window.uPlot(
        { ...size(), series: [{ value: "{YYYY}-{MM}-{DD}" }, ...series], axes: [axis, { ...axis, size: 70 }],
          scales: { y: { range: (_, low, high) => [Math.min(low, 0), high || 1] } } },
        [said.days, ...said.series], place);
      addEventListener("resize", () => plot.setSize(size()));
    }
  };

  // On the document, since a page's content is exchanged while it is open.
  const uploads = () => {
    document.addEventListener("submit", async (event) => {
      const form = event.target;
      if (form.id !== "upload") return;
      event.preventDefault();
      const file = form.elements.file.files[0];
      const told = form.querySelector("output");
      if (!file) return;
      told.textContent = "Taking it in …";
      const name = encodeURIComponent(file.name.replace(/[^\w.-]/g, "_"));
      const answer = await fetch(`/v1/costs?name=${name}`, {
        method: "POST", body: file, headers: { "X-CSRF-Token": token(), "Content-Type": "application/octet-stream" },
      });
      const said = await answer.json();
      const rows = (said.deliveries ?? []).reduce((sum, one) => sum + one.row_count, 0);
      told.textContent = answer.ok ? `${rows} rows are in. It is judged within a few seconds.` : said.detail;
    });
  };

  // An answer that was on its way when somebody began to type or chose a file must not take that away.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "live" || !busy()) return;
    event.detail.shouldSwap = false;
    wanted = true;
  });

  const start = () => { listen(); draw(); uploads(); };
  document.addEventListener("htmx:afterSwap", draw);
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
