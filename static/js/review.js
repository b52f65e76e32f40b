// The verdict bar: answers are sent at once and one after another; what is typed is kept until the server has it.
"use strict";

(() => {
  if (!document.querySelector("#review-bar[data-store]")) {
    return;
  }
  const SLOW = 1500; // milliseconds after the last letter before a comment is saved
  const bar = () => document.getElementById("review-bar");
  const store = `observatory.review.${location.pathname.split("/")[2]}.${bar().dataset.store}`;

  // --- what is typed: {field: {value, revision}}, also after the tab was closed
  const typed = JSON.parse(localStorage.getItem(store) || "{}");
  const remember = () => {
    if (Object.keys(typed).length) localStorage.setItem(store, JSON.stringify(typed));
    else localStorage.removeItem(store);
  };
  const fields = (name) => [...bar().querySelectorAll(`[data-keep="${CSS.escape(name)}"]`)];
  const valueOf = (name) => {
    const found = fields(name);
    return found[0]?.type === "radio" ? found.find((field) => field.checked)?.value ?? "" : found[0]?.value;
  };
  const show = (name, value) => fields(name).forEach((field) => {
    if (field.type === "radio") field.checked = field.value === value;
    else field.value = value;
    field.closest("details")?.setAttribute("open", "");
  });
  const showTyped = () => Object.entries(typed).forEach(([name, { value }]) => show(name, value));
  const forget = (sent) => {
    Object.entries(sent).forEach(([name, value]) => { if (typed[name]?.value === value) delete typed[name]; });
    remember();
  };

  // --- what is said beside the bar
  const say = (text, unseen = "") => { // `unseen` is for those who listen: it stands elsewhere, too
    const more = Object.assign(document.createElement("span"), { className: "hidden-word", textContent: unseen && `, ${unseen}` });
    document.getElementById("bar-state")?.replaceChildren(text, more);
  };
  const warn = (what, mend) => {
    const notice = document.getElementById("bar-notice");
    if (!notice) return;
    notice.querySelector("[data-what]").textContent = what;
    notice.querySelector("[data-mend]").textContent = mend;
    notice.querySelector("[data-again]").hidden = false;
    notice.hidden = false;
    say("");
  };

  // --- sending: in order, so that each names the revision that the one before it made
  let queue = Promise.resolve();
  let waiting = 0;
  let unsent = []; // what no answer came to; it is sent again with the next thing that gets through

  function send(form, submitter) {
    const action = form.getAttribute("action");
    const body = new FormData(form, submitter);
    const sent = Object.fromEntries([...form.elements].filter((field) => field.dataset.keep).map((field) => [field.dataset.keep, valueOf(field.dataset.keep)]));
    post({ action, body, sent });
  }

  function post(what) {
    waiting += 1;
    queue = queue.then(() => deliver(what)).catch(reportError).finally(() => { waiting -= 1; });
  }

  // A conflict that the person has not decided: until then nothing of the whole review is sent.
  const undecided = () => document.querySelector("#bar-notice[data-conflict]:not([hidden])");

  function put(what, reason, mend) {
    // The whole form as it is now stands for what it was before.
    unsent = [...unsent.filter((earlier) => earlier.action !== what.action || !what.body.has("revision")), what];
    warn(reason, mend);
  }

  async function deliver(what) {
    if (what.body.has("revision")) {
      if (undecided()) return;
      what.body.set("revision", bar().dataset.revision);
    }
    say("Saving…");
    const answer = await fetch(what.action, { method: "POST", body: what.body, headers: { "HX-Request": "true" } }).catch((error) => error);
    if (answer instanceof Error) put(what, "The server did not answer.", "What you did is kept in this browser.");
    else await take(answer, what);
  }

  async function take(answer, what) {
    const address = answer.headers.get("HX-Redirect");
    if (address) {
      forget(what.sent);
      location.assign(address);
      return;
    }
    const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!parts.getElementById("review-bar")) {
      if (answer.redirected) put(what, "You are signed out.", "Sign in in another tab, then save again. What you did is kept.");
      else put(what, `The server answered ${answer.status}.`, "What you did is kept in this browser.");
      return;
    }
    if (answer.ok) forget(what.sent);
    replace(parts);
    if (!answer.ok) return;
    say("Saved", document.getElementById("bar-count")?.textContent);
    if (what.body.has("words")) document.getElementById("bar-marks").open = false; // the texts are wanted again
    unsent.splice(0).forEach(post);
    lookAhead();
    const said = parts.querySelector("[data-reveals], [data-undone]");
    if (said) reveal(said);
  }

  // Parts of the answer take the place of what has their id. What is typed, unfolded and looked at stays so.
  function replace(parts) {
    const fact = document.getElementById("bar-fact");
    const conflict = undecided();
    const open = new Set([...bar().querySelectorAll("details[open][id]")].map((fold) => fold.id));
    const active = document.activeElement;
    const held = bar().contains(active) ? [active.id, active.name, active.value, active.selectionStart] : null;
    [...parts.body.querySelectorAll("#review-bar, .my-verdict")].forEach((part) => document.getElementById(part.id)?.replaceWith(document.adoptNode(part)));
    keepFact(fact);
    if (conflict) document.getElementById("bar-notice")?.replaceWith(conflict);
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    showTyped();
    if (held) focusAgain(...held);
  }

  // Meanwhile another fact may have been chosen: an answer must not be given to one that is no longer looked at.
  function keepFact(before) {
    const now = document.getElementById("bar-fact");
    const factOf = (place) => place?.querySelector("[name=fact]")?.value;
    if (before && now && factOf(before) !== factOf(now)) now.replaceWith(before);
  }

  function focusAgain(id, name, value, at) {
    const same = [...bar().querySelectorAll("input, textarea, select, button, summary")].find((field) =>
      (id && field.id === id) || (!id && name && field.name === name && (field.type === "text" || field.value === value)));
    same?.focus({ preventScroll: true });
    if (same && at != null && "setSelectionRange" in same && same.type !== "radio") same.setSelectionRange(at, at);
  }

  // Where the finding was hidden its column is asked for again; a verdict taken back leads to its fact.
  function reveal(said) {
    const undone = said.dataset.undone;
    const link = undone && document.querySelector(`#fact-${CSS.escape(undone)} a.fact-line`);
    if (link) link.click();
    else if ("reveals" in said.dataset) window.htmx.ajax("GET", location.pathname + location.search, { target: "#sides", swap: "outerMorph" });
  }

  // --- the next item is reserved and its page fetched, once this one is worked on
  let looked = false;
  async function lookAhead() {
    const address = bar().dataset.ahead;
    if (looked || !address) return;
    looked = true;
    const body = new FormData(document.getElementById("bar-whole"));
    const answer = await fetch(address, { method: "POST", body }).catch(() => null); // then it is claimed when it is wanted
    const { url } = answer?.ok ? await answer.json() : {};
    if (!url) return;
    const link = Object.assign(document.createElement("link"), { rel: "prefetch", href: url });
    document.head.append(link);
  }

  // --- forms
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-review-form]");
    if (!form) return;
    event.preventDefault();
    const whole = document.getElementById("bar-whole");
    if (form === whole && undecided()) return undecided().querySelector("[data-again]").focus();
    if (slow && form !== whole) send(whole);
    clearTimeout(slow);
    slow = 0;
    const submitter = event.submitter;
    const reworded = submitter?.name === "answer" && submitter.value === "reword";
    if (reworded) keep(form.querySelector("[name=reworded]"));
    send(form, submitter);
  });
  let slow = 0;
  const keep = (field) => {
    typed[field.dataset.keep] = { value: valueOf(field.dataset.keep), revision: Number(bar().dataset.revision) };
    remember();
  };
  document.addEventListener("input", (event) => {
    const field = event.target.closest("#review-bar [data-keep]");
    if (!field) return;
    keep(field);
    if (field.form?.id !== "bar-whole" || undecided()) return;
    clearTimeout(slow);
    slow = setTimeout(() => { slow = 0; send(document.getElementById("bar-whole")); }, field.type === "radio" ? 0 : SLOW);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#bar-notice [data-again]")) again();
    if (event.target.closest("#bar-notice [data-newer]")) {
      Object.keys(typed).forEach((name) => delete typed[name]);
      remember();
    }
  });
  function again() {
    document.getElementById("bar-notice").hidden = true;
    if (unsent.length) unsent.splice(0).forEach(post);
    else send(document.getElementById("bar-whole"));
  }

  // --- keys: a click on what bears the key, as everywhere; these act while an answer is on its way, one after another
  const OURS = new Set(["1", "2", "3", "0", "n", "p", "u"]);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const button = bar().querySelector("[data-submit]");
      if (!button) return;
      event.preventDefault();
      const field = document.activeElement;
      if (field.name === "reworded" && field.value.trim()) field.form.requestSubmit(field.form.querySelector("[value=reword]"));
      if (field.form?.matches("[data-mark-form]") && field.form.elements.words.value.trim()) field.form.requestSubmit();
      button.form.requestSubmit(button);
    } else if (event.key === "Escape" && bar().contains(document.activeElement)) {
      document.activeElement.blur();
    } else if (waiting && OURS.has(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input:not([type=radio]), select, textarea")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      queue.then(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: event.key, bubbles: true })));
    }
  }, { capture: true });
  // What a key opens is meant to be typed into. Enter in the wording saves the wording.
  document.addEventListener("click", (event) => {
    const summary = event.target.closest("#review-bar summary");
    if (!summary) return;
    const fold = summary.parentElement;
    const goal = summary.dataset.then ? document.querySelector(summary.dataset.then) : fold.querySelector("input[name=reworded]");
    if (!goal) return;
    event.preventDefault(); // it opens now: the next key is typed into it
    if (summary.dataset.key === "m" && takeSelection()) return;
    fold.open = !fold.open || event.detail === 0; // a key opens, and never closes
    if (fold.open) goal.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.name !== "reworded" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.target.form.requestSubmit(event.target.form.querySelector("[value=reword]"));
  });

  // --- another fact was chosen: its answers come with the part of the page
  document.addEventListener("htmx:after:swap", () => {
    const next = document.getElementById("bar-fact-next");
    const place = document.getElementById("bar-fact");
    if (!next || !place) return;
    place.replaceChildren(...next.childNodes);
    next.remove();
    showTyped();
  });

  // --- a selection in a dropped message or in the summary can be marked
  const offer = Object.assign(document.createElement("button"), { type: "button", className: "mark-offer", hidden: true });
  document.body.append(offer);
  let chosen = null;

  function selection() {
    const picked = getSelection();
    if (!picked.rangeCount || picked.isCollapsed) return null;
    const range = picked.getRangeAt(0);
    const inside = (selector) => [range.startContainer, range.endContainer].map((node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(selector));
    const [first, last] = inside(".dropped-column > section .message");
    const [summary, end] = inside(".summary-column .prose");
    const home = first && first === last ? first : summary && summary === end ? summary : null;
    if (!home) return null;
    const before = document.createRange();
    before.setStart(home, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const words = plain(range).trim();
    return words && { what: home === first ? "missed" : "invented", message: home === first ? home.id.slice(1) : "", words, before: plain(before).slice(-400), range };
  }

  function plain(range) {
    const copy = range.cloneContents();
    copy.querySelectorAll(".hidden-word, .message-head").forEach((word) => word.remove());
    return copy.textContent;
  }

  document.addEventListener("selectionchange", () => {
    chosen = selection();
    offer.hidden = !chosen;
    if (!chosen) return;
    offer.replaceChildren(chosen.what === "missed" ? "Missed fact " : "Invented ", Object.assign(document.createElement("kbd"), { textContent: "m" }));
    const box = chosen.range.getBoundingClientRect();
    offer.style.insetBlockStart = `${Math.max(8, box.top - 40)}px`;
    offer.style.insetInlineStart = `${Math.min(Math.max(8, box.left), innerWidth - 160)}px`;
  });
  offer.addEventListener("pointerdown", (event) => event.preventDefault()); // else the selection is gone before the click
  offer.addEventListener("click", () => takeSelection());
  addEventListener("scroll", () => { offer.hidden = true; }, { capture: true, passive: true });

  function takeSelection() {
    if (!chosen) return false;
    const fold = document.getElementById("bar-marks");
    const form = fold.querySelector("[data-mark-form]");
    fold.open = true;
    ["message", "before", "words", "what"].forEach((name) => { form.elements[name].value = chosen[name]; });
    form.querySelectorAll("[data-keep]").forEach(keep);
    getSelection().removeAllRanges();
    form.elements.text.focus();
    return true;
  }

  // --- on arrival: what was typed before and never saved is there again
  Object.keys(typed).filter((name) => fields(name).length && typed[name].value === valueOf(name)).forEach((name) => delete typed[name]);
  remember();
  const restored = Object.entries(typed).filter(([name]) => fields(name).length);
  if (restored.length) {
    const older = restored.some(([, { revision }]) => revision !== Number(bar().dataset.revision));
    showTyped();
    warn("What you typed before was not saved.", older ? "Your review was changed since then." : "It is in the fields again.");
    document.getElementById("bar-notice").toggleAttribute("data-conflict", older);
    bar().querySelector("#bar-notice [data-newer]").hidden = false;
  }
})();
