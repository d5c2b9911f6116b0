// Suggestions while somebody writes: `@` colleagues and teams, `#` tags, and people that
// an entry is about. The keys stay in the field; a word being composed is left alone.
const rapport = (globalThis.rapport ??= {});
let numbered = 0;

/* A list of suggestions under a field ----------------------------------------------- */
const listFor = (field, { ask, pick, eager = false }) => {
  const box = document.createElement("div");
  let items = [];
  let chosen = 0;
  let asked = 0;
  let timer = 0;
  box.className = "suggest";
  box.id = `suggest-${++numbered}`;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", field.getAttribute("aria-label") ?? field.labels?.[0]?.textContent ?? "");
  box.hidden = true;
  field.after(box);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", box.id);
  const combo = field.matches("input");
  if (combo) {
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-expanded", "false");
  }

  const mark = () => {
    [...box.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    const option = box.children[chosen];
    if (option && !box.hidden) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const shut = () => {
    asked += 1;
    clearTimeout(timer);
    box.hidden = true;
    items = [];
    if (combo) field.setAttribute("aria-expanded", "false");
    mark();
  };
  const show = (found) => {
    items = found;
    chosen = 0;
    if (!found.length) return shut();
    box.replaceChildren(...found.map((item, at) => {
      const option = document.createElement("div");
      option.id = `${box.id}-${at}`;
      option.setAttribute("role", "option");
      option.textContent = item.name;
      return option;
    }));
    box.hidden = false;
    box.style.top = `${field.offsetTop + field.offsetHeight}px`;
    if (combo) field.setAttribute("aria-expanded", "true");
    rapport.announce(rapport.say(found.length === 1 ? "found_one" : "found_many", { n: found.length }));
    mark();
  };
  const look = () => {
    const mine = ++asked;
    clearTimeout(timer);
    const url = ask();
    if (!url) return shut();
    timer = setTimeout(async () => {
      const answer = await fetch(url, { credentials: "same-origin" }).catch(() => null);
      if (mine === asked) show(answer?.ok ? (await answer.json()).items : []);
    }, 120);
  };
  const take = (at) => {
    const item = items[at];
    shut();
    if (item) pick(item);
    field.focus();
  };
  field.addEventListener("input", (event) => event.isComposing || look());
  field.addEventListener("compositionend", look);
  if (eager) for (const name of ["focus", "click"]) field.addEventListener(name, look);
  field.addEventListener("blur", () => setTimeout(shut, 150));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || box.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      chosen = (chosen + step + items.length) % items.length;
      mark();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey && !event.shiftKey) take(chosen);
    else if (event.key === "Escape") shut();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // The field keeps the focus, so the list is still there when the finger is lifted.
  box.addEventListener("pointerdown", (event) => event.preventDefault());
  box.addEventListener("click", (event) => take([...box.children].indexOf(event.target.closest("[role=option]"))));
};

/* @ and # in a text ------------------------------------------------------------------ */
const BEGUN = /(?<![\p{Script=Latin}\d_/.])([@#])([^\s@#]{0,40})$/u;
const marksIn = (field) => {
  const begun = () => BEGUN.exec(field.value.slice(0, field.selectionStart));
  listFor(field, {
    ask: () => {
      const found = field.selectionStart === field.selectionEnd && begun();
      if (!found || (found[1] === "#" && !found[2])) return "";
      return `${field.dataset.suggestUrl}?mark=${encodeURIComponent(found[1])}&q=${encodeURIComponent(found[2])}`;
    },
    pick: ({ name }) => {
      const found = begun();
      if (!found) return;
      const end = field.selectionStart;
      field.setRangeText(`${found[1]}${name} `, end - found[2].length - 1, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    },
  });
};

/* People an entry is about, and records it is linked to -------------------------------- */
rapport.choose = (field, { id, name }) => {
  const chips = field.querySelector(".people-chosen");
  const there = chips.querySelector(`[value="${id}"]`);
  if (there) return void (there.checked = true);
  const chip = document.createElement("label");
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", name: field.dataset.name ?? "contacts", value: id, checked: true, className: "form-check-input" });
  chip.className = "chip";
  chip.dataset.added = "";
  chip.append(box, name);
  chips.append(chip);
  chips.dispatchEvent(new Event("change", { bubbles: true }));
};
const peopleIn = (field) => {
  const input = field.querySelector("input:not([type=checkbox])");
  const chips = field.querySelector(".people-chosen") ?? document.createElement("div");
  chips.className = "people-chosen";
  input.parentElement === field ? input.before(chips) : field.prepend(chips);
  // A field without a name only finds: it offers something before a letter is typed,
  // and Enter in it saves nothing.
  const finds = !input.name;
  if (finds) input.addEventListener("keydown", (event) => event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.preventDefault());
  listFor(input, {
    eager: finds,
    ask: () => {
      const word = input.value.split(/[,，、]/).at(-1).trim();
      const url = field.dataset.peopleUrl;
      return word || finds ? `${url}${url.includes("?") ? "&" : "?"}q=${encodeURIComponent(word)}` : "";
    },
    pick: ({ id, name }) => {
      // What stood before it with a comma stays, to be found when the form is sent.
      input.value = input.value.split(/[,，、]/).slice(0, -1).join(", ");
      rapport.choose(field, { id, name });
      rapport.announce(rapport.say("added", { name }));
    },
  });
  input.form.addEventListener("reset", () => chips.querySelectorAll("[data-added]").forEach((chip) => chip.remove()));
};

const setUp = (scope) => {
  for (const [selector, make] of [["textarea[data-suggest-url]", marksIn], ["[data-people-url]", peopleIn]]) {
    for (const field of scope.querySelectorAll(selector)) {
      if (field.suggests) continue;
      field.suggests = true;
      make(field);
    }
  }
};
setUp(document);
document.addEventListener("htmx:load", ({ detail }) => setUp(detail.elt.parentElement ?? document));
