// The page: takes the state from the event stream and shows it in the map and in tables. Text is only ever set as text.

import { ownerName } from "./graph.js";
import { makeMap } from "./map.js";
import { clock, identity, milliseconds, percent, rate, until } from "./words.js";

const at = id => document.getElementById(id);
let picked = null;
let last = null;
const map = makeMap(at("map"), names => { picked = names; mark(); });
if (!map) at("map").hidden = true;

// ---- making and keeping elements -----------------------------------------------------------------------------------

/** Sets what differs only, so that selections and open details survive. */
function put(element, text, data = {}) {
  if (text !== undefined && element.textContent !== text) element.textContent = text;
  for (const [name, value] of Object.entries(data)) {
    const wanted = value === null || value === undefined ? "" : String(value);
    if (element.dataset[name] !== wanted) element.dataset[name] = wanted;
  }
  return element;
}

/** Makes the children of a list match the items, by key. `make` builds an empty child, `fill` sets what it shows. */
function keep(list, items, keyOf, make, fill) {
  const there = new Map([...list.children].map(child => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = keyOf(item, index);
    let child = there.get(key);
    if (!child) {
      child = make();
      child.dataset.key = key;
    }
    there.delete(key);
    fill(child, item);
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
  there.forEach(child => child.remove());
}

function make(tag, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** Rows of a table: cells are [text, tone] or [text, tone, "number"]. */
function rows(tableId, items, keyOf, dataOf, cellsOf) {
  const table = at(tableId);
  table.hidden = items.length === 0;
  const empty = at(`${tableId}-empty`);
  if (empty) empty.hidden = items.length > 0;
  keep(table.tBodies[0], items, keyOf, () => make("tr"), (row, item) => {
    put(row, undefined, dataOf(item));
    cellsOf(item).forEach(([text, tone = "", kind = ""], index) => {
      const cell = row.cells[index] ?? row.appendChild(make("td", kind));
      put(cell, text, { tone });
    });
  });
}

// ---- what is shown -------------------------------------------------------------------------------------------------

function show(state) {
  last = state;
  put(at("domain"), `trust domain ${state.mesh.trustDomain}`);
  facts(state);
  if (map) at("map-empty").hidden = map.show(state) > 0;
  problems(state.mesh.problems);
  denials(state.denied.denied);
  splits(state);
  policies(state.mesh.services);
  edges(state.edges.edges);
  workloads(state.mesh.workloads);
  authority(state.ca);
  document.body.dataset.generation = state.mesh.generation;
  mark();
}

function facts(state) {
  const workloads = state.mesh.workloads;
  const ready = workloads.filter(workload => workload.ready).length;
  const connected = state.proxies.proxies.filter(proxy => proxy.connected).length;
  // Each request between two proxies is seen by both: what the servers saw counts once, and plain callers with it.
  const served = state.edges.edges.filter(edge => edge.reporter === "server");
  const all = served.reduce((sum, edge) => sum + edge.rate, 0);
  const locked = served.filter(edge => edge.mtls).reduce((sum, edge) => sum + edge.rate, 0);
  const denied = served.reduce((sum, edge) => sum + edge.denied, 0);
  const leaves = state.proxies.proxies.filter(proxy => proxy.connected).map(proxy => proxy.certificateExpiry).sort();
  const list = [
    ["workloads", `${ready} of ${workloads.length} workloads ready`, ready === workloads.length ? "good" : "warn"],
    ["proxies", `${connected} proxies connected`, ""],
    ["rate", `${rate(all)} requests`, ""],
    ["mtls", all > 0 ? `${percent(locked / all)} mutual TLS` : "no traffic", all > 0 ? (locked >= all * 0.999 ? "good" : "warn") : ""],
    ["denied", `${rate(denied)} denied`, denied > 0 ? "bad" : ""],
    ["certificates", leaves.length ? `next certificate ends in ${until(leaves[0])}` : "no certificates yet", ""],
  ];
  if (state.ca.rotation.phase !== "settled") list.push(["rotation", `root rotation: ${state.ca.rotation.phase}`, "warn"]);
  keep(at("facts"), list, item => item[0], () => make("li"), (child, [name, text, tone]) =>
    put(child, text, { fact: name, tone }));
}

function problems(list) {
  put(at("problems-count"), list.length ? String(list.length) : "");
  at("problems-empty").hidden = list.length > 0;
  keep(at("problems"), list, (p, i) => `${i} ${p.object} ${p.field} ${p.message}`, () => {
    const item = make("li");
    const head = item.appendChild(make("p", "head"));
    head.append(make("span", "tag"), make("b"), make("span", "soft"));
    item.append(make("p"), make("p", "soft"));
    return item;
  }, (item, problem) => {
    put(item, undefined, { severity: problem.severity, object: problem.object, field: problem.field });
    const [head, message, remedy] = item.children;
    put(head.children[0], problem.severity, { tone: { error: "bad", warning: "warn" }[problem.severity] ?? "soft" });
    put(head.children[1], [problem.object, problem.field].filter(Boolean).join(", "));
    put(head.children[2], problem.place);
    put(message, problem.message);
    put(remedy, problem.remedy ? `→ ${problem.remedy}` : "");
  });
}

function denials(list) {
  at("denied-empty").hidden = list.length > 0;
  // The same refusal again and again is one entry with a count.
  const groups = new Map();
  for (const denial of list) {
    const key = [denial.from, denial.to, denial.port, denial.method, denial.path, denial.reason, denial.audited].join(" ");
    const group = groups.get(key);
    if (group) group.times += 1;
    else groups.set(key, { ...denial, key, times: 1 });
  }
  keep(at("denied"), [...groups.values()], denial => denial.key, () => {
    const item = make("li");
    const head = item.appendChild(make("p", "head"));
    head.append(make("span", "tag"), make("b"), make("span", "soft"));
    item.append(make("p", "soft"));
    const details = item.appendChild(make("details"));
    details.append(make("summary"), make("pre"));
    return item;
  }, (item, denial) => {
    put(item, undefined, { from: denial.from, to: denial.to, reason: denial.reason });
    const [head, detail, details] = item.children;
    put(head.children[0], denial.audited ? `${denial.reason}, let pass` : denial.reason, { tone: denial.audited ? "warn" : "bad" });
    put(head.children[1], `${identity(denial.from)} → ${denial.to}:${denial.port} ${denial.method} ${denial.path}`.trim());
    put(head.children[2], `${clock(denial.at)}${denial.times > 1 ? `, ${denial.times} lately` : ""}`);
    put(detail, denial.detail);
    details.hidden = !denial.allow;
    put(details.children[0], "what would allow it");
    put(details.children[1], denial.allow);
  });
}

function splits(state) {
  const list = state.mesh.splits.flatMap(split => {
    const seen = split.backends.map(backend => state.edges.edges
      .filter(edge => edge.reporter === "client" && edge.to === split.service && edge.backend === backend.service)
      .reduce((sum, edge) => sum + edge.rate, 0));
    const all = seen.reduce((sum, one) => sum + one, 0);
    return split.backends.map((backend, i) => ({ split, backend, seen: seen[i], share: all > 0 ? seen[i] / all : null }));
  });
  rows("splits", list, item => `${item.split.name} ${item.backend.service}`,
    item => ({ split: item.split.name, service: item.split.service, backend: item.backend.service, weight: item.backend.weight, share: item.share }),
    item => [
      [item.split.name], [item.split.service],
      [item.split.matches.length ? item.split.matches.join(" or ") : "everything", "soft"],
      [item.backend.service], [String(item.backend.weight), "", "number"],
      [percent(item.share), "", "number"], [rate(item.seen), "", "number"],
    ]);
}

/** Services with policies, or whose calls were timed out, repeated, limited or made to fail. */
function policies(services) {
  const done = act => `${act.what} ${act.count}${act.now > 0 ? ` (${act.now} now)` : ""}`;
  rows("policies", services.filter(service => service.policies.length > 0 || service.acts.length > 0),
    service => service.name, service => ({ service: service.name, acts: service.acts.map(act => act.what).join(" ") }),
    service => [
      [service.name], [service.policies.join(", "), service.policies.some(text => text.startsWith("fault ")) ? "warn" : "soft"],
      [service.acts.map(done).join(", "), service.acts.some(act => act.now > 0) ? "warn" : ""],
    ]);
}

function edges(list) {
  const tone = success => (success === null ? "soft" : success < 0.95 ? "bad" : success < 0.99 ? "warn" : "good");
  rows("edges", list,
    edge => [edge.reporter, edge.fromIdentity, edge.from, edge.to, edge.backend, edge.toIdentity, edge.protocol, edge.mtls].join(" "),
    edge => ({ from: edge.from, to: edge.to, backend: edge.backend, mtls: edge.mtls, rate: edge.rate, success: edge.success, denied: edge.denied, reporter: edge.reporter, protocol: edge.protocol }),
    edge => [
      [edge.from || "plain text"], [edge.to],
      [edge.reporter === "client" ? (edge.backend === edge.to ? "" : edge.backend) : `port ${edge.backend}`, "soft"],
      edge.mtls ? ["mutual TLS", "good"] : ["plain text", "warn"],
      [rate(edge.rate), "", "number"],
      [percent(edge.success), tone(edge.success), "number"],
      [milliseconds(edge.p50), "", "number"], [milliseconds(edge.p95), "", "number"], [milliseconds(edge.p99), "", "number"],
      [edge.denied > 0 ? rate(edge.denied) : "", "bad", "number"],
      [edge.reporter === "client" ? "caller" : "called", "soft"],
    ]);
}

function workloads(list) {
  rows("workloads", list, workload => workload.name,
    workload => ({
      workload: workload.name, owner: ownerName(workload), ready: workload.ready, access: workload.access,
      connected: workload.proxy?.connected ?? false, acked: workload.proxy?.acked ?? 0, sent: workload.proxy?.sent ?? 0,
      issuer: workload.proxy?.issuer ?? "", expiry: workload.proxy?.certificateExpiry ?? "",
    }),
    workload => {
      const proxy = workload.proxy;
      const behind = proxy ? proxy.sent - proxy.acked : 0;
      return [
        [workload.name], [identity(workload.identity), "soft"],
        workload.ready ? ["ready", "good"] : [`not ready${workload.detail ? `: ${workload.detail}` : ""}`, "bad"],
        [workload.access],
        !proxy ? ["not heard of", "soft"] : proxy.connected ? [`connected, ${proxy.version}`, "good"] : [workload.detail || "away", "warn"],
        !proxy ? ["", "", "number"] : proxy.nack
          ? [`refused ${proxy.nack.version}`, "bad", "number"]
          : [behind > 0 && proxy.connected ? `${proxy.acked} of ${proxy.sent}` : String(proxy.acked), behind > 0 && proxy.lagSeconds > 5 ? "warn" : "", "number"],
        [proxy ? until(proxy.certificateExpiry) : "", "", "number"],
        [proxy?.connected ? String(proxy.connections) : "", "", "number"],
      ];
    });
}

function authority(ca) {
  const list = [
    ...ca.anchors.map((anchor, i) => ({ what: ca.anchors.length === 1 ? "root" : i === 0 ? "root, old" : "root, new", ...anchor })),
    { what: "issuer", sha256: "", ...ca.issuer },
  ];
  rows("ca", list, item => `${item.what} ${item.id}`, item => ({ certificate: item.what, id: item.id }),
    item => [[item.what], [item.id.slice(0, 16), "soft"], [until(item.notAfter), "", "number"], [item.sha256, "soft"]]);
  const waiting = ca.rotation.waitingFor.length ? `, waiting for ${ca.rotation.waitingFor.join(", ")}` : "";
  put(at("rotation"), `root generation ${ca.rotation.generation}, ${ca.rotation.phase}${waiting}`, { phase: ca.rotation.phase });
}

/** Marks the rows that are about what was clicked in the map. */
function mark() {
  for (const row of document.querySelectorAll("tbody tr")) {
    const about = [row.dataset.from, row.dataset.to, row.dataset.backend, row.dataset.owner, row.dataset.service];
    row.classList.toggle("found", picked !== null && picked.some(name => about.includes(name)));
  }
}

// ---- asking why ----------------------------------------------------------------------------------------------------

at("why").addEventListener("submit", async event => {
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value));
  const answer = at("answer");
  try {
    const response = await fetch(`/api/v1/why?${query}`);
    const body = await response.json();
    answer.replaceChildren(...(response.ok ? explanation(body) : [put(make("p"), body.error ?? `error ${response.status}`)]));
    answer.dataset.outcome = body.outcome ?? "error";
  } catch {
    answer.replaceChildren(put(make("p"), "The controller does not answer."));
  }
});

function explanation(why) {
  const head = make("p");
  const tone = { allowed: "good", audited: "warn", partly: "warn" }[why.outcome] ?? "bad";
  head.append(put(make("span", "tag"), why.outcome, { tone }), ` ${why.summary}`);
  const parts = [head];
  if (why.routeReason) parts.push(put(make("p", "hint"), why.routeReason));
  for (const backend of why.backends) {
    const grants = backend.grants.map(grant => `${grant.target}: ${grant.explanation}`);
    parts.push(put(make("p"), `${backend.cluster || backend.workloads.join(", ")}: ${backend.detail}`));
    if (grants.length) parts.push(put(make("p", "hint"), grants.join(" · ")));
    if (backend.cure) parts.push(put(make("pre"), backend.cure));
  }
  return parts;
}

// ---- staying up to date --------------------------------------------------------------------------------------------

function listen() {
  const events = new EventSource("/api/v1/events");
  events.addEventListener("state", event => {
    put(at("link"), "live", { state: "live" });
    show(JSON.parse(event.data));
  });
  events.addEventListener("error", () => {
    put(at("link"), "the controller does not answer; what is shown is old", { state: "lost" });
    // A browser gives up when it was answered with an error; then we begin anew.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

addEventListener("resize", () => map?.resize());
setInterval(() => { if (last) { facts(last); workloads(last.mesh.workloads); authority(last.ca); } }, 1000);
listen();
