// Filters, keys, and the page's state in its address.

/** Set the filters as a person would, and scroll to the results. */
function search(text, device, verdicts = []) {
  Object.assign(chosen, { text, device, verdicts: new Set(verdicts), unexpected: false });
  showChosen();
  apply();
  byId("results").scrollIntoView();
}

function showChosen() {
  byId("search").value = chosen.text;
  byId("device").value = chosen.device;
  byId("unexpected").checked = chosen.unexpected;
  for (const button of byId("verdicts").children) {
    button.setAttribute("aria-pressed", chosen.verdicts.has(button.dataset.verdict));
  }
}

function apply() {
  select();
  const state = new URLSearchParams();
  if (chosen.text) state.set("q", chosen.text);
  if (chosen.device) state.set("device", chosen.device);
  if (chosen.verdicts.size) state.set("verdicts", [...chosen.verdicts].join(" "));
  if (chosen.unexpected) state.set("unexpected", "1");
  history.replaceState(null, "", `#?${state}`);
}

function readAddress() {
  const state = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
  chosen.text = state.get("q") || "";
  chosen.device = SLUGS.includes(state.get("device")) ? state.get("device") : "";
  chosen.verdicts = new Set((state.get("verdicts") || "").split(" ").filter((one) => VERDICTS.includes(one)));
  chosen.unexpected = state.has("unexpected");
}

function toggleVerdict(verdict) {
  if (!chosen.verdicts.delete(verdict)) chosen.verdicts.add(verdict);
  showChosen();
  apply();
}

function drawFilters() {
  byId("device").append(el("option", { value: "" }, "all devices"), ...SLUGS.map((slug) => el("option", { value: slug }, slug || "no device")));
  byId("device").hidden = SLUGS.length < 2;
  const counted = new Map(counts(TESTS));
  byId("verdicts").append(...VERDICTS.map((verdict, i) => el("button", {
    type: "button", "data-verdict": verdict, "aria-pressed": "false", title: `key ${i + 1}`, onclick: () => toggleVerdict(verdict),
  }, `${GLYPHS[verdict]} ${verdict} ${counted.get(verdict) || 0}`)));
  byId("by").append(...parameterNames().map((name) => el("option", { value: name }, name)));
}

/** Move the focus to another result. */
function move(step) {
  const all = [...document.querySelectorAll("#breaches summary, #list summary")];
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (step > 0 ? 0 : -1) : at + step];
  if (!next && step > 0 && !byId("more").hidden) {
    drawMore();
    return move(step);
  }
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input[type=search], select");
  if (event.key === "Escape") {
    document.activeElement.blur();
    return search("", "");
  }
  if (typing) return event.key === "Enter" && event.target.blur();
  const keys = { "/": () => byId("search").focus(), j: () => move(1), k: () => move(-1), d: toggleTheme };
  const verdict = VERDICTS[Number(event.key) - 1];
  const act = keys[event.key] || (verdict && (() => toggleVerdict(verdict)));
  if (act) {
    event.preventDefault();
    act();
  }
});
addEventListener("beforeprint", () => {
  while (drawn < rows.length && (FAILING.has(rows[drawn][0].verdict) || fails(rows[drawn][0]))) drawMore();
  for (const one of document.querySelectorAll("details.others")) {
    one.fill();
    one.open = true;
  }
  for (const one of document.querySelectorAll("details.result")) {
    if (["fail", "crash", "timeout", "error"].includes(one.querySelector(".badge").dataset.verdict) && one.closest("#results")) {
      one.fill();
      one.open = true;
    }
  }
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", (event) => { chosen.text = event.target.value; apply(); });
byId("device").addEventListener("change", (event) => { chosen.device = event.target.value; apply(); });
byId("unexpected").addEventListener("change", (event) => { chosen.unexpected = event.target.checked; apply(); });
byId("by").addEventListener("change", drawPicture);
byId("more").addEventListener("click", () => drawMore());
byId("theme").addEventListener("click", toggleTheme);

drawHead();
drawFilters();
readAddress();
showChosen();
select();
drawLegend();
drawPicture();
drawDiagnoses();
drawRules();
drawTimes();
drawMatrix();
drawAbout();
document.documentElement.dataset.ready = Math.round(performance.now());
