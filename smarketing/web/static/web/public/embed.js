// Puts a form into the page: <script src="https://…/f/embed.js" data-form="KEY" async></script>
(function () {
  "use strict";
  var script = document.currentScript;
  var base = new URL(script.src).origin;

  // The visitor as the page's tracker knows them: ours, else that of a Segment SDK.
  function anonymous() {
    return known("sm_id") || known("ajs_anonymous_id");
  }

  function known(name) {
    try {
      var text = localStorage.getItem(name) || "";
      if (text) {
        return text.charAt(0) === '"' ? JSON.parse(text) : text;
      }
    } catch (error) {
      // Storage may be forbidden; the cookie is asked instead.
    }
    var found = document.cookie.match("(?:^|; )" + name + "=([^;]*)");
    return found ? decodeURIComponent(found[1]).replace(/"/g, "") : "";
  }

  var query = new URLSearchParams(location.search);
  query.set("embed", "1");
  query.set("page", location.href);
  query.set("ref", document.referrer);
  query.set("aid", anonymous());
  var frame = document.createElement("iframe");
  frame.src = base + "/f/" + encodeURIComponent(script.dataset.form) + "/?" + query;
  frame.title = script.dataset.title || "Form";
  frame.style.width = "100%";
  frame.style.height = "520px";
  frame.style.border = "0";
  frame.style.colorScheme = "normal";
  if (script.closest("body")) {
    script.parentNode.insertBefore(frame, script);
  } else {
    // In the head nothing is shown: the form goes to the end of the page.
    document.addEventListener("DOMContentLoaded", function () {
      document.body.appendChild(frame);
    });
  }

  window.addEventListener("message", function (event) {
    if (event.source !== frame.contentWindow || event.origin !== base || !event.data) {
      return;
    }
    if (event.data.smarketing === "height" && event.data.height > 0) {
      frame.style.height = Math.min(event.data.height, 5000) + "px";
    } else if (event.data.smarketing === "go" && /^https?:\/\//.test(event.data.to)) {
      location.href = event.data.to;
    }
  });
})();
