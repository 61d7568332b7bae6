import { expect, it } from 'vitest'
import { elapsedShare, formatAgo, formatCountdown, formatSpan } from '@/lib/time'

it.each([
  [-5, '0:00'],
  [0, '0:00'],
  [9, '0:09'],
  [65, '1:05'],
  [3_599, '59:59'],
  [3_600, '1:00:00'],
  [86_399, '23:59:59'],
  [273_600, '3 d 04 h'],
])('counts %s seconds down as %s', (secs, text) => {
  expect(formatCountdown(secs)).toBe(text)
})

it.each([
  [45, '45 s'],
  [120, '2 min'],
  [7_200, '2 h'],
  [172_800, '2 d'],
])('tells %s seconds as %s', (secs, text) => {
  expect(formatSpan(secs)).toBe(text)
})

it('tells moments of the last second, and of a clock ahead, as just now', () => {
  expect([formatAgo(100, 101), formatAgo(105, 100), formatAgo(100, 190)]).toEqual(['just now', 'just now', '90 s ago'])
})

it('clamps the share of a span', () => {
  expect([elapsedShare(0, 10, -1), elapsedShare(0, 10, 5), elapsedShare(0, 10, 11), elapsedShare(5, 5, 5)]).toEqual([
    0, 0.5, 1, 1,
  ])
})
