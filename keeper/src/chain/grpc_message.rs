//! Messages of Yellowstone gRPC: what is asked, and the accounts that come back.

use crate::config::Commitment;
use crate::watch::feeds::{PARENT_OFFSET, Topic};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use std::collections::BTreeSet;
use yellowstone_grpc_proto::geyser::subscribe_request_filter_accounts_filter::Filter;
use yellowstone_grpc_proto::geyser::subscribe_request_filter_accounts_filter_memcmp::Data;
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeRequestFilterAccountsFilter,
    SubscribeRequestFilterAccountsFilterMemcmp, SubscribeRequestFilterSlots, SubscribeRequestPing,
    SubscribeUpdateAccount,
};

/// Name of the filter of slots within the request of one number: what comes under it proves that the request holds.
pub fn slots_name(number: u64) -> String {
    format!("slots-{number}")
}

/// The request for all of `topics`, in place of every earlier one; `from_slot`: replayed from there.
pub fn subscribe(
    topics: &BTreeSet<Topic>,
    commitment: Commitment,
    number: u64,
    from_slot: Option<u64>,
) -> SubscribeRequest {
    let level = match commitment {
        Commitment::Processed => CommitmentLevel::Processed,
        Commitment::Confirmed => CommitmentLevel::Confirmed,
    };
    let slots = SubscribeRequestFilterSlots { filter_by_commitment: Some(true), interslot_updates: None };
    let mut request = SubscribeRequest {
        slots: [(slots_name(number), slots)].into(),
        commitment: Some(level.into()),
        from_slot,
        ..SubscribeRequest::default()
    };
    let mut single = SubscribeRequestFilterAccounts::default();
    for (at, topic) in topics.iter().enumerate() {
        match topic {
            Topic::Slots => {}
            Topic::Account(key) => single.account.push(key.to_string()),
            Topic::Children(child, parent) => {
                let filters = vec![memcmp(0, child.discriminator()), memcmp(PARENT_OFFSET, parent.as_ref())];
                let owner = vec![rampart::ID.to_string()];
                let set = SubscribeRequestFilterAccounts { owner, filters, ..Default::default() };
                request.accounts.insert(format!("set-{at}"), set);
            }
        }
    }
    // a filter without any account would be one for all accounts
    if !single.account.is_empty() {
        request.accounts.insert("single".to_owned(), single);
    }
    request
}

/// The answer to a server that asks whether anybody is there.
pub fn alive() -> SubscribeRequest {
    SubscribeRequest { ping: Some(SubscribeRequestPing { id: 1 }), ..SubscribeRequest::default() }
}

/// Reads an account and the server's count of its writes; `None` for what can't be read.
pub fn read(told: SubscribeUpdateAccount) -> Option<(Update, u64)> {
    let account = told.account?;
    let key = Pubkey::try_from(account.pubkey.as_slice()).ok()?;
    let owner = Pubkey::try_from(account.owner.as_slice()).ok()?;
    let found = Update { owner, lamports: account.lamports, ..Update::absent(key, told.slot, Origin::Push) };
    let data = if found.is_absent() { Vec::new() } else { account.data };
    Some((Update { data, ..found }, account.write_version))
}

fn memcmp(offset: usize, bytes: &[u8]) -> SubscribeRequestFilterAccountsFilter {
    let (offset, data) = (offset as u64, Some(Data::Bytes(bytes.to_vec())));
    let filter = Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset, data });
    SubscribeRequestFilterAccountsFilter { filter: Some(filter) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::feeds::Child;
    use crate::watch::testing::key;
    use yellowstone_grpc_proto::geyser::SubscribeUpdateAccountInfo;

    #[test]
    fn request_names_what_the_subscriptions_name() {
        let set = Topic::Children(Child::Position, key(2));
        let topics = BTreeSet::from([Topic::Slots, Topic::Account(key(1)), set]);
        let request = subscribe(&topics, Commitment::Confirmed, 3, Some(40));
        assert!(request.slots.contains_key("slots-3") && request.from_slot == Some(40));
        assert_eq!((request.commitment, request.accounts.len()), (Some(1), 2));
        assert_eq!(request.accounts["single"].account, [key(1).to_string()]);
        let set = request.accounts.values().find(|filter| !filter.owner.is_empty()).expect("a set");
        assert_eq!(set.filters, [memcmp(0, Child::Position.discriminator()), memcmp(8, key(2).as_ref())]);
        let slots = subscribe(&BTreeSet::from([Topic::Slots]), Commitment::Processed, 0, None);
        assert!(slots.accounts.is_empty(), "no filter for all accounts");
    }

    #[test]
    fn accounts_are_read_and_broken_ones_refused() {
        let info = SubscribeUpdateAccountInfo {
            pubkey: key(1).to_bytes().into(),
            owner: key(2).to_bytes().into(),
            lamports: 5,
            data: vec![1, 2],
            write_version: 77,
            ..Default::default()
        };
        let told = |account| SubscribeUpdateAccount { account: Some(account), slot: 9, ..Default::default() };
        let (update, written) = read(told(info.clone())).expect("an account");
        assert_eq!((update.key, update.owner, update.slot, update.data.as_slice()), (key(1), key(2), 9, &[1, 2][..]));
        assert_eq!((update.lamports, written), (5, 77));
        let closed = read(told(SubscribeUpdateAccountInfo { lamports: 0, ..info.clone() })).expect("an account");
        assert!(closed.0.is_absent() && closed.0.data.is_empty());
        assert_eq!(read(told(SubscribeUpdateAccountInfo { pubkey: vec![1; 31], ..info.clone() })), None);
        assert_eq!(read(told(SubscribeUpdateAccountInfo { owner: Vec::new(), ..info })), None);
        assert_eq!(read(SubscribeUpdateAccount::default()), None);
    }
}
