// The table of trials: filters, sorting, rows as they are scrolled to.

const BATCH = 100; // rows that are made at once
const SELECTS = [
  ["check", "First failed check"],
  ["tag", "Tag"],
  ["split", "Split"],
  ["tool", "Tool"],
  ["file", "File"],
  ["ending", "Ending"],
  ["change", "Against the baseline"],
];
const COLUMNS = [
  ["outcome", "Outcome", "col-outcome", (row) => row.outcome],
  ["task", "Task", "", (row) => row.number],
  ["steps", "Steps", "col-n num", (row) => row.steps],
  ["calls", "Calls", "col-n num spare", (row) => row.calls],
  ["tokens", "Tokens", "col-n num spare", (row) => row.tokens],
  ["usd", "Money", "col-n num spare", (row) => row.usd ?? -1],
  ["seconds", "Time", "col-n num", (row) => row.seconds],
];

const index = await unpacked("index").catch(unreadable);
const tasks = index.tasks;
const rows = index.trials.map((row, number) => ({ ...row, number, of: tasks[row.task] }));
const several = new Set(rows.filter((row) => row.epoch).map((row) => row.task));
const passing = new Set(rows.filter((row) => row.outcome === "passed").map((row) => row.task));
const flaky = new Set(
  rows.filter((row) => row.outcome === "failed" && passing.has(row.task)).map((row) => row.task),
);
const table = document.getElementById("table");
const state = { text: "", sort: "task", down: false }; // and what is chosen, by filter
const found = { rows: [], made: 0 };
const controls = {};
let texts = null; // of every trial, in small letters; made when something is searched for

/** Says why there is no table: a browser that can't unpack, or a file that was damaged. */
function unreadable(error) {
  document.getElementById("found").textContent =
    `The trials can't be read in this browser, or the file is damaged (${error.message}).`;
  throw error;
}

/** What a row has under the name of a filter: one value, or several. */
function valuesOf(row, name) {
  return VALUES[name](row).filter(Boolean);
}

const VALUES = {
  outcome: (row) => [row.outcome],
  task: (row) => [row.of.id],
  cluster: (row) => (row.cluster === null ? [] : [String(row.cluster)]),
  flaky: (row) => (flaky.has(row.task) ? ["yes"] : []),
  check: (row) => [row.check],
  tag: (row) => row.of.tags ?? [],
  split: (row) => [row.of.split],
  tool: (row) => row.tools,
  file: (row) => [row.of.file],
  ending: (row) => [row.ending || "returned"],
  change: (row) => [row.of.change],
};
const FILTERS = Object.keys(VALUES);

function matches(row) {
  const word = state.text.trim().toLowerCase();
  return FILTERS.every((name) => !state[name] || valuesOf(row, name).includes(state[name])) &&
    (!word || textOf(row).includes(word));
}

function textOf(row) {
  return texts
    ? texts[row.number]
    : `${row.of.file} ${row.of.id} ${(row.of.tags ?? []).join(" ")} ${row.why}`.toLowerCase();
}

/** All that a trial holds can be searched, once every chunk is unpacked. */
async function readTexts() {
  if (texts || readTexts.begun) return;
  readTexts.begun = true;
  const made = [];
  for (const row of rows) {
    made.push(`${row.of.file} ${row.of.id} ${textsIn(await whole(row)).join("\n")}`.toLowerCase());
  }
  texts = made;
  if (state.text) update();
  document.documentElement.dataset.searched = "true";
}

function textsIn(value) {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [String(value)];
  return Object.entries(value).flatMap((
    [name, part],
  ) => (Array.isArray(value) ? textsIn(part) : [name, ...textsIn(part)]));
}

function update() {
  const key = COLUMNS.find(([name]) => name === state.sort)[3];
  found.rows = rows.filter(matches);
  found.rows.sort((one, other) =>
    (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : one.number - other.number) *
    (state.down ? -1 : 1)
  );
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
  const made = el(
    "tr",
    { class: `is-${row.outcome}`, "data-number": row.number },
    el("td", {}, sign(row.outcome), el("span", { class: "word" }, row.outcome)),
    el(
      "td",
      { class: "task" },
      el("a", { class: "name", href: `#trial=${row.number}` }, visible(name)),
      (of.tags ?? []).slice(0, 4).map((tag) => el("span", { class: "tag" }, visible(tag))),
      row.why
        ? el("span", { class: "why", dir: "auto", title: row.why.replace(HIDDEN, "·") }, visible(row.why))
        : null,
    ),
    ...[count(row.steps), count(row.calls), count(row.tokens), money(row.usd), time(row.seconds)].map((
      text,
      place,
    ) => el("td", { class: COLUMNS[place + 2][2] }, text)),
  );
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
    outcomes.append(
      el("button", {
        type: "button",
        "data-outcome": name,
        onclick: () => set("outcome", name),
      }, name ? [sign(name), `${count(many)} ${name}`] : `All ${count(many)}`),
    );
  }
  controls.outcomes = outcomes;
  controls.text = el("input", {
    type: "search",
    placeholder: "Search all texts",
    "aria-label": "Search all texts",
  });
  controls.text.addEventListener("input", () => {
    set("text", controls.text.value);
    readTexts();
  });
  form.append(outcomes, controls.text);
  for (const [name, title] of SELECTS) {
    const values = [...new Set(rows.flatMap((row) => valuesOf(row, name)))].sort();
    if (values.length < (name === "check" || name === "tool" || name === "tag" ? 1 : 2)) continue;
    const select = el("select", { "aria-label": title, name }, el("option", { value: "" }, title));
    for (const value of values.slice(0, 500)) {
      const option = el(
        "option",
        {},
        visible(value.length > 40 ? `${value.slice(0, 40)}…` : value).textContent,
      );
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
  for (const button of controls.outcomes.children) {
    button.setAttribute("aria-pressed", String(button.dataset.outcome === state.outcome));
  }
  for (const [name] of SELECTS) {
    if (!controls[name]) continue;
    controls[name].value = state[name] ?? "";
    controls[name].classList.toggle("picked", Boolean(state[name]));
  }
  if (controls.text.value !== state.text) controls.text.value = state.text;
  const more = [
    state.task && ["of the task ", visible(state.task)],
    state.cluster && ["that failed alike"],
    state.flaky && ["of flaky tasks"],
  ].filter(Boolean);
  const words = found.rows.length === rows.length
    ? [plural(rows.length, "trial")]
    : [`${count(found.rows.length)} of ${plural(rows.length, "trial")}`];
  for (const part of more) words.push(" ", ...part);
  document.getElementById("found").replaceChildren(...words);
  controls.clear.hidden = ![...FILTERS, "text"].some((name) => state[name]);
  for (const header of table.tHead.rows[0].cells) {
    header.toggleAttribute("aria-sort", false);
    if (header.dataset.name === state.sort) {
      header.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    }
  }
}

function makeHead() {
  table.tHead.append(el(
    "tr",
    {},
    COLUMNS.map(([name, title, kind]) => {
      const button = el("button", {
        type: "button",
        onclick: () => {
          state.down = state.sort === name ? !state.down : name !== "task" && name !== "outcome";
          set("sort", name);
        },
      }, name === "outcome" ? el("span", { class: "word" }, title) : title);
      if (name === "outcome") button.setAttribute("aria-label", title);
      return el("th", { scope: "col", class: kind, "data-name": name }, button);
    }),
  ));
}

/** A name somewhere on the page that was clicked: its trials alone, in sight. */
function pick(name, value) {
  clear();
  state[name] = name === "ending" && !value ? "returned" : value;
  update();
  document.getElementById("trials").scrollIntoView();
  document.getElementById("trials").focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const picked = event.target.closest("[data-filter]");
  if (picked) pick(picked.dataset.filter, JSON.parse(picked.dataset.value));
});
window.addEventListener("beforeprint", () => {
  while (found.made < Math.min(found.rows.length, 1000)) fill();
});

makeControls();
makeHead();
update();
new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting) && found.made < found.rows.length) fill();
}, { rootMargin: "1200px" }).observe(document.getElementById("more"));
