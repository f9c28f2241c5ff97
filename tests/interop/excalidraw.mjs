// SPDX-License-Identifier: MIT
//
// Compares with Excalidraw itself: what its own code writes goes through a board and back into its
// own code, what a board has goes through its code and back, ink is laid over that of
// perfect-freehand, and the bytes of its messages while a stroke is drawn are counted. For
// developers, not for every test run:
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
    { type: 'image', x: 600, y: 20, width: 64, height: 32, fileId: 'dot', status: 'saved' },
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

// --- A board through Excalidraw --------------------------------------------------------------

// One of each of ours, as requests.
const requests = [
  { type: 'rectangle', x: 10, y: 20, w: 100, h: 50, colour: '#e03131', fill: '#ffc9c9', width: 4,
    dash: 'dashed', corner: 8, angle: 30, opacity: 0.6 },
  { type: 'ellipse', x: 200, y: 20, w: 100, h: 50, fill: '#b2f2bb80' },
  { type: 'diamond', x: 400, y: 20, w: 100, h: 50, locked: true },
  { type: 'line', x: 10, y: 120, points: [[0, 0], [50, 30], [90, -10]], dash: 'dotted' },
  { type: 'arrow', x: 200, y: 120, w: 80, h: 40, head_start: 'dot', head_end: 'triangle' },
  { type: 'pen', x: 10, y: 200, width: 6, points: [[0, 0, 0.2], [10, 5, 0.5], [20, 20, 0.9]] },
  { type: 'marker', x: 100, y: 200, width: 18, colour: '#ffd43b', points: [[0, 0], [50, 5]] },
  { type: 'text', x: 300, y: 200, text: 'grüß\nدرود', font: 'serif', font_size: 28 },
  { type: 'note', x: 10, y: 300, w: 150, h: 150, text: 'remember', fill: '#ffe58f' },
  { type: 'page', name: 'second' },
  { type: 'rectangle', page: 1, x: 0, y: 0, w: 30, h: 30 },
];
const closeEnough = { angle: 0.01, opacity: 0.005, x: 0.07, y: 0.07, w: 0.07, h: 0.07 };

function ask(name, list) {
  const said = execFileSync(tandem, ['board', 'open', join(work, name), '--no-window', '--json'], {
    encoding: 'utf8', env: { ...process.env, HOME: work, DISPLAY: '' },
    input: [...list, { do: 'quit' }].map((r) => JSON.stringify(r) + '\n').join(''),
  }).split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => 'ok' in line);

  for (const answer of said)
    if (!answer.ok)
      throw new Error(answer.why);
  return said;
}

function whole(name) {
  return [0, 1].flatMap((page) => ask(name, [{ do: 'list', whole: true, page }])[0].objects);
}

function compareBoards(ex) {
  const file = join(work, 'ours.excalidraw');

  ask('ours.board', requests.map((r) => ({ do: 'add', ...r })));
  board('export', join(work, 'ours.board'), file);
  const written = JSON.parse(readFileSync(file, 'utf8'));
  const restored = ex.restore(written, null, null);

  compareRestored(written.elements, restored.elements);
  writeFileSync(file, ex.serializeAsJSON(restored.elements, restored.appState, restored.files,
    'local'));
  board('import', join(work, 'again.board'), file);
  const before = whole('ours.board'), after = whole('again.board');

  console.log(`${before.length} objects of a board, ${after.length} after Excalidraw had them`);
  for (const [i, a] of before.entries())
    for (const [key, value] of Object.entries(a)) {
      const other = after[i]?.[key];
      // Names are new; a text's height is what the fonts make of it; the line was not sealed.
      const same = ['object', 'page', 'done'].includes(key) || (a.type === 'text' && key === 'h') ||
        (key in closeEnough ? Math.abs(value - other) <= closeEnough[key]
                            : JSON.stringify(value) === JSON.stringify(other));

      if (!same)
        differ(`ours: ${a.type} ${i}: ${key} ${JSON.stringify(value)} became ` +
               `${JSON.stringify(other)}`);
    }
}

// --- Ink ------------------------------------------------------------------------------------

const scale = 4; // Pixels of a px.
const strokes = {
  wave: wave.map(([x, y], i) => [x, y, pressures[i]]),
  spiral: Array.from({ length: 90 }, (_, i) =>
    [150 + i * Math.cos(i / 7), 110 + i * Math.sin(i / 7), 0.5 + 0.3 * Math.sin(i / 9)]),
  corners: Array.from({ length: 61 }, (_, i) =>
    [5 * i, Math.floor(i / 10) % 2 ? 8 * (10 - i % 10) : 8 * (i % 10), 0.5 + i / 300]),
};

function inside(polygon, x, y) {
  let winding = 0;

  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[j], [bx, by] = polygon[i];

    if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax)
      winding += by > ay ? 1 : -1;
  }
  return winding !== 0;
}

const name = (x, y) => (y + 4096) * 16384 + x + 4096;
const placeOf = (pixel) => [pixel % 16384 - 4096, Math.floor(pixel / 16384) - 4096];

function blot(box, dark) {
  const set = new Set();

  for (let y = box.top; y < box.bottom; y++)
    for (let x = box.left; x < box.right; x++)
      if (dark(x, y))
        set.add(name(x, y));
  return set;
}

const edge = (set) => [...set].filter((p) => [1, -1, 16384, -16384].some((d) => !set.has(p + d)));

// For each pixel of one edge how far away the other edge is, in px, the nearest first.
function distances(from, to) {
  const other = to.map(placeOf);

  return from.map((pixel) => {
    const [x, y] = placeOf(pixel);

    return Math.min(...other.map(([ox, oy]) => (x - ox) ** 2 + (y - oy) ** 2)) ** 0.5 / scale;
  }).sort((a, b) => a - b);
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

function compareInk(ex, getStroke, model) {
  for (const [what, points] of Object.entries(strokes)) {
    const place = join(work, `${what}.board`), png = join(work, `${what}.png`);
    const outline = getStroke(points, {
      size: 2 * 4.25, thinning: 0.6, smoothing: 0.5, streamline: 0.5, simulatePressure: false,
      easing: (t) => Math.sin(t * Math.PI / 2), last: true,
    }).map(([x, y]) => [x * scale, y * scale]);
    const xs = outline.map(([x]) => x), ys = outline.map(([, y]) => y);
    const theirs = blot({ left: Math.floor(Math.min(...xs)), right: Math.ceil(Math.max(...xs)),
      top: Math.floor(Math.min(...ys)), bottom: Math.ceil(Math.max(...ys)) },
    (x, y) => inside(outline, x + 0.5, y + 0.5));

    throughTandem(ex, [{ ...model, x: 0, y: 0, points: points.map(([x, y]) => [x, y]),
      pressures: points.map(([, , p]) => p) }], what);
    board('export', place, png, '--scale', String(scale));
    const [width, height] = execFileSync('identify', ['-format', '%w %h', png],
      { encoding: 'utf8' }).split(' ').map(Number);
    const grey = execFileSync('convert', [png, '-background', 'white', '-flatten', '-colorspace',
      'gray', '-depth', '8', 'gray:-'], { maxBuffer: 1 << 28 });
    // The picture's margin is not known: the place where most of it is in both.
    const ours = blot({ left: 0, right: width, top: 0, bottom: height },
      (x, y) => grey[y * width + x] < 128);
    const least = (set, axis) => [...set].reduce((l, p) => Math.min(l, placeOf(p)[axis]), 1e9);
    const [dx, dy] = [0, 1].map((axis) => least(theirs, axis) - least(ours, axis));
    let best = { both: 0, x: dx, y: dy };

    for (const [reach, step] of [[32, 8], [8, 2], [2, 1]]) {
      const around = best;

      for (let x = around.x - reach; x <= around.x + reach; x += step)
        for (let y = around.y - reach; y <= around.y + reach; y += step) {
          let both = 0;

          for (const pixel of ours)
            both += theirs.has(pixel + y * 16384 + x) ? 1 : 0;
          if (both > best.both)
            best = { both, x, y };
        }
    }
    const moved = new Set([...ours].map((p) => p + best.y * 16384 + best.x));
    const way = distances(edge(moved), edge(theirs)), back = distances(edge(theirs), edge(moved));

    console.log(`ink, ${what}: ` +
      `${(100 * best.both / (ours.size + theirs.size - best.both)).toFixed(1)} % of both areas in ` +
      `both, ours ${(100 * ours.size / theirs.size).toFixed(1)} % of theirs; from edge to edge ` +
      `${at(way, 0.5).toFixed(2)} px median, ${Math.max(at(way, 0.95), at(back, 0.95)).toFixed(2)} ` +
      `px p95, ${Math.max(at(way, 1), at(back, 1)).toFixed(2)} px at most (Hausdorff)`);
  }
}

// --- Bytes ----------------------------------------------------------------------------------

// While a stroke is drawn Excalidraw says it whole with each frame, as a SCENE_UPDATE, which is
// encrypted: 16 bytes more, and 12 of its nonce. The same points as bench/board/board_bench.c.
function countBytes(ex, model) {
  const points = Array.from({ length: 200 }, (_, i) => [
    Math.trunc(i * 40 + 30 * Math.sin(i / 3)) / 16, Math.trunc(1600 * Math.sin(i / 20)) / 16]);
  const force = points.map((_, i) => Math.trunc(128 + 60 * Math.sin(i / 30)) / 255);

  for (const [device, pressed] of [['a pen', true], ['a mouse', false]])
    for (const each of [1, 2]) {
      let bytes = 0;

      for (let count = each; count <= points.length; count += each) {
        const [element] = ex.restoreElements([{ ...model, points: points.slice(0, count),
          pressures: pressed ? force.slice(0, count) : [], simulatePressure: !pressed }], null);

        bytes += 28 + Buffer.byteLength(JSON.stringify(
          { type: 'SCENE_UPDATE', payload: { elements: [element] } }));
      }
      console.log(`a stroke of 200 points of ${device}, ${each} with each message: ${bytes} bytes`);
    }
}

// --- All of it ------------------------------------------------------------------------------

// A red dot.
const files = { dot: { id: 'dot', mimeType: 'image/png', created: 1, dataURL:
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dwn4EI' +
  'AAAzmAL/0V7WCQAAAABJRU5ErkJggg==' } };

function throughTandem(ex, elements, name) {
  const from = join(work, `${name}.excalidraw`), to = join(work, `${name}-back.excalidraw`);

  writeFileSync(from, ex.serializeAsJSON(elements, {}, files, 'local'));
  board('import', join(work, `${name}.board`), from);
  board('export', join(work, `${name}.board`), to);
  return JSON.parse(readFileSync(to, 'utf8'));
}

const ex = await load();
const scene = makeScene(ex);
const ink = scene.at(-1);
const back = throughTandem(ex, scene, 'scene');
const restored = ex.restore(back, null, null);

console.log(`${scene.length} elements written by Excalidraw, ${restored.elements.length} read ` +
            'again by it');
compare(scene, restored.elements);
compareRestored(back.elements, restored.elements);
for (const e of restored.elements.filter(({ type }) => type === 'image'))
  if (restored.files[e.fileId]?.dataURL !== files.dot.dataURL)
    differ('image: its bytes are others');
compareBoards(ex);
compareInk(ex, require('perfect-freehand').getStroke, ink);
countBytes(ex, ink);
console.log(`${differences.length} differences`);
rmSync(work, { recursive: true });
process.exit(differences.length ? 1 : 0);
