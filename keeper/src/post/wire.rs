//! A signed update as instructions that put it on chain, where the push oracle keeps the feed.
//!
//! Full verification, which the program of this project demands, takes two transactions: the first opens an account for
//! the message and writes its head; the second writes the rest, has the signatures verified, moves the feed's account,
//! and closes the account of the message, whose rent comes back. The feed's account only ever moves forward: an older
//! update, or one that somebody else brought, succeeds and changes nothing.
//!
//! # Source
//! pyth-solana-receiver-sdk 2.0.0 (`PostUpdateParams`, `pda`); interfaces of the push oracle and of the message program and
//! the split into two transactions: github.com/pyth-network/pyth-crosschain, target_chains/solana.

use super::SignedUpdate;
use crate::early::FeedId;
use anchor_lang::prelude::{AccountMeta, Pubkey, Rent, pubkey};
use anchor_lang::solana_program::{system_instruction, system_program};
use pyth_solana_receiver_sdk::PostUpdateParams;
use pythnet_sdk::wire::v1::MerklePriceUpdate;
use rampart::oracle::{PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE};
use solana_sdk::hash::hashv;
use solana_sdk::instruction::Instruction;

/// The push oracle's accounts of a feed that are looked for: 0 is the sponsored one, others belong to those who push them.
pub const SHARDS: std::ops::Range<u16> = 0..16;
/// What of a message the first transaction writes, bytes: as much as fits beside the account's creation.
pub(super) const HEAD: usize = 700;
/// Bytes of the message's account before the message.
const MESSAGE_START: usize = 46;

/// First eight bytes of the instructions' data.
pub(super) mod discriminator {
    pub const INIT: [u8; 8] = [209, 193, 173, 25, 91, 202, 181, 218];
    pub const WRITE: [u8; 8] = [199, 208, 110, 177, 150, 76, 118, 42];
    pub const VERIFY: [u8; 8] = [103, 56, 177, 229, 240, 103, 68, 73];
    pub const CLOSE: [u8; 8] = [48, 221, 174, 198, 231, 7, 152, 38];
    pub const UPDATE: [u8; 8] = [28, 9, 93, 150, 86, 153, 188, 115];
}

/// The programs that belong to one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// Owner of price accounts.
    pub receiver: Pubkey,
    /// Keeps the feeds' accounts.
    pub push_oracle: Pubkey,
    /// Takes messages in and verifies them.
    pub verifier: Pubkey,
}

/// An account of the push oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its programs.
    pub cohort: Cohort,
    /// Which of the push oracle's accounts of the feed.
    pub shard: u16,
    /// The feed.
    pub feed: FeedId,
    /// Its address.
    pub account: Pubkey,
}

/// The account that holds a message until it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its address.
    pub address: Pubkey,
    /// The program that it belongs to.
    pub verifier: Pubkey,
    /// Who writes and closes it.
    pub authority: Pubkey,
}

impl Cohort {
    /// Both of them.
    pub const ALL: [Self; 2] = [
        Self {
            receiver: PYTH_RECEIVER,
            push_oracle: pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"),
            verifier: pubkey!("HDwcJBJXjL9FpJ7UBsYBtaDjsBUhuLCUYoz3zr8SWWaQ"),
        },
        Self {
            receiver: PYTH_RECEIVER_COMPATIBLE,
            push_oracle: pubkey!("pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou"),
            verifier: pubkey!("HDw2E7P8X1SkCyjvoGsfBGAVUutKcj874bXjHrpVYrVL"),
        },
    ];

    /// Returns the programs of the receiver that owns a price account.
    pub fn of(receiver: &Pubkey) -> Option<Self> {
        Self::ALL.into_iter().find(|cohort| cohort.receiver == *receiver)
    }

    /// Returns the push oracle's account of a feed.
    pub fn feed_account(&self, shard: u16, feed: &FeedId) -> Pubkey {
        Pubkey::find_program_address(&[&shard.to_le_bytes(), feed], &self.push_oracle).0
    }
}

impl Place {
    /// Finds a price account among those that the push oracle keeps; `None` for one that nobody can post to by it.
    pub fn find(account: &Pubkey, owner: &Pubkey, feed: &FeedId) -> Option<Self> {
        let cohort = Cohort::of(owner)?;
        let shard = SHARDS.into_iter().find(|shard| cohort.feed_account(*shard, feed) == *account)?;
        Some(Self { cohort, shard, feed: *feed, account: *account })
    }

    /// Returns the account of the message by which `payer` brings an update published at `publish_ts`.
    pub fn message(&self, payer: Pubkey, publish_ts: i64) -> Option<Message> {
        let address = Pubkey::create_with_seed(&payer, &self.seed(publish_ts), &self.cohort.verifier).ok()?;
        Some(Message { address, verifier: self.cohort.verifier, authority: payer })
    }

    /// What makes the account of a message another one than that of any other update, 32 bytes.
    fn seed(&self, publish_ts: i64) -> String {
        hex::encode(&hashv(&[self.account.as_ref(), &publish_ts.to_le_bytes()]).to_bytes()[..16])
    }

    /// Returns the instructions that open the account of an update's message; `None` where the update has no price of the
    /// feed.
    pub fn open(&self, payer: Pubkey, update: &SignedUpdate) -> Option<Vec<Instruction>> {
        let publish_ts = update.price(&self.feed)?.publish_ts;
        let message = self.message(payer, publish_ts)?;
        let len = MESSAGE_START + update.message.len();
        let create = system_instruction::create_account_with_seed(
            &payer,
            &message.address,
            &payer,
            &self.seed(publish_ts),
            Rent::default().minimum_balance(len),
            u64::try_from(len).ok()?,
            &self.cohort.verifier,
        );
        let (head, _) = parts(update);
        Some(vec![create, message.instruction(discriminator::INIT), message.write(0, head)])
    }

    /// Returns the instructions that follow once the account is open; `None` where the update has no price of the feed.
    pub fn bring(&self, payer: Pubkey, update: &SignedUpdate) -> Option<Vec<Instruction>> {
        let message = self.message(payer, update.price(&self.feed)?.publish_ts)?;
        let set = Pubkey::find_program_address(&[b"GuardianSet", &update.signer_set()], &self.cohort.verifier).0;
        let mut verify = message.instruction(discriminator::VERIFY);
        verify.accounts.push(AccountMeta::new_readonly(set, false));
        let (head, tail) = parts(update);
        let rest = (!tail.is_empty()).then(|| message.write(head.len(), tail));
        let moved = self.update(payer, message.address, update.proved(&self.feed)?)?;
        Some(rest.into_iter().chain([verify, moved, message.close()]).collect())
    }

    fn update(&self, payer: Pubkey, message: Pubkey, update: &MerklePriceUpdate) -> Option<Instruction> {
        let of_receiver = |seeds: &[&[u8]]| Pubkey::find_program_address(seeds, &self.cohort.receiver).0;
        // any of 256 accounts that fees go to will do: those of one feed use the same
        let treasury_id = self.account.to_bytes()[0];
        let params = PostUpdateParams { merkle_price_update: update.clone(), treasury_id };
        let args = borsh::to_vec(&(params, self.shard, self.feed)).ok()?;
        let accounts = vec![
            AccountMeta::new(payer, true),
            AccountMeta::new_readonly(self.cohort.receiver, false),
            AccountMeta::new_readonly(message, false),
            AccountMeta::new_readonly(of_receiver(&[b"config"]), false),
            AccountMeta::new(of_receiver(&[b"treasury", &[treasury_id]]), false),
            AccountMeta::new(self.account, false),
            AccountMeta::new_readonly(system_program::ID, false),
        ];
        let data = [&discriminator::UPDATE[..], &args].concat();
        Some(Instruction { program_id: self.cohort.push_oracle, accounts, data })
    }
}

impl Message {
    /// Returns the account that the first transaction of a posting opens; `None` for other instructions.
    pub fn opened_by(program: &Pubkey, accounts: &[Pubkey], data: &[u8]) -> Option<Self> {
        let is_known = Cohort::ALL.iter().any(|cohort| cohort.verifier == *program);
        match accounts {
            [authority, address, ..] if is_known && data.starts_with(&discriminator::INIT) => {
                Some(Self { address: *address, verifier: *program, authority: *authority })
            }
            _ => None,
        }
    }

    /// Returns the instruction that closes it; its rent goes back to who wrote it.
    pub fn close(&self) -> Instruction {
        let mut close = self.instruction(discriminator::CLOSE);
        close.accounts[0].is_writable = true;
        close
    }

    fn instruction(&self, name: [u8; 8]) -> Instruction {
        let accounts = vec![AccountMeta::new_readonly(self.authority, true), AccountMeta::new(self.address, false)];
        Instruction { program_id: self.verifier, accounts, data: name.to_vec() }
    }

    fn write(&self, index: usize, part: &[u8]) -> Instruction {
        let mut write = self.instruction(discriminator::WRITE);
        // a message is shorter than 64 KiB by its format
        for number in [index, part.len()] {
            write.data.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        write.data.extend_from_slice(part);
        write
    }
}

/// What each of the two transactions writes.
fn parts(update: &SignedUpdate) -> (&[u8], &[u8]) {
    update.message.split_at(update.message.len().min(HEAD))
}
