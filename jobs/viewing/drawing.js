// Maps and curves on canvases, and the requests of both pages.

export async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error || answer.statusText);
  return found;
}

export function values(map) {
  const bytes = Uint8Array.from(atob(map.values), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

// A number as a reader wants it: few digits, a power of ten where it is tiny or huge.
export function shown(number) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  return size >= 1e5 || size < 1e-3 ? number.toExponential(1) : String(Number(number.toPrecision(3)));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Labels of ticks, with as many digits as tell them apart.
function labels(list) {
  const step = list.length > 1 ? list[1] - list[0] : 0;
  const size = Math.max(...list.map(Math.abs));
  if (!(step > 0) || size >= 1e5 || size < 1e-3) return list.map(shown);
  return list.map((tick) => tick.toFixed(Math.min(9, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))));
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) found.push(n * step);
  return found;
}

// Prepare a canvas of the given size in CSS pixels; return its context.
function prepared(canvas, width, height) {
  const scale = Math.max(2, window.devicePixelRatio || 1);  // sharp, also where it is stretched
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = colour("--ink");
  return context;
}

function frame(context, box, extent, axes) {
  const [x0, x1, y0, y1] = extent;
  context.lineWidth = 1;
  context.strokeStyle = colour("--soft");
  context.strokeRect(box.x, box.y, box.w, box.h);
  context.textAlign = "center";
  context.textBaseline = "top";
  const across = ticks(x0, x1, 3), up = ticks(y0, y1, 3);
  labels(across).forEach((text, n) => {
    context.fillText(text, box.x + ((across[n] - x0) / (x1 - x0)) * box.w, box.y + box.h + 4);
  });
  context.fillText(axes[0], box.x + box.w / 2, box.y + box.h + 17);
  context.textAlign = "right";
  context.textBaseline = "middle";
  labels(up).forEach((text, n) => {
    context.fillText(text, box.x - 4, box.y + box.h - ((up[n] - y0) / (y1 - y0)) * box.h);
  });
  context.save();
  context.translate(9, box.y + box.h / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(axes[1], 0, 0);
  context.restore();
}

// Draw a map with axes and a colour bar; clicked(x, y) is told where it is clicked.
export function drawMap(parent, map, clicked) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${map.label}: from ${shown(map.limits[0])} to ${shown(map.limits[1])}`);
  figure.append(canvas);
  parent.append(figure);
  const width = 272, height = 246;
  const box = { x: 44, y: 20, w: width - 108, h: height - 56 };
  const context = prepared(canvas, width, height);
  const [rows, columns] = map.shape;
  const numbers = values(map), [low, high] = map.limits;
  const image = new ImageData(columns, rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const value = numbers[(rows - 1 - j) * columns + i];  // row 0 is the bottom
      const place = 4 * (j * columns + i);
      if (!Number.isFinite(value)) continue;
      const share = high > low ? (value - low) / (high - low) : 0.5;
      const rgb = map.palette[Math.max(0, Math.min(255, Math.floor(share * 256)))];
      image.data.set([rgb[0], rgb[1], rgb[2], 255], place);
    }
  }
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, box.x, box.y, box.w, box.h);
  frame(context, box, map.extent, map.axes);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(map.label, box.x, 9);
  const bar = { x: box.x + box.w + 10, w: 10 };
  map.palette.forEach((rgb, n) => {
    context.fillStyle = `rgb(${rgb})`;
    context.fillRect(bar.x, box.y + box.h * (1 - (n + 1) / 256), bar.w, box.h / 256 + 0.6);
  });
  context.fillStyle = colour("--ink");
  const marks = ticks(low, high, 4);
  labels(marks).forEach((text, n) => {
    const share = high > low ? (marks[n] - low) / (high - low) : 0.5;
    context.fillText(text, bar.x + bar.w + 4, box.y + box.h * (1 - share));
  });
  if (clicked) {
    canvas.className = "clickable";
    canvas.addEventListener("click", (event) => {
      const zoom = width / canvas.clientWidth;
      const x = (event.offsetX * zoom - box.x) / box.w, y = 1 - (event.offsetY * zoom - box.y) / box.h;
      if (x < 0 || x > 1 || y < 0 || y > 1) return;
      const [x0, x1, y0, y1] = map.extent;
      clicked(x0 + x * (x1 - x0), y0 + y * (y1 - y0));
    });
  }
}

const LINES = ["#4477aa", "#cc6677", "#228833", "#aa7700"];

export function drawPlot(parent, plot) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  caption.textContent = plot.title;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", plot.title);
  figure.append(caption, canvas);
  parent.append(figure);
  const width = 340, height = 210;
  const box = { x: 60, y: 18, w: width - 70, h: height - 54 };
  const context = prepared(canvas, width, height);
  const xs = plot.lines.flatMap((line) => line.x), ys = plot.lines.flatMap((line) => line.y);
  if (!xs.length) return;
  const least = (list) => list.reduce((a, b) => Math.min(a, b)), most = (list) => list.reduce((a, b) => Math.max(a, b));
  const extent = [least(xs), most(xs), least(ys), most(ys)];
  if (extent[1] === extent[0]) extent[1] += 1;
  const room = 0.05 * (extent[3] - extent[2]) || 0.05 * Math.abs(extent[3]) || 1;
  extent[2] -= room;
  extent[3] += room;
  frame(context, box, extent, [plot.across, plot.up]);
  plot.lines.forEach((line, n) => {
    context.strokeStyle = context.fillStyle = LINES[n % LINES.length];
    context.lineWidth = 1.5;
    context.beginPath();
    line.x.forEach((x, i) => {
      const px = box.x + ((x - extent[0]) / (extent[1] - extent[0])) * box.w;
      const py = box.y + box.h - ((line.y[i] - extent[2]) / (extent[3] - extent[2])) * box.h;
      if (plot.points.includes(line.label)) context.fillRect(px - 1.5, py - 1.5, 3, 3);
      else if (i) context.lineTo(px, py);
      else context.moveTo(px, py);
    });
    context.stroke();
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(line.label, box.x + 4 + n * 74, 9);
  });
}
