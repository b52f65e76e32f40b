// What every page shares: theme, menus, keys, and errors of htmx shown where they happened.
"use strict";

(() => {
  const root = document.documentElement;

  // --- theme: the form works without this; here the page only changes without loading anew
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    const theme = event.submitter?.value;
    if (!form || !theme) return;
    event.preventDefault();
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    root.dataset.theme = theme;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button === event.submitter)));
    document.dispatchEvent(new CustomEvent("theme:changed"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme:changed")));

  // --- menus close when something else is chosen
  const closeMenus = (except) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    closeMenus();
    menu?.querySelector("summary").focus();
  });

  // --- on a phone the list of settings is one line that scrolls: the page that is open is in sight
  document.querySelectorAll(".side ul").forEach((list) => {
    const here = list.querySelector("[aria-current]");
    if (here) list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2;
  });

  // --- copy
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });

  // --- what an element says of its own requests: `data-quiet`, nobody asked for them; `data-stays`, nothing scrolls after
  const asksFor = (event, what) => event.detail?.ctx?.sourceElement?.dataset?.[what] !== undefined;

  // --- htmx: an error is said beside what was clicked, and stays until it is mended
  const failed = (event) => {
    const source = event.detail?.ctx?.sourceElement ?? event.target;
    const place = document.getElementById("errors");
    if (!place || asksFor(event, "quiet") || event.detail?.error?.name === "AbortError") return;
    const response = event.detail?.ctx?.response;
    const status = response?.status;
    place.hidden = false;
    place.querySelector("[data-reason]").textContent = response?.raw?.redirected ? "You are signed out: sign in in another tab." : status ? `The server answered ${status}.` : "The server did not answer.";
    place.querySelector("[data-again]").onclick = () => {
      place.hidden = true;
      if (source.requestSubmit) source.requestSubmit();
      else source.click();
    };
  };
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:response:error", failed);
  // A page of errors, or to sign in, never takes the place of what somebody has typed.
  document.addEventListener("htmx:before:response", (event) => {
    const { status, raw } = event.detail.ctx.response;
    if (!asksFor(event, "stays") && !asksFor(event, "quiet")) return;
    if (!raw.redirected && (status < 400 || status === 409 || status === 422)) return;
    event.preventDefault();
    failed(event);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (!asksFor(event, "quiet")) document.getElementById("errors").hidden = true;
  });

  // A tab in the background does not ask again. (A condition in hx-trigger would be evaluated, which the policy forbids.)
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.target.getAttribute("hx-trigger")?.startsWith("every ")) event.preventDefault();
  });
  if (window.htmx) Object.assign(window.htmx.config, { includeIndicatorCSS: false });

  // --- keys: each is printed on a real link or button and does what a click on it does
  const KEYS_OFF = "observatory.keys-off";
  const dialog = document.getElementById("keys");
  const toggle = document.getElementById("keys-off");
  if (toggle) {
    toggle.checked = localStorage.getItem(KEYS_OFF) === "1";
    toggle.addEventListener("change", () => localStorage.setItem(KEYS_OFF, toggle.checked ? "1" : ""));
  }
  document.querySelectorAll("[data-opens-keys]").forEach((button) => button.addEventListener("click", () => dialog.showModal()));

  const typing = (element) => element.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]") !== null;
  const visible = (element) => element.checkVisibility();
  let first = ""; // of a two-key sequence such as "g c"

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open], .htmx-request:not([data-quiet])")) return;
    if (localStorage.getItem(KEYS_OFF) === "1") return;
    const keys = first ? `${first} ${event.key}` : event.key;
    first = event.key === "g" && !first ? "g" : "";
    const target = [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].find(visible);
    const done = target ? use(target) : walk(keys);
    if (done) event.preventDefault();
  });

  function use(target) {
    if (target.matches("input, select, textarea")) {
      target.focus();
      target.select?.();
    } else {
      target.click();
    }
    return true;
  }

  // --- a chosen fact: both texts scroll to its mark; on one narrow column the list stays where it is
  const wide = matchMedia("(min-width: 1100px)");
  const showChosen = () => {
    if (!wide.matches) return;
    const marks = [".summary-column mark.chosen", ".dropped-column mark.chosen, .dropped-column .message.chosen", ".fact.chosen"];
    marks.map((selector) => document.querySelector(selector)).filter(Boolean).forEach((mark) => {
      mark.scrollIntoView({ block: mark.matches(".fact") ? "nearest" : "center", behavior: "instant" });
    });
  };
  document.addEventListener("htmx:after:swap", (event) => {
    if (!asksFor(event, "stays") && !asksFor(event, "quiet")) showChosen();
  });
  if (new URLSearchParams(location.search).has("fact") && !location.hash.startsWith("#m")) addEventListener("load", showChosen);
  document.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-mark]");
    const goal = event.target.closest("[data-goes-to]");
    if (mark) document.querySelector(`#${CSS.escape(/^\d/.test(mark.dataset.mark) ? `fact-${mark.dataset.mark}` : mark.dataset.mark)} a`)?.click();
    if (!goal) return;
    event.preventDefault();
    step(`[data-mark="${CSS.escape(goal.dataset.goesTo)}"]`, 1, "center");
  });

  // j and k walk the rows of a list, n and p the places found, or else the messages
  function walk(key) {
    if (key === "j" || key === "k") return step("[data-item]", key === "j" ? 1 : -1, "start");
    if (key === "n" || key === "p") {
      const kind = document.querySelector("mark.find") ? "mark.find" : ".message";
      return step(kind, key === "n" ? 1 : -1, "center");
    }
    if (key === "Enter" || key === "o") {
      if (document.activeElement !== document.body) return false;
      const link = document.querySelector("[data-item].current a");
      link?.click();
      return Boolean(link);
    }
    return false;
  }

  function step(selector, by, block) {
    const all = [...document.querySelectorAll(selector)].filter(visible);
    if (!all.length) return false;
    const at = all.findIndex((each) => each.classList.contains("current"));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    all.forEach((each) => { each.classList.toggle("current", each === next); each.removeAttribute("aria-current"); });
    next.setAttribute("aria-current", "true");
    next.closest("details")?.setAttribute("open", "");
    next.scrollIntoView({ block: block === "start" ? "nearest" : block });
    return true;
  }
})();
