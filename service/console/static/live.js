// Keeps a page that shows what is going on up to date: reloads its [data-live] part every few seconds, unless somebody is
// in the middle of using it. Without this script the page is the same, as of when it was opened.
"use strict";
(() => {
  const EVERY = 10000; // milliseconds
  const busy = (live) => document.hidden || live.contains(document.activeElement) || live.querySelector("details[open]");
  const refresh = async () => {
    const live = document.querySelector("[data-live]");
    if (!live || busy(live)) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.querySelector("[data-live]");
    if (!next || busy(live) || next.innerHTML === live.innerHTML) return;
    live.replaceChildren(...next.childNodes);
    document.title = fresh.title;
  };
  setInterval(() => refresh().catch(() => {}), EVERY);
})();
