// Draws what the server decided: data comes as a Plotly figure, colours come from the page's own tokens.
"use strict";

(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // light-dark() is not resolved in a custom property, so a probe element computes the colour
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  const dressed = (trace) => {
    const ink = colour(trace.meta?.token ?? "--accent");
    const look = structuredClone(trace);
    if (look.line) look.line.color = ink;
    if (look.marker) Object.assign(look, { marker: { ...look.marker, color: ink }, textfont: { color: ink, size: 14 } });
    if (look.meta?.fill) look.fillcolor = colour(look.meta.fill);
    return look;
  };

  const theme = (layout) => {
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zeroline: false, tickcolor: colour("--line") };
    const look = structuredClone(layout);
    look.shapes?.forEach((shape) => { shape.line.color = colour(shape.name ?? "--control-line"); });
    return {
      ...look,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: token("--font"), size: 12, color: colour("--ink-muted") },
      hoverlabel: { bgcolor: colour("--surface-raised"), bordercolor: colour("--control-line"), font: { color: colour("--ink") } },
      margin: { l: 56, r: 16, t: 16, b: 40 },
      showlegend: look.showlegend ?? false,
      legend: { orientation: "h", y: 1.12, x: 0 },
      xaxis: { ...axis, ...look.xaxis },
      yaxis: { ...axis, rangemode: "tozero", ...look.yaxis },
    };
  };

  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  async function figureOf(box, range) {
    const url = new URL(box.dataset.figure, location.href);
    if (range) range.forEach((edge, at) => url.searchParams.set(at ? "to" : "from", edge));
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    return response.json();
  }

  const draw = (box) => window.Plotly.react(box, box.figure.data.map(dressed), theme(box.figure.layout), config);

  // Zooming asks for the range again, with all its points.
  function zoomed(box) {
    let asked = 0;
    return async (change) => {
      const range = change["xaxis.range[0]"] === undefined ? null : [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (!range && !change["xaxis.autorange"]) return;
      const mine = ++asked;
      const figure = await figureOf(box, range);
      if (mine !== asked) return;
      box.figure = figure;
      if (range) box.figure.layout.xaxis = { ...figure.layout.xaxis, range };
      draw(box);
    };
  }

  async function start(box) {
    box.figure = await figureOf(box);
    box.replaceChildren();
    await draw(box);
    box.on("plotly_relayout", zoomed(box));
    box.on("plotly_click", ({ points }) => {
      const link = points.map((point) => point.customdata?.href ?? point.customdata).find((data) => String(data).startsWith("/"));
      if (link) location.assign(link);
    });
    box.dataset.drawn = "true";
  }

  const boxes = [...document.querySelectorAll("[data-figure]")];
  boxes.forEach((box) => start(box).catch((error) => {
    box.dataset.drawn = "failed"; // the picture made by the server stays
    console.error(error);
  }));
  document.addEventListener("theme:changed", () => boxes.filter((box) => box.figure).forEach(draw));
})();
