// Builds what Xiangsui serves from foundation/screens/static/screens, and records the hashes in build.json.
//   npm ci && npm run build          (npm run watch rebuilds the style sheet and scripts as templates change)
import { spawnSync, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as esbuild from "esbuild"

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, "../src/xiangsui/foundation/screens/static/screens")
const watch = process.argv.includes("--watch")
mkdirSync(out, { recursive: true })

// Every icon the templates may name. Lucide, ISC licence.
const icons = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean)
const symbols = icons.map((entry) => {
  const [name, alias] = entry.split("=") // "house=home" makes house known as home as well
  const svg = readFileSync(join(here, `node_modules/lucide-static/icons/${name}.svg`), "utf8")
  const inner = svg.replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace("</svg>", "").replace(/\s*\n\s*/g, "")
  return `<symbol id="${alias ?? name}" viewBox="0 0 24 24">${inner}</symbol>`
})
writeFileSync(
  join(out, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n<!-- Lucide, ISC licence: see NOTICE-icons.txt -->\n${symbols.join("\n")}\n</svg>\n`,
)
writeFileSync(join(out, "NOTICE-icons.txt"), readFileSync(join(here, "node_modules/lucide-static/LICENSE"), "utf8"))

const scripts = {
  entryPoints: ["theme", "app", "charts"].map((name) => join(here, `js/${name}.js`)),
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome111", "firefox128", "safari16.4"],
  legalComments: "eof",
  charset: "utf8",
  logLevel: "warning",
}
const tailwind = join(here, "node_modules/@tailwindcss/cli/dist/index.mjs")
const styles = ["-i", join(here, "css/app.css"), "-o", join(out, "app.css"), "--minify"]

if (watch) {
  await (await esbuild.context(scripts)).watch()
  spawn(process.execPath, [tailwind, ...styles, "--watch=always"], { stdio: "inherit", cwd: here })
} else {
  await esbuild.build(scripts)
  const done = spawnSync(process.execPath, [tailwind, ...styles], { stdio: ["ignore", "ignore", "pipe"], cwd: here })
  if (done.status !== 0) {
    process.stderr.write(done.stderr)
    process.exit(1)
  }
  const names = ["app.css", "app.js", "charts.js", "icons.svg", "theme.js"]
  const files = Object.fromEntries(
    names.map((name) => [name, createHash("sha256").update(readFileSync(join(out, name))).digest("hex")]),
  )
  writeFileSync(join(out, "build.json"), JSON.stringify({ sha256: files }, null, 2) + "\n")
}
