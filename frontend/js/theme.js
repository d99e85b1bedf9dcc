// Loaded in <head> before the first paint, so that a chosen theme never flashes. Without a choice the
// style sheet follows the system.
try {
  const theme = localStorage.getItem("xiangsui-theme")
  if (theme) document.documentElement.dataset.theme = theme
} catch {
  // Storage may be forbidden; the system's theme stays.
}
document.documentElement.classList.add("js")
