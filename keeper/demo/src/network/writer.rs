//! Oracle accounts, written as their publishers would.
//!
//! By a cheat code on Surfpool. On a validator by transactions to the fixture program `writer`, which stands at the
//! oracle programs' addresses there and takes patches: one transaction then carries all prices of a moment.

use super::{Chain, Landing, Network};
use crate::error::{DemoError, Outcome};
use rampart_client::{AccountMeta, Instruction, Pubkey};

/// Equal bytes between two changes that are cheaper to write than a new patch.
const GAP: usize = 4;

/// What an oracle account is to hold.
#[derive(Clone, Debug)]
pub struct OracleWrite {
    /// The account.
    pub address: Pubkey,
    /// The oracle's program.
    pub owner: Pubkey,
    /// All of its data.
    pub data: Vec<u8>,
}

impl Network {
    /// Writes oracle accounts.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network refuses, [`DemoError::Account`] where a validator has no such account.
    pub async fn set_oracles(&self, writes: &[OracleWrite]) -> Outcome<()> {
        match &self.chain {
            Chain::Embedded(_) => {
                for write in writes {
                    self.set_account(write).await?;
                }
                Ok(())
            }
            Chain::Validator(_) => self.patch(writes).await,
        }
    }

    async fn patch(&self, writes: &[OracleWrite]) -> Outcome<()> {
        let addresses: Vec<_> = writes.iter().map(|write| write.address).collect();
        let mut instructions = Vec::with_capacity(writes.len());
        for (write, old) in writes.iter().zip(self.accounts(&addresses).await?) {
            let old = old.filter(|account| account.owner == write.owner && account.data.len() == write.data.len());
            let old = old.ok_or_else(|| DemoError::Account {
                what: write.address.to_string(),
                problem: "there is no oracle account of this kind".to_owned(),
            })?;
            let accounts = vec![AccountMeta::new(write.address, false)];
            let data = patches(&old.data, &write.data);
            instructions.push(Instruction { program_id: write.owner, accounts, data });
        }
        match self.send(&instructions, &[]).await? {
            (_, Landing::Landed) => Ok(()),
            (_, Landing::Refused { reason, .. }) => {
                Err(DemoError::Rpc { doing: "write oracle accounts", problem: reason })
            }
        }
    }
}

/// Returns what turns `old` into `new`, which is as long: patches, each its offset, its length, and its bytes.
fn patches(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..new.len()).filter(|at| old[*at] != new[*at]) {
        match runs.last_mut() {
            Some(run) if at - run.end <= GAP => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    // oracle accounts have a few thousand bytes
    let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
    runs.into_iter().flat_map(|run| [&short(run.start)[..], &short(run.len()), &new[run]].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeder::Print;
    use crate::world::Coin;

    /// As the fixture program applies them.
    fn apply(target: &mut [u8], mut rest: &[u8]) {
        while let Some((head, tail)) = rest.split_at_checked(4) {
            let [at, len] = [[head[0], head[1]], [head[2], head[3]]].map(|b| usize::from(u16::from_le_bytes(b)));
            target[at..at + len].copy_from_slice(&tail[..len]);
            rest = &tail[len..];
        }
    }

    #[test]
    fn patches_turn_the_old_bytes_into_the_new() {
        let old = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let new = [9, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 0];
        let found = patches(&old, &new);
        assert_eq!(found, [0, 0, 1, 0, 9, 8, 0, 4, 0, 0, 9, 10, 0]);
        let mut target = old;
        apply(&mut target, &found);
        assert_eq!(target, new);
        assert!(patches(&new, &new).is_empty());
    }

    #[test]
    fn all_prices_of_a_moment_fit_into_one_transaction() {
        let at = |usd: i64, ts: i64, slot: u64| Print {
            price_e8: usd * 100_000_000 + 12_345_678,
            confidence_e8: usd.unsigned_abs() * 600_000 + slot % 1_000,
            publish_ts: ts,
            slot,
        };
        let (old, new) = (at(60_000, 1_700_000_000, 432_001), at(47_911, 1_700_000_299, 432_801));
        let bytes = |source| patches(&old.account_data(Coin::Btc, source), &new.account_data(Coin::Btc, source)).len();
        // beside them: signature, blockhash, nine keys, the compute limit, and five bytes for each instruction
        assert!(3 * (bytes(0) + bytes(1)) + 65 + 32 + 9 * 32 + 16 + 6 * 5 < 1_232, "{} {}", bytes(0), bytes(1));
    }
}
