import { AccountRole, type Address, type Instruction, address, createNoopSigner, getAddressEncoder, getProgramDerivedAddress } from '@solana/kit'
import { type Asset, type Position, type Vault as VaultAccount, findPositionPda, getWithdrawInstruction } from '@/generated'
import { type Held, u128 } from '@/lib/accounts'

const SYSTEM = address('11111111111111111111111111111111')
const ASSOCIATED = address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL')
/** Number of `CreateIdempotent` in the program of associated accounts. */
const CREATE_IDEMPOTENT = 1
// Source: `constants.rs` of the program.
const [VIRTUAL_SHARES, VIRTUAL_ASSETS] = [1_000_000n, 1n]

/** Returns the shares to burn for an amount, rounded up, at most those that are there. Source: `shares_for_withdrawal`. */
export function sharesFor(amount: bigint, lenders: bigint, allShares: bigint, held: bigint): bigint {
  const bottom = lenders + VIRTUAL_ASSETS
  const shares = (amount * (allShares + VIRTUAL_SHARES) + bottom - 1n) / bottom
  return shares > held ? held : shares
}

/** Less than this share of the amount is refused: prices of shares only rise, but for bad debt. */
const [LEAST_BPS, BPS] = [9_990n, 10_000n]

interface Withdrawal {
  vault: Held<VaultAccount>
  /** The loan's asset account. */
  loan: Asset
  position: Position
  /** What lenders have in the vault. */
  lenders: bigint
  amount: bigint
}

/** Builds what takes a lent amount back into the owner's own token account, which is opened where there is none. */
export async function withdrawInstructions({ vault, loan, position, lenders, amount }: Withdrawal): Promise<Instruction[]> {
  const { owner } = position
  const token = await tokenOf(owner, loan)
  const [at] = await findPositionPda({ vault: address(vault.address), owner })
  const shares = sharesFor(amount, lenders, u128(vault.value.supplyShares), u128(position.supplyShares))
  const withdraw = getWithdrawInstruction({
    owner: createNoopSigner(owner),
    guard: vault.value.guard,
    collateralAsset: vault.value.collateralAsset,
    loanAsset: vault.value.loanAsset,
    vault: address(vault.address),
    position: at,
    loanMint: vault.value.loanMint,
    ownerToken: token,
    loanToken: vault.value.loanToken,
    tokenProgram: loan.tokenProgram,
    shares,
    minAmount: (amount * LEAST_BPS) / BPS,
  })
  return [openToken(owner, token, loan), withdraw]
}

/** Returns the address of an owner’s own account of an asset’s token. */
export async function tokenOf(owner: Address, { mint, tokenProgram }: Asset): Promise<Address> {
  const [token] = await getProgramDerivedAddress({ programAddress: ASSOCIATED, seeds: [owner, tokenProgram, mint].map((key) => getAddressEncoder().encode(key)) })
  return token
}

/** Builds what opens that account where there is none. */
export function openToken(owner: Address, token: Address, { mint, tokenProgram }: Asset): Instruction {
  const read = (key: Address) => ({ address: key, role: AccountRole.READONLY })
  const accounts = [
    { address: owner, role: AccountRole.WRITABLE_SIGNER },
    { address: token, role: AccountRole.WRITABLE },
    { address: owner, role: AccountRole.READONLY },
    ...[mint, SYSTEM, tokenProgram].map(read),
  ]
  return { programAddress: ASSOCIATED, accounts, data: Uint8Array.from([CREATE_IDEMPOTENT]) }
}
