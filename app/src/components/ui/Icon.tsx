/** Outlines of the icons, drawn on a 20 by 20 grid. */
const PATHS = {
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
  cross: 'M5.5 5.5l9 9m0-9l-9 9',
  partial: 'M4.5 10h11',
  caution: 'M10 3.2l7.4 13.1H2.6zM10 8.2v3.8m0 2.2v.1',
  reduce: 'M10 3.5v11m-4.6-4.4L10 14.7l4.6-4.6M4.5 17.5h11',
  halt: 'M6.8 2.8h6.4l4 4v6.4l-4 4H6.8l-4-4V6.8zM6.9 10h6.2',
  resolution: 'M4.5 3.2v13.9M4.5 4h10.2l-2.3 3.3 2.3 3.3H4.5',
  shield: 'M10 2.6l6.2 2.2v4.6c0 4-2.6 6.5-6.2 8-3.6-1.5-6.2-4-6.2-8V4.8zM7.2 10l2 2 3.6-4',
  unknown: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM8 8.1a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4m0 2.2v.1',
  clock: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 6v4.2l2.8 1.8',
  step: 'M3 5h4.5v4.5H12V14h5',
  arrow: 'M3.5 10h13m-5-5l5 5-5 5',
  bolt: 'M11.3 2.6L4.8 11.4h4.4l-.9 6 6.9-9h-4.6z',
  link: 'M2.8 10a10.4 10.4 0 0 1 14.4 0M5.6 12.8a6.4 6.4 0 0 1 8.8 0M10 16v.1',
  cut: 'M2.8 10c1.5-1.4 3.3-2.4 5.2-2.8m4 0c1.9.4 3.7 1.4 5.2 2.8M10 16v.1M4 3.5l12 13',
  dot: 'M10 8.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8z',
  drop: 'M10 2.8c2.7 3.1 4.7 5.7 4.7 8.4a4.7 4.7 0 0 1-9.4 0c0-2.7 2-5.3 4.7-8.4z',
  sun: 'M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM10 2v1.6m0 12.8V18M2 10h1.6m12.8 0H18M4.3 4.3l1.2 1.2m9 9l1.2 1.2m0-11.4l-1.2 1.2m-9 9l-1.2 1.2',
  moon: 'M16.4 12.2A6.8 6.8 0 0 1 7.8 3.6a6.8 6.8 0 1 0 8.6 8.6z',
  auto: 'M3 4h14v9.4H3zM7 17h6m-3-3.6V17',
  copy: 'M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4',
} as const

/** Name of an icon. */
export type IconName = keyof typeof PATHS

/** Draws an icon; it is decoration, so the words beside it must say the same. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
