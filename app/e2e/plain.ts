// What is exported, read without the library that wrote it: byte by byte, by the layouts that the chain and the two multisigs
// publish. Source: solana-message `legacy::Message` (compact lengths), spl-governance `InstructionData` (Borsh).

/** An account of an instruction, with its use. */
export interface PlainMeta {
  pubkey: string
  isSigner: boolean
  isWritable: boolean
}

/** An instruction as it would run. */
export interface PlainInstruction {
  program: string
  accounts: PlainMeta[]
  data: number[]
}

/** A message: who pays, how many sign, and what runs. */
export interface PlainMessage {
  payer: string
  signers: string[]
  blockhash: string
  instructions: PlainInstruction[]
}

const SIGNS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Reads base58: a number of that base, with a zero byte for each leading "1". */
export function fromBase58(text: string): number[] {
  let value = 0n
  for (const sign of text) {
    const digit = SIGNS.indexOf(sign)
    if (digit < 0) throw new Error(`no sign of base58: ${sign}`)
    value = value * 58n + BigInt(digit)
  }
  const bytes: number[] = []
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 255n))
  const zeros = /^1*/.exec(text)?.[0].length ?? 0
  return [...Array<number>(zeros).fill(0), ...bytes]
}

/** Writes bytes in base58. */
export function toBase58(bytes: readonly number[]): string {
  let value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let text = ''
  for (; value > 0n; value /= 58n) text = (SIGNS[Number(value % 58n)] ?? '') + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text
}

/** Takes bytes from the front, and refuses to take more than there are. */
class Bytes {
  private at = 0
  constructor(private readonly bytes: readonly number[]) {}

  byte(): number {
    const found = this.bytes[this.at]
    if (found === undefined) throw new Error('the bytes end early')
    this.at += 1
    return found
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.byte())
  }

  key(): string {
    return toBase58(this.take(32))
  }

  /** A length of seven bits a byte, lowest first. */
  compact(): number {
    let [value, shift, byte] = [0, 0, 128]
    for (; byte >= 128; shift += 7) {
      byte = this.byte()
      value += (byte & 127) << shift
    }
    return value
  }

  u32(): number {
    return this.take(4).reduce((sum, byte, place) => sum + byte * 256 ** place, 0)
  }

  flag(): boolean {
    const byte = this.byte()
    if (byte > 1) throw new Error(`no flag: ${byte}`)
    return byte === 1
  }

  end(): void {
    if (this.at !== this.bytes.length) throw new Error(`${this.bytes.length - this.at} bytes are left over`)
  }
}

/** Reads a legacy message in base58: what Squads imports. */
export function squadsMessageOf(text: string): PlainMessage {
  const bytes = new Bytes(fromBase58(text))
  const [signed, readSigners, readOthers] = [bytes.byte(), bytes.byte(), bytes.byte()]
  if (signed > 127) throw new Error('a versioned message')
  const keys = Array.from({ length: bytes.compact() }, () => bytes.key())
  const isWritable = (index: number) => (index < signed ? index < signed - readSigners : index < keys.length - readOthers)
  const metaOf = (index: number): PlainMeta => ({ pubkey: keys[index] ?? 'none', isSigner: index < signed, isWritable: isWritable(index) })
  const blockhash = bytes.key()
  const instructions = Array.from({ length: bytes.compact() }, () => {
    const program = keys[bytes.byte()] ?? 'none'
    const accounts = Array.from({ length: bytes.compact() }, () => metaOf(bytes.byte()))
    return { program, accounts, data: bytes.take(bytes.compact()) }
  })
  bytes.end()
  return { payer: keys[0] ?? 'none', signers: keys.slice(0, signed), blockhash, instructions }
}

/** Reads Borsh `InstructionData` in base64: what Realms imports. */
export function realmsInstructionOf(text: string): PlainInstruction {
  const bytes = new Bytes(Array.from(atob(text), (sign) => sign.charCodeAt(0)))
  const program = bytes.key()
  const accounts = Array.from({ length: bytes.u32() }, () => ({ pubkey: bytes.key(), isSigner: bytes.flag(), isWritable: bytes.flag() }))
  const data = bytes.take(bytes.u32())
  bytes.end()
  return { program, accounts, data }
}
