// The overview of rules by device and parameter, and the rules one by one.

const KIND = /^(OPAQUE_FD|SYNC_FD)-(binary|timeline)$/;
const testsOf = new Map();
for (const test of TESTS) {
  for (const rule of test.rules) {
    if (!testsOf.has(rule)) testsOf.set(rule, []);
    testsOf.get(rule).push(test);
  }
}
const breachesOf = groupBy(DATA.breaches, (breach) => breach.rule);
const judged = (rule) => /driver|loader/.test(rule.judges || "");
const claimed = DATA.ledger.filter((rule) => testsOf.has(rule.id) || breachesOf.has(rule.id));

/** The value of one parameter of a test; "kind" is any parameter of a handle type with a semaphore type. */
function parameterOf(test, name) {
  if (name !== "kind") return test.parameters[name] || "";
  return Object.values(test.parameters).find((value) => KIND.test(value)) || "";
}

function parameterNames() {
  const values = new Map();
  for (const test of TESTS) {
    for (const [name, value] of Object.entries(test.parameters)) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name).add(value);
    }
  }
  const few = [...values].filter(([, found]) => found.size > 1 && found.size <= 24 && ![...found].every((one) => KIND.test(one)));
  return ["kind", ...few.map(([name]) => name).sort()];
}

function drawPicture() {
  const by = byId("by").value;
  const columns = [];
  for (const slug of SLUGS) {
    const mine = TESTS.filter((test) => test.device === slug && test.rules.some((id) => judged(LEDGER.get(id) || {})));
    const values = new Set(mine.map((test) => parameterOf(test, by)));
    for (const value of [...values].sort()) columns.push([slug, value]);
  }
  const rows = [...groupBy(claimed.filter(judged), (rule) => rule.group || "")].map(([group, rules]) => [
    el("strong", {}, group),
    ...columns.map(([slug, value]) => el("div", { class: "squares" }, ...rules.map((rule) => square(rule, slug, by, value)))),
  ]);
  const heads = columns.map(([slug, value]) => `${slug || "no device"}${value ? ` ${value}` : ""}`);
  byId("squares").replaceChildren(table(["", ...heads], rows, { class: "picture" }));
}

function square(rule, slug, by, value) {
  const tests = (testsOf.get(rule.id) || []).filter((test) => test.device === slug && parameterOf(test, by) === value);
  const broken = value ? [] : (breachesOf.get(rule.id) || []).filter((breach) => breach.device === slug);
  const verdict = worst([...tests, ...broken]);
  if (!verdict) return el("span", { class: "square none" });
  const told = counts(tests).map(([name, count]) => `${count} ${name}`).join(", ");
  const onclick = () => search(`${rule.id} ${value}`, slug);
  const title = `${rule.id} ${slug} ${value}: ${told || "violation"}\n${rule.statement}`;
  return el("span", { class: "square", "data-verdict": verdict, title, onclick }, GLYPHS[verdict]);
}

function drawLegend() {
  byId("legend").append(...VERDICTS.map((verdict) => badge(verdict)));
}

function drawRules() {
  const made = claimed.map((rule) => {
    const tests = testsOf.get(rule.id) || [];
    const summary = el("summary", {}, el("span", { class: "id" }, rule.id));
    for (const slug of SLUGS) {
      const verdict = worst([...tests, ...(breachesOf.get(rule.id) || [])].filter((one) => one.device === slug));
      if (verdict) summary.append(el("span", { class: "on" }, SLUGS.length > 1 ? `${slug || "no device"} ` : "", badge(verdict)));
    }
    summary.append(el("span", { class: "message" }, rule.statement));
    return lazily(el("details", { class: "result" }, summary), () => describeRule(rule, tests));
  });
  byId("claimed").append(...made);
  const whole = DATA.end.whole;
  const left = DATA.ledger.filter((rule) => judged(rule) && !testsOf.has(rule.id) && !breachesOf.has(rule.id));
  const why = whole ? "without a test" : "without a test in this run, which ran a part of the suite";
  listRules(byId("unclaimed"), `${left.length} rules for drivers ${why}`, left);
  const others = DATA.ledger.filter((rule) => !judged(rule) && !testsOf.has(rule.id));
  listRules(byId("others"), `${others.length} rules that do not judge a driver`, others);
}

function describeRule(rule, tests) {
  const parts = [dispute(rule.id)];
  for (const breach of breachesOf.get(rule.id) || []) {
    parts.push(el("p", {}, badge(breach.verdict), ` violation by ${breach.command} on ${breach.device}: ${breach.message}`));
  }
  const slugs = SLUGS.filter((slug) => tests.some((test) => test.device === slug));
  const cell = (found) => el("span", {}, ...counts(found).map(([verdict, count]) => badge(verdict, count)));
  const rows = [];
  for (const name of parameterNames()) {
    const groups = groupBy(tests, (test) => parameterOf(test, name));
    if (name !== "kind") groups.delete(""); // tests without this parameter
    for (const value of [...groups.keys()].sort()) {
      const found = groups.get(value);
      rows.push([name, value || "none", ...slugs.map((slug) => cell(found.filter((test) => test.device === slug)))]);
    }
  }
  parts.push(el("div", { class: "scroll" }, table(["parameter", "", ...slugs.map((slug) => slug || "no device")], rows)));
  const functions = [...new Set(tests.map((test) => test.id.split("[")[0]))];
  const link = (name) => el("button", { type: "button", class: "link", onclick: () => search(`${rule.id} ${name}`, "") }, name);
  parts.push(el("ul", {}, ...functions.map((name) => el("li", {}, link(name)))));
  return parts;
}

function listRules(details, title, rules) {
  if (!rules.length) details.hidden = true;
  details.append(el("summary", {}, title));
  const why = (rule) => (/^no test: (.*)/i.exec(rule.test_idea || "") || ["", ""])[1];
  const rows = rules.map((rule) => [rule.id, rule.judges, rule.statement, why(rule), section(rule)]);
  lazily(details, () => [el("div", { class: "scroll" }, table(["rule", "judges", "statement", "why no test", "source"], rows))]);
}
