// Fields that do more than a browser's: chips for words in a list, dates in words.
// Without scripts both are what they look like: a text field with commas, a date field.
const rapport = (globalThis.rapport ??= {});
const lang = document.documentElement.lang || "en";

/* Chips ---------------------------------------------------------------------------- */
const wordsIn = (text) => text.split(/[,，]/).map((one) => one.trim()).filter(Boolean);
const chipsOf = (field) => {
  const kept = field.querySelector("input");
  const known = new Set([...field.querySelectorAll("datalist option")].map(({ value }) => value.toLowerCase()));
  const most = Number(field.dataset.most || 0);
  const list = document.createElement("ul");
  const input = kept.cloneNode();
  list.className = "chips";
  kept.type = "hidden";
  kept.removeAttribute("id");
  input.removeAttribute("name");
  input.value = "";
  let chosen = wordsIn(kept.value);

  const write = () => (kept.value = chosen.join(", "));
  const draw = () => {
    list.replaceChildren(...chosen.map((word) => {
      const chip = document.createElement("li");
      const strange = "known" in field.dataset && !known.has(word.toLowerCase());
      const button = document.createElement("button");
      chip.className = strange ? "chip chip-strange" : "chip";
      chip.append(strange ? `${word} (!)` : word, button);
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", rapport.say("remove", { name: word }));
      button.addEventListener("click", () => (remove(word), input.focus()));
      return chip;
    }));
    list.hidden = !chosen.length;
    write();
  };
  const remove = (word) => {
    chosen = chosen.filter((one) => one !== word);
    draw();
    rapport.announce(rapport.say("removed", { name: word }));
  };
  const add = () => {
    const fresh = wordsIn(input.value).filter((one) => !chosen.some((other) => other.toLowerCase() === one.toLowerCase()));
    input.value = "";
    if (most && chosen.length + fresh.length > most) return rapport.announce(rapport.say("too_many", { n: most }));
    chosen = [...chosen, ...fresh];
    draw();
    if (fresh.length) rapport.announce(rapport.say("added", { name: fresh.join(", ") }));
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = list.lastElementChild;
    const wasChosen = last?.classList.contains("chosen");
    last?.classList.remove("chosen");
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !input.value && last) {
      event.preventDefault();
      if (wasChosen) remove(chosen.at(-1));
      else last.classList.add("chosen");
    }
  });
  input.addEventListener("input", (event) => {
    const whole = event.inputType === "insertReplacementText" || !event.inputType;
    if (!event.isComposing && (/[,，]/.test(input.value) || (whole && known.has(input.value.toLowerCase())))) add();
  });
  input.addEventListener("change", add);
  field.closest("form")?.addEventListener("submit", add, true);
  kept.before(list);
  kept.after(input);
  draw();
};

/* Dates in words ------------------------------------------------------------------- */
const DAY = 24 * 3600 * 1000;
const today = () => {
  const timeZone = document.body.dataset.zone || undefined;
  return new Date(`${new Intl.DateTimeFormat("sv", { timeZone }).format(new Date())}T00:00:00Z`);
};
const weekday = (text) => {
  if (text.length < 2) return null;
  for (let ahead = 1; ahead <= 7; ahead += 1) {
    const day = new Date(today().getTime() + ahead * DAY);
    const name = new Intl.DateTimeFormat(lang, { weekday: "long", timeZone: "UTC" }).format(day).toLowerCase();
    if (name.startsWith(text)) return day;
  }
  return null;
};
const dayIn = (text) => {
  const starts = (key) => text && rapport.say(key).toLowerCase() === text;
  if (starts("today")) return today();
  if (starts("tomorrow")) return new Date(today().getTime() + DAY);
  const ahead = /^\D{0,4}(\d{1,3})\s*(\p{L}+)$/u.exec(text);
  if (ahead && rapport.say("days").split(" ").some((word) => ahead[2].startsWith(word))) return new Date(today().getTime() + ahead[1] * DAY);
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text)?.slice(1) ?? /^(\d{1,2})[./](\d{1,2})(?:[./](\d{4})?)?$/.exec(text)?.slice(1).reverse();
  if (!parts) return weekday(text);
  const [year, month, day] = parts.map((part) => Number(part ?? 0));
  const made = (in_) => new Date(Date.UTC(in_, month - 1, day));
  const found = year ? made(year) : made(today().getUTCFullYear());
  if (found.getUTCMonth() !== month - 1) return null;
  return !year && found < today() ? made(today().getUTCFullYear() + 1) : found;
};
const timeIn = (text, whole) => {
  const found = (whole ? /^(\d{1,2})[:.](\d{2})$/ : /^(\d{1,2}):(\d{2})$/).exec(text);
  return found && found[1] < 24 && found[2] < 60 ? `${found[1].padStart(2, "0")}:${found[2]}` : "";
};
const read = (text, wantsTime) => {
  const bits = text.trim().toLowerCase().split(/\s+/);
  const time = wantsTime ? timeIn(bits.at(-1), bits.length > 1) : "";
  if (time) bits.pop();
  const day = bits.length ? dayIn(bits.join(" ")) : time ? today() : null;
  return day && `${day.toISOString().slice(0, 10)}${wantsTime ? `T${time || "09:00"}` : ""}`;
};
const datesOf = (field) => {
  const kept = field.querySelector("input[type=date], input[type=datetime-local]");
  const words = field.querySelector(".date-words");
  const said = field.querySelector(".date-read");
  const wantsTime = kept.type === "datetime-local";
  words.hidden = false;
  const show = () => {
    const style = { dateStyle: "full", ...(wantsTime ? { timeStyle: "short" } : {}), timeZone: "UTC" };
    const moment = kept.value && new Date(`${kept.value}${wantsTime ? "" : "T00:00"}Z`);
    said.textContent = moment && !Number.isNaN(moment.getTime()) ? new Intl.DateTimeFormat(lang, style).format(moment) : "";
    said.classList.remove("is-wrong");
  };
  const understood = (value) => {
    if (value) kept.value = value;
    show();
    if (value || !words.value.trim()) return;
    said.textContent = rapport.say("date_not");
    said.classList.add("is-wrong");
  };
  // The server knows more languages; without it the browser does what it can.
  let asking = 0;
  const ask = async (text) => {
    const answer = await fetch(`${field.dataset.readUrl}?text=${encodeURIComponent(text)}`, { credentials: "same-origin" }).catch(() => null);
    if (text === words.value.trim()) understood(answer?.ok ? (await answer.json()).value : read(text, wantsTime));
  };
  words.addEventListener("input", (event) => {
    clearTimeout(asking);
    if (event.isComposing) return;
    const text = words.value.trim();
    if (text && field.dataset.readUrl) asking = setTimeout(ask, 200, text);
    else understood(read(text, wantsTime));
  });
  words.addEventListener("compositionend", () => words.dispatchEvent(new Event("input")));
  kept.addEventListener("input", () => ((words.value = ""), show()));
  show();
};

const setUp = (scope) => {
  for (const [selector, make] of [["[data-chips]", chipsOf], ["[data-dates]", datesOf]]) {
    for (const field of scope.querySelectorAll(selector)) {
      if (field.ready) continue;
      field.ready = true;
      make(field);
    }
  }
};
setUp(document);
document.addEventListener("htmx:load", ({ detail }) => setUp(detail.elt.parentElement ?? document));
