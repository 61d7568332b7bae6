import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const APP = fileURLToPath(new URL('../..', import.meta.url))
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** A first start builds the program's tools and the demo itself. */
const START_MS = 900_000

/** A running demo. */
export interface Demo {
  /** Address of the network's RPC server. */
  rpc: string
  /** Address of the guard. */
  guard: string
  /** Names of accounts, as the keepers have them. */
  labels: Record<string, string>
  /** Address of the keeper that serves the page. */
  keeper: string
  /** Process of that keeper. */
  keeperPid: number
  stop: () => Promise<void>
}

async function settingsIn(dir: string): Promise<Omit<Demo, 'stop' | 'keeperPid'>> {
  const [made] = (await readdir(dir)).filter((name) => name.startsWith('rampart-demo-'))
  if (made === undefined) throw new Error(`the demo left no folder in ${dir}`)
  const text = await readFile(join(dir, made, 'keeper-1/keeper.toml'), 'utf8')
  const value = (name: string) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1] ?? ''
  const labels = [...text.matchAll(/\[\[label\]\]\naddress = "(.*)"\nname = "(.*)"/g)].map(([, address, name]) => [address, name] as const)
  return { rpc: value('rpc_url'), guard: value('guard'), keeper: `http://${value('listen')}`, labels: Object.fromEntries(labels) }
}

/** Finds the keeper among the descendants of the demo. */
async function keeperPid(dir: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(dir) && line.includes('keeper-1/keeper.toml')) return Number(pid)
  }
  throw new Error('the first keeper has no process')
}

/**
 * Starts a demo: `cargo demo`, or the program that `RAMPART_DEMO` names. Its keepers and prices then run by themselves.
 *
 * `RAMPART_DEMO_DIR` names the folder of temporary files of one that runs already.
 */
export async function startDemo(args: readonly string[]): Promise<Demo> {
  const running = process.env.RAMPART_DEMO_DIR
  if (running !== undefined) return { ...(await settingsIn(running)), keeperPid: await keeperPid(running), stop: async () => undefined }
  const dir = await mkdtemp(join(tmpdir(), 'app-e2e-'))
  const program = process.env.RAMPART_DEMO
  const [command, first] = program === undefined ? ['cargo', ['demo']] : [program, []]
  const demo = spawn(command, [...first, ...args], { cwd: ROOT, env: { ...process.env, TMPDIR: dir }, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  await until(demo, 'the page is at')
  const stop = async () => {
    await ended(demo)
    await rm(dir, { recursive: true, force: true })
  }
  return { ...(await settingsIn(dir)), keeperPid: await keeperPid(dir), stop }
}

function until(demo: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`the demo didn't start: ${said}`)), START_MS)
    demo.stderr?.on('data', (part: Buffer) => {
      said += part.toString()
      if (!said.includes(words)) return
      clearTimeout(timer)
      resolve()
    })
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${String(code)}: ${said.slice(-2_000)}`)))
  })
}

/** Asks the demo to end as Ctrl-C does, then no longer asks. */
function ended(demo: ChildProcess): Promise<void> {
  if (demo.exitCode !== null || demo.pid === undefined) return Promise.resolve()
  const group = -demo.pid
  return new Promise((resolve) => {
    const timer = setTimeout(() => process.kill(group, 'SIGKILL'), 15_000)
    demo.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    process.kill(group, 'SIGINT')
  })
}

/** Builds the app with settings into a folder of its own, and returns it. */
export async function buildApp(settings: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'app-build-'))
  await promisify(execFile)('npm', ['run', '--silent', 'build', '--', '--outDir', dir, '--emptyOutDir', '--logLevel', 'error'], { cwd: APP, env: { ...process.env, ...settings } })
  return dir
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.md': 'text/plain', '.txt': 'text/plain' }

/** A server of a built app. */
export interface Served {
  url: string
  stop: () => void
}

/** Hands a request on to a keeper, as a reverse proxy in front of both would. */
function relay(request: IncomingMessage, answer: ServerResponse, keeper: URL): void {
  const headers = { ...request.headers, host: keeper.host }
  const onward = httpRequest({ hostname: keeper.hostname, port: keeper.port, path: request.url, method: request.method, headers }, (from) => {
    answer.writeHead(from.statusCode ?? 502, from.headers)
    from.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  answer.on('close', () => onward.destroy())
  request.pipe(onward)
}

/** What stands beside the files: a keeper, asked for at each request, and an RPC endpoint that the policy lets the page ask. */
interface Beside {
  keeper?: () => string | undefined
  rpc?: string
}

/** Serves a built app as static files, with a keeper's API beside them where there is one. */
export async function serve(dir: string, { keeper, rpc = '' }: Beside): Promise<Served> {
  const policy = `default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ${rpc}`
  const server = createServer((request, answer) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const asked = keeper?.()
    if (path.startsWith('/api/')) return asked === undefined ? void answer.destroy() : relay(request, answer, new URL(asked))
    const name = normalize(extname(path) === '' ? '/index.html' : path)
    readFile(join(dir, name)).then(
      (bytes) => answer.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': policy }).end(bytes),
      () => answer.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
