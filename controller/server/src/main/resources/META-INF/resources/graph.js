// What the map shows, worked out from the state of the API: nodes, edges and where they stand. Pure: no page, no Cytoscape.

export const PLAIN = "plain text";

/** Nodes and edges of the map. A node is a Service, or a caller that no Service leads to. */
export function graphOf(state) {
  const nodes = new Map();
  const edges = new Map();
  const nodeOfOwner = ownersToNodes(state.mesh);
  const splitOf = new Map(state.mesh.splits.map(split => [split.service, split]));

  const node = (id, kind) => {
    if (!nodes.has(id)) nodes.set(id, { id, kind, ready: 0, all: 0 });
    return nodes.get(id);
  };
  const edge = (from, to, kind) => {
    const id = `${kind} ${from} > ${to}`;
    if (!edges.has(id)) {
      edges.set(id, { id, from, to, kind, rate: 0, ok: 0, counted: 0, denied: 0, mtls: 0, p99: null, weight: null });
    }
    return edges.get(id);
  };
  const nodeOf = owner => nodeOfOwner.get(owner) ?? owner;

  for (const service of state.mesh.services) {
    const made = node(service.name, "service");
    made.all = service.workloads.length;
    made.ready = state.mesh.workloads.filter(w => w.ready && service.workloads.includes(w.name)).length;
  }
  for (const workload of state.mesh.workloads) {
    const id = nodeOf(ownerName(workload));
    if (!nodes.has(id) || nodes.get(id).kind !== "service") {
      const made = node(id, "workload");
      made.all += 1;
      made.ready += workload.ready ? 1 : 0;
    }
  }
  for (const split of state.mesh.splits) {
    const sum = split.backends.reduce((total, backend) => total + backend.weight, 0);
    for (const backend of split.backends) {
      if (backend.service !== split.service) {
        const made = edge(split.service, backend.service, "split");
        // A split with matches holds for some requests only: the one without is what the map shows first.
        if (made.weight === null || split.matches.length === 0) made.weight = sum ? backend.weight / sum : 0;
      }
    }
  }
  for (const workload of state.mesh.workloads) {
    for (const service of workload.calls.filter(name => nodes.has(name))) {
      edge(nodeOf(ownerName(workload)), service, "call");
    }
  }
  for (const seen of state.edges.edges.filter(e => e.reporter === "client")) {
    const from = nodeOf(seen.from);
    node(from, "workload");
    node(seen.to, "service");
    add(edge(from, seen.to, "call"), seen);
    if (splitOf.has(seen.to) && seen.backend !== seen.to && nodes.has(seen.backend)) {
      add(edge(seen.to, seen.backend, "split"), seen);
    }
  }
  for (const seen of state.edges.edges.filter(e => e.reporter === "server")) {
    const to = nodeOf(seen.to);
    const from = seen.from === "" ? PLAIN : nodeOf(seen.from);
    if (seen.from === "") {
      node(from, "plain");
      node(to, "workload");
      add(edge(from, to, "call"), seen);
    } else if (seen.denied > 0) {
      const through = [...splitOf.values()]
        .filter(split => split.backends.some(backend => backend.service === to)).map(split => split.service);
      const called = [to, ...through].map(service => edges.get(`call ${from} > ${service}`)).find(Boolean);
      node(from, "workload");
      node(to, "workload");
      (called ?? edge(from, to, "call")).denied += seen.denied;
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

function add(edge, seen) {
  edge.rate += seen.rate;
  edge.denied += seen.denied;
  edge.mtls += seen.mtls ? seen.rate : 0;
  if (seen.success !== null) {
    edge.ok += seen.success * seen.rate;
    edge.counted += seen.rate;
  }
  if (seen.p99 !== null) edge.p99 = Math.max(edge.p99 ?? 0, seen.p99);
}

/** The Service that stands for an owner on the map: the most particular one that selects its workloads. */
function ownersToNodes(mesh) {
  const best = new Map();
  for (const service of mesh.services) {
    for (const workload of mesh.workloads.filter(w => service.workloads.includes(w.name))) {
      const owner = ownerName(workload);
      const before = best.get(owner);
      const better = !before || service.workloads.length < before.workloads.length
        || (service.workloads.length === before.workloads.length && service.name === owner);
      if (better) best.set(owner, service);
    }
  }
  return new Map([...best].map(([owner, service]) => [owner, service.name]));
}

export function ownerName(workload) {
  return `${workload.name.split("/")[0]}/${workload.owner}`;
}

/** Places by node id: callers on the left, what they call to the right of them, a column each. */
export function placesOf(graph, columnWidth, rowHeight) {
  const column = new Map(graph.nodes.map(node => [node.id, 0]));
  for (let round = 0; round < graph.nodes.length; round++) {
    let moved = false;
    for (const { from, to } of graph.edges) {
      // In a circle of calls a column would grow for ever; none is needed beyond the number of nodes.
      if (from !== to && column.get(to) <= column.get(from) && column.get(from) + 1 < graph.nodes.length) {
        column.set(to, column.get(from) + 1);
        moved = true;
      }
    }
    if (!moved) break;
  }
  // Callers stand right before what they call first, so that fewer lines pass behind other nodes.
  for (const { id } of graph.nodes) {
    const called = graph.edges.filter(e => e.from === id && e.to !== id).map(e => column.get(e.to));
    if (called.length > 0 && !graph.edges.some(e => e.to === id)) column.set(id, Math.max(0, Math.min(...called) - 1));
  }
  const columns = new Map();
  for (const node of [...graph.nodes].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const number = column.get(node.id);
    columns.set(number, [...(columns.get(number) ?? []), node.id]);
  }
  const places = new Map();
  [...columns.keys()].sort((a, b) => a - b).forEach((number, x) => {
    const ids = columns.get(number);
    // Nodes stand beside the middle of those who call them, so that lines cross less.
    const wish = id => {
      const callers = graph.edges.filter(e => e.to === id && places.has(e.from)).map(e => places.get(e.from).y);
      return callers.length ? callers.reduce((sum, y) => sum + y, 0) / callers.length : 0;
    };
    ids.sort((a, b) => wish(a) - wish(b) || (a < b ? -1 : 1));
    ids.forEach((id, y) => places.set(id, { x: x * columnWidth, y: (y - (ids.length - 1) / 2) * rowHeight }));
  });
  return places;
}
