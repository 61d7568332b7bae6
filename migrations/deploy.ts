// What `anchor migrate` runs. It decides nothing: `rampart deploy` reads what stands on the chain, shows what is left, and does
// it where RAMPART_DEPLOY holds `--yes`. See docs/deploying.md.
//
//   RAMPART_DEPLOY   further flags of `rampart deploy`, such as `--yes --upgrade-authority ADDRESS --guard guard.toml`
//   RAMPART_BIN      the executable; `rampart` of the PATH where it is not set
const { spawnSync } = require('node:child_process')
const { homedir } = require('node:os')
const { join } = require('node:path')

module.exports = async function (provider) {
  const signer = process.env.ANCHOR_WALLET ?? join(homedir(), '.config/solana/id.json')
  const further = (process.env.RAMPART_DEPLOY ?? '').split(/\s+/).filter((flag) => flag !== '')
  const flags = ['deploy', '--url', provider.connection.rpcEndpoint, '--signer', signer, ...further]
  const done = spawnSync(process.env.RAMPART_BIN ?? 'rampart', flags, { stdio: 'inherit' })
  if (done.error) throw new Error(`rampart does not start: ${done.error.message}; RAMPART_BIN names it`)
  if (done.status !== 0) throw new Error(`rampart deploy ended with ${done.status ?? done.signal}`)
}
