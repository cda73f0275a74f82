// One or two scenes: maps behind a slider, curves behind a click, and the difference of two.

import { ask, drawMap, drawPlot, shown, values } from "./drawing.js";

const place = document.getElementById("scenes");

function made(tag, parent, text = "", kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  parent.append(element);
  return element;
}

class Scene {
  constructor(number, told, changed) {
    Object.assign(this, { number, told, changed, position: 0, chosen: {}, click: null, maps: [] });
    const section = made("section", place);
    made("h1", section, `${told.title} (${told.kind})`);
    made("p", section, told.note, "note");
    const controls = made("div", section, "", "controls");
    this.addSlider(controls);
    for (const [name, options] of Object.entries(told.choices)) this.addChoice(controls, name, options);
    this.error = made("p", section, "", "error");
    this.pictures = made("div", section, "", "maps");
    this.curves = made("div", section, "", "maps");
  }

  addSlider(controls) {
    const { name, values: steps } = this.told.slider;
    if (steps.length < 2) return;
    const label = made("label", controls, name);
    const slider = made("input", label);
    const value = made("output", label, shown(steps[0]));
    Object.assign(slider, { type: "range", min: 0, max: steps.length - 1, value: 0 });
    slider.addEventListener("input", () => {
      this.position = Number(slider.value);
      value.textContent = shown(steps[this.position]);
      this.draw();
    });
  }

  addChoice(controls, name, options) {
    this.chosen[name] = options[0];
    if (options.length < 2) return;
    const select = made("select", made("label", controls, name));
    for (const option of options) made("option", select, option);
    select.addEventListener("change", () => {
      this.chosen[name] = select.value;
      this.draw();
    });
  }

  query(more = {}) {
    return new URLSearchParams({ scene: this.number, position: this.position, ...this.chosen, ...more });
  }

  // Draw what the controls say; while a request runs, only the last wish is kept.
  async draw() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    do {
      this.again = false;
      try {
        this.maps = await ask(`api/maps?${this.query()}`);
        this.pictures.replaceChildren();
        for (const map of this.maps) drawMap(this.pictures, map, (x, y) => this.point(x, y));
        await this.plot();
        this.error.textContent = "";
      } catch (error) {
        this.error.textContent = error.message;
      }
    } while (this.again);
    this.busy = false;
    this.changed();
  }

  async point(x, y) {
    this.click = { x, y };
    await this.plot();
  }

  async plot() {
    const plots = await ask(`api/plots?${this.query(this.click || {})}`);
    this.curves.replaceChildren();
    for (const plot of plots) drawPlot(this.curves, plot);
  }
}

// What the second scene has more than the first, of maps of one name and shape.
function differences(one, other) {
  const found = [];
  for (const map of one.maps) {
    const pair = other.maps.find((each) => each.name === map.name);
    if (!pair || String(pair.shape) !== String(map.shape)) continue;
    const before = values(map), change = values(pair).map((value, n) => value - before[n]);
    const largest = change.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0) || 1;
    const bytes = new Uint8Array(change.buffer);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    found.push({ ...map, label: `Δ ${map.label}`, values: btoa(text), limits: [-largest, largest], palette: DIVERGING });
  }
  return found;
}

const DIVERGING = Array.from({ length: 256 }, (_, n) => {
  const share = n / 127.5 - 1, pale = 1 - Math.abs(share);
  return (share < 0 ? [40 + 205 * pale, 90 + 155 * pale, 170 + 75 * pale] : [180 + 65 * pale, 40 + 205 * pale, 50 + 195 * pale]).map(Math.round);
});

const told = await ask("api/scenes");
let comparison = null;
const scenes = told.map((each, number) => new Scene(number, each, () => {
  if (!comparison || scenes.some((scene) => !scene.maps.length)) return;
  const maps = differences(scenes[0], scenes[1]);
  comparison.replaceChildren();
  if (!maps.length) made("p", comparison, "No map of the two has the same name and shape.", "note");
  for (const map of maps) drawMap(comparison, map);
}));
if (scenes.length > 1) {
  made("h1", place, `${told[1].title} − ${told[0].title}`);
  comparison = made("div", place, "", "maps");
}
if (!scenes.length) made("p", place, "No folder was given.");
for (const scene of scenes) await scene.draw();
document.body.dataset.ready = "yes";
