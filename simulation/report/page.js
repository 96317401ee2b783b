"use strict";
{
  const options = JSON.parse(document.getElementById("pictures").textContent);
  const language = document.documentElement.lang.startsWith("zh") ? "ZH" : "EN";
  const charts = [];
  // What a page of A4 leaves between its margins, in CSS pixels.
  const PAPER_PX = 700;
  for (const place of document.querySelectorAll("[data-picture]")) {
    const option = options[place.dataset.picture];
    const crowded = (option.parallelAxis ?? []).length > 3;
    if (crowded || option.series.some((series) => series.type === "heatmap")) place.dataset.wide = "yes";
    const chart = echarts.init(place, null, { renderer: "svg", locale: language });
    chart.setOption(option);
    charts.push(chart);
  }
  // A legend of several rows needs room below; how wide a name is drawn is guessed well enough.
  const widthOf = (name) => 40 + [...name].reduce((sum, c) => sum + (c > "\u2e80" ? 12.5 : 6.8), 0);
  const rowsOf = (names, width) => {
    let rows = 1, used = 0;
    for (const name of names) {
      if (used && used + widthOf(name) > width) { rows += 1; used = 0; }
      used += widthOf(name);
    }
    return rows;
  };
  const seat = (chart, width) => {
    chart.resize({ width });
    const [legend] = chart.getOption().legend;
    if (legend.show === false) return;
    const names = legend.data ?? chart.getOption().series.map((series) => series.name);
    const [axis] = chart.getOption().xAxis ?? [];
    const named = axis?.name && axis.nameLocation === "middle" ? axis.nameGap : 0;
    const bottom = 18 + 20 * rowsOf(names, chart.getWidth() - 20) + named;
    chart.setOption(axis ? { grid: { bottom } } : { parallel: { bottom } });
  };
  const fit = () => { for (const chart of charts) seat(chart, "auto"); };
  const fitPaper = () => { for (const chart of charts) seat(chart, PAPER_PX); };
  fit();
  addEventListener("resize", () => { if (!matchMedia("print").matches) fit(); });
  matchMedia("print").addEventListener("change", (now) => (now.matches ? fitPaper() : fit()));
  addEventListener("beforeprint", fitPaper);
  addEventListener("afterprint", fit);
}
