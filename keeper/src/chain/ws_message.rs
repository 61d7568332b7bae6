//! Messages of the JSON-RPC subscription protocol: what is asked, and what comes back.

use crate::chain::rpc::{filters, update_of};
use crate::config::Commitment;
use crate::watch::feeds::Topic;
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_client::rpc_response::RpcKeyedAccount;

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The request with this id was accepted; notifications will carry the number.
    Subscribed {
        /// Id of the request.
        id: u64,
        /// Number of the subscription.
        subscription: u64,
    },
    /// The request with this id was refused.
    Refused {
        /// Id of the request.
        id: u64,
        /// What the server said.
        reason: String,
    },
    /// A new slot.
    Slot {
        /// Number of the subscription.
        subscription: u64,
        /// The slot.
        slot: u64,
    },
    /// An account of a set, with its address.
    Keyed {
        /// Number of the subscription.
        subscription: u64,
        /// Its new version.
        update: Update,
    },
    /// A single account; the subscription tells which.
    Account {
        /// Number of the subscription.
        subscription: u64,
        /// Its new version, under the default address.
        update: Update,
    },
    /// Nothing of ours, such as the answer to an unsubscription.
    Other,
}

#[derive(Deserialize)]
struct Envelope {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<Value>,
    method: Option<String>,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    result: Value,
    subscription: u64,
}

/// Returns the request that subscribes to `topic`.
pub fn subscribe(id: u64, topic: &Topic, commitment: Commitment) -> String {
    let commitment = match commitment {
        Commitment::Processed => "processed",
        Commitment::Confirmed => "confirmed",
    };
    let (method, params) = match topic {
        Topic::Slots => ("slotSubscribe", json!([])),
        Topic::Account(key) => {
            ("accountSubscribe", json!([key.to_string(), { "encoding": "base64", "commitment": commitment }]))
        }
        Topic::Children(child, parent) => {
            let config = json!({ "encoding": "base64", "commitment": commitment, "filters": filters(*child, parent) });
            ("programSubscribe", json!([rampart::ID.to_string(), config]))
        }
    };
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// Returns the request that ends a subscription.
pub fn unsubscribe(id: u64, topic: &Topic, subscription: u64) -> String {
    let method = match topic {
        Topic::Slots => "slotUnsubscribe",
        Topic::Account(_) => "accountUnsubscribe",
        Topic::Children(..) => "programUnsubscribe",
    };
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [subscription] }).to_string()
}

/// Reads a message; `None` for one that can't be read.
pub fn read(text: &str) -> Option<Incoming> {
    let envelope: Envelope = serde_json::from_str(text).ok()?;
    if let (Some(method), Some(params)) = (envelope.method, envelope.params) {
        return notification(&method, params);
    }
    let id = envelope.id?;
    if let Some(error) = envelope.error {
        return Some(Incoming::Refused { id, reason: error.to_string() });
    }
    let subscription = envelope.result.as_ref().and_then(Value::as_u64);
    Some(subscription.map_or(Incoming::Other, |subscription| Incoming::Subscribed { id, subscription }))
}

fn notification(method: &str, params: Params) -> Option<Incoming> {
    let Params { mut result, subscription } = params;
    if method == "slotNotification" {
        let slot = result.get("slot")?.as_u64()?;
        return Some(Incoming::Slot { subscription, slot });
    }
    let slot = result.get("context")?.get("slot")?.as_u64()?;
    let value = result.get_mut("value")?.take();
    match method {
        "programNotification" => {
            let update = update_of(&serde_json::from_value::<RpcKeyedAccount>(value).ok()?, slot, Origin::Push)?;
            Some(Incoming::Keyed { subscription, update })
        }
        "accountNotification" => {
            let keyed = json!({ "pubkey": Pubkey::default().to_string(), "account": value });
            let update = update_of(&serde_json::from_value::<RpcKeyedAccount>(keyed).ok()?, slot, Origin::Push)?;
            Some(Incoming::Account { subscription, update })
        }
        _ => Some(Incoming::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::feeds::Child;
    use proptest::prelude::*;

    fn account(data: &str) -> Value {
        json!({ "data": [data, "base64"], "executable": false, "lamports": 5, "owner": rampart::ID.to_string(), "rentEpoch": 0, "space": 3 })
    }

    fn notify(method: &str, result: Value) -> Option<Incoming> {
        read(
            &json!({ "jsonrpc": "2.0", "method": method, "params": { "result": result, "subscription": 7 } })
                .to_string(),
        )
    }

    #[test]
    fn account_and_program_notifications_are_read() {
        let expected = |key| Update {
            key,
            owner: rampart::ID,
            lamports: 5,
            data: vec![1, 2, 3],
            slot: 9,
            origin: Origin::Push,
            write_version: 0,
            told_by: 0,
        };
        let of = |value| json!({ "context": { "slot": 9 }, "value": value });
        let single = notify("accountNotification", of(account("AQID")));
        assert_eq!(single, Some(Incoming::Account { subscription: 7, update: expected(Pubkey::default()) }));
        let keyed = json!({ "pubkey": rampart::ID.to_string(), "account": account("AQID") });
        let keyed = notify("programNotification", of(keyed));
        assert_eq!(keyed, Some(Incoming::Keyed { subscription: 7, update: expected(rampart::ID) }));
    }

    #[test]
    fn slots_and_answers_are_read() {
        let slot = notify("slotNotification", json!({ "parent": 4, "root": 1, "slot": 5 }));
        assert_eq!(slot, Some(Incoming::Slot { subscription: 7, slot: 5 }));
        let accepted = read(r#"{"jsonrpc":"2.0","result":12,"id":3}"#);
        assert_eq!(accepted, Some(Incoming::Subscribed { id: 3, subscription: 12 }));
        assert_eq!(read(r#"{"jsonrpc":"2.0","result":true,"id":3}"#), Some(Incoming::Other));
        let refused = read(r#"{"jsonrpc":"2.0","error":{"code":-1},"id":3}"#);
        assert!(matches!(refused, Some(Incoming::Refused { id: 3, .. })));
    }

    #[test]
    fn accounts_that_can_not_be_decoded_are_refused() {
        let of = |value| json!({ "context": { "slot": 9 }, "value": value });
        assert_eq!(notify("accountNotification", of(account("*not base64*"))), None);
        assert_eq!(notify("accountNotification", of(Value::Null)), None);
        assert_eq!(notify("accountNotification", json!({ "value": account("AQID") })), None);
    }

    #[test]
    fn requests_name_their_topic() {
        let positions = subscribe(1, &Topic::Children(Child::Position, Pubkey::default()), Commitment::Processed);
        let request: Value = serde_json::from_str(&positions).unwrap();
        assert_eq!(request["method"], "programSubscribe");
        assert_eq!(request["params"][1]["filters"].as_array().unwrap().len(), 2);
        assert_eq!(request["params"][1]["commitment"], "processed");
        let end: Value = serde_json::from_str(&unsubscribe(2, &Topic::Slots, 5)).unwrap();
        assert_eq!((&end["method"], &end["params"]), (&json!("slotUnsubscribe"), &json!([5])));
    }

    proptest! {
        #[test]
        fn nothing_that_arrives_panics(text in ".{0,300}") {
            let _ = read(&text);
            let wrapped = format!(r#"{{"method":"accountNotification","params":{{"result":{{"context":{{"slot":1}},"value":{text:?}}},"subscription":1}}}}"#);
            prop_assert_eq!(read(&wrapped), None);
        }
    }
}
