// The map of a batch as one that can be moved: drag, wheel, pinch and keys; a name under the pointer, a click opens the
// document, a lasso chooses documents. Names and filters are links that the server made, and stay links.
import { Grid, Painting, colourOf, inside, make } from "./map-points.js";

const EDGE = 32767;
/** Pixels: how near the pointer must be, what is still a click, how far an arrow key moves, the margin around all of it. */
const [NEAR, STILL, STRIDE, MARGIN] = [14, 5, 80, 28];
/** Up to so many points a new scale is painted at once; more are painted when the scale rests. */
const AT_ONCE = 20000;

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const read = async (address) => (await fetch(address, { headers: { accept: "application/json" } })).json();

function start(root, data) {
  const count = data.documents.length;
  const x = Float32Array.from(data.x, (value) => value / EDGE);
  const y = Float32Array.from(data.y, (value) => value / EDGE);
  const hues = Uint8Array.from(data.clusters, (cluster) => (cluster === null ? 12 : cluster % 12));
  const matches = new Uint8Array(count).fill(data.matching ? 0 : 1);
  for (const row of data.matching ?? []) matches[row] = 1;
  const called = new Map(data.labels.map(({ cluster, name }) => [cluster, name]));
  const names = new Map(data.names.map((name, row) => [row, name]));
  const grid = new Grid(x, y);
  const painting = new Painting();
  /** 1 for what is in the lasso; null without one. */
  let chosen = null;
  let lasso = [];
  let colours = {};

  const stage = root.querySelector(".map-stage");
  const svg = stage.querySelector("svg");
  const labels = svg.querySelector(".map-names");
  const links = [...labels.querySelectorAll("a")];
  const readout = root.querySelector(".map-readout");
  const canvas = make("canvas", {
    tabindex: 0,
    role: "application",
    "data-testid": "map-canvas",
    "aria-label": `Map of ${count.toLocaleString("en")} documents. Arrow keys move it, plus and minus zoom, Enter opens the document in the middle.`,
  }, stage);
  stage.insertBefore(canvas, svg);
  const context = canvas.getContext("2d", { alpha: false });
  const outline = make("path", { class: "map-lasso" }, svg);
  const ring = make("circle", { class: "map-ring", r: 8, hidden: "" }, svg);
  const tip = make("div", { class: "map-tip", "aria-hidden": "true", hidden: "" }, stage);
  root.dataset.live = "";
  root.querySelector(".map-tools").hidden = false;
  svg.removeAttribute("viewBox");
  for (const part of labels.querySelectorAll("text")) ["x", "y"].forEach((axis) => part.setAttribute(axis, 0));

  const view = { x: 0, y: 0, scale: 1, width: 1, height: 1, density: 1 };
  let whole = 1;
  const high = y.reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);
  const broad = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);

  const isColoured = (row) => matches[row] === 1 && (chosen === null || chosen[row] === 1);
  const screen = (row) => [view.width / 2 + (x[row] - view.x) * view.scale, view.height / 2 - (y[row] - view.y) * view.scale];
  const place = (sx, sy) => [view.x + (sx - view.width / 2) / view.scale, view.y - (sy - view.height / 2) / view.scale];

  // What is painted, in layers: grey below, then what fits nowhere, then the clusters.
  let layers = [];
  function sort() {
    const rows = [[], [], []];
    for (let row = 0; row < count; row += 1) rows[isColoured(row) ? (hues[row] === 12 ? 1 : 2) : 0].push(row);
    const [rest, out, clusters] = rows.map((list) => Uint32Array.from(list));
    layers = [
      { points: rest, colours: [colours.rest] },
      { points: out, colours: [colours.hues[12]] },
      { points: clusters, colours: colours.hues, of: hues },
    ];
    root.dataset.coloured = String(out.length + clusters.length);
  }

  function recolour() {
    const classes = [...Array(12).keys()].map((hue) => `k-${hue}`).concat("k-out");
    colours = { hues: classes.map((name) => colourOf(name, root)), rest: colourOf("rest", root), paper: colourOf("paper", root) };
    sort();
    painting.view = null;
    draw();
  }

  const size = count > 20000 ? 1.3 : count > 3000 ? 1.9 : count > 400 ? 2.5 : 4;
  const radius = () => clamp(size * Math.min(1, view.width / 800) ** 0.5 * (view.scale / whole) ** 0.35, 1, 7);

  let asked = 0;
  let resting = 0;
  function draw() {
    if (!asked) asked = requestAnimationFrame(frame);
  }

  function frame() {
    asked = 0;
    if (view.width < 2) return;
    const isOther = painting.view?.scale !== view.scale;
    if (!painting.holds(view)) {
      if (painting.view && isOther && count > AT_ONCE && !resting) {
        resting = setTimeout(() => {
          resting = 0;
          painting.view = null;
          draw();
        }, 90);
      }
      if (!painting.view || !isOther || count <= AT_ONCE) {
        painting.paint({ x, y, layers, paper: colours.paper, view, radius: radius() });
      }
    }
    painting.show(context, view, colours.paper);
    labels.setAttribute("transform", `translate(${view.width / 2 - view.x * view.scale} ${view.height / 2 + view.y * view.scale})`);
    if (named !== view.scale) spread();
    const corners = [];
    for (let i = 0; i < lasso.length; i += 2) {
      corners.push(`${view.width / 2 + (lasso[i] - view.x) * view.scale} ${view.height / 2 - (lasso[i + 1] - view.y) * view.scale}`);
    }
    outline.setAttribute("d", corners.length > 1 ? `M${corners.join("L")}${drawing ? "" : "Z"}` : "");
    if (pointed >= 0) point(pointed);
    root.dataset.scale = (view.scale / whole).toFixed(3);
  }

  // Names: those of larger clusters first, none over another. One that the keyboard reaches is shown whatever it covers.
  let named = 0;
  const ofCluster = new Map(data.labels.map((label) => [String(label.cluster), label]));
  function spread() {
    named = view.scale;
    const taken = [];
    for (const link of links) {
      const label = ofCluster.get(link.dataset.cluster);
      if (!label) continue;
      link.classList.remove("only-wide", "only-narrow", "covered");
      const { width, height } = link.querySelector("text").getBBox();
      // Whole names, when all of the map is in sight: those at its sides move inwards.
      const side = Math.max(0, Math.max(view.scale, view.width / 2) - width / 2 - 8);
      const [cx, cy] = [clamp((label.x / EDGE) * view.scale, -side, side), (-label.y / EDGE) * view.scale];
      link.setAttribute("transform", `translate(${cx} ${cy})`);
      const [left, top, right, bottom] = [cx - width / 2 - 4, cy - height / 2, cx + width / 2 + 4, cy + height / 2];
      const isFree = taken.every((t) => right < t[0] || left > t[2] || bottom < t[1] || top > t[3]);
      if (isFree) taken.push([left, top, right, bottom]);
      else link.classList.add("covered");
    }
  }

  function move(nx, ny, scale = view.scale) {
    Object.assign(view, { x: clamp(nx, -1.05, 1.05), y: clamp(ny, -1.05, 1.05), scale: clamp(scale, whole * 0.6, whole * 60) });
    draw();
  }

  function zoom(factor, sx = view.width / 2, sy = view.height / 2) {
    const [px, py] = place(sx, sy);
    const scale = clamp(view.scale * factor, whole * 0.6, whole * 60);
    move(px - (sx - view.width / 2) / scale, py + (sy - view.height / 2) / scale, scale);
  }

  const fit = () => move(0, 0, whole);

  new ResizeObserver(() => {
    const isWhole = view.width < 2 || view.scale === whole;
    const { clientWidth: width, clientHeight: height } = stage;
    Object.assign(view, { width, height, density: Math.min(devicePixelRatio, 2) });
    [canvas.width, canvas.height] = [width * view.density, height * view.density];
    whole = Math.min((width / 2 - MARGIN) / broad, (height / 2 - MARGIN) / high);
    if (isWhole) fit();
    else draw();
  }).observe(stage);

  // What is under the pointer, or in the middle.
  let pointed = -1;
  function hide() {
    pointed = -1;
    tip.hidden = true;
    ring.setAttribute("hidden", "");
  }

  function point(row) {
    pointed = row;
    const [sx, sy] = screen(row);
    ring.removeAttribute("hidden");
    ring.setAttribute("cx", sx);
    ring.setAttribute("cy", sy);
    tip.hidden = false;
    const side = sx > view.width / 2 ? "calc(-100% - 14px)" : "14px";
    tip.style.transform = `translate(${sx}px, ${sy}px) translate(${side}, ${sy > view.height / 2 ? "-100%" : "0"})`;
  }

  /** Says which document it is; a large batch is asked for its name. */
  async function tell(row, before = "") {
    const cluster = data.clusters[row];
    const group = cluster === null ? "outlier" : (called.get(cluster) ?? `cluster ${cluster}`);
    const say = () => {
      if (pointed !== row) return;
      const name = names.get(row) ?? "…";
      tip.replaceChildren(make("div", { class: "map-tip-name" }, tip), make("div", { class: "fine" }, tip));
      tip.firstChild.textContent = name;
      tip.lastChild.textContent = group;
      if (before) readout.textContent = `${before} ${name}, ${group}. Enter opens it.`;
    };
    say();
    if (names.has(row)) return;
    await new Promise((done) => setTimeout(done, 120));
    if (pointed !== row) return;
    const page = await read(root.dataset.rows + data.documents[row]).catch(() => null);
    names.set(row, page?.items?.[0]?.path ?? data.documents[row]);
    say();
  }

  function hover(sx, sy) {
    const [px, py] = place(sx, sy);
    const row = grid.nearest(px, py, NEAR / view.scale, isColoured);
    canvas.classList.toggle("on-point", row >= 0 && !isLasso);
    if (row === pointed) return;
    if (row < 0) return hide();
    point(row);
    tell(row);
  }

  function middle() {
    const row = grid.nearest(view.x, view.y, Math.max(view.width, view.height) / 3 / view.scale, isColoured);
    if (row < 0) {
      hide();
      readout.textContent = "No document is near the middle.";
      return;
    }
    point(row);
    tell(row, "In the middle:");
  }

  const open = (row) => location.assign(root.dataset.open + data.documents[row] + root.dataset.query);

  // The lasso, and what is done with the documents in it.
  const form = document.getElementById("selection");
  const words = form?.querySelector("strong");
  const all = words?.textContent;
  let isLasso = false;
  let drawing = false;

  function setLasso(is) {
    isLasso = is;
    root.querySelector('[data-tool="lasso"]').setAttribute("aria-pressed", String(is));
    canvas.classList.toggle("lassoing", is);
  }

  function choose(polygon) {
    const rows = polygon.length >= 6 ? inside(polygon, x, y).filter((row) => matches[row] === 1) : [];
    lasso = rows.length ? polygon : [];
    chosen = null;
    form?.querySelector("input[name=all]")?.remove();
    if (rows.length) {
      chosen = new Uint8Array(count);
      rows.forEach((row) => (chosen[row] = 1));
    }
    if (form) {
      form.method = rows.length ? "post" : "get";
      words.textContent = rows.length ? `the ${rows.length.toLocaleString("en")} in the lasso` : all;
      if (rows.length) {
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name: "all", value: rows.map((row) => data.documents[row]).join() });
        form.append(input);
      }
    }
    root.querySelector('[data-tool="clear"]').hidden = rows.length === 0;
    readout.textContent = rows.length ? `${rows.length.toLocaleString("en")} documents are in the lasso.` : polygon.length ? "No document is in the lasso." : "";
    sort();
    painting.view = null;
    draw();
  }

  const inUrl = (polygon) => `#lasso=${polygon.map((value) => Math.round(value * 1000)).join(",")}`;
  const fromUrl = () => (location.hash.match(/^#lasso=([-\d,]+)$/)?.[1] ?? "").split(",").filter(Boolean).map((value) => value / 1000);

  function close() {
    drawing = false;
    // Corners that a thousandth of the map tells apart are enough, and few of them: the address holds them.
    const every = Math.ceil(lasso.length / 2 / 150);
    choose(lasso.filter((_, at) => Math.floor(at / 2) % every === 0));
    setLasso(false);
    history.pushState(null, "", chosen ? inUrl(lasso) : location.pathname + location.search);
  }

  function letGo() {
    if (!chosen && !lasso.length) return;
    choose([]);
    history.pushState(null, "", location.pathname + location.search);
  }

  addEventListener("popstate", () => choose(fromUrl()));

  const tools = { in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit, lasso: () => setLasso(!isLasso), clear: letGo };
  for (const button of root.querySelectorAll("[data-tool]")) button.addEventListener("click", tools[button.dataset.tool]);

  // Pointers: one moves or draws, two pinch.
  const down = new Map();
  let moved = 0;
  const at = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const between = () => {
    const [[ax, ay], [bx, by]] = [...down.values()];
    return { away: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    moved = 0;
    drawing = down.size === 1 && (isLasso || event.shiftKey);
    if (drawing) lasso = [...place(...at(event))];
    hide();
  });

  canvas.addEventListener("pointermove", (event) => {
    const [sx, sy] = at(event);
    const was = down.get(event.pointerId);
    if (!was) {
      if (event.pointerType === "mouse") hover(sx, sy);
      return;
    }
    if (down.size === 2) {
      const before = between();
      down.set(event.pointerId, [sx, sy]);
      const now = between();
      zoom(now.away / Math.max(1, before.away), now.x, now.y);
      move(view.x - (now.x - before.x) / view.scale, view.y + (now.y - before.y) / view.scale);
      moved = Infinity;
      return;
    }
    moved += Math.hypot(sx - was[0], sy - was[1]);
    if (drawing) {
      const [px, py] = place(sx, sy);
      if (Math.hypot(px - lasso.at(-2), py - lasso.at(-1)) * view.scale > 3) lasso.push(px, py);
      draw();
    } else {
      move(view.x - (sx - was[0]) / view.scale, view.y + (sy - was[1]) / view.scale);
      canvas.classList.toggle("moving", moved > STILL);
    }
    down.set(event.pointerId, [sx, sy]);
  });

  function up(event) {
    if (!down.delete(event.pointerId)) return;
    canvas.classList.remove("moving");
    if (drawing) return close();
    if (event.type === "pointercancel" || moved > STILL || down.size) return;
    const [px, py] = place(...at(event));
    const row = grid.nearest(px, py, NEAR / view.scale, isColoured);
    if (row < 0) return;
    // A finger has not seen the name yet: the first touch tells it, the second opens.
    if (event.pointerType === "mouse" || touched === row) return open(row);
    touched = row;
    point(row);
    tell(row, "");
  }
  let touched = -1;
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => down.size || hide());

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
  }, { passive: false });

  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && pointed >= 0) return open(pointed);
    if (event.key === "=") zoom(1.5);
    else if (moves[event.key]) move(view.x + (moves[event.key][0] * STRIDE) / view.scale, view.y + (moves[event.key][1] * STRIDE) / view.scale);
    else return;
    event.preventDefault();
    middle();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (isLasso) setLasso(false);
    else letGo();
  });
  // Not of the names' own group: an SVG element that listens for the focus takes it.
  stage.addEventListener("focusin", (event) => {
    const label = ofCluster.get(event.target.closest("a")?.dataset.cluster);
    if (!label || !event.target.matches(":focus-visible")) return;
    const [px, py] = [label.x / EDGE, label.y / EDGE];
    const isSeen = Math.abs(px - view.x) * view.scale < view.width * 0.4 && Math.abs(py - view.y) * view.scale < view.height * 0.4;
    if (!isSeen) move(px, py);
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  recolour();
  choose(fromUrl());
  root.dataset.points = String(count);
}

const root = document.querySelector("[data-map]");
if (root) read(root.dataset.map).then((data) => data.documents && start(root, data));
