import Alpine from "@alpinejs/csp"
import htmx from "htmx.org"

window.htmx = htmx
window.Alpine = Alpine

const words = () => document.body.dataset

// Theme: "" follows the system.
Alpine.data("theme", () => ({
  value: document.documentElement.dataset.theme || "",
  choose(event) {
    this.value = event.currentTarget.value
    if (this.value) document.documentElement.dataset.theme = this.value
    else delete document.documentElement.dataset.theme
    try {
      if (this.value) localStorage.setItem("xiangsui-theme", this.value)
      else localStorage.removeItem("xiangsui-theme")
    } catch {
      // The choice then lasts for this page.
    }
    document.dispatchEvent(new CustomEvent("x-theme"))
  },
  pressed(value) {
    return this.value === value ? "true" : "false"
  },
}))

// Rows chosen in a list: <table x-data="selection">, a checkbox with @change="all", boxes named "row".
Alpine.data("selection", () => ({
  count: 0,
  boxes() {
    return [...this.$root.querySelectorAll('input[type="checkbox"][name="row"]')]
  },
  all(event) {
    for (const box of this.boxes()) box.checked = event.target.checked
    this.refresh()
  },
  refresh() {
    this.count = this.boxes().filter((box) => box.checked).length
  },
}))

// Copies the text of data-copy, without identity: what is copied is what the template wrote there.
Alpine.data("copy", () => ({
  done: false,
  async copy() {
    await navigator.clipboard.writeText(this.$root.dataset.copy)
    this.done = true
    setTimeout(() => (this.done = false), 1600)
  },
}))

// --- messages ---------------------------------------------------------------------------------------------
function toast(text, tone = "info") {
  const region = document.getElementById(tone === "error" ? "x-alerts" : "x-toasts")
  const model = document.getElementById("x-toast-model")
  if (!region || !model || !text) return
  const item = model.content.firstElementChild.cloneNode(true)
  item.dataset.tone = tone
  item.querySelector("[data-text]").textContent = text
  const sign = { success: "circle-check", warning: "triangle-alert", error: "octagon-alert" }[tone] || "info"
  const use = item.querySelector("use")
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${sign}`))
  region.append(item)
  if (tone !== "error") setTimeout(() => item.remove(), 6000)
}
// A view may answer with HX-Trigger: {"x-toast": {"text": "…", "tone": "success"}}.
document.addEventListener("x-toast", (event) => toast(event.detail.text, event.detail.tone))
document.addEventListener("htmx:sendError", () => toast(words().offline, "error"))
document.addEventListener("htmx:timeout", () => toast(words().offline, "error"))
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status
  if (status === 401) location.reload()
  else toast(status === 403 ? words().forbidden : words().failed, "error")
})

// --- small behaviours, delegated so that swapped-in content has them too ------------------------------------
document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-x-toggle], [data-x-dismiss], [data-x-print], [data-x-fill]")
  for (const menu of document.querySelectorAll("details.x-menu[open]"))
    if (!menu.contains(event.target)) menu.open = false
  if (!target) return
  if ("xDismiss" in target.dataset) target.closest("[data-tone]").remove()
  else if ("xPrint" in target.dataset) window.print()
  else if ("xFill" in target.dataset) {
    // The sign-in page of a demonstration site fills in the account that is chosen.
    document.getElementById("id_login").value = target.dataset.xFill
    document.getElementById("id_password").value = target.dataset.xSecret
    document.querySelector("form button[type=submit]").focus()
  } else {
    const panel = document.getElementById(target.getAttribute("aria-controls"))
    const open = target.getAttribute("aria-expanded") !== "true"
    target.setAttribute("aria-expanded", String(open))
    if (panel) panel.hidden = !open
  }
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.x-menu[open]")
    if (menu) {
      menu.open = false
      menu.querySelector("summary").focus()
    }
  }
  // "/" goes to the search field of the page.
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    if (event.target.closest("input, textarea, select, [contenteditable]")) return
    const field = document.querySelector("[data-x-search]")
    if (field) {
      event.preventDefault()
      field.focus()
    }
  }
})

// Paper is light, whatever the screen is.
let screenTheme
window.addEventListener("beforeprint", () => {
  screenTheme = document.documentElement.dataset.theme
  document.documentElement.dataset.theme = "xiangsui"
  document.dispatchEvent(new CustomEvent("x-theme"))
})
window.addEventListener("afterprint", () => {
  if (screenTheme) document.documentElement.dataset.theme = screenTheme
  else delete document.documentElement.dataset.theme
  document.dispatchEvent(new CustomEvent("x-theme"))
})

// Filters apply themselves: <form data-x-auto>.
document.addEventListener("change", (event) => {
  const form = event.target.form
  if (form && "xAuto" in form.dataset) form.requestSubmit()
})

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target
  if (form.hasAttribute("hx-post") || form.method !== "post" || event.defaultPrevented) return
  if (form.dataset.sent) return event.preventDefault()
  form.dataset.sent = "1"
  const button = event.submitter
  if (button) button.setAttribute("aria-busy", "true")
  // A download keeps the page: let it be sent again.
  setTimeout(() => {
    delete form.dataset.sent
    if (button) button.removeAttribute("aria-busy")
  }, 4000)
})
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent
  for (const button of document.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy")
})

Alpine.start()
