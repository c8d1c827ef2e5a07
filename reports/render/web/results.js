// The results: one line each; an opened one shows what was expected and seen, the calls, the stack, and how to repeat it.

const PAGE = 100;
const chosen = { text: "", device: "", verdicts: new Set(), unexpected: false };
let matching = TESTS, rows = [], drawn = 0;

for (const one of [...TESTS, ...DATA.breaches]) {
  one.rules ||= []; // fields that are empty are left out of the data
  one.device ||= "";
  one.parameters ||= {};
  const words = [one.id, one.type === "breach" ? "violation" : "", one.device, one.verdict, one.message, one.behaviour, one.differs, ...one.rules];
  one.words = words.join("\n").toLowerCase();
}

function fails(one) {
  return Boolean(one.differs) || one.verdict === "error";
}

/** A mark for a failure that the baseline knows, or that is a validation layer's. */
function known(one) {
  if (!FAILING.has(one.verdict) || one.differs) return null;
  return el("span", { class: "known" }, one.expected ? "known" : "validation layer");
}

function select() {
  const terms = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = (one) =>
    (!chosen.verdicts.size || chosen.verdicts.has(one.verdict)) &&
    (!chosen.device || one.device === chosen.device) &&
    (!chosen.unexpected || fails(one)) &&
    terms.every((term) => one.words.includes(term));
  matching = TESTS.filter(wanted);
  rows = alike(matching);
  drawn = 0;
  byId("list").replaceChildren();
  drawBreaches(DATA.breaches.filter(wanted));
  drawMore();
  const failing = matching.filter(fails).length;
  byId("shown").textContent = `${matching.length} of ${TESTS.length} results, ${failing} of them fail the run`;
}

/** The tests in rows: cases of one function that ended alike share one, but those that passed or are not claimed. */
function alike(tests) {
  const own = (test) => ["pass", "unsupported"].includes(test.verdict);
  const cause = (test) => [test.verdict, test.device, test.differs || "", own(test) ? test.id : test.id.split("[")[0]].join("\n");
  return [...groupBy(tests, cause).values()];
}

function drawMore(count = PAGE) {
  const next = rows.slice(drawn, drawn + count);
  byId("list").append(...next.flatMap(drawRow));
  drawn += next.length;
  byId("more").hidden = drawn >= rows.length;
  byId("more").textContent = `${rows.slice(drawn).flat().length} more`;
}

function drawRow([first, ...others]) {
  if (!others.length) return [drawResult(first)];
  const summary = el("summary", {}, `and ${others.length} more like it`);
  return [drawResult(first), lazily(el("details", { class: "others" }, summary), () => others.map(drawResult))];
}

function drawResult(test) {
  const summary = el("summary", {}, badge(test.verdict), known(test), el("span", { class: "id" }, shortId(test)));
  if (SLUGS.length > 1) summary.append(el("span", { class: "on" }, test.device || "no device"));
  if (test.message) summary.append(el("span", { class: "message" }, test.message));
  return lazily(el("details", { class: "result" }, summary), () => describeTest(test));
}

function shortId(test) {
  return test.id.split("/").pop().replace(/^test_/, "").replace(/\.py::(test_)?/, ": ");
}

function describeTest(test) {
  const parts = [["test", el("code", {}, test.id)]];
  if (test.behaviour) parts.push(["expected", test.behaviour]);
  parts.push(["seen", el("span", {}, badge(test.verdict), ` ${test.message || "as expected"}`)]);
  parts.push(...stands(test));
  for (const breach of test.breaches || []) parts.push(["violation", `${breach[0]}: ${breach[2]}`]);
  for (const text of (test.warnings || []).slice(1)) parts.push(["warning", text]);
  if (test.outcomes) parts.push(["repeated", el("ol", {}, ...test.outcomes.map((one) => el("li", {}, spellOutcome(one))))]);
  parts.push(["repeat it", el("div", {}, ...repeats(test))]);
  const made = [definitions(parts), ...test.rules.map(dispute)];
  if (test.trace) made.push(...drawTrace(JSON.parse(test.trace)));
  if (test.detail && test.detail !== test.message) {
    const title = ["crash", "timeout"].includes(test.verdict) ? "Stack" : "In full";
    made.push(el("h4", {}, title), el("pre", {}, test.detail));
  }
  if (test.no_room) made.push(el("p", {}, "This page has reached its size limit: the record has the calls of this test."));
  return made;
}

function stands(one) {
  const parts = [];
  if (one.expected) parts.push(["in the baseline", el("span", {}, `${one.expected}: `, linked(one.reason || "no reason given"))]);
  if (one.differs) parts.push(["fails the run", one.differs]);
  return parts;
}

function spellOutcome(one) {
  return `${one.where}: ${one.outcome}${one.message ? `: ${one.message}` : ""}`;
}

function repeats(one) {
  const command = (text) => el("code", { class: "command", tabindex: "0", title: "a click selects it" }, text);
  return (one.commands || []).map(command);
}

function definitions(pairs) {
  return el("dl", {}, ...pairs.flatMap(([term, what]) => [el("dt", {}, term), el("dd", {}, what)]));
}

/** A rule with what a dispute about it needs. */
function dispute(id) {
  const rule = LEDGER.get(id);
  if (!rule) return el("p", {}, `${id}: a rule that the ledger does not have`);
  return definitions([
    [id, el("strong", {}, rule.statement || "")],
    ["section", section(rule)],
    ["reading", rule.reading || "the statement as it is written"],
    ["weaker readings", rule.weaker || "none recorded"],
    ["judges", `${rule.judges}; strongest verdict: ${rule.strongest}`],
  ]);
}

/** The calls as reports/render/calls.py tells them. */
function drawTrace(calls) {
  if (!calls.length) return [];
  const several = new Set(calls.map(([at, text, ns, pid]) => pid).filter((pid) => pid !== null)).size > 1;
  const time = (ns) => (ns === null ? "" : duration(ns));
  const rows = calls.map(([at, text, ns, pid], i) => [String(i + 1), time(at), text, time(ns), several ? String(pid ?? "") : ""]);
  const drawnTable = table(["", "at", "call", "took", several ? "process" : ""], rows, { class: "trace" });
  [...drawnTable.tBodies[0].rows].forEach((row, i) => row.classList.toggle("bad", calls[i][4]));
  return [el("h4", {}, `Calls (${calls.length})`), el("div", { class: "scroll" }, drawnTable)];
}

function drawBreaches(breaches) {
  const made = breaches.map((breach) => {
    const summary = el("summary", {}, badge(breach.verdict), known(breach), el("span", { class: "id" }, `${breach.rule} by ${breach.command}`));
    if (SLUGS.length > 1) summary.append(el("span", { class: "on" }, breach.device));
    summary.append(el("span", { class: "message" }, breach.message));
    return lazily(el("details", { class: "result" }, summary), () => describeBreach(breach));
  });
  const title = el("h3", {}, "Violations: rules broken by a call in any test");
  byId("breaches").replaceChildren(...(made.length ? [title, ...made, el("h3", {}, "Tests")] : []));
}

function describeBreach(breach) {
  const parts = [
    ["violation", `${breach.command} broke ${breach.rule}`],
    ["seen", breach.message],
    ["in", `${breach.tests.length} test${breach.tests.length === 1 ? "" : "s"}, such as ${breach.tests[0]}`],
    ...stands(breach),
    ["entry of a baseline", el("code", {}, breach.id)],
    ["repeat it", el("div", {}, ...repeats(breach))],
  ];
  return [definitions(parts), dispute(breach.rule)];
}
