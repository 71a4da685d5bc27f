// One trial in the panel: its checks, its conversation, its steps, what it changed in its world.

const SIGNS = { passed: "✓", failed: "✗", excluded: "–" };

function sign(outcome) {
  return el("span", { class: `sign is-${outcome}`, "aria-hidden": "true" }, SIGNS[outcome]);
}

function section(title, ...content) {
  return el("section", {}, el("h3", {}, title), ...content);
}

function trialBody(trial, task) {
  const failed = trial.checks.filter((check) => !check.passed && !check.error);
  const body = el("div", { class: "trial-body" });
  if (trial.error) body.append(section("What went wrong", block(trial.error)));
  if (trial.checks.length) body.append(section("Checks", checks(trial.checks)));
  body.append(...(trial.turns?.length ? conversation(trial, failed, task) : singleRun(trial, failed, task)));
  if (trial.verdicts?.length) {
    body.append(section("What models judged", el("ul", { class: "checks" }, trial.verdicts.map(verdict))));
  }
  if (trial.world && (trial.outcome !== "excluded" || trial.world.changes.length)) {
    body.append(worldSection(trial.world));
  }
  return body;
}

const FEW = 3; // checks that passed and are shown at once

/** What failed at once; what passed as well where it is little, else behind its number. */
function checks(all) {
  const list = (some) => el("ul", { class: "checks" }, some.map(checkItem));
  const passed = all.filter((check) => check.passed);
  const rest = all.filter((check) => !check.passed);
  if (passed.length <= FEW) return list([...rest, ...passed]);
  return el(
    "div",
    {},
    list(rest),
    el(
      "details",
      {},
      el("summary", {}, sign("passed"), `${count(passed.length)} checks passed`),
      list(passed),
    ),
  );
}

function checkItem(check) {
  const outcome = check.error ? "excluded" : check.passed ? "passed" : "failed";
  const words = check.passed ? check.about : check.feedback || check.about;
  return el(
    "li",
    {},
    sign(outcome),
    el(
      "div",
      { class: "feedback" },
      el("span", { class: "kind" }, visible(check.check)),
      " ",
      visible(words),
      check.gate ? el("span", { class: "muted" }, " · gate") : null,
      check.turn ? el("span", { class: "muted" }, ` · turn ${check.turn}`) : null,
      check.grader ? el("span", { class: "muted" }, " · judged by ", visible(check.grader)) : null,
      check.error ? el("span", { class: "muted" }, " · could not be made") : null,
      !check.passed && check.step ? [" · ", stepLink(check.step)] : null,
    ),
  );
}

function verdict(said) {
  const outcome = said.error ? "excluded" : said.passed ? "passed" : "failed";
  const score = said.score === null ? "" : `, score ${said.score}`;
  return el(
    "li",
    {},
    sign(outcome),
    el(
      "div",
      {},
      el("span", { class: "muted" }, visible(`${said.about} · ${said.model}${score}`)),
      block(said.error || said.reason),
    ),
  );
}

function stepLink(number) {
  const link = el("a", { href: "#" }, `step ${number}`);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const step = document.getElementById(`step-${number}`);
    step?.scrollIntoView({ block: "center" });
    step?.focus();
  });
  return link;
}

function singleRun(trial, failed, task) {
  const parts = [];
  if (Object.keys(trial.input).length) parts.push(section("Input", fields(trial.input)));
  if (trial.trajectory.length) {
    parts.push(section("Steps", ...steps(trial, 1, trial.trajectory.length, failed, task)));
  }
  if (Object.keys(trial.outputs).length) parts.push(section("Output", fields(trial.outputs)));
  return parts;
}

function conversation(trial, failed, task) {
  const content = [];
  trial.turns.forEach((turn, place) => {
    const who = turn.user_model ? `user, played by ${turn.user_model}` : "user";
    content.push(
      el(
        "div",
        { class: "said" },
        el("div", { class: "who" }, visible(`${who} · turn ${place + 1}`)),
        block(turn.user),
      ),
    );
    content.push(...steps(trial, turn.first, turn.last, failed, task));
    const ending = turn.termination && turn.termination !== "submit"
      ? `agent · ended with ${turn.termination}`
      : "agent";
    content.push(
      el("div", { class: "said reply" }, el("div", { class: "who" }, visible(ending)), replied(turn.outputs)),
    );
  });
  const given = Object.keys(trial.input).length ? [section("Input", fields(trial.input))] : [];
  return [...given, section("Conversation", ...content)];
}

/** What the agent answered in a turn: one text as it is, several fields by their names. */
function replied(outputs) {
  const values = Object.values(outputs);
  return values.length === 1 ? valueBlock(values[0]) : fields(outputs);
}

function steps(trial, first, last, failed, task) {
  const made = [];
  for (let number = first; number <= last; number++) {
    const step = trial.trajectory[number - 1];
    if (step) {
      made.push(
        stepCard(step, number, failed.filter((check) => check.step === number), parting(task, trial, number)),
      );
    }
  }
  return made;
}

function parting(task, trial, number) {
  const found = task.parting;
  return found && found.step === number && found.epoch === trial.epoch ? found : null;
}

function stepCard(step, number, blame, difference) {
  const card = el("div", {
    class: blame.length ? "step blamed" : "step",
    id: `step-${number}`,
    tabindex: "-1",
  }, el("span", { class: "number", "aria-label": `step ${number}` }, String(number)));
  const took = [step.seconds ? time(step.seconds) : "", step.tokens ? plural(step.tokens, "token") : ""]
    .filter(Boolean).join(" · ");
  if (step.thought) card.append(el("div", { class: "thought" }, block(step.thought)));
  if (took) card.append(el("div", { class: step.thought ? "took" : "took alone" }, took));
  for (const one of step.inner ?? []) card.append(callCard(one, one, "call inner"));
  step.calls.forEach((call, place) => card.append(callCard(call, step.results[place], "call")));
  step.results.slice(step.calls.length).forEach((result) =>
    card.append(callCard({ name: "", args: {} }, result, "call"))
  );
  for (const check of blame) {
    card.append(
      el(
        "div",
        { class: "blame" },
        el("span", { class: "kind" }, visible(check.check)),
        " ",
        visible(check.feedback),
      ),
    );
  }
  if (difference) {
    card.append(
      el(
        "div",
        { class: "parting" },
        el("strong", {}, "Here the run parts from the baseline"),
        el(
          "div",
          { class: "side" },
          el("span", { class: "muted" }, "before"),
          el("code", {}, visible(difference.was)),
        ),
        el(
          "div",
          { class: "side" },
          el("span", { class: "muted" }, "now"),
          el("code", {}, visible(difference.now)),
        ),
      ),
    );
  }
  return card;
}

function callCard(call, result, kind) {
  const error = result?.error;
  const head = el(
    "div",
    { class: "head" },
    el("span", { class: "tool" }, visible(call.name || "(no call)")),
    error ? el("span", { class: "badge" }, visible(error)) : null,
    result?.seconds ? el("span", { class: "took" }, time(result.seconds)) : null,
  );
  const card = el("div", { class: error ? `${kind} error` : kind }, head);
  if (call.malformed) card.append(el("div", { class: "args" }, block(call.malformed, "code")));
  else if (Object.keys(call.args).length) card.append(el("div", { class: "args" }, fields(call.args)));
  if (result) {
    card.append(
      el("div", { class: "result" }, block(result.content || "(nothing)", "code"), changed(result.changes)),
    );
  }
  return card;
}

function changed(changes) {
  return changes?.length
    ? el("div", { class: "muted" }, "changed ", visible(changes.map((change) => change.path).join(", ")))
    : null;
}

function worldSection(world) {
  const rows = world.changes.map((change) => changeRow(change, wantedSign(change, world.wanted)));
  const missing = (world.wanted ?? []).filter((wanted) =>
    !world.changes.some((change) => sameChange(change, wanted))
  );
  rows.push(...missing.map((change) => changeRow(change, "wanted, but not made")));
  const lost = world.lost
    ? el("p", { class: "muted" }, `${plural(world.lost, "more change")} are not kept`)
    : null;
  if (!rows.length) return section("The world", el("p", { class: "muted" }, "Nothing was changed."));
  const names = ["path", "before", "after", ...(world.wanted ? [""] : [])];
  return section(
    "What changed in the world",
    el(
      "div",
      { class: "card flush" },
      el(
        "div",
        { class: "scroll" },
        el(
          "table",
          { class: "list state" },
          el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name)))),
          el("tbody", {}, rows),
        ),
      ),
    ),
    lost,
  );
}

function sameChange(one, other) {
  return one.path === other.path && JSON.stringify(one.after) === JSON.stringify(other.after);
}

function wantedSign(change, wanted) {
  if (!wanted) return "";
  return wanted.some((other) => sameChange(change, other)) ? "as wanted" : "not wanted";
}

function changeRow(change, note) {
  const side = (
    name,
  ) => (name in change ? valueBlock(change[name]) : el("span", { class: "none" }, "nothing"));
  const outcome = note === "as wanted" ? "passed" : "failed";
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("code", {}, visible(change.path))),
    el("td", {}, side("before")),
    el("td", {}, side("after")),
    note ? el("td", {}, sign(outcome), note) : null,
  );
}
