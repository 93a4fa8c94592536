// The socket. Its messages are numbered: a gap, ten silent seconds or a reconnect asks every panel for a snapshot.
import { setServerTime } from "./freshness.js";

const SILENCE_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;
const SIGNED_OUT = 4401;

let socket = null;
let seq = null;
let tries = 0;
let heardAt = 0;
let retryAt = null;
let wasConnected = false;

export function startLive() {
  if (!document.body.hasAttribute("data-live")) return;
  setInterval(watch, 500);
  connect();
}

export function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function address() {
  const origin = document.body.dataset.live || location.origin.replace(/^http/, "ws");
  return `${origin}/ws/live/`;
}

function connect() {
  retryAt = null;
  heardAt = Date.now();
  const current = new WebSocket(address());
  socket = current;
  current.addEventListener("message", (event) => current === socket && hear(JSON.parse(event.data)));
  current.addEventListener("close", (event) => current === socket && lose(event.code));
  say();
}

function hear(message) {
  heardAt = Date.now();
  if (message.now) setServerTime(message.now);
  if (message.type === "hello") {
    tries = 0;
    seq = message.seq;
    if (wasConnected) emit("live:snapshot");
    wasConnected = true;
    emit("live:connected");
    say();
  } else if (message.type === "heartbeat") {
    // No number means that the counter is out of reach: news may be lost, so look again until there is one.
    if (message.seq === null || message.seq !== seq) snapshotAt(message.seq);
  } else if (message.type === "news") {
    hearNews(message);
  } else if (message.type === "pnl") {
    emit("live:pnl", message);
  }
}

function hearNews(message) {
  if (message.seq === seq) return;
  if (seq !== null && message.seq === seq + 1) {
    seq = message.seq;
    emit("live:news", { topics: message.topics });
  } else {
    snapshotAt(message.seq);
  }
}

function snapshotAt(number) {
  seq = number;
  emit("live:snapshot");
}

function lose(code) {
  socket = null;
  if (code === SIGNED_OUT) {
    retryAt = Infinity;
  } else {
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries);
    retryAt = Date.now() + ceiling / 2 + (Math.random() * ceiling) / 2;
    tries += 1;
  }
  say();
}

function watch() {
  if (socket && Date.now() - heardAt > SILENCE_MS) {
    const silent = socket;
    lose(0);
    silent.close();
  } else if (!socket && retryAt !== null && Date.now() >= retryAt) {
    connect();
  } else if (!socket) {
    say();
  }
}

function state() {
  if (retryAt === Infinity) return "signed-out";
  if (retryAt !== null) return "lost";
  return socket?.readyState === WebSocket.OPEN ? "live" : "connecting";
}

function say() {
  const seconds = retryAt === null || retryAt === Infinity ? 0 : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  emit("live:state", { state: state(), seconds });
}

function emit(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
