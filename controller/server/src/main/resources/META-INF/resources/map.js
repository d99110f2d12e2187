// Draws the graph with Cytoscape. Without Cytoscape the page goes on with its tables.

import { graphOf, placesOf } from "./graph.js";
import { milliseconds, percent, rate } from "./words.js";

const COLUMN = 245;
const ROW = 120;
const MARGIN = 24;
const BADGE = 16;

/** A map in an element; null when Cytoscape is not there. `picked` is told the name that was clicked, or null. */
export function makeMap(element, picked) {
  if (typeof globalThis.cytoscape !== "function") return null;
  const cy = globalThis.cytoscape({
    container: element, style: styles(), layout: { name: "preset" },
    minZoom: 0.3, maxZoom: 2, autoungrabify: false, boxSelectionEnabled: false,
  });
  cy.on("tap", "node", event => picked([event.target.id()]));
  cy.on("tap", "edge", event => picked([event.target.data("source"), event.target.data("target")]));
  cy.on("tap", event => { if (event.target === cy) picked(null); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(styles()));
  const badges = document.createElement("div");
  badges.className = "badges";
  element.append(badges);
  cy.on("render", () => placeBadges(cy, badges));
  let shape = "";
  return {
    show(state) {
      const graph = graphOf(state);
      const next = JSON.stringify([graph.nodes.map(n => n.id).sort(), graph.edges.map(e => e.id).sort()]);
      cy.batch(() => {
        if (next !== shape) rebuild(cy, graph);
        for (const node of graph.nodes) cy.getElementById(node.id).data(nodeData(node));
        for (const edge of graph.edges) cy.getElementById(edge.id).data(edgeData(edge));
      });
      if (next !== shape) cy.fit(undefined, MARGIN);
      shape = next;
      return graph.nodes.length;
    },
    resize() {
      cy.resize();
      cy.fit(undefined, MARGIN);
    },
  };
}

function rebuild(cy, graph) {
  const places = placesOf(graph, COLUMN, ROW);
  cy.elements().remove();
  cy.add(graph.nodes.map(node => ({ data: nodeData(node), position: places.get(node.id) })));
  cy.add(graph.edges.map(edge => ({ data: edgeData(edge) })));
}

/** Locks stand on the middle of the lines; they are page elements, since Cytoscape draws no pictures on edges. */
function placeBadges(cy, badges) {
  const edges = cy.edges("[lock != '']").toArray();
  while (badges.children.length > edges.length) badges.lastChild.remove();
  edges.forEach((edge, i) => {
    const badge = badges.children[i] ?? badges.appendChild(new Image(BADGE, BADGE));
    const source = edge.data("lock") === "locked" ? "/lock.svg" : "/unlocked.svg";
    if (badge.getAttribute("src") !== source) {
      badge.src = source;
      badge.alt = edge.data("lock");
    }
    const { x, y } = edge.renderedMidpoint();
    const size = BADGE * Math.max(0.7, Math.min(1.3, cy.zoom()));
    badge.style.width = `${size}px`;
    badge.style.height = `${size}px`;
    badge.style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
  });
}

function nodeData(node) {
  const name = node.id.includes("/") ? node.id.slice(node.id.indexOf("/") + 1) : node.id;
  const ready = node.kind === "plain" ? "no identity" : `${node.ready} of ${node.all} ready`;
  const tone = node.kind === "plain" ? "plain" : node.all > 0 && node.ready === 0 ? "bad" : node.ready < node.all ? "warn" : "good";
  return { id: node.id, label: `${name}\n${ready}`, kind: node.kind, tone };
}

function edgeData(edge) {
  const success = edge.counted ? edge.ok / edge.counted : null;
  const lines = [];
  if (edge.kind === "split") {
    lines.push(edge.weight === null ? "split" : `weight ${percent(edge.weight, 0)}`);
    if (edge.rate > 0) lines.push(rate(edge.rate));
  } else if (edge.rate > 0 || edge.denied > 0) {
    if (edge.denied > 0) lines.push(`denied ${rate(edge.denied)}`);
    // A refusal is an answer: beside refusals the success rate would mislead.
    else lines.push(`${rate(edge.rate)}  ${percent(success)}`, `p99 ${milliseconds(edge.p99)}`);
  }
  const locked = edge.mtls >= edge.rate * 0.999;
  const seen = edge.kind === "call" && (edge.rate > 0 || edge.denied > 0);
  let tone = "idle";
  if (edge.denied > 0 || (success !== null && success < 0.95)) tone = "bad";
  else if (success !== null && success < 0.99) tone = "warn";
  else if (edge.rate > 0) tone = edge.kind === "split" || locked ? "good" : "plain";
  return {
    id: edge.id, source: edge.from, target: edge.to, kind: edge.kind, tone,
    lock: !seen ? "" : locked ? "locked" : "plain text",
    label: lines.join("\n"), width: 1.5 + Math.min(4, Math.log10(1 + edge.rate) * 1.6),
  };
}

function styles() {
  const css = getComputedStyle(document.documentElement);
  const colour = name => css.getPropertyValue(`--${name}`).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const tones = ["good", "warn", "bad", "plain"];
  return [
    { selector: "node", style: {
      "shape": "round-rectangle", "width": 128, "height": 46, "background-color": colour("card"),
      "border-width": 2, "border-color": colour("rule"), "label": "data(label)", "text-wrap": "wrap",
      "text-valign": "center", "text-halign": "center", "font-size": 12, "font-family": font,
      "color": colour("ink"), "text-max-width": 122, "line-height": 1.25,
    } },
    { selector: "node[kind = 'workload']", style: { "shape": "round-octagon" } },
    { selector: "node[kind = 'plain']", style: { "border-style": "dashed" } },
    ...tones.map(tone => ({ selector: `node[tone = '${tone}']`, style: { "border-color": colour(tone) } })),
    { selector: "node:selected", style: { "border-width": 4, "border-color": colour("accent") } },
    { selector: "edge", style: {
      "curve-style": "bezier", "target-arrow-shape": "triangle", "width": "data(width)", "arrow-scale": 1,
      "line-color": colour("soft"), "target-arrow-color": colour("soft"), "label": "data(label)", "text-wrap": "wrap",
      "font-size": 11, "font-family": font, "color": colour("ink"), "text-background-color": colour("card"),
      "text-background-opacity": 0.88, "text-background-padding": 2, "line-height": 1.2,
      "text-margin-y": 24,
      "loop-direction": "-45deg",
    } },
    ...tones.map(tone => ({ selector: `edge[tone = '${tone}']`, style: {
      "line-color": colour(tone), "target-arrow-color": colour(tone) } })),
    { selector: "edge[tone = 'plain']", style: { "line-style": "dashed" } },
    { selector: "edge[kind = 'split']", style: {
      "text-margin-y": 0,
      "line-style": "dotted", "line-color": colour("accent"), "target-arrow-color": colour("accent") } },
    { selector: "edge:selected", style: { "overlay-color": colour("accent"), "overlay-opacity": 0.12 } },
  ];
}
