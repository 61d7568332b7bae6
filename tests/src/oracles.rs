//! Oracle accounts of the world's assets: one Pyth feed and one Switchboard feed each.

use crate::world::World;
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use rampart::state::RateSource;
use rampart::state::oracle_set::{OracleSet, OracleSource, Pin, SourceKind};
use rampart_client::{AccountMeta, Pubkey, oracle_metas};
use rampart_feeds::{VerificationLevel, pyth_price_update, switchboard_pull_feed};
use solana_sdk::account::Account;

/// The two feeds of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feeds {
    /// Pyth account.
    pub pyth: Pubkey,
    /// Its feed id.
    pub feed_id: [u8; 32],
    /// Switchboard account.
    pub switchboard: Pubkey,
    /// What both prices are multiplied with.
    pub rate: RateSource,
}

impl Feeds {
    /// Returns feeds with addresses made from `tag`.
    pub fn new(tag: u8) -> Self {
        Self {
            pyth: Pubkey::new_from_array([tag; 32]),
            feed_id: [tag; 32],
            switchboard: Pubkey::new_from_array([tag | 0x80; 32]),
            rate: RateSource::UNRATED,
        }
    }

    /// Returns both as sources, both required.
    pub fn set(&self) -> OracleSet {
        let pyth = OracleSource {
            program: PYTH_RECEIVER,
            account: self.pyth,
            feed_id: self.feed_id,
            max_age_secs: 90,
            max_confidence_bps: 200,
            kind: SourceKind::Pyth as u8,
            pin: Pin::Account as u8,
            publisher: 1,
            reserved: [0; 7],
        };
        let switchboard = OracleSource {
            program: SWITCHBOARD_ON_DEMAND,
            account: self.switchboard,
            feed_id: [0; 32],
            kind: SourceKind::Switchboard as u8,
            publisher: 2,
            ..pyth
        };
        let unused = OracleSource {
            program: Pubkey::default(),
            account: Pubkey::default(),
            feed_id: [0; 32],
            max_age_secs: 0,
            max_confidence_bps: 0,
            kind: 0,
            pin: 0,
            publisher: 0,
            reserved: [0; 7],
        };
        OracleSet {
            sources: [pyth, switchboard, unused],
            count: 2,
            required: 2,
            max_disagree_bps: 100,
            reserved: [0; 4],
            rate: self.rate,
        }
    }

    /// Returns the accounts that a reading takes, in their order.
    pub fn metas(&self) -> Vec<AccountMeta> {
        oracle_metas(&self.set())
    }
}

impl World {
    /// Publishes `dollars` on both feeds now, with a confidence of 5 bps.
    pub fn publish(&mut self, feeds: &Feeds, dollars: f64) {
        self.publish_pyth(feeds, dollars, 5, self.now_ts());
        self.publish_switchboard(feeds, dollars, 5, self.now_ts());
    }

    /// Publishes on the Pyth feed alone.
    pub fn publish_pyth(&mut self, feeds: &Feeds, dollars: f64, confidence_bps: u64, publish_ts: i64) {
        let mantissa = (dollars * 1e8).round() as i64;
        let confidence = mantissa as u64 * confidence_bps / 10_000;
        let data = pyth_price_update(
            feeds.feed_id,
            mantissa,
            confidence,
            -8,
            publish_ts,
            self.slot(),
            VerificationLevel::Full,
        );
        self.put_account(feeds.pyth, PYTH_RECEIVER, data);
    }

    /// Publishes on the Switchboard feed alone.
    pub fn publish_switchboard(&mut self, feeds: &Feeds, dollars: f64, confidence_bps: u64, publish_ts: i64) {
        let value = (dollars * 1e9).round() as i128 * 1_000_000_000;
        let deviation = value * i128::from(confidence_bps) / 10_000;
        let data = switchboard_pull_feed(value, deviation, publish_ts, self.slot());
        self.put_account(feeds.switchboard, SWITCHBOARD_ON_DEMAND, data);
    }

    /// Writes an account as the network would hold it.
    pub fn put_account(&mut self, address: Pubkey, owner: Pubkey, data: Vec<u8>) {
        let lamports = self.svm.minimum_balance_for_rent_exemption(data.len());
        let account = Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX };
        self.svm.set_account(address, account).expect("account is written");
    }
}
