//! Feeds a recording to the assessment and the decision.

use super::frame::Decided;
use super::{CaptureError, Frame, VERSION};
use crate::assess::assess;
use crate::chain::clock::ChainTime;
use crate::chain::fees::Market;
use crate::config::RouteKind;
use crate::decide::bands::Bands;
use crate::decide::{History, Means, Policy, decide};
use crate::economics::Economics;
use crate::route::Routes;
use crate::watch::index::PriceIndex;
use crate::watch::oracles::Found;
use crate::watch::store::{Applied, Kind, Store};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use rampart_score::band::Band;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::time::Instant;

/// One decision of a recording: what was decided then, and what is decided now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The moment on chain.
    pub at: ChainTime,
    /// What was decided then.
    pub recorded: Vec<Decided>,
    /// What is decided now.
    pub decided: Vec<Decided>,
}

impl Step {
    /// Returns whether both are the same, byte for byte.
    pub fn is_same(&self) -> bool {
        // plain strings and numbers: equal values have equal bytes
        self.recorded == self.decided
    }
}

/// What a replay saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Frames read.
    pub frames: u64,
    /// Moments at which a decision was made.
    pub steps: usize,
    /// Those of them with something to do, then or now.
    pub decided: usize,
    /// Those that differ.
    pub differing: usize,
    /// Frames that the recording lost; the replay ends there.
    pub lost: u64,
    /// Whether the recording ends in the middle, as after a crash.
    pub is_torn: bool,
}

/// Replays a recording; `on_step` sees every moment at which a decision was made.
///
/// # Errors
/// `Read`, `Frame`, `Version`. A torn end is none.
pub fn replay(path: &Path, mut on_step: impl FnMut(&Step)) -> Result<Summary, CaptureError> {
    let file = File::open(path).map_err(|source| CaptureError::Read { path: path.to_owned(), source })?;
    let mut lines = BufReader::new(GzDecoder::new(file)).lines();
    let mut summary = Summary::default();
    let mut replica: Option<Replica> = None;
    while summary.lost == 0 {
        let line = match lines.next() {
            Some(Ok(line)) => line,
            None => break,
            // without a single frame it is no recording at all
            Some(Err(error)) if error.kind() == ErrorKind::UnexpectedEof && summary.frames > 0 => {
                summary.is_torn = true;
                break;
            }
            Some(Err(source)) => return Err(CaptureError::Read { path: path.to_owned(), source }),
        };
        let damaged = |reason: String| CaptureError::Frame { path: path.to_owned(), frame: summary.frames, reason };
        let frame = match serde_json::from_str(&line) {
            Ok(frame) => frame,
            // the last line of a torn file is cut off
            Err(error) if error.is_eof() => {
                summary.is_torn = true;
                break;
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        match (frame, &mut replica) {
            (Frame::Header(header), _) if header.version != VERSION => {
                return Err(CaptureError::Version { path: path.to_owned(), found: header.version, known: VERSION });
            }
            (Frame::Header(header), slot @ None) => *slot = Some(Replica::new(header.guard, header.patience_slots)),
            (Frame::Lost { frames }, Some(_)) => summary.lost = frames,
            (frame, Some(replica)) => {
                if let Some(step) = replica.take(frame).map_err(damaged)? {
                    summary.steps += 1;
                    summary.decided += usize::from(!(step.recorded.is_empty() && step.decided.is_empty()));
                    summary.differing += usize::from(!step.is_same());
                    on_step(&step);
                }
            }
            (_, None) => return Err(damaged("it does not begin with a header".into())),
        }
        summary.frames += 1;
    }
    Ok(summary)
}

/// The part of the engine that decides, without anything that hears or acts.
struct Replica {
    store: Store,
    index: PriceIndex,
    found: Found,
    history: History,
    policy: Option<Policy>,
    pending: Option<(ChainTime, Vec<Decided>)>,
}

impl Replica {
    fn new(guard: Pubkey, patience_slots: Option<u64>) -> Self {
        Self {
            store: Store::new(guard),
            index: PriceIndex::default(),
            found: Found::new(),
            history: patience_slots.map_or_else(History::default, History::with_patience),
            policy: None,
            pending: None,
        }
    }

    /// Takes a frame in; returns a step once both of its sides are known.
    fn take(&mut self, frame: Frame) -> Result<Option<Step>, String> {
        match frame {
            Frame::Header(_) | Frame::Lost { .. } => return Err("it has a frame where none may be".into()),
            Frame::Policy {
                classes,
                stagger_slots,
                max_in_flight,
                economics: settings,
                rebalance,
                report: reports,
                bands,
                routes,
                compute_price: prices,
            } => {
                // an API would be asked anew, and knows nothing of back then
                let recorded: Vec<_> = routes.into_iter().filter(|route| route.kind != RouteKind::Jupiter).collect();
                let (routes, market) = (Routes::of(&recorded), Market::default());
                let economics = Economics { settings, rebalance, routes, prices, market };
                let fleet_delay_slots = None;
                self.policy = Some(Policy {
                    classes,
                    stagger_slots,
                    fleet_delay_slots,
                    max_in_flight,
                    reports,
                    bands,
                    economics,
                });
            }
            Frame::Account { key, owner, lamports, data, slot, is_pushed, write_version } => {
                let data = BASE64_STANDARD.decode(data).map_err(|error| error.to_string())?;
                let origin = if is_pushed { Origin::Push } else { Origin::Poll };
                self.account(Update { key, owner, lamports, data, slot, origin, write_version, told_by: 0 });
            }
            Frame::Raw { keys } => self.store.watch_raw(keys_of(&keys)?.into_iter().collect()),
            Frame::Listed { keys, slot } => {
                for gone in self.store.retain_listed(&keys_of(&keys)?.into_iter().collect(), slot) {
                    self.index.put(gone, None);
                }
            }
            Frame::Found { feeds } => {
                for (program, id, key) in feeds {
                    self.found.insert((key_of(&program)?, feed_of(&id)?), key_of(&key)?);
                }
            }
            Frame::Reindex { key } => self.index.put(key, self.store.position(&key)),
            Frame::Settle {
                slot,
                unix_ts,
                is_gapless,
                is_funded,
                is_keeper,
                fleet_delay_slots,
                market,
                tokens,
                opinions,
                bands,
            } => {
                let tokens = amounts_of(&tokens)?.into_iter().collect();
                let policy = self.policy.as_mut().ok_or("it decides without a policy")?;
                policy.fleet_delay_slots = fleet_delay_slots;
                policy.economics.market = Market::new(amounts_of(&market)?.into_iter().collect());
                let opinions = opinions.into_iter().map(|(subject, said)| Ok((key_of(&subject)?, said.into())));
                let opinions = opinions.collect::<Result<_, String>>()?;
                let known = |bands: BTreeMap<String, Band>| -> Result<_, String> {
                    let bands = bands.into_iter().map(|(subject, band)| Ok::<_, String>((key_of(&subject)?, band)));
                    Ok(Bands::Known(bands.collect::<Result<_, _>>()?))
                };
                let bands = bands.map_or(Ok(Bands::Off), known)?;
                let means = Means { is_gapless, is_funded, is_keeper, tokens, opinions, bands };
                self.settle(ChainTime { slot, unix_ts }, &means)?;
            }
            Frame::Decided { decisions } => {
                let (at, decided) = self.pending.take().ok_or("it decides without a moment")?;
                return Ok(Some(Step { at, recorded: decisions, decided }));
            }
            Frame::Started { meant, spends, slot } => {
                let spends = spends.map(|(mint, amount)| Ok::<_, String>((key_of(&mint)?, amount))).transpose()?;
                self.history.started(&meant.intent().ok_or("it has an unknown class")?, spends, slot);
            }
            Frame::NotSent { meant, slot } => {
                self.history.not_sent(&meant.intent().ok_or("it has an unknown class")?, slot);
            }
            Frame::Ended { meant, ended, slot } => {
                self.history.ended(&meant.intent().ok_or("it has an unknown class")?, &ended, slot);
            }
        }
        Ok(None)
    }

    /// As the engine takes an account in.
    fn account(&mut self, update: Update) {
        let key = update.key;
        match self.store.apply(update, Instant::now()) {
            Applied::Changed(Kind::Position) => self.index.put(key, self.store.position(&key)),
            Applied::Quarantined(_) => self.index.put(key, None),
            Applied::Changed(_) | Applied::Stale | Applied::Same | Applied::Unwanted => {}
        }
    }

    fn settle(&mut self, now: ChainTime, means: &Means) -> Result<(), String> {
        let policy = self.policy.as_ref().ok_or("it decides without a policy")?;
        let assessment = assess(&self.store, &self.index, &self.found, now);
        let decisions = decide(&assessment, &self.store, policy, means, &mut self.history);
        let Frame::Decided { decisions } = Frame::decided(&decisions) else { return Ok(()) };
        self.pending = Some((now, decisions));
        Ok(())
    }
}

fn key_of(text: &str) -> Result<Pubkey, String> {
    text.parse().map_err(|error| format!("`{text}` is no address: {error}"))
}

fn keys_of(texts: &[String]) -> Result<Vec<Pubkey>, String> {
    texts.iter().map(|text| key_of(text)).collect()
}

fn amounts_of(texts: &BTreeMap<String, u64>) -> Result<Vec<(Pubkey, u64)>, String> {
    texts.iter().map(|(key, amount)| Ok((key_of(key)?, *amount))).collect()
}

fn feed_of(hex: &str) -> Result<[u8; 32], String> {
    let byte = |at: usize| hex.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| format!("`{hex}` is no feed"))
}
