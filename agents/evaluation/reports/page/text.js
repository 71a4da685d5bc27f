// Elements, and texts from anywhere in them. Nothing here or below makes markup of a text.

const LONG = 3000; // characters of a text that are shown before it is asked for

// Controls, marks of direction, what is invisible, half characters: what could hide or reorder a text.
const HIDDEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A text with what is invisible in it made visible. */
function visible(text) {
  const parts = document.createDocumentFragment();
  let start = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = match[0].codePointAt(0);
    const sign = code < 0x20
      ? String.fromCharCode(0x2400 + code)
      : `<${code.toString(16).toUpperCase().padStart(4, "0")}>`;
    parts.append(text.slice(start, match.index), el("span", { class: "ctl" }, sign));
    start = match.index + match[0].length;
  }
  parts.append(text.slice(start));
  return parts;
}

/** A text in a block of its own, the rest of a long one behind a button. */
function block(text, kind = "") {
  const shown = String(text);
  const place = el("div", { class: `text ${kind}`, dir: "auto" });
  place.append(visible(shown.length > LONG ? shown.slice(0, LONG) + "…" : shown));
  if (shown.length <= LONG) return place;
  const button = el(
    "button",
    { type: "button", class: "longer" },
    `Show all ${shown.length.toLocaleString("en")} characters`,
  );
  button.addEventListener("click", () => {
    place.replaceChildren(visible(shown));
    button.remove();
  });
  return el("div", {}, place, button);
}

/** A value of JSON's types: a text as it is, everything else as JSON. */
function valueBlock(value) {
  if (typeof value === "string") return block(value, value.includes("\n") ? "code" : "");
  const flat = JSON.stringify(value);
  return block(flat.length > 100 ? JSON.stringify(value, null, 2) : flat, "code");
}

function fields(values) {
  const names = Object.keys(values);
  return el(
    "dl",
    { class: "fields" },
    names.map((name) => [el("dt", {}, visible(name)), el("dd", {}, valueBlock(values[name]))]).flat(),
  );
}

function count(number) {
  return number.toLocaleString("en", { maximumFractionDigits: 1 });
}

function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

function time(seconds) {
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return "< 1 ms";
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function money(usd) {
  if (usd === null || usd === undefined) return "–";
  return usd === 0 ? "$0" : usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

/** What a script element of this page holds, unpacked where it is packed. */
async function unpacked(name) {
  const element = document.getElementById(name);
  if (!element.type.endsWith("octet-stream")) return JSON.parse(element.textContent);
  const packed = atob(element.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let place = 0; place < packed.length; place++) bytes[place] = packed.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const chunks = new Map();

/** A trial with its steps; its chunk is read once. */
async function whole(row) {
  if (!chunks.has(row.chunk)) chunks.set(row.chunk, unpacked(`chunk-${row.chunk}`));
  return (await chunks.get(row.chunk))[row.place];
}
