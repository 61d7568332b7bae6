// Writes src/generated, the program's client from its IDL. Run it through `cargo xtask gen`.

import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { rootNodeFromAnchor } from '@codama/nodes-from-anchor'
import { getRenderMapVisitor } from '@codama/renderers-js'
import { bottomUpTransformerVisitor, visit } from '@codama/visitors-core'
import { mapRenderMapContent, writeRenderMap } from '@codama/renderers-core'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const idl = JSON.parse(await readFile(path('../../artifacts/rampart.json'), 'utf8'))
const out = path('../src/generated')

// Two things are told wrongly to the renderer, and mended before it writes: no generated file is kept from the compiler.

/** Of the seed `guard.next_change_id` the IDL keeps `guard` alone: the number is the second seed, as 64 bits. */
const numbered = bottomUpTransformerVisitor([
  {
    select: '[pdaNode]change',
    transform: (node) => {
      const [prefix, guard, number] = node.seeds
      if (node.seeds.length !== 3 || guard?.name !== number?.name) throw new Error('the seeds of `change` are told otherwise: look whether this is still needed')
      return { ...node, seeds: [prefix, guard, { ...number, name: 'nextChangeId', type: { kind: 'numberTypeNode', format: 'u64', endian: 'le' } }] }
    },
  },
  {
    // its number stands in the guard's account, which only the caller has read
    select: '[instructionNode]proposeChange.[instructionAccountNode]change',
    transform: ({ defaultValue, ...account }) => {
      if (defaultValue?.kind !== 'pdaValueNode') throw new Error('`change` is told otherwise: look whether this is still needed')
      return account
    },
  },
])

/** The plugin names what it returns in the words of another version of kit; the compiler finds the right ones by itself. */
const PLUGIN = { file: 'programs/rampart.ts', wrong: '(client: T): Omit<T, "rampart"> & { rampart: RampartPlugin } => {', right: '(client: T) => {' }

const files = await visit(visit(rootNodeFromAnchor(idl), numbered), getRenderMapVisitor({ kitImportStrategy: 'rootOnly' }))
const marked = mapRenderMapContent(files, (content) => content)
const plugin = marked.get(PLUGIN.file)
if (!plugin.content.includes(PLUGIN.wrong)) throw new Error(`${PLUGIN.file} is written otherwise: look whether this is still needed`)
marked.set(PLUGIN.file, { ...plugin, content: plugin.content.replace(PLUGIN.wrong, PLUGIN.right) })

await rm(out, { recursive: true, force: true })
writeRenderMap(marked, out)
