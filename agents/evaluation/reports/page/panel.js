// The panel of one trial: where it stands among those in the table, by address and by keyboard.

const panel = document.getElementById("trial");
let current = null;

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
  const go = (number) =>
    el("button", {
      type: "button",
      disabled: number === undefined,
      onclick: () => (location.hash = `trial=${number}`),
    });
  const back = go(order[place - 1]);
  const next = go(place < 0 ? order[0] : order[place + 1]);
  back.append("‹ Previous");
  next.append("Next ›");
  const { usage } = trial;
  const facts = [
    trial.termination && `ended with ${trial.termination}`,
    plural(row.steps, "step"),
    plural(row.calls, "call"),
    row.tokens && plural(row.tokens, "token"),
    usage.usd ? money(usage.usd) : "",
    time(row.seconds),
    trial.score !== undefined && trial.outcome === "failed" && `score ${Math.round(100 * trial.score)}%`,
    trial.cached && `${plural(trial.cached, "answer")} from a cache`,
    trial.attempts > 1 && `${trial.attempts} attempts`,
    row.of.split && `split ${row.of.split}`,
    ...(row.of.tags ?? []).map((tag) => `#${tag}`),
  ].filter(Boolean);
  return el(
    "header",
    { class: "trial-head" },
    el(
      "div",
      { class: "trial-bar" },
      el("span", { class: `outcome is-${row.outcome}` }, sign(row.outcome), row.outcome),
      el("span", { class: "muted grow" }, place < 0 ? "" : `${place + 1} of ${order.length}`),
      back,
      next,
      el("button", { type: "button", "aria-label": "Close", onclick: () => panel.close() }, "✕"),
    ),
    el("h2", { id: "trial-title", tabindex: "-1" }, visible(row.of.id)),
    el("ul", { class: "facts" }, facts.map((fact) => el("li", {}, visible(fact)))),
    epochs(row),
  );
}

function epochs(row) {
  const all = rows.filter((one) => one.task === row.task);
  if (all.length < 2) return null;
  return el(
    "nav",
    { class: "epochs", "aria-label": "Trials of this task" },
    all.map((one) =>
      el(
        "a",
        {
          href: `#trial=${one.number}`,
          "aria-current": one === row && "true",
          "aria-label": `trial ${one.epoch + 1}, ${one.outcome}`,
        },
        sign(one.outcome),
        String(one.epoch + 1),
      )
    ),
  );
}

function asked() {
  const trial = /^#trial=(\d+)$/.exec(location.hash);
  return trial && Number(trial[1]);
}

function follow() {
  const number = asked();
  if (number !== null) open(number);
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
  const next = step && order[order.indexOf(asked() ?? current) + step];
  if (next !== undefined) location.hash = `trial=${next}`;
});
window.addEventListener("hashchange", follow);

follow();
document.documentElement.dataset.ready = "true";
