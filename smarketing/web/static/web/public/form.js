// On the page of a form: tells where it stands, and in a frame how high it is and where to go on.
(function () {
  "use strict";
  var form = document.querySelector("[data-public-form]");
  var framed = window.parent !== window;

  function stored(name) {
    try {
      var text = window.localStorage.getItem(name) || "";
      return text.charAt(0) === '"' ? JSON.parse(text) : text;
    } catch (error) {
      return "";
    }
  }

  if (form && !framed) {
    form.elements._page.value = location.href;
    form.elements._ref.value = document.referrer;
    form.elements._aid.value = stored("sm_id") || stored("ajs_anonymous_id");
  }
  var alert = document.getElementById("form-errors");
  if (alert) {
    alert.focus();
  }
  if (framed) {
    var tell = function () {
      window.parent.postMessage({ smarketing: "height", height: document.documentElement.scrollHeight }, "*");
    };
    new ResizeObserver(tell).observe(document.body);
    tell();
    var next = document.querySelector("[data-go]");
    if (next) {
      window.parent.postMessage({ smarketing: "go", to: next.dataset.go }, "*");
    }
  }
})();
