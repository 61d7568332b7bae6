// Serves the built app with invented data, to look at it without a keeper. For development only.
// Usage: node dev/fixture.mjs [scenario] [port]; GET /dev/<scenario> changes the scenario while it runs.
// Scenarios: calm, building, halt, indeterminate, resolution, empty, frozen, broken, gone, silent.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventsOf, historyOf, viewOf } from './sample.mjs'

const root = fileURLToPath(new URL('../../artifacts/app', import.meta.url))
const port = Number(process.argv[3] ?? 4180)
const nowTs = () => Math.floor(Date.now() / 1_000)
let scenario = process.argv[2] ?? 'halt'
let startedTs = nowTs()
let frozen = null

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain', '.md': 'text/plain' }
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'"

function json(answer, value) {
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function state(answer) {
  if (scenario === 'silent') return
  if (scenario === 'broken') return json(answer, { schema: 2 })
  if (scenario === 'gone') return answer.destroy()
  if (scenario === 'frozen') return json(answer, (frozen ??= viewOf('halt', nowTs(), startedTs)))
  json(answer, viewOf(scenario, nowTs(), startedTs))
}

function events(answer) {
  answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  answer.write(': open\n\n')
  for (const event of eventsOf(scenario, startedTs)) {
    answer.write(`event: ${event.kind}\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`)
  }
}

async function file(path, answer) {
  // As the keeper does: a path without an extension is a screen of the app.
  const wanted = normalize(extname(path) === '' ? '/index.html' : path)
  const bytes = await readFile(join(root, wanted)).catch(() => null)
  if (bytes === null) return answer.writeHead(404).end()
  const type = TYPES[extname(wanted)] ?? 'application/octet-stream'
  answer.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(bytes)
}

function change(name, answer) {
  scenario = name
  startedTs = nowTs()
  frozen = null
  answer.end(`${name}\n`)
}

createServer((request, answer) => {
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/api/v1/state') return state(answer)
  if (url.pathname === '/api/v1/events') return events(answer)
  if (url.pathname === '/api/v1/history') return json(answer, historyOf(scenario, url.searchParams.get('asset'), nowTs(), startedTs))
  if (url.pathname.startsWith('/dev/')) return change(url.pathname.slice(5), answer)
  return file(url.pathname, answer)
}).listen(port, '127.0.0.1', () => console.log(`invented data, scenario ${scenario}: http://127.0.0.1:${port}`))
