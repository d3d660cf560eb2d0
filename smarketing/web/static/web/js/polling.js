// A page nobody looks at asks for nothing: polled requests are dropped while it is hidden. One that
// carries the tag of what it shows (data-etag) is answered 304, and nothing is swapped, until it changes.
document.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  if (!sourceElement.matches?.("[data-poll]")) {
    return;
  }
  if (document.hidden) {
    event.preventDefault();
  } else if (sourceElement.dataset.etag) {
    request.headers["If-None-Match"] = sourceElement.dataset.etag;
  }
});
