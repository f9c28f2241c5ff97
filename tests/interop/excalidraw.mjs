// SPDX-License-Identifier: MIT
//
// Compares with Excalidraw itself: what its own code writes goes through a board and back into its
// own code, and ink is laid over that of perfect-freehand. For developers, not for every test run:
//
//     cd FOLDER && npm install --legacy-peer-deps @excalidraw/excalidraw perfect-freehand jsdom \
//         esbuild react@18 react-dom@18
//     node tests/interop/excalidraw.mjs build/release/apps/tandem FOLDER
//
// Prints a line for each difference; ends with 1 when there are any.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [tandem, packages] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(packages, 'here.js'));
const work = mkdtempSync(join(tmpdir(), 'tandem-excalidraw-'));
const differences = [];

function differ(what) {
  differences.push(what);
  console.log(what);
}

function board(...words) {
  return execFileSync(tandem, ['board', ...words], {
    encoding: 'utf8', env: { ...process.env, HOME: work, DISPLAY: '' },
  });
}

// A browser, as far as Excalidraw's code asks for one when it only reads and writes.
async function load() {
  const { JSDOM } = require('jsdom');
  const { window } = new JSDOM('<body></body>', { url: 'http://localhost/' });
  const bundle = join(work, 'bundle.mjs');

  window.FontFace = class {};
  window.HTMLCanvasElement.prototype.getContext = () =>
    ({ measureText: (text) => ({ width: 8 * text.length }) });
  for (const key of Object.getOwnPropertyNames(window))
    if (!(key in globalThis))
      globalThis[key] = window[key];
  globalThis.window = window;
  Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });
  require('esbuild').buildSync({
    stdin: { contents: 'export * from "@excalidraw/excalidraw"', resolveDir: packages },
    bundle: true, format: 'esm', outfile: bundle, logLevel: 'error',
    loader: { '.woff2': 'empty', '.css': 'empty' },
  });
  return import(bundle);
}

// --- Scenes ---------------------------------------------------------------------------------

const wave = Array.from({ length: 60 }, (_, i) => [5 * i, 40 * Math.sin(i / 8)]);
const pressures = wave.map((_, i) => 0.3 + 0.4 * Math.abs(Math.sin(i / 15)));

// One of each, by Excalidraw's own maker of elements, with what it has no maker for beside them.
function makeScene(ex) {
  const elements = ex.convertToExcalidrawElements([
    { type: 'rectangle', x: 10, y: 20, width: 200, height: 100, strokeColor: '#1971c2',
      backgroundColor: '#a5d8ff', strokeWidth: 4, strokeStyle: 'dashed', roundness: { type: 3 },
      opacity: 60, angle: 0.5, groupIds: ['inner', 'outer'] },
    { type: 'ellipse', x: -30.5, y: 7.25, width: 33, height: 44, groupIds: ['inner', 'outer'] },
    { type: 'diamond', x: 300, y: 20, width: 90, height: 60, locked: true, groupIds: ['outer'] },
    { type: 'line', x: 5, y: 300, points: [[0, 0], [50, 20], [90, -40]], strokeStyle: 'dotted' },
    { type: 'line', x: 5, y: 400, points: [[0, 0], [50, 0], [50, 50], [0, 0]],
      backgroundColor: '#ffc9c9' },
    { type: 'arrow', x: 200, y: 300, points: [[0, 0], [120, -30]], startArrowhead: 'bar',
      endArrowhead: 'triangle' },
    { type: 'text', x: 400, y: 300, text: 'two\nlines, grüß', fontSize: 28, fontFamily: 3 },
    { type: 'text', x: 400, y: 400, text: 'Excalifont', fontFamily: 5, link: 'https://a.example/' },
  ]);
  const model = elements[0];

  elements.push({ ...model, id: 'ink', type: 'freedraw', x: 10, y: 500, width: 295, height: 80,
    angle: 0, opacity: 100, strokeStyle: 'solid', strokeWidth: 2, strokeColor: '#1e1e1e',
    backgroundColor: 'transparent', roundness: null, groupIds: [], points: wave, pressures,
    simulatePressure: false });
  return elements;
}

const near = { x: 0.07, y: 0.07, width: 0.13, height: 0.13, angle: 1e-4, strokeWidth: 0.07,
  opacity: 1, fontSize: 0.07 };
// A text's size is what the reader's fonts make of it; of lines the points are what counts.
const loose = { text: ['width', 'height'], line: ['x', 'y', 'width', 'height'],
  arrow: ['x', 'y', 'width', 'height'] };
const exact = ['type', 'strokeColor', 'backgroundColor', 'strokeStyle', 'locked', 'link', 'text',
  'fontFamily', 'textAlign', 'startArrowhead', 'endArrowhead', 'simulatePressure'];

function shapeOfGroups(elements) {
  const names = new Map();

  return elements.map((e) => e.groupIds.map((id) => {
    if (!names.has(id))
      names.set(id, names.size);
    return names.get(id);
  }).join('<'));
}

function compare(before, after) {
  if (before.length !== after.length)
    differ(`${before.length} elements became ${after.length}`);
  for (const [i, a] of before.entries()) {
    const b = after[i] ?? {};

    for (const [key, most] of Object.entries(near))
      if (!loose[a.type]?.includes(key) &&
          Math.abs((a[key] ?? 0) - (b[key] ?? 0)) > most)
        differ(`${a.type} ${i}: ${key} ${a[key]} became ${b[key]}`);
    for (const key of exact)
      if ((a[key] ?? null) !== (b[key] ?? null))
        differ(`${a.type} ${i}: ${key} ${JSON.stringify(a[key])} became ${JSON.stringify(b[key])}`);
    for (const [p, point] of (a.points ?? []).entries()) {
      const other = b.points?.[p] ?? [NaN, NaN];

      if (!(Math.hypot(a.x + point[0] - b.x - other[0], a.y + point[1] - b.y - other[1]) < 0.1))
        differ(`${a.type} ${i}: point ${p} ${point} became ${other}`);
    }
    for (const [p, pressure] of (a.pressures ?? []).entries())
      if (!(Math.abs(pressure - b.pressures?.[p]) < 0.005))
        differ(`${a.type} ${i}: pressure ${p} ${pressure} became ${b.pressures?.[p]}`);
  }
  if (String(shapeOfGroups(before)) !== String(shapeOfGroups(after)))
    differ(`groups ${shapeOfGroups(before)} became ${shapeOfGroups(after)}`);
}

// What Excalidraw mends in a file that is not as it wants it.
function compareRestored(written, restored) {
  for (const [i, a] of written.entries())
    for (const [key, value] of Object.entries(a))
      if (!['version', 'versionNonce', 'updated', 'boundElements'].includes(key) &&
          JSON.stringify(value) !== JSON.stringify(restored[i][key]))
        differ(`ours, mended: ${a.type} ${i}: ${key} ${JSON.stringify(value)} to ` +
               `${JSON.stringify(restored[i][key])}`);
}

// --- Ink ------------------------------------------------------------------------------------

function inside(polygon, x, y) {
  let winding = 0;

  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[j], [bx, by] = polygon[i];

    if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax)
      winding += by > ay ? 1 : -1;
  }
  return winding !== 0;
}

// Pixels that are dark, by row, with the place of their middle.
function blot(width, height, dark) {
  const list = new Set();
  let left = width, top = height, right = 0, bottom = 0;

  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (dark(x, y)) {
        list.add(y * 65536 + x);
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
  return { list, left, top, right, bottom };
}

// How much of both areas is in both, with the best of a few places.
function overlap(a, b) {
  let best = 0;

  for (let dx = -3; dx <= 3; dx++)
    for (let dy = -3; dy <= 3; dy++) {
      let both = 0;
      const move = (a.top - b.top + dy) * 65536 + a.left - b.left + dx;

      for (const pixel of b.list)
        both += a.list.has(pixel + move) ? 1 : 0;
      best = Math.max(best, both / (a.list.size + b.list.size - both));
    }
  return best;
}

function compareInk(getStroke) {
  const scale = 4, png = join(work, 'ink.png');
  const outline = getStroke(wave.map(([x, y], i) => [x, y, pressures[i]]), {
    size: 2 * 4.25, thinning: 0.6, smoothing: 0.5, streamline: 0.5, simulatePressure: false,
    easing: (t) => Math.sin(t * Math.PI / 2), last: true,
  }).map(([x, y]) => [(x + 20) * scale, (y + 60) * scale]);

  board('export', join(work, 'ink.board'), png, '--scale', String(scale));
  const [width, height] = execFileSync('identify', ['-format', '%w %h', png], { encoding: 'utf8' })
    .split(' ').map(Number);
  const grey = execFileSync('convert', [png, '-background', 'white', '-flatten', '-colorspace',
    'gray', '-depth', '8', 'gray:-'], { maxBuffer: 1 << 28 });
  const ours = blot(width, height, (x, y) => grey[y * width + x] < 128);
  const theirs = blot(340 * scale, 120 * scale, (x, y) => inside(outline, x + 0.5, y + 0.5));

  console.log(`ink: ${(100 * overlap(theirs, ours)).toFixed(1)} % of both areas in both; ` +
              `${ours.list.size} and ${theirs.list.size} pixels`);
}

// --- All of it ------------------------------------------------------------------------------

function throughTandem(ex, elements, name) {
  const from = join(work, `${name}.excalidraw`), to = join(work, `${name}-back.excalidraw`);

  writeFileSync(from, ex.serializeAsJSON(elements, {}, {}, 'local'));
  board('import', join(work, `${name}.board`), from);
  board('export', join(work, `${name}.board`), to);
  return JSON.parse(readFileSync(to, 'utf8'));
}

const ex = await load();
const scene = makeScene(ex);
const back = throughTandem(ex, scene, 'scene');
const restored = ex.restore(back, null, null).elements;

console.log(`${scene.length} elements written by Excalidraw, ${restored.length} read again by it`);
compare(scene, restored);
compareRestored(back.elements, restored);
throughTandem(ex, scene.slice(-1), 'ink');
compareInk(require('perfect-freehand').getStroke);
console.log(`${differences.length} differences`);
rmSync(work, { recursive: true });
process.exit(differences.length ? 1 : 0);
