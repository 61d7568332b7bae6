//! What the risk engine (`rampart-score`) makes of the keeper's view: one engine for each asset and vault.
//!
//! Owns the way from assessed accounts to the engine's readings, and what is said of each subject. Judges nothing itself,
//! waits for nothing: fed by the engine's task once a second of chain time. What it says is advice: it is reported on chain
//! for the median of the guard's keepers, and shown. Learned policies decide beside it, in shadow (`shadow`).

mod candles;
mod error;
mod exits;
mod past;
pub(crate) mod place;
mod pool;
mod readings;
mod shadow;

use crate::assess::Assessment;
use crate::chain::clock::ChainTime;
use crate::config::ScoreSettings;
use crate::decide::bands::Bands;
use crate::decide::reports::{Opinion, subjects};
use crate::early::{self, Board};
use crate::view::{ModelView, ScoreView, ScoredView};
use crate::watch::index::PriceIndex;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use candles::Candles;
pub use error::ScoreError;
pub use exits::Placed;
pub use past::Past;
use place::Places;
use pool::Pool;
use rampart::state::ReportParts;
use rampart_client::address;
use rampart_score::band::Band;
use rampart_score::engine::{Assessment as Said, Engine, Settings};
use rampart_score::input::Input;
use rampart_score::model::Model;
use rampart_score::score::{Explanation, ReportShares, Score};
use rampart_score::state::{MARKETS_MAX, Operations, Portfolio};
use readings::{Heard, Priced, dollars};
pub use shadow::Decided;
use shadow::Shadow;
use std::collections::BTreeMap;
use std::path::Path;

/// How long an earlier score is kept to say what moved since, seconds.
const EARLIER_SECS: i64 = 3_600;
/// Time between two returns of the portfolio, seconds.
const RETURN_SECS: i64 = 60;
/// Variance of a day from which an asset is one of the majors whose moves explain another's: a volatility of 1 %. Stablecoins
/// are below it.
const MAJOR_VARIANCE: f64 = 1e-4;

/// The risk engines of a guard's assets and vaults.
pub struct Scorer {
    settings: ScoreSettings,
    model: Option<Model>,
    past: Past,
    subjects: BTreeMap<Pubkey, Watched>,
    pools: BTreeMap<Pubkey, Pool>,
    places: Places,
    dependence: Dependence,
    heard: Heard,
    operations: Operations,
    shadow: Shadow,
    last_ts: i64,
}

/// One subject.
struct Watched {
    engine: Engine,
    candles: Candles,
    said: Option<Said>,
    earlier: Option<(i64, Score)>,
}

/// How the assets move together.
#[derive(Default)]
struct Dependence {
    assets: Vec<Pubkey>,
    portfolio: Option<Portfolio>,
    closes: Vec<Option<f64>>,
    last_ts: i64,
}

/// What the scorer is told of the chain's state.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Accounts.
    pub store: &'a Store,
    /// What they mean.
    pub assessment: &'a Assessment,
    /// Positions by the price at which they cross.
    pub index: &'a PriceIndex,
    /// Prices that aren't on chain yet.
    pub early: &'a Board,
    /// Who reports, where this keeper does.
    pub signer: &'a Pubkey,
    /// The newest slot that any source told of.
    pub tip_slot: u64,
}

/// What is said of one subject, for people.
#[derive(Clone, Copy, Debug)]
pub struct Spoken<'a> {
    /// All of it.
    pub said: &'a Said,
    /// What moved it within about an hour.
    pub explanation: Explanation,
}

impl Scorer {
    /// Starts with nothing seen.
    ///
    /// # Errors
    /// `Read`, `Model`.
    pub fn new(settings: &ScoreSettings) -> Result<Self, ScoreError> {
        Ok(Self {
            model: Some(settings.model_file.as_deref().map_or_else(built_in, read)?),
            shadow: Shadow::new(settings.library_file.as_deref().filter(|_| settings.enabled)),
            places: Places::of(settings),
            settings: settings.clone(),
            past: Past::default(),
            subjects: BTreeMap::new(),
            pools: BTreeMap::new(),
            dependence: Dependence::default(),
            heard: Heard::default(),
            operations: Operations::default(),
            last_ts: 0,
        })
    }

    /// Keeps in `dir` what has to outlive a restart.
    pub fn keep_in(&mut self, dir: &Path) {
        self.shadow.keep_in(dir);
    }

    /// Takes prices from before the start over: of subjects that are seen for the first time from now on.
    pub fn remember(&mut self, past: Past) {
        self.past = past;
    }

    /// Returns version and hash of the model in use.
    pub fn model(&self) -> Option<(u32, &str)> {
        self.model.as_ref().map(|model| (model.card().version, model.hash()))
    }

    /// Returns what is judged by, for people.
    pub fn view(&self) -> ScoreView {
        let model = self.model().filter(|_| self.settings.enabled);
        let model = model.map(|(version, hash)| ModelView { version, hash: hash.to_owned() });
        ScoreView { model, library: self.shadow.view(), subjects: self.subjects.iter().filter_map(scored).collect() }
    }

    /// Returns what a policy in shadow and the rules would have done last about a vault, for people.
    pub fn shadow_of(&self, vault: &Pubkey) -> Option<String> {
        self.shadow.told(vault)
    }

    /// Returns the decisions in shadow since the last call.
    pub fn take_decided(&mut self) -> Decided {
        self.shadow.take_news()
    }

    /// Counts what became of a transaction, for the health of the way to the chain.
    pub fn outcome(&mut self, is_landed: bool, now: ChainTime) {
        self.operations.push_outcome(is_landed, now.unix_ts);
    }

    /// Tells whether it has looked at the chain's state.
    pub fn has_looked(&self) -> bool {
        self.last_ts > 0
    }

    /// Returns the accounts that say what the pools hold in which collateral is sold; more as they become known.
    pub fn accounts(&self, store: &Store) -> Vec<Pubkey> {
        self.places.accounts(store)
    }

    /// Looks at the chain's state; more than once a second of its time changes nothing.
    pub fn see(&mut self, seen: Seen) {
        let now = seen.assessment.now;
        if !self.settings.enabled || now.unix_ts <= self.last_ts {
            return;
        }
        self.last_ts = now.unix_ts;
        self.operations.set_slots(seen.tip_slot, now.slot);
        self.dependence.see(seen, &self.past);
        self.places.see(seen.store, seen.tip_slot, now.unix_ts);
        self.heard = early::heard_of(seen.early, seen.store, now.unix_ts);
        let mut near = BTreeMap::new();
        for (key, report) in &seen.assessment.vaults {
            near.extend(exits::near(key, seen, exits::NEAR_BPS).map(|debt| (*key, debt)));
            self.pools.entry(*key).or_default().see(&report.accrued, now.unix_ts);
        }
        let assets = seen.assessment.assets.keys().map(|key| readings::of_asset(key, seen, &self.heard));
        let vaults = seen.assessment.vaults.keys().filter_map(|key| readings::of_vault(key, seen, &self.heard));
        for priced in assets.chain(vaults).collect::<Vec<_>>() {
            self.judge(&priced, &near, seen);
        }
        self.pools.retain(|key, _| seen.assessment.vaults.contains_key(key));
        let is_there =
            |key: &Pubkey| seen.assessment.assets.contains_key(key) || seen.assessment.vaults.contains_key(key);
        self.subjects.retain(|key, _| is_there(key));
        let vaults: Vec<shadow::Vault> =
            seen.assessment.vaults.keys().filter_map(|key| self.in_shadow(key, seen)).collect();
        self.shadow.see(&vaults, now.unix_ts);
    }

    /// A vault as policies see it.
    fn in_shadow(&self, key: &Pubkey, seen: Seen) -> Option<shadow::Vault> {
        if !self.shadow.is_on() {
            return None;
        }
        let books = &seen.assessment.vaults.get(key)?.accrued;
        let debt = exits::debt(key, seen);
        let share =
            |fall_bps| exits::near(key, seen, fall_bps).zip(debt).map_or(f64::NAN, |(near, debt)| near / debt.max(1.0));
        let depth = self.market().depth(&books.collateral_asset, seen);
        Some(shadow::Vault {
            key: *key,
            said: self.subjects.get(key)?.said?,
            price: readings::of_vault(key, seen, &self.heard)?.price.known(),
            ltv_bps: books.risk.ltv_bps,
            near: [500, 1_000, 2_000].map(share),
            debt_to_depth: debt.zip(depth).map_or(f64::NAN, |(debt, depth)| debt / depth.max(1.0)),
        })
    }

    fn market(&self) -> exits::Market<'_> {
        exits::Market { settings: &self.settings, places: &self.places }
    }

    /// How far the majors, which are all other volatile assets, moved on average within about half an hour; in tokens of the
    /// subject's quote. Missing where none is watched.
    fn factor(&self, priced: &Priced, seen: Seen) -> Input {
        let moved = |key: &Pubkey| {
            let band = seen.assessment.assets.get(key)?.band.ok()?;
            self.subjects.get(key)?.engine.moved(dollars(band.mid))
        };
        let is_major = |key: &&Pubkey| {
            let market = self.subjects.get(*key).map(|watched| watched.engine.market().volatility());
            Some(**key) != priced.collateral && market.is_some_and(|market| market.variance_day() >= MAJOR_VARIANCE)
        };
        let moves: Vec<f64> = seen.assessment.assets.keys().filter(is_major).filter_map(moved).collect();
        let mean = (!moves.is_empty()).then(|| moves.iter().sum::<f64>() / moves.len() as f64);
        mean.zip(priced.quote.as_ref().map_or(Some(0.0), moved)).map(|(mean, quote)| mean - quote).into()
    }

    fn judge(&mut self, priced: &Priced, near: &BTreeMap<Pubkey, f64>, seen: Seen) {
        let (now_ts, factor) = (seen.assessment.now.unix_ts, self.factor(priced, seen));
        let traded = priced.collateral.and_then(|asset| self.places.traded(&asset));
        let exit = exits::of(priced, self.market(), near, seen);
        let watched = self.subjects.entry(priced.subject).or_insert_with(|| {
            let weights = self.settings.weights.weights();
            // CANNOT fail: costs that give no bands are refused with the settings
            let bands = self.settings.bands.of_costs().unwrap_or_default();
            let (buffer, bonus) = (priced.buffer, priced.bonus);
            let settings = Settings { buffer, bonus, weights, bands, ..Settings::default() };
            let mut engine = Engine::new(settings, self.model.clone());
            let quote = priced.quote.as_ref();
            let bars = priced.collateral.map_or_else(Vec::new, |asset| self.past.bars(&asset, quote, now_ts));
            if quote.is_some() {
                self.shadow.remember(priced.subject, &bars);
            }
            for bar in bars {
                // CANNOT be refused: bars of the past are in order and have a price
                let _ = engine.push(&bar);
            }
            Watched { engine, candles: Candles::default(), said: None, earlier: None }
        });
        watched.candles.trade(traded);
        if let Some(bar) = priced.price.known().and_then(|price| watched.candles.push(now_ts, price)) {
            // a bar that is refused is told of in the log: the past stays as it was
            if let Err(error) = watched.engine.push(&bar) {
                tracing::debug!(subject = %priced.subject, "a bar was refused: {error}");
            }
        }
        self.operations.set_peers(watched.said.map(|said| said.score.bps), &readings::peers(priced, seen));
        let flow = priced.vault.and_then(|key| self.pools.get_mut(&key)?.reading(now_ts));
        let stress = self.dependence.portfolio.as_ref().and_then(Portfolio::stress);
        let said = watched.engine.assess(&priced.readings((flow.as_ref(), stress), factor, &exit, &self.operations));
        if watched.earlier.is_none_or(|(ts, _)| now_ts.saturating_sub(ts) >= EARLIER_SECS) {
            watched.earlier = Some((now_ts, watched.said.unwrap_or(said).score));
        }
        watched.said = Some(said);
    }

    /// Returns what `signer` would report of each subject that somebody listens to.
    pub fn opinions(&self, store: &Store, signer: &Pubkey) -> BTreeMap<Pubkey, Opinion> {
        let opinion = |subject: Pubkey| {
            let said = self.subjects.get(&subject)?.said?;
            let report = address::report(&subject, signer);
            Some((subject, Opinion { parts: report_of(said.report), report }))
        };
        subjects(store).into_iter().filter_map(opinion).collect()
    }

    /// Returns what is said of a subject.
    pub fn of(&self, subject: &Pubkey) -> Option<Spoken<'_>> {
        let watched = self.subjects.get(subject)?;
        let said = watched.said.as_ref()?;
        let earlier = watched.earlier.as_ref().map(|(_, score)| score);
        Some(Spoken { said, explanation: said.score.explain(earlier) })
    }

    /// Returns how the debt of a vault is placed, from the positions as they are now; nothing without a price or a position.
    pub fn placed(&self, vault: &Pubkey, seen: Seen) -> Option<Placed> {
        exits::placed(vault, self.market(), seen).filter(|_| self.settings.enabled)
    }

    /// Returns the pool in which an asset is sold with what is known of it, for people; nothing where none is named.
    pub fn place(&self, asset: &Pubkey, assessment: &Assessment) -> Option<String> {
        self.places.told(asset, assessment)
    }

    /// Returns the band of each subject.
    pub fn bands(&self) -> Bands {
        if !self.settings.enabled {
            return Bands::Off;
        }
        let known = self.subjects.iter().filter_map(|(subject, watched)| Some((*subject, watched.said?.band)));
        Bands::Known(known.collect())
    }

    /// Returns the highest known values of all subjects, for the metrics.
    pub fn highest_of(&self, values: impl Fn(&Said) -> [Input; 2]) -> [Option<f64>; 2] {
        let said: Vec<[Input; 2]> =
            self.subjects.values().filter_map(|watched| watched.said.as_ref().map(&values)).collect();
        [0, 1].map(|at| said.iter().filter_map(|values| values[at].known()).reduce(f64::max))
    }

    /// Returns the highest score and its band, for the metrics.
    pub fn highest(&self) -> Option<(u16, Band)> {
        self.subjects.values().filter_map(|watched| watched.said.map(|said| (said.score.bps, said.band))).max()
    }
}

fn scored((subject, watched): (&Pubkey, &Watched)) -> Option<ScoredView> {
    let said = watched.said.as_ref()?;
    let ([fall_6h, fall_24h], [value_at_risk_99, value_at_risk_999]) =
        (said.falls.map(Input::known), said.value_at_risk.map(Input::known));
    let (subject, score_bps, band) = (subject.to_string(), said.score.bps, said.band.name().to_owned());
    Some(ScoredView { subject, score_bps, band, fall_6h, fall_24h, value_at_risk_99, value_at_risk_999 })
}

/// The model that the repository ships.
fn built_in() -> Result<Model, ScoreError> {
    Model::from_json(include_str!("../../../artifacts/models/crash-v1.json"))
        .map_err(|source| ScoreError::Model { path: "the one that is built in".into(), source })
}

fn read(path: &Path) -> Result<Model, ScoreError> {
    let text = std::fs::read_to_string(path).map_err(|source| ScoreError::Read { path: path.to_owned(), source })?;
    Model::from_json(&text).map_err(|source| ScoreError::Model { path: path.to_owned(), source })
}

fn report_of(shares: ReportShares) -> ReportParts {
    let ReportShares { score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps } =
        shares;
    ReportParts { score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps }
}

impl Dependence {
    fn see(&mut self, seen: Seen, past: &Past) {
        let now_ts = seen.assessment.now.unix_ts;
        let assets: Vec<Pubkey> = seen.assessment.assets.keys().copied().take(MARKETS_MAX).collect();
        if assets != self.assets {
            // one asset alone moves with nothing
            self.portfolio = Portfolio::new(assets.len()).ok();
            (self.closes, self.last_ts) = (vec![None; assets.len()], now_ts);
            self.assets = assets;
            self.remember(past, now_ts);
        }
        let price = |key: &Pubkey| seen.assessment.assets[key].band.ok().map(|band| dollars(band.mid));
        let closes: Vec<Option<f64>> = self.assets.iter().map(price).collect();
        let elapsed_secs = now_ts.saturating_sub(self.last_ts);
        let Some(portfolio) = self.portfolio.as_mut().filter(|_| elapsed_secs >= RETURN_SECS) else {
            // what is agreed on only now is compared from now on
            self.closes.iter_mut().zip(closes).for_each(|(known, now)| *known = known.or(now));
            return;
        };
        let returns = self.closes.iter().zip(&closes);
        let returns: Vec<Option<f64>> =
            returns.map(|(before, now)| before.zip(*now).map(|(before, now)| (now / before).ln())).collect();
        // what is missing leaves the stress unknown until returns are complete again
        let _ = portfolio.push(elapsed_secs as f64, &returns);
        (self.closes, self.last_ts) = (closes, now_ts);
    }

    /// Learns how the assets moved before the start.
    fn remember(&mut self, past: &Past, now_ts: i64) {
        let Some(portfolio) = &mut self.portfolio else { return };
        for (secs, returns) in past.returns(&self.assets, now_ts) {
            // CANNOT be refused: a return of each, over a time that passed
            let _ = portfolio.push(secs as f64, &returns);
        }
    }
}

#[cfg(test)]
mod tests;
