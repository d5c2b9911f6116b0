// Runs before the first paint: the account's theme or the system's, no flash.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wish = root.dataset.theme;
    root.dataset.bsTheme = wish === "light" || wish === "dark" ? wish : dark.matches ? "dark" : "light";
  };
  root.classList.add("js");
  if (root.dataset.brand) root.style.setProperty("--brand", root.dataset.brand);
  dark.addEventListener("change", apply);
  apply();
})();
