// The head and the end of the page: devices with their drivers, how many tests got each verdict, the facts of the run.

const EXITS = { 0: "nothing fails the run", 1: "failures", 2: "interrupted", 3: "an error of the suite", 5: "nothing was judged" };

function drawHead() {
  const exit = DATA.end.exit;
  const how = exit === undefined ? "The run died before its end." : `Exit status ${exit}: ${EXITS[exit] || "see the log"}.`;
  const wrong = [...TESTS, ...DATA.breaches].filter(fails).length + beyondResults().length;
  const against = DATA.run.baseline ? ` against ${DATA.run.baseline}` : "";
  const when = `${DATA.run.time || ""}${DATA.run.host ? ` on ${DATA.run.host}` : ""}`;
  byId("outcome").textContent = `${how} ${TESTS.length} tests, ${wrong} results that fail the run${against}. ${when}`;
  const farewells = (DATA.end.farewells || []).map((text) => el("p", {}, `After the last test: ${text}`));
  const missing = (DATA.end.missing || []).map((text) => el("p", {}, el("strong", {}, text)));
  byId("devices").append(...missing, ...farewells, el("div", { class: "cards" }, ...SLUGS.map(card)));
}

function card(slug) {
  const device = DEVICES.find((one) => one.slug === slug);
  const tests = TESTS.filter((test) => test.device === slug);
  const buttons = counts(tests).map(([verdict, count]) => el("button", {
    type: "button", class: "count", "data-verdict": verdict, onclick: () => search("", slug, [verdict]),
  }, `${GLYPHS[verdict] || "?"} ${count} ${verdict}`));
  if (!device) {
    const layer = (DATA.run.validation_layers || []).find((one) => one.slug === slug);
    const what = layer ? el("p", {}, `${layer.driver_name}, a validation layer: its failures do not fail a driver`) : null;
    return el("article", {}, el("h3", {}, slug || "no device"), what, el("p", {}, ...buttons));
  }
  const claims = Object.entries(device.claims || {}).map(([kind, [features]]) => {
    const able = [features & 1 ? "export" : "", features & 2 ? "import" : ""].filter(Boolean).join(", ");
    return `${kind} (${able || "nothing"})`;
  });
  const facts = [
    ["driver", `${`${device.driver_name} ${device.driver_info || ""}`.trim()}, version ${device.version} (${device.driver_version}), id ${device.driver_id}`],
    ["Vulkan", `${device.api_version}, conformance ${device.conformance_version || "not reported"}`],
    ["claims", claims.join("; ") || "nothing"],
    ["where", [device.pci, device.device_uuid && `UUID ${device.device_uuid}`, device.host, device.manifest].filter(Boolean).join(" · ")],
  ];
  return el("article", {}, el("h3", {}, `${device.name} `, el("small", {}, slug)), definitions(facts), el("p", {}, ...buttons));
}

function drawAbout() {
  const left = new Set(["devices", "results", "type"]);
  const rows = Object.entries(DATA.run).filter(([name]) => !left.has(name)).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
    return [name, el("pre", {}, text)];
  });
  byId("facts").append(table(["fact", ""], rows));
  if (beyondResults().length) {
    byId("unmatched").append(el("h3", {}, "Differences from the baseline that are no result's"), table(["", ""], beyondResults()));
  }
}

/** What differs from the baseline beside results: lost claims, reasons to skip tests, entries that no result meets. */
function beyondResults() {
  const seen = new Set([...TESTS, ...DATA.breaches].map((one) => one.id));
  return (DATA.end.surprises || []).filter(([key]) => !seen.has(key));
}

/** matrix.json beside the page: for each injected fault and rule the tests that detect it. */
function drawMatrix() {
  if (!DATA.matrix) return;
  const rows = Object.entries(DATA.matrix).flatMap(([fault, rules]) =>
    Object.entries(rules).map(([rule, tests], i) => [i ? "" : fault, rule, [tests].flat().join("\n") || "no test detects it"]));
  byId("faults").append(table(["fault", "rule", "detected by"], rows));
  byId("matrix").hidden = false;
}
