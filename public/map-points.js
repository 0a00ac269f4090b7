// Points of the map: painted into a picture larger than what is seen, so that moving it costs no painting; found again by
// place. It knows no events.
const SVG = "http://www.w3.org/2000/svg";

export function make(name, attributes, parent) {
  const element = name === "canvas" || name === "div" ? document.createElement(name) : document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

/** What a style sheet's colour is in red, green and blue. */
export function colourOf(className, parent) {
  const probe = make("div", { class: `map-probe ${className}` }, parent);
  const context = make("canvas", { width: 1, height: 1 }, probe).getContext("2d");
  context.fillStyle = getComputedStyle(probe).color;
  context.fillRect(0, 0, 1, 1);
  probe.remove();
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Points by place: a grid of cells over -1 to 1 in both directions, each with its points side by side in one list. */
export class Grid {
  static SIDE = 200;

  constructor(x, y) {
    const cell = (value) => Math.min(Grid.SIDE - 1, Math.max(0, Math.floor(((value + 1) / 2) * Grid.SIDE)));
    const side = Grid.SIDE;
    this.cell = cell;
    this.starts = new Uint32Array(side * side + 1);
    const of = new Uint32Array(x.length);
    for (let i = 0; i < x.length; i += 1) {
      of[i] = cell(y[i]) * side + cell(x[i]);
      this.starts[of[i] + 1] += 1;
    }
    for (let i = 0; i < side * side; i += 1) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.points = new Uint32Array(x.length);
    for (let i = 0; i < x.length; i += 1) this.points[next[of[i]]++] = i;
    this.x = x;
    this.y = y;
  }

  /** The point nearest to a place within a distance, those that `counts` says yes to before all others; -1 for none. */
  nearest(x, y, distance, counts) {
    const { cell, starts, points } = this;
    let best = -1;
    let least = Infinity;
    for (let row = cell(y - distance); row <= cell(y + distance); row += 1) {
      const from = starts[row * Grid.SIDE + cell(x - distance)];
      const to = starts[row * Grid.SIDE + cell(x + distance) + 1];
      for (let at = from; at < to; at += 1) {
        const point = points[at];
        const away = Math.hypot(this.x[point] - x, this.y[point] - y);
        if (away > distance) continue;
        const cost = counts(point) ? away : away + 2 * distance;
        if (cost < least) [best, least] = [point, cost];
      }
    }
    return best;
  }
}

/** A disc of a radius in pixels: how much of each pixel it covers, in 256ths. */
function disc(radius) {
  const reach = Math.ceil(radius);
  const side = 2 * reach + 1;
  const cover = new Uint16Array(side * side);
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const inside = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      cover[(y + reach) * side + x + reach] = Math.round(inside * 225);
    }
  }
  return { cover, reach, side };
}

/** Painted points. Places are those of the map: -1 to 1, up is more. */
export class Painting {
  /** What is painted beyond what is seen, as a part of it, on each side. */
  static BEYOND = 0.3;

  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.image = null;
    this.view = null;
  }

  /** Paints the points in `layers`, each a list of points with their colours, the last on top. */
  paint({ x, y, layers, paper, view, radius }) {
    const { width, height, scale, density } = view;
    const wide = Math.ceil(width * (1 + 2 * Painting.BEYOND) * density);
    const high = Math.ceil(height * (1 + 2 * Painting.BEYOND) * density);
    if (this.image?.width !== wide || this.image?.height !== high) {
      [this.canvas.width, this.canvas.height] = [wide, high];
      this.image = this.context.createImageData(wide, high);
    }
    const bytes = this.image.data;
    new Uint32Array(bytes.buffer).fill((255 << 24) | (paper[2] << 16) | (paper[1] << 8) | paper[0]);
    const { cover, reach, side } = disc(radius * density);
    const step = scale * density;
    const left = wide / 2 - view.x * step;
    const top = high / 2 + view.y * step;
    for (const { points, colours, of } of layers) {
      for (let n = 0; n < points.length; n += 1) {
        const point = points[n];
        const px = Math.round(left + x[point] * step);
        const py = Math.round(top - y[point] * step);
        if (px < reach || py < reach || px >= wide - reach || py >= high - reach) continue;
        const [r, g, b] = colours[of ? of[point] : 0];
        for (let row = 0, at = 0; row < side; row += 1) {
          let to = ((py - reach + row) * wide + px - reach) * 4;
          for (let column = 0; column < side; column += 1, at += 1, to += 4) {
            const part = cover[at];
            if (part === 0) continue;
            bytes[to] += ((r - bytes[to]) * part) >> 8;
            bytes[to + 1] += ((g - bytes[to + 1]) * part) >> 8;
            bytes[to + 2] += ((b - bytes[to + 2]) * part) >> 8;
          }
        }
      }
    }
    this.context.putImageData(this.image, 0, 0);
    this.view = { ...view };
  }

  /** Whether all that `view` shows was painted, at its scale. */
  holds(view) {
    const was = this.view;
    if (!was || was.scale !== view.scale || was.width !== view.width || was.height !== view.height) return false;
    const away = (a, b, size) => Math.abs(a - b) * view.scale <= size * Painting.BEYOND;
    return away(was.x, view.x, view.width) && away(was.y, view.y, view.height);
  }

  /** Shows it in a canvas, stretched where it was painted at another scale. */
  show(context, view, paper) {
    const { width, height, density } = view;
    context.fillStyle = `rgb(${paper.join()})`;
    context.fillRect(0, 0, width * density, height * density);
    const was = this.view;
    const stretch = view.scale / was.scale;
    const wide = this.image.width * stretch;
    const high = this.image.height * stretch;
    const x = (width / 2 + (was.x - view.x) * view.scale) * density - wide / 2;
    const y = (height / 2 - (was.y - view.y) * view.scale) * density - high / 2;
    if (stretch === 1) context.drawImage(this.canvas, Math.round(x), Math.round(y));
    else context.drawImage(this.canvas, x, y, wide, high);
  }
}

/** Which points lie in a polygon, given as a flat list of coordinates (even-odd rule). */
export function inside(polygon, x, y) {
  const found = [];
  const corners = polygon.length / 2;
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < corners; i += 1) {
    left = Math.min(left, polygon[2 * i]);
    right = Math.max(right, polygon[2 * i]);
    bottom = Math.min(bottom, polygon[2 * i + 1]);
    top = Math.max(top, polygon[2 * i + 1]);
  }
  for (let point = 0; point < x.length; point += 1) {
    const [px, py] = [x[point], y[point]];
    if (px < left || px > right || py < bottom || py > top) continue;
    let is = false;
    for (let i = 0, j = corners - 1; i < corners; j = i, i += 1) {
      const [ax, ay, bx, by] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) is = !is;
    }
    if (is) found.push(point);
  }
  return found;
}
