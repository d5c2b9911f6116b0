// Ctrl-K: one field that finds and does. Old results stay until the new ones arrive.
const rapport = (globalThis.rapport ??= {});
const dialog = document.getElementById("palette");

const setUp = () => {
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let timer = 0;
  let asked = 0;
  let chosen = -1;
  const options = () => [...list.querySelectorAll("[role=option]")];

  const choose = (to) => {
    const all = options();
    if (!all.length) return field.removeAttribute("aria-activedescendant");
    chosen = (to + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    field.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  };
  // What the page's own header offers: its links, buttons and menu lines.
  const ofPage = (text) => {
    const wanted = text.replace(/^>/, "").trim().toLowerCase();
    if (text && !wanted && text !== ">") return [];
    const found = document.querySelectorAll(".head-actions :is(a[href], button:not([popovertarget]))");
    const items = [...found].filter((act) => getComputedStyle(act).display !== "none").map((act) => ({ group: rapport.say("this_page"), title: act.textContent.trim().replace(/\s+/g, " "), act }));
    return items.filter(({ title }) => title && title.toLowerCase().includes(wanted)).slice(0, 5);
  };
  const line = (item, at) => {
    const option = document.createElement("div");
    Object.assign(option, { id: `palette-${at}`, className: "palette-item" });
    option.setAttribute("role", "option");
    option.item = item;
    const title = document.createElement("span");
    title.textContent = item.title;
    option.append(title);
    if (item.why) {
      const why = document.createElement("span");
      why.className = "why";
      why.textContent = item.why;
      option.append(why);
    }
    return option;
  };
  const draw = (items, text, stranger) => {
    const create = dialog.dataset.newPersonUrl;
    const all = [...items, ...(/^[+@#]/.test(text) ? [] : ofPage(text))];
    const [name] = Object.values(stranger);
    // A caller nobody knows is never a dead end.
    if (create && name) all.push({ group: rapport.say("stranger"), title: rapport.say("new_person", { name }), url: `${create}${create.includes("?") ? "&" : "?"}${new URLSearchParams(stranger)}` });
    const groups = new Map();
    all.forEach((item, at) => {
      const name = item.group ?? "";
      if (!groups.has(name)) {
        const box = document.createElement("div");
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", name);
        const head = document.createElement("div");
        head.className = "palette-group";
        head.setAttribute("aria-hidden", "true");
        head.textContent = name;
        box.append(head);
        groups.set(name, box);
      }
      groups.get(name).append(line(item, at));
    });
    list.replaceChildren(...groups.values());
    rapport.announce(rapport.say(all.length === 1 ? "found_one" : "found_many", { n: all.length }));
    choose(0);
  };
  const ask = async () => {
    const mine = ++asked;
    const text = field.value.trim();
    const answer = await fetch(`${dialog.dataset.paletteUrl}?q=${encodeURIComponent(text)}`, { credentials: "same-origin" }).catch(() => null);
    if (mine !== asked) return;
    const found = answer?.ok && (await answer.json());
    if (found) draw(found.items, text, found.stranger);
    else fail(text);
  };
  // The old results stay, with a line that says why nothing new came.
  const fail = (text) => {
    draw([], text, text ? { name: text } : {});
    const said = document.createElement("p");
    said.className = "palette-group";
    said.textContent = rapport.say("not_found");
    list.prepend(said);
  };
  const go = (option, aside) => {
    if (!option) return;
    const { url, act } = option.item;
    dialog.close();
    if (act) act.click();
    else if (aside) open(url, "_blank", "noopener");
    else {
      // A link, so that what a link opens in its place, such as the drawer, opens here too.
      const link = Object.assign(document.createElement("a"), { href: url });
      document.body.append(link);
      link.click();
      link.remove();
    }
  };

  rapport.openPalette = () => {
    if (dialog.open) return;
    field.value = "";
    dialog.showModal();
    ask();
  };
  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, 120);
  });
  field.addEventListener("compositionend", () => (timer = setTimeout(ask, 120)));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(chosen + step);
    else if (event.key === "Enter") go(options()[chosen], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]"), event.ctrlKey || event.metaKey));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-open-palette]") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rapport.openPalette();
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    rapport.openPalette();
  });
};
if (dialog) setUp();
