// What every htmx request carries, and what happens when it fails.
import { one } from "web/dom";
import { showToast } from "web/toasts";
import { word } from "web/words";

document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (request.method === "GET") {
    dropEmpty(request.body);
  } else {
    request.headers["X-CSRFToken"] = document.body.dataset.csrf;
  }
});

// A fault of the server has no fragment to show: leave the page as it is and say so.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status >= 500 && !ctx.hx.reswap) {
    ctx.swap = "none";
    event.preventDefault();
    showToast(word("fault"), "bad");
  }
});

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !event.detail.ctx.response) {
    showToast(word("offline"), "bad");
  }
});

// Links that carry the present filters (export, saved view) follow the address.
document.addEventListener("htmx:after:history:push", followAddress);

function followAddress() {
  const query = new URLSearchParams(location.search);
  query.delete("cursor");
  const text = query.toString();
  const link = one("[data-export]");
  if (link) {
    link.href = link.pathname + (text ? `?${text}` : "");
  }
  const field = one("[data-present-query]");
  if (field) {
    field.value = text;
  }
}

// Empty fields say nothing; without them the address stays readable.
function dropEmpty(body) {
  for (const [name, value] of [...body]) {
    if (value === "") {
      body.delete(name, value);
    }
  }
}
