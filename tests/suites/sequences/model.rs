//! The reference: plain lists of what happened, and what follows from them. Slow, and in other words than the program's.

use crate::sequences::census::Counted;
use crate::sequences::leases::Leases;
use crate::sequences::levels::{Held, Scopes};
use crate::sequences::snap::{Allowed, Snap};
use crate::sequences::stage::{Cast, OWNERS, PLACES};
use crate::sequences::swaps::Swaps;
use rampart::state::rule::RuleParams;
use rampart::state::{Change, FlowCaps, Level, Levels};
use rampart_client::Pubkey;
use rampart_tests::World;
use rampart_tests::scenario::Fault;

/// Seconds of an hour and of a day.
pub const HOUR: i64 = 3_600;
/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// How a token moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In, by its owner.
    In,
    /// Out, without a debt behind it.
    Exit,
    /// Out, as new risk.
    Risk,
}

/// One movement.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// When, at the latest time that the chain had shown by then.
    pub ts: i64,
    /// How far the chain's clock lay behind that then, seconds.
    pub behind_secs: i64,
    /// Whose position.
    pub owner: usize,
    /// Base units.
    pub amount: u64,
    /// How.
    pub way: Way,
}

/// All movements of one token, and what was allowed when.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// Movements, in order.
    pub all: Vec<Flow>,
    /// From when on what was allowed.
    pub allowed: Vec<(i64, Allowed)>,
}

/// Through which budget of an integration something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Exits within normal limits.
    Exit,
    /// New risk.
    Risk,
    /// Exits while normal ones are closed.
    Floor,
}

/// What left through one integration, and its limits.
#[derive(Clone, Debug, Default)]
pub struct PlaceFlows {
    /// Outflows.
    pub all: Vec<(i64, Lane, u64)>,
    /// From when on which limits.
    pub caps: Vec<(i64, FlowCaps)>,
}

/// One pause: by one guardian, or by their quorum.
#[derive(Clone, Copy, Debug)]
pub struct PauseSpan {
    /// The guardian; none for the quorum.
    pub by: Option<Pubkey>,
    /// From when on, unix seconds.
    pub start: i64,
    /// How long, with its tail, seconds.
    pub secs: i64,
}

/// A change that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its account.
    pub key: Pubkey,
    /// The account that it is about.
    pub target: Pubkey,
    /// What stood when it was proposed.
    pub before: Change,
    /// What shall stand.
    pub next: Change,
    /// When it was proposed, unix seconds.
    pub proposed: i64,
    /// The delay of then, seconds.
    pub delay: i64,
    /// How long it may be executed, seconds.
    pub window: i64,
    /// The authority epoch of then.
    pub epoch: u64,
}

impl Pending {
    /// A longer delay is strict for everybody and needs none.
    pub fn is_longer_delay(&self) -> bool {
        matches!((&self.before, &self.next), (Change::LoosenDelay(now), Change::LoosenDelay(next)) if next > now)
    }

    /// From when on it may be executed under `delay_now`.
    pub fn ripe_at(&self, delay_now: i64) -> i64 {
        if self.is_longer_delay() { self.proposed } else { self.proposed + self.delay.max(delay_now) }
    }
}

/// An exit through the floor.
#[derive(Clone, Copy, Debug)]
pub struct FloorUse {
    /// When.
    pub ts: i64,
    /// By whom.
    pub owner: usize,
}

/// Everything that the sequence did so far.
#[derive(Clone, Debug)]
pub struct Model {
    /// The latest time that the chain has shown.
    pub latest: i64,
    /// The loan mint.
    pub loan: Flows,
    /// The collateral mint.
    pub collateral: Flows,
    /// Integrations.
    pub places: [PlaceFlows; PLACES],
    /// Levels by their causes.
    pub scopes: Scopes,
    /// Pauses.
    pub pauses: Vec<PauseSpan>,
    /// Changes that wait.
    pub pending: Vec<Pending>,
    /// Exits since anything else about limits changed, for the floor.
    pub exits: Vec<FloorUse>,
    /// When limits last changed, or tokens were missing.
    pub disturbed_ts: i64,
    /// The most that lenders had together, and the most collateral.
    pub most: (u64, u64),
    /// Tokens in the vault's accounts beyond its books; negative where some are missing. Loan, collateral.
    pub surplus: (i128, i128),
    /// Since when tokens are missing: loan, collateral.
    pub short_since: [Option<i64>; 2],
    /// Leases of the dollar limit.
    pub leases: Leases,
    /// The census that is being taken.
    pub census: Option<Counted>,
    /// Bounties.
    pub bounties: Vec<(i64, u64)>,
    /// Whether each asset's price is published and in order: collateral, loan.
    pub feeds: [Feed; 2],
    /// When keepers' reports took something off, and how much, bps: of the loan-to-value limit, of the borrow cap.
    pub cuts: [Vec<(i64, u16)>; 2],
    /// What was swapped and what the reserve did.
    pub swaps: Swaps,
    /// By how much the market pays more than the price, bps.
    pub market_bps: i64,
    /// Dollars of the collateral.
    pub dollars: f64,
    /// What it was before it last moved.
    pub dollars_before: f64,
}

/// What the sequence did to the sources of an asset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feed {
    /// What is wrong with them.
    pub fault: Option<Fault>,
    /// When both were published last, unix seconds.
    pub published: i64,
    /// At which price: a clock that goes back makes sources fresh again that stopped before the price moved.
    pub dollars: f64,
}

impl Feed {
    /// Tells whether a price can be had.
    pub fn is_good(&self, now: i64) -> bool {
        // sources that stopped are good for as long as they are fresh
        let is_sound = matches!(self.fault, None | Some(Fault::Stale));
        is_sound && (-5..=90).contains(&(now - self.published))
    }
}

impl Model {
    /// What is known of the world that sequences start from; its owners came by `built_ts`.
    pub fn new(world: &World, cast: &Cast, rules: &[Pubkey], policies: &[Pubkey], built_ts: i64) -> Self {
        let snap = Snap::of(world, cast, rules, policies);
        let now = snap.now;
        let flow = |owner, amount, way| Flow { ts: built_ts, behind_secs: 0, owner, amount, way };
        let mut loan = Flows::default();
        let mut collateral = Flows::default();
        for (owner, position) in snap.positions.iter().enumerate().take(OWNERS) {
            let Some(p) = position else { continue };
            let (shares, debt) = (p.supply_shares.get(), p.debt_scaled.get());
            loan.all.extend((shares > 0).then(|| flow(owner, 150_000_000_000, Way::In)));
            loan.all.extend((debt > 0).then(|| flow(owner, 5_500_000_000, Way::Risk)));
            collateral.all.extend((p.collateral_amount > 0).then(|| flow(owner, p.collateral_amount, Way::In)));
        }
        let mut model = Self {
            latest: now,
            loan,
            collateral,
            places: Default::default(),
            scopes: Scopes::default(),
            pauses: vec![],
            pending: vec![],
            exits: vec![],
            disturbed_ts: i64::MIN / 2,
            most: (0, 0),
            surplus: (0, 0),
            short_since: [None; 2],
            leases: Leases::default(),
            census: None,
            bounties: vec![],
            feeds: [world.sol_price(), 1.0].map(|dollars| Feed { fault: None, published: now, dollars }),
            cuts: Default::default(),
            swaps: Swaps::default(),
            market_bps: 0,
            dollars: world.sol_price(),
            dollars_before: world.sol_price(),
        };
        model.note_limits(&snap);
        model
    }

    /// Notes what is allowed from now on.
    pub fn note_limits(&mut self, snap: &Snap) {
        self.latest = self.latest.max(snap.now);
        let (loan, collateral) = snap.allowed();
        for (flows, allowed) in [(&mut self.loan, loan), (&mut self.collateral, collateral)] {
            if flows.allowed.last().is_none_or(|(_, last)| *last != allowed) {
                flows.allowed.push((self.latest, allowed));
            }
        }
        for (place, integration) in self.places.iter_mut().zip(&snap.integrations) {
            if place.caps.last().is_none_or(|(_, last)| *last != integration.caps) {
                place.caps.push((self.latest, integration.caps));
            }
        }
        let lenders = snap.vault.lenders_amount().expect("lenders' amount");
        self.most = (self.most.0.max(lenders), self.most.1.max(snap.vault.collateral_amount));
    }

    /// Tells whether `source` holds a cause anywhere.
    pub fn holds_cause(&self, source: &Pubkey, now: i64) -> bool {
        self.scopes.all().any(|(_, held)| held.source == *source && held.level_at(now) > Level::Normal)
    }

    /// Returns a pause in force: its scope and its source.
    pub fn pause_in_force(&self, now: i64) -> Option<(Pubkey, Pubkey)> {
        let is_pause = |held: &Held| held.is_pause && held.level_at(now) > Level::Normal;
        self.scopes.all().find(|(_, held)| is_pause(held)).map(|(scope, held)| (*scope, held.source))
    }

    /// Returns the sources of the pauses in force at `scope`.
    pub fn pause_in_force_at(&self, scope: &Pubkey, now: i64) -> Vec<Pubkey> {
        let is_pause = |held: &Held| held.is_pause && held.level_at(now) > Level::Normal;
        let at = self.scopes.all().filter(|(key, held)| *key == scope && is_pause(held));
        at.map(|(_, held)| held.source).collect()
    }

    /// Returns the keys of the changes that wait.
    pub fn pending_keys(&self) -> impl Iterator<Item = Pubkey> + '_ {
        self.pending.iter().map(|p| p.key)
    }

    /// Returns the levels of the vault: of guard, vault and both assets, or Resolution.
    pub fn levels(&self, snap: &Snap) -> Levels {
        if snap.vault.resolution.is_in_force() {
            return Levels::all(Level::Resolution);
        }
        let k = &snap.keys;
        self.scopes.of(&[k.guard, k.vault, k.collateral_asset, k.loan_asset], snap.now)
    }

    /// The rule's cause, by its parameters.
    pub fn cause_of_rule(source: Pubkey, params: &RuleParams, now: i64) -> Held {
        use rampart::state::rule::Metric as M;
        let blind = [M::OracleAge, M::ConfidenceRatio, M::SourceDisagreement];
        let said = [M::KeeperMedian, M::KeeperSilence, M::KeeperSpread];
        let only_risk = blind.iter().chain(&said).any(|m| *m as u8 == params.metric);
        Held {
            source,
            level: Level::try_from(params.level).expect("level"),
            tripped: now,
            expires: now + i64::from(params.duration_secs),
            dwell: now + i64::from(params.min_dwell_secs),
            narrows_exits: !only_risk,
            is_pause: false,
        }
    }
}
