import type uPlot from 'uplot'

/** Names of the chart's inks, each a class whose colour is read when the chart draws. */
export const INKS = ['price', 'reference', 'band', 'axis', 'grid'] as const

type Ink = (typeof INKS)[number]

/** Returns a reader of the inks' present colours, so that a change of theme shows at the next draw. */
export function inkReader(box: HTMLElement): (ink: Ink) => () => string {
  return (ink) => () => {
    const probe = box.querySelector(`.ink-${ink}`)
    return probe === null ? 'gray' : getComputedStyle(probe).color
  }
}

const pad = (value: number): string => value.toString().padStart(2, '0')

/** Labels of the time axis: hours and minutes, with seconds where ticks are closer than a minute. */
function clockLabels(_plot: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  return splits.map((ts) => {
    const date = new Date(ts * 1_000)
    const minutes = `${pad(date.getHours())}:${pad(date.getMinutes())}`
    return step < 60 ? `${minutes}:${pad(date.getSeconds())}` : minutes
  })
}

/** Widens the price axis so that a stable price isn't drawn as noise: at least 0.4 % of its level. */
function calmRange(_plot: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1]
  const [middle, half] = [(min + max) / 2, (max - min) / 2]
  const room = Math.max(half * 1.15, Math.abs(middle) * 0.002)
  return [middle - room, middle + room]
}

/** Returns the chart's options: price over its reference, with the confidence band behind. */
export function chartOptions(width: number, height: number, ink: (name: Ink) => () => string): uPlot.Options {
  const axis = { stroke: ink('axis'), font: '12px "Geist Variable", system-ui, sans-serif', grid: { stroke: ink('grid'), width: 1 }, ticks: { show: false } }
  const edge = { stroke: 'transparent', width: 0, points: { show: false } }
  return {
    width,
    height,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: calmRange } },
    axes: [
      { ...axis, values: clockLabels, grid: { show: false }, space: 80, size: 28 },
      { ...axis, size: 56, space: 42 },
    ],
    series: [
      {},
      { stroke: ink('price'), width: 2, points: { show: false }, spanGaps: false },
      { stroke: ink('reference'), width: 1.25, dash: [5, 4], points: { show: false } },
      edge,
      edge,
    ],
    bands: [{ series: [3, 4], fill: ink('band') }],
  }
}
