// The table of trials: filters, sorting, rows as they are scrolled to; the panel of one trial.

const BATCH = 100; // rows that are made at once
const SELECTS = [["check", "First failed check"], ["tag", "Tag"], ["split", "Split"], ["tool", "Tool"], ["file", "File"], ["ending", "Ending"], ["change", "Against the baseline"]];
const COLUMNS = [
  ["outcome", "Outcome", "col-outcome", (row) => row.outcome],
  ["task", "Task", "", (row) => row.number],
  ["steps", "Steps", "col-n num", (row) => row.steps],
  ["calls", "Calls", "col-n num spare", (row) => row.calls],
  ["tokens", "Tokens", "col-n num spare", (row) => row.tokens],
  ["usd", "Money", "col-n num spare", (row) => row.usd ?? -1],
  ["seconds", "Time", "col-n num", (row) => row.seconds],
];

const index = await unpacked("index");
const tasks = index.tasks;
const rows = index.trials.map((row, number) => ({ ...row, number, of: tasks[row.task] }));
const several = new Set(rows.filter((row) => row.epoch).map((row) => row.task));
const passing = new Set(rows.filter((row) => row.outcome === "passed").map((row) => row.task));
const flaky = new Set(rows.filter((row) => row.outcome === "failed" && passing.has(row.task)).map((row) => row.task));
const table = document.getElementById("table");
const panel = document.getElementById("trial");
const state = { text: "", sort: "task", down: false }; // and what is chosen, by filter
const found = { rows: [], made: 0 };
const controls = {};
let texts = null; // of every trial, in small letters; made when something is searched for
let current = null;

/** What a row has under the name of a filter: one value, or several. */
function valuesOf(row, name) {
  const { of } = row;
  return { tag: of.tags ?? [], split: of.split ? [of.split] : [], file: [of.file], task: [of.id], change: of.change ? [of.change] : [],
    tool: row.tools, check: row.check ? [row.check] : [], ending: [row.ending || "returned"],
    cluster: row.cluster === null ? [] : [String(row.cluster)], outcome: [row.outcome], flaky: flaky.has(row.task) ? ["yes"] : [] }[name];
}

const FILTERS = ["outcome", "task", "cluster", "flaky", ...SELECTS.map(([name]) => name)];

function matches(row) {
  const word = state.text.trim().toLowerCase();
  return FILTERS.every((name) => !state[name] || valuesOf(row, name).includes(state[name])) && (!word || textOf(row).includes(word));
}

function textOf(row) {
  return texts ? texts[row.number] : `${row.of.file} ${row.of.id} ${(row.of.tags ?? []).join(" ")} ${row.why}`.toLowerCase();
}

/** All that a trial holds can be searched, once every chunk is unpacked. */
async function readTexts() {
  if (texts || readTexts.begun) return;
  readTexts.begun = true;
  const made = [];
  for (const row of rows) made.push(`${row.of.file} ${row.of.id} ${textsIn(await whole(row)).join("\n")}`.toLowerCase());
  texts = made;
  if (state.text) update();
  document.documentElement.dataset.searched = "true";
}

function textsIn(value) {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [String(value)];
  return Object.entries(value).flatMap(([name, part]) => (Array.isArray(value) ? textsIn(part) : [name, ...textsIn(part)]));
}

function update() {
  const key = COLUMNS.find(([name]) => name === state.sort)[3];
  found.rows = rows.filter(matches);
  found.rows.sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : one.number - other.number) * (state.down ? -1 : 1));
  found.made = 0;
  table.tBodies[0].replaceChildren();
  fill();
  showControls();
}

function fill() {
  const next = found.rows.slice(found.made, found.made + BATCH);
  table.tBodies[0].append(...next.map(rowElement));
  found.made += next.length;
}

function rowElement(row) {
  const { of } = row;
  const name = several.has(row.task) ? `${of.id} · ${row.epoch + 1}` : of.id;
  const made = el("tr", { class: `is-${row.outcome}`, "data-number": row.number },
    el("td", {}, sign(row.outcome), el("span", { class: "word" }, row.outcome)),
    el("td", { class: "task" },
      el("a", { class: "name", href: `#trial=${row.number}` }, visible(name)),
      (of.tags ?? []).slice(0, 4).map((tag) => el("span", { class: "tag" }, visible(tag))),
      row.why ? el("span", { class: "why", dir: "auto", title: row.why.replace(HIDDEN, "·") }, visible(row.why)) : null),
    ...[count(row.steps), count(row.calls), count(row.tokens), money(row.usd), time(row.seconds)].map((text, place) => el("td", { class: COLUMNS[place + 2][2] }, text)));
  made.addEventListener("click", (event) => {
    if (!event.target.closest("a")) location.hash = `trial=${row.number}`;
  });
  return made;
}

// Filters

function makeControls() {
  const form = document.getElementById("filters");
  const outcomes = el("fieldset", { "aria-label": "Outcome" });
  for (const name of ["", "failed", "passed", "excluded"]) {
    const many = rows.filter((row) => !name || row.outcome === name).length;
    if (name && !many) continue;
    outcomes.append(el("button", { type: "button", "data-outcome": name, onclick: () => set("outcome", name) },
      name ? [sign(name), `${count(many)} ${name}`] : `All ${count(many)}`));
  }
  controls.outcomes = outcomes;
  controls.text = el("input", { type: "search", placeholder: "Search all texts", "aria-label": "Search all texts" });
  controls.text.addEventListener("input", () => {
    set("text", controls.text.value);
    readTexts();
  });
  form.append(outcomes, controls.text);
  for (const [name, title] of SELECTS) {
    const values = [...new Set(rows.flatMap((row) => valuesOf(row, name)))].sort();
    if (values.length < (name === "check" || name === "tool" || name === "tag" ? 1 : 2)) continue;
    const select = el("select", { "aria-label": title, name }, el("option", { value: "" }, title));
    for (const value of values) {
      const option = el("option", {}, visible(value.length > 40 ? `${value.slice(0, 40)}…` : value).textContent);
      option.value = value;
      select.append(option);
    }
    select.addEventListener("change", () => set(name, select.value));
    controls[name] = select;
    form.append(select);
  }
  controls.clear = el("button", { type: "button", onclick: clear }, "Clear");
  form.append(controls.clear);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
}

function set(name, value) {
  state[name] = value;
  update();
}

function clear() {
  for (const name of [...FILTERS, "text"]) state[name] = "";
  update();
}

function showControls() {
  for (const button of controls.outcomes.children) button.setAttribute("aria-pressed", String(button.dataset.outcome === state.outcome));
  for (const [name] of SELECTS) {
    if (!controls[name]) continue;
    controls[name].value = state[name] ?? "";
    controls[name].classList.toggle("picked", Boolean(state[name]));
  }
  if (controls.text.value !== state.text) controls.text.value = state.text;
  const more = [state.task && ["of the task ", visible(state.task)], state.cluster && ["that failed alike"], state.flaky && ["of flaky tasks"]].filter(Boolean);
  const words = found.rows.length === rows.length ? [plural(rows.length, "trial")] : [`${count(found.rows.length)} of ${plural(rows.length, "trial")}`];
  for (const part of more) words.push(" ", ...part);
  document.getElementById("found").replaceChildren(...words);
  controls.clear.hidden = ![...FILTERS, "text"].some((name) => state[name]);
  for (const header of table.tHead.rows[0].cells) {
    header.toggleAttribute("aria-sort", false);
    if (header.dataset.name === state.sort) header.setAttribute("aria-sort", state.down ? "descending" : "ascending");
  }
}

function makeHead() {
  table.tHead.append(el("tr", {}, COLUMNS.map(([name, title, kind]) => {
    const button = el("button", { type: "button", onclick: () => {
      state.down = state.sort === name ? !state.down : name !== "task" && name !== "outcome";
      set("sort", name);
    } }, name === "outcome" ? el("span", { class: "word" }, title) : title);
    if (name === "outcome") button.setAttribute("aria-label", title);
    return el("th", { scope: "col", class: kind, "data-name": name }, button);
  })));
}

/** A name somewhere on the page that was clicked: its trials alone, in sight. */
function pick(name, value) {
  clear();
  state[name] = name === "ending" && !value ? "returned" : value;
  update();
  document.getElementById("trials").scrollIntoView();
  document.getElementById("trials").focus({ preventScroll: true });
}

// The panel

async function open(number) {
  const row = rows[number];
  if (!row) return;
  const trial = await whole(row);
  if (location.hash !== `#trial=${number}`) return;
  current = number;
  panel.replaceChildren(trialHead(row, trial), trialBody(trial, row.of));
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  panel.querySelector("h2").focus();
}

function trialHead(row, trial) {
  const order = found.rows.map((one) => one.number);
  const place = order.indexOf(row.number);
  const go = (number) => el("button", { type: "button", disabled: number === undefined, onclick: () => (location.hash = `trial=${number}`) });
  const back = go(order[place - 1]);
  const next = go(place < 0 ? order[0] : order[place + 1]);
  back.append("‹ Previous");
  next.append("Next ›");
  const { usage } = trial;
  const facts = [
    trial.termination && `ended with ${trial.termination}`, plural(row.steps, "step"), plural(row.calls, "call"),
    row.tokens && plural(row.tokens, "token"), usage.usd ? money(usage.usd) : "", time(row.seconds),
    trial.score !== undefined && trial.outcome === "failed" && `score ${Math.round(100 * trial.score)}%`,
    trial.cached && `${plural(trial.cached, "answer")} from a cache`, trial.attempts > 1 && `${trial.attempts} attempts`,
    row.of.split && `split ${row.of.split}`, ...(row.of.tags ?? []).map((tag) => `#${tag}`)].filter(Boolean);
  return el("header", { class: "trial-head" },
    el("div", { class: "trial-bar" }, el("span", { class: `outcome is-${row.outcome}` }, sign(row.outcome), row.outcome),
      el("span", { class: "muted grow" }, place < 0 ? "" : `${place + 1} of ${order.length}`), back, next,
      el("button", { type: "button", "aria-label": "Close", onclick: () => panel.close() }, "✕")),
    el("h2", { id: "trial-title", tabindex: "-1" }, visible(row.of.id)),
    el("ul", { class: "facts" }, facts.map((fact) => el("li", {}, visible(fact)))),
    epochs(row));
}

function epochs(row) {
  const all = rows.filter((one) => one.task === row.task);
  if (all.length < 2) return null;
  return el("nav", { class: "epochs", "aria-label": "Trials of this task" }, all.map((one) =>
    el("a", { href: `#trial=${one.number}`, "aria-current": one === row && "true", "aria-label": `trial ${one.epoch + 1}, ${one.outcome}` }, sign(one.outcome), String(one.epoch + 1))));
}

function follow() {
  const asked = /^#trial=(\d+)$/.exec(location.hash);
  if (asked) open(Number(asked[1]));
  else if (panel.open) panel.close();
}

panel.addEventListener("close", () => {
  if (location.hash.startsWith("#trial=")) history.replaceState(null, "", "#trials");
  const link = table.querySelector(`tr[data-number="${current}"] a`);
  link?.focus();
});
panel.addEventListener("click", (event) => {
  if (event.target === panel && event.clientX < panel.getBoundingClientRect().left) panel.close();
});
panel.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
  const order = found.rows.map((one) => one.number);
  const next = step && order[order.indexOf(current) + step];
  if (next !== undefined) location.hash = `trial=${next}`;
});
document.addEventListener("click", (event) => {
  const picked = event.target.closest("[data-filter]");
  if (picked) pick(picked.dataset.filter, JSON.parse(picked.dataset.value));
});
window.addEventListener("hashchange", follow);
window.addEventListener("beforeprint", () => {
  while (found.made < Math.min(found.rows.length, 1000)) fill();
});

makeControls();
makeHead();
update();
new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting) && found.made < found.rows.length) fill();
}, { rootMargin: "1200px" }).observe(document.getElementById("more"));
follow();
document.documentElement.dataset.ready = "true";
