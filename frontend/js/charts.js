// Charts from plain data. A chart is
//   <div class="x-chart" data-chart="ID"></div> with {{ figures|json_script:"ID" }}
// and figures = {kind: "bar"|"line"|"funnel"|"map", categories: […], series: [{name, data, target?}],
//                unit: "人份", stacked: false, horizontal: false, map: URL of GeoJSON}.
// Colours come from the theme; every series has a pattern of its own as well. A table with the same figures
// belongs beside every chart (the component chart has a slot for it).
import { BarChart, FunnelChart, LineChart, MapChart } from "echarts/charts"
import {
  AriaComponent,
  GeoComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components"
import * as echarts from "echarts/core"
import { CanvasRenderer } from "echarts/renderers"

echarts.use([
  AriaComponent, BarChart, CanvasRenderer, FunnelChart, GeoComponent, GridComponent, LegendComponent, LineChart,
  MapChart, MarkLineComponent, TooltipComponent, VisualMapComponent,
])

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

function look() {
  const text = token("--color-base-content")
  const muted = token("--x-muted")
  const line = token("--color-base-300")
  const font = getComputedStyle(document.body).fontFamily
  return { text, muted, line, font, colours: [1, 2, 3, 4, 5, 6].map((n) => token(`--x-series-${n}`)) }
}

async function option(figures) {
  const { text, muted, line, font, colours } = look()
  const many = figures.series.length > 1
  const unit = figures.unit || ""
  const common = {
    color: colours,
    textStyle: { fontFamily: font, color: text },
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    aria: { enabled: true, decal: { show: many } },
    // richText draws on the canvas: an HTML tooltip needs inline styles, which the policy refuses.
    tooltip: {
      renderMode: "richText",
      confine: true,
      trigger: figures.kind === "bar" || figures.kind === "line" ? "axis" : "item",
      backgroundColor: token("--color-base-100"),
      borderColor: line,
      textStyle: { color: text, fontFamily: font, fontSize: 13 },
      valueFormatter: (value) => (value == null ? "–" : `${Number(value).toLocaleString()} ${unit}`),
    },
    legend: many ? { bottom: 0, textStyle: { color: muted }, itemGap: 16 } : undefined,
  }
  if (figures.kind === "funnel") {
    const data = figures.categories.map((name, i) => ({ name, value: figures.series[0].data[i] }))
    return {
      ...common,
      legend: undefined,
      series: [{
        type: "funnel", data, sort: "none", gap: 2, left: 0, right: 0, top: 4, bottom: 4, minSize: "12%",
        label: { position: "inside", formatter: "{b}  {c}", color: token("--color-primary-content") },
        itemStyle: { borderWidth: 0, color: colours[0] },
      }],
    }
  }
  if (figures.kind === "map") {
    if (!echarts.getMap(figures.map)) {
      const answer = await fetch(figures.map, { credentials: "same-origin" })
      echarts.registerMap(figures.map, await answer.json())
    }
    const data = figures.categories.map((name, i) => ({ name, value: figures.series[0].data[i] }))
    const values = figures.series[0].data.filter((value) => value != null)
    return {
      ...common,
      visualMap: {
        min: 0, max: Math.max(1, ...values), left: 0, bottom: 0, calculable: true, textStyle: { color: muted },
        inRange: { color: [token("--x-map-low"), token("--x-map-high")] },
      },
      series: [{
        type: "map", map: figures.map, data, name: figures.series[0].name, roam: true,
        itemStyle: { borderColor: token("--color-base-100"), areaColor: token("--color-base-200") },
        emphasis: { itemStyle: { areaColor: token("--color-accent") }, label: { color: text } },
        select: { disabled: true },
      }],
    }
  }
  const names = {
    type: "category", data: figures.categories, axisTick: { show: false },
    axisLine: { lineStyle: { color: line } }, axisLabel: { color: muted }, inverse: Boolean(figures.horizontal),
  }
  const values = {
    type: "value", name: unit, nameTextStyle: { color: muted, align: "left", padding: [0, 0, 0, -24] },
    splitLine: { lineStyle: { color: line } }, axisLabel: { color: muted },
  }
  return {
    ...common,
    grid: { left: 4, right: 12, top: unit && !figures.horizontal ? 32 : 12, bottom: many ? 36 : 4, containLabel: true },
    xAxis: figures.horizontal ? { ...values, name: "" } : names,
    yAxis: figures.horizontal ? names : values,
    series: figures.series.map((series, i) => ({
      type: figures.kind,
      name: series.name,
      data: series.data,
      stack: figures.stacked ? "all" : undefined,
      barMaxWidth: 28,
      symbol: ["circle", "rect", "triangle", "diamond", "pin", "arrow"][i % 6],
      symbolSize: 7,
      lineStyle: { width: 2, type: ["solid", "dashed", "dotted"][i % 3] },
      itemStyle: figures.kind === "bar" && !figures.stacked
        ? { borderRadius: figures.horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0] }
        : {},
      markLine: series.target == null ? undefined : {
        silent: true, symbol: "none", lineStyle: { color: token("--color-accent"), type: "dashed", width: 2 },
        label: { color: text, formatter: "{c}", position: "insideEndTop" },
        data: [figures.horizontal ? { xAxis: series.target } : { yAxis: series.target }],
      },
    })),
  }
}

async function draw(element) {
  const source = document.getElementById(element.dataset.chart)
  if (!source) return
  const chart = echarts.getInstanceByDom(element) || echarts.init(element)
  chart.setOption(await option(JSON.parse(source.textContent)), true)
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) echarts.getInstanceByDom(target)?.resize()
})
function drawAll(root = document) {
  for (const element of root.querySelectorAll("[data-chart]")) {
    draw(element)
    sizes.observe(element)
  }
}
const start = () => drawAll()
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start)
else start()
document.addEventListener("htmx:afterSettle", (event) => drawAll(event.target))
document.addEventListener("x-theme", start)
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", start)
