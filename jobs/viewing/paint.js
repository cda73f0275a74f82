// A square to paint a density on; the server lights it, asks the network and inverts the signals.

import { ask, drawMap, shown } from "./drawing.js";

const get = (name) => document.getElementById(name);
const told = await ask("api/easel");
const cells = told.cells, [least, most] = told.densities;
const density = new Float32Array(cells * cells).fill(1);  // row 0 is the bottom
const canvas = get("easel"), context = canvas.getContext("2d");
canvas.width = canvas.height = cells;
get("network").hidden = !told.network;

const chosen = () => Math.min(most, Math.max(least, 10 ** Number(get("density").value)));

function show() {
  const image = new ImageData(cells, cells);
  for (let j = 0; j < cells; j++) {
    for (let i = 0; i < cells; i++) {
      const share = Math.log(density[(cells - 1 - j) * cells + i] / least) / Math.log(most / least);
      const colour = told.palette[Math.round(255 * Math.min(1, Math.max(0, share)))];
      image.data.set([...colour, 255], 4 * (j * cells + i));
    }
  }
  context.putImageData(image, 0, 0);
  get("density-value").textContent = `${shown(chosen())} g/cm³`;
}

function paint(event) {
  const place = canvas.getBoundingClientRect(), half = Number(get("brush").value) / 2;
  const x = ((event.clientX - place.left) / place.width) * cells;
  const y = (1 - (event.clientY - place.top) / place.height) * cells;
  for (let j = 0; j < cells; j++) {
    for (let i = 0; i < cells; i++) {
      if (Math.hypot(i + 0.5 - x, j + 0.5 - y) <= half) density[j * cells + i] = chosen();
    }
  }
  show();
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  paint(event);
});
canvas.addEventListener("pointermove", (event) => event.buttons && paint(event));
get("density").addEventListener("input", show);
get("clear").addEventListener("click", () => {
  density.fill(1);
  show();
});

function body(more = {}) {
  const rows = Array.from({ length: cells }, (_, j) => {
    const row = density.subarray(j * cells, (j + 1) * cells);
    return Array.from(row, (value) => Math.min(most, Math.max(least, value)));
  });
  return { density: rows, ...more };
}

// Let a button do its work: say what happens, and what went wrong.
function does(name, work) {
  get(name).addEventListener("click", async () => {
    get(name).disabled = true;
    get("said").className = "note";
    get("said").textContent = "…";
    try {
      get("said").textContent = (await work()) || "";
    } catch (error) {
      get("said").className = "error";
      get("said").textContent = error.message;
    }
    get(name).disabled = false;
  });
}

function draw(place, maps) {
  for (const map of maps) drawMap(place, map);
}

does("light", async () => {
  const found = await ask("api/light", body({ edge: get("edge").value }));
  get("lit").replaceChildren();
  draw(get("lit"), found.maps);
});

does("network", async () => {
  const found = await ask("api/network", body());
  get("found").replaceChildren();
  draw(get("found"), found.maps);
  return found.note;
});

does("invert", async () => {
  let found = await ask("api/invert", body());
  while (found.state === "running") {
    get("said").textContent = found.line;
    await new Promise((resume) => setTimeout(resume, 500));
    found = await ask("api/inversion");
  }
  if (found.state === "failed") throw new Error(found.line);
  get("found").replaceChildren();
  draw(get("found"), found.maps);
  return found.line;
});

show();
document.body.dataset.ready = "yes";
