// The board: draws the frames that /v1/board/stream sends. It keeps nothing but the last frame,
// the number waiting over the last minutes (for the little curves) and the viewer's choices.

const AGENT_STATES = ["idle", "offered", "handling", "wrap_up", "away"];
const HISTORY_MS = 15 * 60_000;
const SILENCE_MS = 12_000;
const RETRY_MS = 2_000;

const byId = (id) => document.getElementById(id);
const choices = new URLSearchParams(location.search);
const state = {
  words: null,
  language: "en",
  frame: null,
  heardAt: 0,
  history: new Map(),
  token: sessionStorage.getItem("token") ?? "",
  story: "",
};

// --- words ---------------------------------------------------------------------------------

function word(key) {
  return state.words[state.language][key] ?? state.words.en[key] ?? key;
}

function spoken(group, key) {
  const own = state.words[state.language][group];
  return (own && own[key]) ?? state.words.en[group]?.[key] ?? key.replaceAll("_", " ");
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function duration(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = total % 60;
  const two = (number) => String(number).padStart(2, "0");
  if (hours >= 48) return fill(word("days"), { days: Math.floor(hours / 24) });
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

function clockTime(ms) {
  return new Date(ms).toLocaleTimeString(state.language === "zh" ? "zh-CN" : "en-GB", { hour12: false });
}

// --- small drawing -------------------------------------------------------------------------

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawing(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function bar(parts) {
  const svg = drawing("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  let from = 0;
  for (const [className, width] of parts) {
    svg.append(drawing("rect", { class: className, x: from, y: 0, width, height: 1 }));
    from += width;
  }
  return svg;
}

function spark(points, now) {
  const svg = drawing("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  const most = Math.max(1, ...points.map(([, waiting]) => waiting));
  const line = points.map(([at, waiting], index) => {
    const x = 100 - ((now - at) / HISTORY_MS) * 100;
    return `${index ? "L" : "M"}${x.toFixed(1)} ${(19 - (waiting / most) * 18).toFixed(1)}`;
  });
  if (line.length > 1) svg.append(drawing("path", { d: line.join(" ") }));
  return svg;
}

// --- the parts of the board ----------------------------------------------------------------

function nowMs() {
  return state.frame.at_ms + Math.min(SILENCE_MS, performance.now() - state.heardAt);
}

function drawTotals(frame) {
  const free = frame.teams.reduce((sum, team) => sum + team.idle, 0);
  const staff = frame.teams.reduce((sum, team) => sum + team.signed_in, 0);
  const waiting = frame.queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const totals = [
    ["waiting", waiting, frame.queues.some((queue) => queue.state === "late")],
    ["overdue", frame.overdue, frame.overdue > 0],
    ["free_agents", `${free} / ${staff}`, false],
    ["open_contacts", frame.open_contacts, false],
  ];
  byId("totals").replaceChildren(
    ...totals.map(([key, value, late]) => {
      const item = element("li", late ? "late" : "");
      item.append(element("b", "", String(value)), ` ${word(key)}`);
      return item;
    }),
  );
}

function drawQueues(frame, now) {
  const headings = ["queue", "waiting", "oldest", "in_time", "promises", "abandoned", "arrived", "trend"];
  byId("queues").tHead.rows[0].replaceChildren(
    ...headings.map((key) => {
      const spare = ["abandoned", "arrived", "trend"].includes(key);
      const cell = element("th", spare ? "spare" : "", word(`head_${key}`));
      cell.title = word(`help_${key}`);
      cell.scope = "col";
      return cell;
    }),
  );
  byId("queues").tBodies[0].replaceChildren(...frame.queues.map((queue) => queueRow(queue, now)));
}

function queueRow(queue, now) {
  const row = element("tr");
  row.dataset.state = queue.state;
  row.dataset.queue = queue.queue;
  const oldest = queue.oldest_arrival_ms === null ? "–" : duration(now - queue.oldest_arrival_ms);
  const level = element("td", "", percent(queue.recent_service_level));
  level.title = fill(word("within"), { limit: duration(queue.service_level_ms) });
  const promises = element("td", "promises");
  const decided = queue.promises.filter((promise) => promise.met_share !== null);
  const broken = decided.filter((promise) => promise.met_share < promise.objective);
  if (decided.length > broken.length) {
    promises.append(element("span", "kept", fill(word("kept"), { kept: decided.length - broken.length, all: decided.length })));
  }
  for (const promise of broken) {
    const line = element("div", "broken", `${percent(promise.met_share)} `);
    line.append(element("span", "quiet", `${promise.promise} ≥ ${percent(promise.objective)}`));
    promises.append(line);
  }
  promises.title = decided
    .map((promise) => `${promise.promise}: ${promise.met} / ${promise.met + promise.breached}, ${word("objective")} ${percent(promise.objective)}`)
    .join("\n");
  const trend = element("td", "spare");
  trend.append(spark(state.history.get(queue.queue) ?? [], now));
  const name = element("td", "name", queue.queue);
  if (queue.closed_until) {
    name.append(element("div", "quiet", fill(word("closed_until"), { when: queue.closed_until })));
  }
  row.append(
    name,
    element("td", "waiting", String(queue.waiting)),
    element("td", "oldest", oldest),
    level,
    promises,
    element("td", "spare", String(queue.abandoned)),
    element("td", "spare", String(queue.recent_arrivals)),
    trend,
  );
  return row;
}

function drawClocks(frame, now) {
  byId("overdue").textContent = frame.overdue ? fill(word("overdue_count"), { count: frame.overdue }) : "";
  const rows = frame.clocks.map((clock) => {
    const left = clock.deadline_ms - now;
    const whole = Math.max(1, clock.deadline_ms - clock.started_ms);
    const gone = Math.min(100, Math.max(0, (100 * (now - clock.started_ms)) / whole));
    const item = element("li");
    item.dataset.state = left < 0 || clock.breached ? "late" : gone > 75 ? "soon" : "calm";
    item.append(
      element("span", "left", left < 0 ? `+${duration(-left)}` : duration(left)),
      element("span", "what", `${clock.promise} · ${clock.contact_id}`),
      element("span", "who", clock.agent_id || clock.queue),
    );
    const filled = element("div", "bar");
    filled.append(bar([["fill", gone]]));
    item.append(filled);
    item.addEventListener("click", () => tellStory(clock.contact_id));
    return item;
  });
  byId("clocks").replaceChildren(...(rows.length ? rows : [element("li", "empty", word("no_clocks"))]));
}

function drawAgents(frame) {
  byId("key").replaceChildren(...AGENT_STATES.map((name) => element("li", name, word(`state_${name}`))));
  byId("teams").tBodies[0].replaceChildren(
    ...frame.teams.map((team) => {
      const row = element("tr");
      row.dataset.state = team.signed_in && !team.idle ? "late" : "calm";
      const whole = Math.max(1, team.signed_in);
      const stack = element("td", "stack");
      const holder = element("div");
      holder.append(bar(AGENT_STATES.map((name) => [name, (100 * team[name]) / whole])));
      stack.append(holder);
      stack.title = AGENT_STATES.map((name) => `${word(`state_${name}`)} ${team[name]}`).join(", ");
      row.append(
        element("td", "name", team.team),
        element("td", "free", fill(word("free_of"), { free: team.idle, all: team.signed_in })),
        stack,
        element("td", "", percent(team.occupancy)),
      );
      return row;
    }),
  );
}

function drawDecisions(frame) {
  const rows = frame.decisions.map((told) => {
    const item = element("li");
    const line = element("button");
    line.type = "button";
    line.dataset.kind = told.decision;
    const text = fill(spoken("decision", told.decision), {
      agent: told.agent_id,
      promise: told.promise,
      queue: told.queue,
      wait: told.wait_ms >= 0 ? duration(told.wait_ms) : "",
    });
    line.append(
      element("span", "at", clockTime(told.at_ms)),
      element("span", "contact", told.contact_id || told.agent_id),
      element("span", "text", text),
      element("span", "reason", spoken("reason", told.reason)),
      element("span", "queue", told.queue),
    );
    line.addEventListener("click", () => told.contact_id && tellStory(told.contact_id));
    item.append(line);
    return item;
  });
  byId("decisions").replaceChildren(...(rows.length ? rows : [element("li", "empty", word("no_decisions"))]));
}

function draw() {
  const frame = state.frame;
  drawLine();
  if (!frame || !state.words) return;
  const now = nowMs();
  byId("center").textContent = frame.center || "switchroom";
  document.title = `${frame.queues.reduce((sum, queue) => sum + queue.waiting, 0)} · ${frame.center}`;
  byId("now").textContent = clockTime(now);
  drawTotals(frame);
  drawQueues(frame, now);
  drawClocks(frame, now);
}

function drawLine() {
  const silent = !state.frame || performance.now() - state.heardAt > SILENCE_MS;
  const mode = !state.frame ? "opening" : silent ? "lost" : "live";
  byId("line").dataset.state = mode;
  const age = state.frame ? duration(performance.now() - state.heardAt) : "";
  byId("line-text").textContent = fill(word(`line_${mode}`), { age });
}

function label() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  byId("language").textContent = state.language === "zh" ? "English" : "中文";
  byId("theme").textContent = word("theme");
  if (state.frame) {
    drawAgents(state.frame);
    drawDecisions(state.frame);
  }
  draw();
}

// --- the story of one contact --------------------------------------------------------------

async function tellStory(contactId) {
  byId("story-title").textContent = contactId;
  byId("story-text").textContent = word("asking");
  if (!byId("story").open) byId("story").showModal();
  const answer = await fetch(`v1/contacts/${encodeURIComponent(contactId)}${location.search}`, { headers: authorization() });
  const body = await answer.json();
  byId("story-text").textContent = answer.ok ? body.explanation : `${body.title}: ${body.detail}`;
}

// --- frames --------------------------------------------------------------------------------

function authorization() {
  return state.token ? { Authorization: `Bearer ${state.token}` } : {};
}

function take(frame) {
  state.frame = frame;
  state.heardAt = performance.now();
  for (const queue of frame.queues) {
    const points = state.history.get(queue.queue) ?? [];
    points.push([frame.at_ms, queue.waiting]);
    while (points.length && points[0][0] < frame.at_ms - HISTORY_MS) points.shift();
    state.history.set(queue.queue, points);
  }
  drawAgents(frame);
  drawDecisions(frame);
  draw();
}

// Not EventSource: that cannot send a token.
async function listen() {
  const answer = await fetch(`v1/board/stream${location.search}`, { headers: authorization(), cache: "no-store" });
  if (answer.status === 401) return askToken();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the stream ended");
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) take(JSON.parse(part.slice(6)));
  }
}

function askToken() {
  return new Promise((resolve) => {
    byId("token-form").addEventListener(
      "submit",
      () => {
        state.token = byId("token").value;
        sessionStorage.setItem("token", state.token);
        resolve();
      },
      { once: true },
    );
    byId("ask-token").showModal();
  });
}

async function start() {
  state.words = await (await fetch("board-words.json")).json();
  const wished = choices.get("lang") ?? localStorage.getItem("language") ?? navigator.language;
  state.language = wished.toLowerCase().startsWith("zh") ? "zh" : "en";
  const theme = choices.get("theme") ?? localStorage.getItem("theme");
  if (theme === "light") document.documentElement.dataset.theme = "light";
  byId("language").addEventListener("click", () => {
    state.language = state.language === "zh" ? "en" : "zh";
    localStorage.setItem("language", state.language);
    label();
  });
  byId("theme").addEventListener("click", () => {
    const light = document.documentElement.dataset.theme !== "light";
    document.documentElement.dataset.theme = light ? "light" : "dark";
    localStorage.setItem("theme", light ? "light" : "dark");
  });
  label();
  setInterval(draw, 1000);
  for (;;) {
    try {
      await listen();
    } catch {
      drawLine();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

start();
