// Who else is here: a page in sight says so when it opens, every three minutes while it
// stays in sight, when its reader begins or stops to write, and when it goes.
const rapport = (globalThis.rapport ??= {});
const slot = document.querySelector("[data-presence]");
const OPEN_EVERY = 180000;
const WRITING_EVERY = 20000;

if (slot) {
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  let doing = "gone";
  let saidAt = 0;
  let quiet = 0;
  const say = async (next) => {
    if (next === doing && Date.now() - saidAt < (next === "writing" ? WRITING_EVERY : OPEN_EVERY - 5000)) return;
    doing = next;
    saidAt = Date.now();
    const body = new URLSearchParams({ about: slot.dataset.presence, doing: next });
    try {
      const answer = await fetch(`${rapport.root ?? ""}/presence`, { method: "POST", headers: { ...token, "HX-Request": "true" }, body, credentials: "same-origin", keepalive: true });
      if (answer.status === 200 && !answer.redirected) slot.innerHTML = await answer.text();
    } catch {
      saidAt = 0; // No connection: said again at the next turn.
    }
  };
  const writing = (field) => {
    clearTimeout(quiet);
    if (!field.value.trim()) return void say("open");
    quiet = setTimeout(say, 30000, "open");
    say("writing");
  };
  document.addEventListener("input", ({ target }) => {
    if (target.matches?.("main textarea, .drawer textarea")) writing(target);
  });
  document.addEventListener("submit", ({ target }) => {
    clearTimeout(quiet);
    if (doing === "writing" && target.querySelector("textarea")) say("open");
  });
  document.addEventListener("visibilitychange", () => (clearTimeout(quiet), say(document.hidden ? "gone" : "open")));
  addEventListener("pagehide", () => doing !== "gone" && say("gone"));
  addEventListener("pageshow", ({ persisted }) => persisted && !document.hidden && say("open"));
  setInterval(() => document.hidden || say(doing === "writing" ? "writing" : "open"), OPEN_EVERY);
  if (!document.hidden) say("open");
}
