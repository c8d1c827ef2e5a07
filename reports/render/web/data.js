"use strict";
// Small helpers. Text of the data (DATA: start.js) reaches the page through `el` alone: as text, never as markup.

const VERDICTS = ["fail", "crash", "timeout", "error", "flaky", "warn", "pass", "unsupported"];
const GLYPHS = { fail: "✗", crash: "‼", timeout: "∞", error: "!", flaky: "≈", warn: "△", pass: "✓", unsupported: "·" };
const FAILING = new Set(["fail", "crash", "timeout"]);
const LEDGER = new Map(DATA.ledger.map((rule) => [rule.id, rule]));
const DEVICES = DATA.run.devices || [];
const rank = (one) => (one.differs || one.verdict === "error" ? 0 : VERDICTS.length) + VERDICTS.indexOf(one.verdict);
const TESTS = DATA.tests.sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
const SLUGS = [...new Set([...DEVICES.map((device) => device.slug), ...TESTS.map((test) => test.device || "")])];
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child that is a string becomes text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A table of rows of cells; a cell is text or an element. */
function table(head, rows, attributes = {}) {
  const row = (tag) => (cells) => el("tr", {}, ...cells.map((cell) => el(tag, {}, cell ?? "")));
  return el("table", attributes, el("thead", {}, row("th")(head)), el("tbody", {}, ...rows.map(row("td"))));
}

/** A verdict as a badge with a sign, readable without colour. */
function badge(verdict, count) {
  const text = `${GLYPHS[verdict] || "?"} ${verdict}${count === undefined ? "" : ` ${count}`}`;
  return el("span", { class: "badge", "data-verdict": verdict }, text);
}

/** Text with its http and https addresses as links. */
function linked(text) {
  const parts = String(text).split(/(https?:\/\/[^\s<>"')]+)/);
  return el("span", {}, ...parts.map((part, i) => (i % 2 ? el("a", { href: part, rel: "noreferrer" }, part) : part)));
}

/** The place of a rule in the specification's sources, with a link to the published text. */
function section(rule) {
  return el("a", { href: rule.link, rel: "noreferrer" }, rule.source || rule.id);
}

/** The worst of some tests' verdicts, undefined for none. */
function worst(tests) {
  let found = VERDICTS.length;
  for (const test of tests) {
    const place = VERDICTS.indexOf(test.verdict);
    if (place >= 0 && place < found && !(test.verdict === "unsupported" && found < VERDICTS.length)) found = place;
  }
  return VERDICTS[found];
}

/** How many tests got each verdict, as [verdict, count], worst first. */
function counts(tests) {
  const counted = new Map();
  for (const test of tests) counted.set(test.verdict, (counted.get(test.verdict) || 0) + 1);
  return [...counted].sort((a, b) => VERDICTS.indexOf(a[0]) - VERDICTS.indexOf(b[0]));
}

/** Lists by what `key` says of each value. */
function groupBy(values, key) {
  const groups = new Map();
  for (const value of values) {
    const name = key(value);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(value);
  }
  return groups;
}

/** A duration in nanoseconds as text. */
function duration(ns) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (ns >= size) return `${(ns / size).toPrecision(3)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

/** Fill a `details` when it is first opened. */
function lazily(details, fill) {
  details.addEventListener("toggle", () => details.open && details.fill());
  details.fill = () => {
    details.fill = () => {};
    details.append(...fill());
  };
  return details;
}
