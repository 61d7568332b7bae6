/** What Rampart's own instructions do, in a sentence: those that a role or an owner signs. */
const SENTENCES: Readonly<Record<string, string>> = {
  'propose change': 'Lets a change wait in public. Nothing holds before it has waited and somebody executes it.',
  'veto change': 'Closes a pending change for good.',
  'cancel change': 'Takes a pending change back.',
  'execute change': 'Puts a change in force that has waited.',
  'accept root': 'Makes the signer root. All that is pending becomes void.',
  'tighten vault': 'Makes limits of a vault stricter, at once.',
  'tighten rule': 'Makes a rule stricter, at once.',
  'tighten aggregate': 'Makes the dollar limit stricter, at once.',
  'tighten swap policy': 'Makes a swap policy stricter, at once.',
  'tighten integration': 'Makes an integration’s limits stricter, at once.',
  'guardian pause': 'Raises the level of a scope for a bounded time. It ends by itself.',
  'guardian halt': 'Halts a scope for a bounded time; then it falls to “Reduce only” for as long again.',
  'lift pause': 'Ends a pause early.',
  'reset breaker': 'Takes a rule’s cause away, with a proof that the rule is clear.',
  'narrow bounds': 'Makes hard bounds of the guard narrower, for ever.',
  'freeze forever': 'Gives up loosening for ever: no change is executed any more.',
  withdraw: 'Takes lent tokens out to the named token account.',
  'request withdrawal': 'Queues a withdrawal that is over the limit, with a hard date.',
  'claim withdrawal': 'Takes out what a ticket has waited for.',
  'claim collateral': 'Takes out collateral that a ticket has waited for.',
  'cancel withdrawal': 'Gives a ticket back.',
  'activate standby': 'Lets a standby source take the place of one that is proved dead.',
  'enter resolution': 'Begins the orderly end of a vault.',
  'leave resolution': 'Calls the orderly end of a vault off.',
  'set keepers': 'Replaces the members of the keeper set.',
  'withdraw reserve': 'Pays what a change granted out of the reserve.',
}

/** Returns what an instruction of Rampart does; null where its name has to do. */
export function sentenceOf(name: string): string | null {
  return SENTENCES[name] ?? null
}
