// The words that scripts write, translated by the server.
import { one } from "web/dom";

const words = JSON.parse(one("#script-words").textContent);

export function word(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// A length of time in its two largest units at most, as the server writes it.
export function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  if (minutes < 60) {
    return word("minute", { n: minutes });
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return join(word("hour", { n: hours }), hours < 10 && minutes % 60, "minute");
  }
  const days = Math.floor(hours / 24);
  return join(word("day", { n: days }), days < 10 && hours % 24, "hour");
}

function join(head, rest, unit) {
  return rest ? `${head} ${word(unit, { n: rest })}` : head;
}
