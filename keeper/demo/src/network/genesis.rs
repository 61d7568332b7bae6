//! The accounts of an embedded network, in the form in which a validator starts with them.

use super::Network;
use crate::error::{DemoError, Outcome};
use crate::world::pool::TOKEN_SWAP;
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use rampart_client::Pubkey;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Owners of the accounts that go along. Programs, sysvars and features are the validator's own.
const OWNERS: [Pubkey; 6] = [
    rampart::ID,
    anchor_spl::token::ID,
    PYTH_RECEIVER,
    SWITCHBOARD_ON_DEMAND,
    TOKEN_SWAP,
    anchor_lang::system_program::ID,
];

/// An account as the snapshot holds it; its data in base64.
#[derive(Deserialize)]
struct Kept {
    lamports: u64,
    owner: String,
    executable: bool,
    data: String,
}

/// Accounts by address.
pub(super) struct Genesis(BTreeMap<String, Kept>);

impl Network {
    /// Returns every account of the market.
    pub(super) async fn genesis(&self) -> Outcome<Genesis> {
        let filter = json!({ "excludeSysvars": true, "excludeFeatureGates": true });
        let params = json!([{ "filter": filter, "scope": "network" }]);
        Genesis::of(self.cheat("surfnet_exportSnapshot", params, "export all accounts").await?)
    }
}

impl Genesis {
    fn of(mut snapshot: Value) -> Outcome<Self> {
        let odd =
            |error: serde_json::Error| DemoError::Rpc { doing: "export all accounts", problem: error.to_string() };
        let mut all: BTreeMap<String, Kept> = serde_json::from_value(snapshot["value"].take()).map_err(odd)?;
        let owners = OWNERS.map(|owner| owner.to_string());
        all.retain(|_, account| !account.executable && owners.contains(&account.owner));
        Ok(Self(all))
    }

    /// Writes a file for each account to `dir`, in the format of `solana account --output json`.
    pub(super) fn write(&self, dir: &Path) -> Outcome<()> {
        for (address, account) in &self.0 {
            let path = dir.join(format!("{address}.json"));
            let text = account.file(address).to_string();
            std::fs::write(&path, text).map_err(|source| DemoError::File { path, source })?;
        }
        Ok(())
    }
}

impl Kept {
    fn file(&self, address: &str) -> Value {
        json!({
            "pubkey": address,
            "account": {
                "lamports": self.lamports,
                "data": [self.data, "base64"],
                "owner": self.owner,
                "executable": false,
                "rentEpoch": u64::MAX,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_the_market_go_along_and_programs_stay() {
        let account = |owner: Pubkey, executable: bool| {
            let owner = owner.to_string();
            json!({ "lamports": 5, "owner": owner, "executable": executable, "rentEpoch": 0, "data": "AQ==" })
        };
        let snapshot = json!({ "context": {}, "value": {
            "position": account(rampart::ID, false),
            "program": account(rampart::ID, true),
            "feature": account(Pubkey::new_from_array([9; 32]), false),
        }});
        let dir = tempfile::tempdir().unwrap();
        Genesis::of(snapshot).unwrap().write(dir.path()).unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names, ["position.json"]);
        let text = std::fs::read_to_string(dir.path().join("position.json")).unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["account"]["data"], json!(["AQ==", "base64"]));
    }

    #[test]
    fn answer_of_another_shape_is_an_error() {
        assert!(matches!(Genesis::of(json!({ "value": 1 })), Err(DemoError::Rpc { .. })));
    }
}
