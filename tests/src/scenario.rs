//! States that several suites start from: levels in force, further vaults and guards, broken oracles.

use crate::oracles::Feeds;
use crate::world::{User, World, defaults_args};
use crate::{defaults, world};
use rampart::InitializeGuardArgs;
use rampart::state::{Asset, Breaker, Cause, CauseKind, Guard, Level, Reach, Vault};
use rampart_client::{Pubkey, VaultKeys, address, admin, lending};
use solana_sdk::signer::Signer;

/// A level lasts this long in the suites, seconds.
pub const LEVEL_SECS: i64 = 4 * 86_400;

/// Whose level is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The guard's.
    Guard,
    /// The vault's.
    Vault,
    /// The collateral's.
    CollateralAsset,
    /// The loan's.
    LoanAsset,
}

/// Every scope that a vault's level depends on.
pub const SCOPES: [Scope; 4] = [Scope::Guard, Scope::Vault, Scope::CollateralAsset, Scope::LoanAsset];

/// What may be wrong with the price of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both sources stopped.
    Stale,
    /// One source says that it isn't sure.
    Wide,
    /// The sources differ by more than the asset allows.
    Disagreeing,
    /// One source's account is gone.
    OneDead,
}

/// Every fault, with the error that new risk is refused with.
pub const FAULTS: [(Fault, rampart::error::RampartError); 4] = {
    use rampart::error::RampartError as E;
    [
        (Fault::Stale, E::PriceIndeterminate),
        (Fault::Wide, E::PriceIndeterminate),
        (Fault::Disagreeing, E::PriceDisagreement),
        (Fault::OneDead, E::PriceIndeterminate),
    ]
};

impl World {
    /// Raises a level as a trip of a rule does, for [`LEVEL_SECS`].
    pub fn raise(&mut self, scope: Scope, level: Level) {
        let now_ts = self.now_ts();
        let cause = Cause {
            source: Pubkey::new_from_array([level as u8; 32]),
            tripped_at_ts: now_ts,
            expires_at_ts: now_ts + LEVEL_SECS,
            dwell_until_ts: now_ts,
            level: level as u8,
            kind: CauseKind::Rule as u8,
            reach: Reach::All as u8,
            reserved: [0; 5],
        };
        self.with_breaker(scope, |b| b.trip(cause, now_ts).expect("level rises"));
    }

    /// Takes every cause of a scope away.
    pub fn calm(&mut self, scope: Scope) {
        self.with_breaker(scope, |b| b.causes = Breaker::default().causes);
    }

    fn with_breaker(&mut self, scope: Scope, change: impl FnOnce(&mut Breaker)) {
        let keys = self.keys;
        match scope {
            Scope::Guard => {
                let mut guard: Guard = self.load(&keys.guard);
                change(&mut guard.breaker);
                self.store(&keys.guard, &guard);
            }
            Scope::Vault => {
                let mut vault: Vault = self.load(&keys.vault);
                change(&mut vault.breaker);
                self.store(&keys.vault, &vault);
            }
            Scope::CollateralAsset => self.with_asset(&keys.collateral_asset, change),
            Scope::LoanAsset => self.with_asset(&keys.loan_asset, change),
        }
    }

    fn with_asset(&mut self, key: &Pubkey, change: impl FnOnce(&mut Breaker)) {
        let mut asset: Asset = self.load(key);
        change(&mut asset.breaker);
        self.store(key, &asset);
    }

    /// Breaks the price of one asset, whose honest price is `dollars`.
    pub fn inflict(&mut self, fault: Fault, feeds: &Feeds, dollars: f64) {
        self.set_prices(self.sol_price(), self.usdc_price());
        let now_ts = self.now_ts();
        match fault {
            Fault::Stale => {
                self.publish_pyth(feeds, dollars, 5, now_ts - 91);
                self.publish_switchboard(feeds, dollars, 5, now_ts - 91);
            }
            Fault::Wide => self.publish_pyth(feeds, dollars, 201, now_ts),
            Fault::Disagreeing => self.publish_switchboard(feeds, dollars * 1.02, 5, now_ts),
            Fault::OneDead => self.put_account(feeds.switchboard, Pubkey::default(), vec![]),
        }
    }

    /// Creates, under the same guard, the vault of the same mints the other way round.
    pub fn reversed_vault(&mut self) -> VaultKeys {
        let ix = admin::initialize_vault(self.root.pubkey(), self.guard, self.usdc, self.sol, defaults_args());
        self.send_as_root(&[ix]).expect("second vault is created");
        VaultKeys::derive(self.guard, self.usdc, self.sol)
    }

    /// Creates another guard with a vault of the same mints.
    pub fn other_guard(&mut self) -> VaultKeys {
        let root = self.root.pubkey();
        let guard = address::guard(&root, 2);
        let args =
            InitializeGuardArgs { roles: defaults::roles(root, self.risk_admin.pubkey()), bounds: defaults::bounds() };
        let asset = |feeds: Feeds| defaults::asset_args(feeds.set());
        let ixs = [
            admin::initialize_guard(root, 2, args),
            admin::register_asset(root, guard, self.sol.mint, asset(self.sol_feeds)),
            admin::register_asset(root, guard, self.usdc.mint, asset(self.usdc_feeds)),
        ];
        self.send_as_root(&ixs).expect("second guard is created");
        let ix = admin::initialize_vault(root, guard, self.sol, self.usdc, defaults_args());
        self.send_as_root(&[ix]).expect("its vault is created");
        VaultKeys::derive(guard, self.sol, self.usdc)
    }

    /// Opens `user`'s position in another vault.
    pub fn open_in(&mut self, user: &User, keys: &VaultKeys) -> Pubkey {
        let ix = lending::open_position(self.payer.pubkey(), user.address(), keys.vault);
        self.send(&[ix], &[&user.key]).expect("position is opened");
        address::position(&keys.vault, &user.address())
    }

    /// Gives `user` a balance of both tokens.
    pub fn fund(&mut self, user: &User, sol: u64, usdc: u64) {
        self.mint_to(self.sol, user.sol, sol);
        self.mint_to(self.usdc, user.usdc, usdc);
    }
}

/// The default parameters with other limits on the outflow: `loan` and `collateral` are what L never falls below.
pub fn args_with_floors(loan: u64, collateral: u64) -> rampart::InitializeVaultArgs {
    let mut args = world::defaults_args();
    args.limits.loan_flow = defaults::flow(loan);
    args.limits.collateral_flow = defaults::flow(collateral);
    args
}
