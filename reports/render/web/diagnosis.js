// Which known faults together explain what failed on each device.

function drawDiagnoses() {
  const failing = DATA.diagnoses.filter((one) => one.failed);
  byId("diagnosis").hidden = !failing.length;
  byId("diagnosis").append(...failing.map((one) => el("details", { class: "diagnosis" }, el("summary", {}, one.in_short),
    el("ol", {}, ...one.findings.map((finding) => el("li", {}, ...finding.map(drawFault)))),
    one.left.length ? el("p", {}, "No known fault explains:") : null,
    el("ul", {}, ...one.left.map((group) => el("li", {}, group.text))))));
}

/** A fault of a finding; those after the first are as likely. */
function drawFault(fault, place) {
  const told = `${place ? "or: " : ""}${fault.statement} (${fault.rules.join(", ")}): ${fault.text}.`;
  const names = (title, ids) => ids.length ? el("p", {}, title, el("ul", {}, ...ids.map((id) => el("li", {}, id)))) : null;
  return el("details", {}, el("summary", {}, told), names("Explained:", fault.explains), names("Passed nevertheless:", fault.passed));
}
