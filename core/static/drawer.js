// Writing from anywhere: a drawer in the corner that asks about whom, or knows it from
// the page. It is no modal: the page behind stays readable. Without scripts the same
// links lead to a page.
const rapport = (globalThis.rapport ??= {});
const drawer = document.getElementById("drawer");

const setUp = () => {
  const body = drawer.querySelector(".drawer-body");
  let opener = null;

  const shut = () => {
    drawer.close();
    if (opener?.isConnected) opener.focus();
  };
  // The page's own composer comes first; it is the same one, in its place.
  const inPage = (contact) => {
    const form = document.querySelector("#main .composer[data-draft-key]");
    const about = form?.querySelector("[name=contacts]")?.value;
    return form && (!contact || contact === about) ? form : null;
  };
  rapport.write = ({ contact = document.getElementById("main").dataset.about, kind = "" } = {}) => {
    const here = inPage(contact);
    if (here) return rapport.begin(here, kind);
    opener = document.activeElement;
    const query = new URLSearchParams(Object.entries({ contact, kind }).filter(([, value]) => value));
    globalThis.htmx.ajax("GET", `${drawer.dataset.writeUrl}?${query}`, { target: body, swap: "innerHTML" });
    drawer.show();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const { pathname, searchParams } = new URL(link.href, location.href);
    if (pathname !== drawer.dataset.writeUrl || link.closest(".drawer") || link.origin !== location.origin) return;
    if (location.pathname === pathname) return;
    event.preventDefault();
    rapport.write({ contact: searchParams.get("contact") ?? document.getElementById("main").dataset.about, kind: searchParams.get("kind") ?? "" });
  });
  body.addEventListener("htmx:afterSettle", () => (body.querySelector("[autofocus], textarea, input:not([type=hidden])") ?? body).focus());
  drawer.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || drawer.querySelector(":popover-open")) return;
    event.preventDefault();
    shut();
  });
  drawer.addEventListener("click", (event) => event.target.closest("[data-shuts]") && shut());
  document.addEventListener("drawer:done", shut);
};
if (drawer) setUp();
