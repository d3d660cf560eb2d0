// The tracker: <script async src="https://HOST/t.js" data-key="wk_…"></script>
//
// Attributes of the tag: data-consent (no identifier is stored before smarketing.consent({analytics: true})),
// data-cookieless (never any), data-domain (".example.com": one visitor on all its hosts).
// A form with data-sm-identify identifies its visitor by the address typed into its e-mail field; of other forms
// only the names of the fields are told. Calls: smarketing.track, page, identify, group, alias, consent, reset;
// before the script is there: (window.smarketing = window.smarketing || []).push(["track", "Name", {…}]).
//
// It speaks the Segment protocol. Events wait in localStorage under their messageId until the server has confirmed
// them, so that a retry is never a second event. The server sends this file without these lines and indentation.
(() => {
  const d = document, w = window, n = navigator, tag = d.currentScript
  const early = w.smarketing || []
  if (!tag || early.track) return
  const o = tag.dataset, url = new URL("/v1/batch", tag.src).href
  const objects = n.globalPrivacyControl || n.doNotTrack == 1
  const WEEK = 6048e5
  let choices, user, visitor, last = "", view = {}, pause = 0, timer, busy, lost = 0
  let seen = 0, since = 0, depth = 0, queue = []
  const uuid = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => (b + 256).toString(16).slice(1)).join("")
  const tab = "sm_q" + uuid()

  // localStorage may be forbidden, full or absent; then everything lives as long as the page.
  const read = k => { try { return JSON.parse(localStorage.getItem(k)) } catch {} }
  const write = (k, v) => { try { v == null ? localStorage.removeItem(k) : localStorage.setItem(k, JSON.stringify(v)) } catch {} }
  const may = () => !objects && o.cookieless == null && (o.consent == null || (choices && choices.analytics))

  const identity = () => {
    if (!may()) return {}
    if (!visitor) {
      visitor = (d.cookie.match(/(?:^|; )sm_id=(\w+)/) || [])[1] || read("sm_id") || uuid()
      write("sm_id", visitor)
      if (o.domain) d.cookie = "sm_id=" + visitor + ";domain=" + o.domain + ";path=/;max-age=31536000;samesite=lax"
    }
    return { anonymousId: visitor, userId: user }
  }

  const save = () => { if (may()) write(tab, queue.length ? queue : null) }

  const add = (type, more, proof) => {
    if (objects && type != "page") return
    queue.push({
      type, messageId: "t-" + uuid(), timestamp: new Date().toISOString(), ...identity(), ...more,
      context: {
        page: { ...view, title: d.title },
        locale: n.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        screen: { width: screen.width, height: screen.height }, library: { name: "t.js", version: "1" },
        consent: choices && { categoryPreferences: choices }, cookieless: !may() || undefined, proof, dropped: lost || undefined
      }
    })
    save()
    later(100)
  }

  const later = ms => { timer = timer || setTimeout(flush, Math.max(ms, pause)) }

  // "leaving": the page may be gone in a moment, so nothing can be waited for.
  const flush = leaving => {
    timer = clearTimeout(timer)
    const old = Date.now() - WEEK
    const fresh = queue.filter(e => Date.parse(e.timestamp) > old)
    lost += queue.length - fresh.length
    queue = fresh
    const batch = queue.slice(0, 20), done = () => { queue = queue.filter(e => !batch.includes(e)) }
    if ((busy && !leaving) || !batch.length) return
    const body = JSON.stringify({ batch, sentAt: new Date().toISOString(), writeKey: o.key })
    if (leaving && !may() && n.sendBeacon(url, body)) return done()
    busy = 1
    // Text needs no question before it (preflight); keepalive lets it outlive the page.
    fetch(url, { method: "POST", body, keepalive: body.length < 6e4, credentials: "omit" }).then(r => {
      if (r.status == 429 || r.status > 499) throw +r.headers.get("Retry-After")
      done()
      pause = 0
    }).catch(s => {
      pause = s > 0 ? s * 1e3 : Math.min(3e5, (pause || 500) * 2 * (1 + Math.random() / 4))
    }).finally(() => {
      busy = 0
      save()
      if (queue.length) later(0)
    })
  }

  // Seconds in view and how far down, told whenever the page is left or put away.
  const engaged = () => {
    if (since) seen += Date.now() - since
    since = 0
    if (seen > 999) track("Page Engaged", { seconds: Math.round(seen / 1e3), scroll: depth })
    seen = 0
  }
  const look = () => { since = d.hidden ? 0 : Date.now() }
  const scrolled = () => {
    const r = d.documentElement, part = (w.scrollY + w.innerHeight) / r.scrollHeight
    depth = Math.max(depth, Math.min(100, Math.round(part * 100)))
  }

  const track = (event, properties) => add("track", { event, properties })
  const page = (name, properties) => add("page", { name, properties })

  const moved = () => {
    const here = location.href.split("#")[0]
    if (here == last) return
    if (last) engaged()
    view = { url: location.href, path: location.pathname, search: location.search, referrer: last || d.referrer }
    last = here
    depth = 0
    look()
    scrolled()
    page()
  }

  const api = w.smarketing = {
    track, page,
    identify(id, traits, proof) {
      if (typeof id == "object") { proof = traits; traits = id }
      else if (id) { user = "" + id; if (may()) write("sm_u", user) }
      add("identify", { traits }, proof)
    },
    group: (groupId, traits) => add("group", { groupId, traits }),
    alias: (userId, previousId, proof) => add("alias", { userId, previousId: previousId || visitor }, proof),
    consent(given) {
      choices = given
      write("sm_c", given)
      if (!may()) api.reset()
      save()
    },
    reset() {
      visitor = user = undefined
      ;["sm_id", "sm_u", tab].map(k => write(k))
      if (o.domain) d.cookie = "sm_id=;domain=" + o.domain + ";path=/;max-age=0"
    },
    push: c => api[c[0]](...c.slice(1))
  }

  const start = () => {
    choices = read("sm_c") || undefined
    user = may() && read("sm_u") || undefined
    try {
      // What other pages of this site could not send, and what a page before this one was still sending.
      Object.keys(localStorage).filter(k => k.startsWith("sm_q")).map(k => { queue.push(...read(k) || []); write(k) })
    } catch {}
    for (const name of ["pushState", "replaceState"]) {
      const was = history[name]
      history[name] = function () { was.apply(this, arguments); setTimeout(moved) }
    }
    w.addEventListener("popstate", () => setTimeout(moved))
    w.addEventListener("scroll", scrolled, { passive: true })
    w.addEventListener("pageshow", e => { if (e.persisted) { last = ""; moved() } })
    d.addEventListener("visibilitychange", () => { if (d.hidden) { engaged(); flush(1) } else look() })
    w.addEventListener("pagehide", () => { engaged(); flush(1) })
    for (const kind of ["click", "auxclick"]) d.addEventListener(kind, e => {
      const a = e.target.closest && e.target.closest("a[href]")
      if (!a || e.button > 1) return
      const properties = { url: a.href, text: (a.textContent || "").trim().slice(0, 100) }
      if (a.download || /\.(pdf|zip|docx?|xlsx?|pptx?|csv|ics|epub|dmg|exe|mp[34])$/i.test(a.pathname)) track("File Downloaded", properties)
      else if (/^https?:$/.test(a.protocol) ? a.host != location.host : /^(mailto|tel):$/.test(a.protocol)) track("Link Clicked", properties)
    }, true)
    d.addEventListener("submit", e => {
      const f = e.target, fields = [...f.elements].filter(x => x.name && !/password|hidden|submit/.test(x.type) && !/^cc-/.test(x.autocomplete))
      const mail = f.dataset.smIdentify != null && fields.find(x => x.type == "email" && x.value)
      if (mail) api.identify({ email: mail.value })
      track("Form Submitted", { formId: f.getAttribute("id") || f.getAttribute("name") || "", action: (f.getAttribute("action") || "").split("?")[0], fields: [...new Set(fields.map(x => x.name))] })
      flush(1)
    }, true)
    moved()
    early.map(api.push)
  }
  d.prerendering ? d.addEventListener("prerenderingchange", start, { once: true }) : start()
})()
