//! What an earlier run left on chain, by the journal.

use super::{Message, Step};
use crate::intent::{Intent, IntentId};
use crate::journal::{Signed, State, Undecided};
use anchor_lang::prelude::Pubkey;
use solana_sdk::transaction::VersionedTransaction;
use std::collections::{BTreeMap, BTreeSet};

/// How many of the newest transactions are looked at: what is older was closed, or given up, by the runs between.
pub const LOOK_BACK: u32 = 1_000;

/// A message's account that an earlier run opened, or may have opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The feed's account.
    pub target: Pubkey,
    /// When the update was published, unix seconds.
    pub publish_ts: i64,
    /// The account of the message.
    pub message: Message,
    /// Whether it was opened for certain.
    pub is_open: bool,
    /// Its transactions whose fate isn't known yet.
    pub undecided: BTreeSet<IntentId>,
}

/// Returns what has to be closed, or may have to be: opened, and by no later step closed again.
pub fn left(rows: &[Undecided]) -> Vec<Left> {
    let mut all: BTreeMap<(Pubkey, i64), Vec<(Step, &Undecided)>> = BTreeMap::new();
    for row in rows {
        if let Some((step, publish_ts)) = Step::of(&row.signed.intent) {
            all.entry((row.signed.intent.target, publish_ts)).or_default().push((step, row));
        }
    }
    all.into_iter().filter_map(|((target, publish_ts), steps)| one(target, publish_ts, &steps)).collect()
}

fn one(target: Pubkey, publish_ts: i64, steps: &[(Step, &Undecided)]) -> Option<Left> {
    let has =
        |wanted: &dyn Fn(Step) -> bool, state| steps.iter().any(|(step, row)| wanted(*step) && row.state == state);
    if has(&|step| step != Step::Open, State::Landed) {
        return None;
    }
    let open = |(step, row): &&(Step, &Undecided)| *step == Step::Open && may_have_landed(row.state);
    let message = steps.iter().find(open).and_then(|(_, row)| message_of(&row.signed))?;
    let undecided =
        steps.iter().filter(|(_, row)| !row.state.is_final()).map(|(_, row)| Intent::id(&row.signed.intent));
    let is_open = has(&|step| step == Step::Open, State::Landed);
    Some(Left { target, publish_ts, message, is_open, undecided: undecided.collect() })
}

fn may_have_landed(state: State) -> bool {
    state == State::Landed || !state.is_final()
}

/// Reads the account of the message out of the bytes that opened it.
fn message_of(signed: &Signed) -> Option<Message> {
    let transaction: VersionedTransaction = bincode::deserialize(&signed.bytes).ok()?;
    let keys = transaction.message.static_account_keys();
    let key = |index: &u8| keys.get(usize::from(*index)).copied();
    transaction.message.instructions().iter().find_map(|instruction| {
        let accounts: Option<Vec<Pubkey>> = instruction.accounts.iter().map(key).collect();
        Message::opened_by(&key(&instruction.program_id_index)?, &accounts?, &instruction.data)
    })
}
