// A page nobody looks at asks for nothing: polled requests are dropped while it is hidden.
document.addEventListener("htmx:config:request", (event) => {
  if (document.hidden && event.detail.ctx.sourceElement.matches?.("[data-poll]")) {
    event.preventDefault();
  }
});
