//! What keepers sent, and the promise that no two signatures of one keeper for one intent can both land.
//!
//! A trip may be given up by the word of one node. No node here is wrong about heights, so that its old bytes are dead all
//! the same, or have landed already: then the fence refuses the new ones, which is allowed and counted as refused. New
//! bytes while old ones can still land stay a violation for every class.

use crate::chain::Chain;
use crate::landing::Pending;
use crate::record::Record;
use anchor_lang::Discriminator;
use rampart::instruction as ix;
use rampart_client::Pubkey;
use solana_sdk::hash::Hash;
use solana_sdk::signature::Signature;
use std::collections::BTreeMap;

/// What a transaction does: class, target, and the fence where its instruction names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// Kind.
    pub class: &'static str,
    /// The account acted on.
    pub target: Pubkey,
    /// The value that it moves.
    pub fence: Option<u64>,
}

impl Act {
    /// Reads what a transaction does; `None` for what is none of the keeper's classes.
    pub fn of(pending: &Pending) -> Option<Self> {
        let message = &pending.transaction.message;
        // behind observations of its rules and the creation of token accounts
        let last = message.instructions.last()?;
        let program = message.account_keys.get(usize::from(last.program_id_index))?;
        if *program != rampart::ID {
            return None;
        }
        let kinds: [(&'static str, &[u8], usize, bool); 7] = [
            ("trip", ix::Trip::DISCRIMINATOR, 0, true),
            ("liquidate", ix::Liquidate::DISCRIMINATOR, 5, true),
            ("deleverage", ix::Deleverage::DISCRIMINATOR, 5, true),
            ("step_down", ix::StepDown::DISCRIMINATOR, 0, true),
            ("observe_rule", ix::ObserveRule::DISCRIMINATOR, 0, false),
            ("observe", ix::Observe::DISCRIMINATOR, 0, false),
            ("mark_halt", ix::MarkHalt::DISCRIMINATOR, 3, false),
        ];
        let (class, _, at, is_fenced) = kinds.into_iter().find(|kind| last.data.starts_with(kind.1))?;
        let target = *message.account_keys.get(usize::from(*last.accounts.get(at)?))?;
        let fence = last.data.get(8..16).filter(|_| is_fenced).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        Some(Self { class, target, fence })
    }
}

/// Everything that keepers sent and that is fenced.
#[derive(Debug, Default)]
pub struct Sends {
    by_intent: BTreeMap<(usize, Act), Vec<(Signature, Hash)>>,
}

impl Sends {
    /// Notes bytes that reached a node. Whether they go on from there makes no difference to the promise.
    pub fn arrived(&mut self, keeper: usize, pending: &Pending, chain: &Chain, record: &mut Record) {
        let Some(act) = Act::of(pending) else { return };
        let known = self.by_intent.entry((keeper, act)).or_default();
        if known.iter().any(|(signature, _)| *signature == pending.signature) {
            return;
        }
        let Act { class, target, fence } = act;
        let name = pending.signature.to_string();
        let short = &name[..8];
        record.line(&format!("keeper {keeper} sends {short} {class} {target} fence {fence:?} price {}", pending.price));
        let may_land =
            |(signature, hash): &&(Signature, Hash)| !chain.landed.contains_key(signature) && chain.is_alive(hash);
        // an observation moves nothing that could be named twice
        if let Some(other) = known.iter().find(may_land).filter(|_| fence.is_some()) {
            record.violation(format!(
                "DOUBLE keeper {keeper} signed {short} for {class} of {target} at {fence:?} while {} can still land",
                &other.0.to_string()[..8]
            ));
        }
        known.push((pending.signature, pending.blockhash()));
    }
}
