// How old what stands on the screen is. A number older than ten seconds, or behind a lost socket, looks it.
const STALE_MS = 10_000;
// A deploy or a sleeping laptop reconnects at once; a banner for that would only alarm.
const BANNER_AFTER_MS = 1_500;
const LABELS = { live: "Live", connecting: "Connecting", lost: "Offline", "signed-out": "Signed out" };

let clockOffset = 0;
let lostAt = null;

export function setServerTime(now) {
  clockOffset = now - Date.now();
}

export function startFreshness() {
  const rendered = Number(document.body.dataset.now);
  if (rendered) setServerTime(rendered);
  document.addEventListener("live:state", (event) => showState(event.detail));
  document.addEventListener("htmx:afterSwap", mark);
  setInterval(mark, 1000);
  mark();
}

function mark() {
  const isCutOff = lostAt !== null && Date.now() - lostAt > STALE_MS;
  const now = Date.now() + clockOffset;
  for (const element of document.querySelectorAll("[data-at]")) {
    const age = now - Number(element.dataset.at);
    const isStale = isCutOff || (element.dataset.at !== "" && age > Number(element.dataset.staleMs ?? STALE_MS));
    element.classList.toggle("is-stale", isStale);
    if (isStale && element.dataset.at !== "") element.title = `Last update ${words(age)} ago`;
    else element.removeAttribute("title");
  }
  for (const element of document.querySelectorAll("[data-age-of]")) {
    if (element.dataset.ageOf !== "") element.textContent = words(now - Number(element.dataset.ageOf));
  }
}

function words(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function showState({ state, seconds }) {
  if (state === "live") lostAt = null;
  else if (state !== "connecting" || lostAt !== null) lostAt ??= Date.now();
  for (const element of document.querySelectorAll("[data-live-state]")) {
    element.dataset.liveState = state;
    element.querySelector("[data-live-label]").textContent = LABELS[state];
  }
  showBanner(state, seconds);
}

function showBanner(state, seconds) {
  const banner = document.getElementById("live-banner");
  banner.hidden = lostAt === null || (state !== "signed-out" && Date.now() - lostAt < BANNER_AFTER_MS);
  if (banner.hidden) return;
  banner.querySelector("[data-banner-text]").textContent = bannerText(state, seconds);
  banner.querySelector("[data-banner-link]").hidden = state !== "signed-out";
}

function bannerText(state, seconds) {
  if (state === "signed-out") return "You are signed out, so nothing on this page moves any more.";
  if (state === "connecting") return "Connecting again. What you see may be old.";
  return `Live updates are cut off. Trading goes on; what you see may be old. Next try in ${seconds} s.`;
}
