// Numbers as people read them.

export function rate(value) {
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)}/s`;
}

export function percent(value, digits = 1) {
  if (value === null) return "–";
  // 99.96 % must not read as 100 %.
  const shown = value < 1 && value * 100 > 100 - 0.5 * 10 ** -digits ? 100 - 10 ** -digits : value * 100;
  return `${shown.toFixed(value === 1 || value === 0 ? 0 : digits)} %`;
}

export function milliseconds(value) {
  if (value === null) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

/** How long until a time, in its two largest units. */
export function until(time, now = Date.now()) {
  const seconds = Math.floor((Date.parse(time) - now) / 1000);
  if (Number.isNaN(seconds)) return "–";
  if (seconds <= 0) return "ended";
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 730) return `${Math.floor(days / 365)} years`;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

export function clock(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString();
}

/** `spiffe://domain/ns/shop/sa/web` as `shop/web`; plain callers by name. */
export function identity(uri) {
  if (uri === "") return "plain text";
  const parts = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uri);
  return parts ? `${parts[1]}/${parts[2]}` : uri;
}
