// What every page does: theme, what is said aloud after a swap, where the focus goes, and a band when the server is away.
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const choose = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    announce(theme ? `Theme: ${theme}` : "Theme: as the system");
  };

  function announce(words) {
    const region = byId("status");
    if (!region || !words) return;
    region.textContent = "";
    // an unchanged text would not be read again
    setTimeout(() => { region.textContent = words; }, 30);
  }

  // What is folded cannot have the focus.
  function unfold(wrong) {
    for (let fold = wrong.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  // What is wrong: a control before the group that it stands in, which takes no focus.
  const invalid = (within) => within.querySelector(":is(input, select, textarea, button, [tabindex])[aria-invalid=true]") ?? within.querySelector("[aria-invalid=true]");

  function settle(part) {
    const said = part.matches?.("[data-announce]") ? part : part.querySelector?.("[data-announce]");
    if (said) announce(said.dataset.announce);
    const wrong = part.querySelector && invalid(part);
    if (wrong) unfold(wrong);
    const target = wrong || part.querySelector?.("[data-needed-now] .input") || part.querySelector?.("[data-focus]");
    if (target && !part.closest?.("[data-keep-focus]")) target.focus({ preventScroll: !wrong && !target.dataset.focus });
    // with its error, which stands below it; giving the focus again would not scroll
    (wrong?.closest(".field") ?? wrong)?.scrollIntoView({ block: "nearest" });
  }

  // A part that is fetched is parsed as if there were no scripts: what stands there for browsers without them would be live, and Enter would press its button.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => { detail.serverResponse = detail.serverResponse?.replace(/<noscript>[\s\S]*?<\/noscript>/g, ""); });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) choose(dark() ? "light" : "dark");
    const chosen = event.target.closest("[data-theme-choice]");
    if (chosen) choose(chosen.dataset.themeChoice);
    const folder = event.target.closest("[data-rail]");
    if (folder) fold(folder);
    const opener = event.target.closest("[data-toggle]");
    if (opener) {
      const open = byId(opener.dataset.toggle).classList.toggle("open");
      opener.setAttribute("aria-expanded", String(open));
    }
    if (event.target.closest("[data-print]")) print();
    const copies = event.target.closest("[data-copy]");
    if (copies) copy(byId(copies.dataset.copy));
  });

  // The navigation with its words or without; kept for the person, whose name the cookie bears in code.
  function fold(button) {
    const folded = button.closest(".shell").classList.toggle("folded");
    document.cookie = `${button.dataset.rail}=${folded ? "folded" : "open"}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    announce(folded ? "Navigation folded" : "Navigation open");
  }

  // Text to the clipboard; where a browser does not let us (plain http), it is selected for Ctrl C.
  function copy(element) {
    const typed = "value" in element;
    if (typed) element.select();
    else getSelection().selectAllChildren(element);
    const done = navigator.clipboard?.writeText(typed ? element.value : element.textContent) ?? Promise.reject();
    done.then(() => announce("Copied"), () => announce("Selected; press Ctrl C to copy"));
  }

  // A page that loads itself anew asks no more how it stands: that would abort the load, again and again where it takes longer than the pause.
  let reloading = false;
  document.addEventListener("htmx:beforeOnLoad", (event) => { reloading ||= event.detail.xhr.getResponseHeader("HX-Refresh") === "true"; });
  document.addEventListener("htmx:beforeRequest", (event) => { if (reloading) event.preventDefault(); });
  window.addEventListener("pageshow", () => { reloading = false; });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "saved") settle(event.detail.elt);
  });
  // What became of it is said by the server, from what it had written by then; an answer that does not say leaves it open.
  const BECAME = {
    nothing: "The server could not do this. Nothing was changed. Try again in a moment.",
    done: "It was done, or a part of it; only the answer could not be shown. Reload the page to see how it stands.",
    unknown: "We do not know whether this was done. Reload the page to see how it stands before you send it again.",
    too_large: "The server before the console takes no request of this size: nothing was done. Choose a smaller file, or ask who runs the console to raise that limit.",
  };
  const asks = (event) => (event.detail.requestConfig?.verb ?? "get").toLowerCase() === "get";
  document.addEventListener("htmx:responseError", (event) => {
    const state = event.detail.xhr?.getResponseHeader?.("X-Outcome") ?? (event.detail.xhr?.status === 413 ? "too_large" : "unknown");
    refuse(event, asks(event) ? "The server could not show this. Try again in a moment." : BECAME[state] ?? BECAME.unknown);
  });
  document.addEventListener("htmx:sendError", (event) => {
    away(true);
    refuse(event, asks(event) ? "Not connected. Try again in a moment." : "Not connected: we do not know whether this arrived. What you typed stays on this page; look at how it stands before you send it again.");
  });
  document.addEventListener("htmx:afterOnLoad", () => away(false));
  window.addEventListener("offline", () => away(true));

  // Back pressed twice at once: the page of the address that was left again is not drawn over that of the one that stands there.
  let restoring = null;
  document.addEventListener("htmx:historyCacheMiss", (event) => {
    restoring?.abort();
    restoring = event.detail.xhr;
  });
  window.addEventListener("online", () => away(false));

  // A failure stands where it happened, in the server's own words where it has some: above the form that sent it, never in a toast.
  function refuse(event, words) {
    const late = event.detail.elt.closest("[data-quiet]");
    const at = late ?? event.detail.elt.closest("dialog, form, section, main");
    if (!at || late?.matches(".tabs")) return;
    at.querySelector(":scope > .notice.from-script")?.remove();
    const notice = document.createElement("div");
    notice.className = "notice bad from-script";
    notice.setAttribute("role", "alert");
    notice.toggleAttribute("data-away", event.type === "htmx:sendError" && !late);
    const status = event.detail.xhr?.status;
    const id = event.detail.xhr?.getResponseHeader?.("X-Request-Id");
    const answer = status >= 500 ? new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html") : null;
    const said = answer?.querySelector(".error-card p")?.textContent.trim();
    notice.textContent = (said ? `${said} ` : "") + (late ? words.replace(" Try again in a moment.", "") : words) + (status ? ` (${status}${id ? `, request ${id}` : ""})` : "");
    at.prepend(notice);
    if (late) offerAgain(late, notice);
  }

  // A part of the page that comes later and did not come: in its place stands why, and a button.
  function offerAgain(part, notice) {
    part.querySelectorAll(".skeleton").forEach((bones) => bones.remove());
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small";
    button.textContent = "Try again";
    button.addEventListener("click", () => htmx.ajax("GET", part.getAttribute("hx-get"), { source: part, target: part, swap: part.getAttribute("hx-swap") }));
    notice.append(" ", button);
  }

  // When the server is there again, nothing says any more that it is not.
  function away(gone) {
    if (!gone) document.querySelectorAll(".from-script[data-away]").forEach((notice) => notice.remove());
    const band = document.querySelector(".offline");
    if (gone && !band) {
      const made = document.createElement("div");
      made.className = "offline";
      made.setAttribute("role", "status");
      made.textContent = "Not connected. What you type stays on this page.";
      document.body.append(made);
    } else if (!gone) band?.remove();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const wrong = invalid(document);
    if (wrong && !wrong.closest("[data-keep-focus]")) {
      unfold(wrong);
      wrong.focus();
      (wrong.closest(".field") ?? wrong).scrollIntoView({ block: "nearest" });
    } else if (!wrong && document.activeElement === document.body) { // a form that was refused as a whole
      const told = document.querySelector("main form .notice.bad[role=alert]");
      if (told) {
        told.tabIndex = -1;
        told.focus();
      }
    }
    presentSeen();
  });

  // Where there is no room for all tabs, the present one is seen, also when their numbers have come and made them wider.
  function presentSeen() {
    document.querySelectorAll(".tabs > [aria-current], .settings-list [aria-current]").forEach((tab) => {
      const strip = tab.closest(".tabs, .settings-list");
      strip.scrollLeft += tab.getBoundingClientRect().right - strip.getBoundingClientRect().right + 24;
    });
  }
  document.addEventListener("htmx:oobAfterSwap", presentSeen);

  window.handrail = { announce, dark };
})();
