import { createKeyPairSignerFromPrivateKeyBytes, type KeyPairSigner } from '@solana/kit'

// The people of the demo are made out of its seed and guard nothing. These are the same people, by the same generator:
// ChaCha with eight rounds, its key spread out of the seed by PCG32, a byte of each 32-bit word for a byte of a key.

const MULTIPLIER = 6_364_136_223_846_793_005n
const INCREMENT = 11_634_580_027_462_260_723n
const U64 = (1n << 64n) - 1n

function spread(seed: bigint): Uint32Array {
  const words = new Uint32Array(8)
  let state = seed
  for (let at = 0; at < words.length; at += 1) {
    state = (state * MULTIPLIER + INCREMENT) & U64
    const shifted = Number((((state >> 18n) ^ state) >> 27n) & 0xffff_ffffn)
    const turn = Number(state >> 59n)
    words[at] = (shifted >>> turn) | (shifted << (32 - turn) % 32)
  }
  return words
}

const turned = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

function quarter(s: Uint32Array, a: number, b: number, c: number, d: number): void {
  const mix = (x: number, y: number, z: number, by: number) => {
    s[x] = s[x]! + s[y]!
    s[z] = turned(s[z]! ^ s[x]!, by)
  }
  mix(a, b, d, 16)
  mix(c, d, b, 12)
  mix(a, b, d, 8)
  mix(c, d, b, 7)
}

function block(key: Uint32Array, counter: number): Uint32Array {
  const start = Uint32Array.from([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...key, counter, 0, 0, 0])
  const state = start.slice()
  for (let round = 0; round < 8; round += 2) {
    for (const [a, b, c, d] of [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] as const) quarter(state, a, b, c, d)
    for (const [a, b, c, d] of [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] as const) quarter(state, a, b, c, d)
  }
  return state.map((word, at) => word + start[at]!)
}

/** Gives 32 bytes at a time. */
function* secrets(seed: bigint): Generator<Uint8Array, never> {
  const key = spread(seed)
  for (let counter = 0; ; counter += 2) {
    yield Uint8Array.from([...block(key, counter), ...block(key, counter + 1)], (word) => word & 0xff)
  }
}

/** Some of the people, by what they may do. */
export interface People {
  root: KeyPairSigner
  vetoer: KeyPairSigner
  guardian: KeyPairSigner
  lender: KeyPairSigner
}

/** Order of the keys in the demo: payer, root, risk admin, resetter, vetoer, two guardians, three mints, six oracles, lenders. */
const PLACES = { root: 1, vetoer: 4, guardian: 5, lender: 16 } as const

/** Makes the people of a demo with this seed. */
export async function peopleOf(seed = 1n): Promise<People> {
  const drawn = secrets(seed)
  const all = Array.from({ length: 17 }, () => drawn.next().value)
  const signer = (place: number) => createKeyPairSignerFromPrivateKeyBytes(all[place]!)
  const [root, vetoer, guardian, lender] = await Promise.all([PLACES.root, PLACES.vetoer, PLACES.guardian, PLACES.lender].map(signer))
  return { root: root!, vetoer: vetoer!, guardian: guardian!, lender: lender! }
}
