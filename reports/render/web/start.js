"use strict";
// Unpacks the run's data, then starts the page's script, which finds them as DATA.

function take(id) {
  const one = document.getElementById(id);
  one.remove();
  return one.textContent;
}

async function start() {
  const packed = Uint8Array.from(atob(take("data")), (one) => one.charCodeAt(0));
  const text = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  globalThis.DATA = JSON.parse(await text);
  const script = document.createElement("script");
  script.textContent = take("code");
  document.getElementById("start").remove();
  document.body.append(script);
}

start().catch((problem) => {
  const where = document.getElementById("outcome");
  where.textContent = `This page could not be drawn (${problem}): it needs a browser of 2023 or newer. summary.md has the results in short.`;
});
