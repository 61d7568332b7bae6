//! The list of templates, and how one becomes a scenario.

use super::{Dice, Origin, STEP_SECS, Scenario, Split, crash, fault, incident, manipulation};
use crate::market::{Calm, World};
use rand::Rng;

/// Plays a template's attack on a calm world, and returns its first step; none if nothing is out of the ordinary.
pub(super) type Play = fn(&mut World, &mut Dice) -> Option<usize>;

/// One kind of scenario.
#[derive(Clone, Copy)]
pub struct Template {
    /// Name on the command line.
    pub name: &'static str,
    /// Hours of the world.
    pub hours: u32,
    /// The only side of the split that it may be drawn for; both if none.
    pub only: Option<Split>,
    /// What happens, in one line.
    pub about: &'static str,
    /// Where the numbers of a real incident come from; empty for a generic template.
    pub source: &'static str,
    pub(super) play: Play,
}

/// Why a scenario can't be drawn.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// No template has this name.
    #[error("no template is called `{0}`: `rampart lab attack list` shows them")]
    UnknownTemplate(String),
    /// The recording has no window that a crisis can be measured by or spliced into.
    #[error("{0} has no contiguous window that is long enough")]
    NoCalm(&'static str),
    /// The template is held out of this side of the split.
    #[error("template `{name}` belongs to the {only:?} side of the split only")]
    HeldOut {
        /// Template's name.
        name: &'static str,
        /// Side it belongs to.
        only: Split,
    },
}

impl Template {
    /// Says whether the template may be drawn for `split`.
    pub fn is_for(&self, split: Split) -> bool {
        self.only.is_none_or(|only| only == split)
    }

    fn new(name: &'static str, hours: u32, only: Option<Split>, play: Play, about: &'static str) -> Self {
        Self { name, hours, only, about, source: "", play }
    }
}

/// Returns all templates: the generic ones from crashes to combinations, then the real incidents.
pub fn templates() -> Vec<Template> {
    let test = Some(Split::Test);
    let generic = [
        Template::new("flash-crash", 96, None, crash::flash, "fall within minutes, with or without a retrace"),
        Template::new(
            "pump",
            96,
            None,
            manipulation::pump,
            "a thin venue is bought up, the first oracle follows it, debt is drawn",
        ),
        Template::new("dump", 96, test, manipulation::dump, "a thin venue is sold down to force liquidations"),
        Template::new("depeg", 144, None, crash::depeg, "the collateral loses its peg, with or without a recovery"),
        Template::new("liquidity-drain", 96, None, fault::drain, "books empty over an hour before the price moves"),
        Template::new(
            "correlated-crash",
            96,
            None,
            crash::correlated,
            "the common factor falls and takes all assets with it",
        ),
        Template::new("bank-run", 96, None, fault::run, "suppliers leave, each makes others leave"),
        Template::new("stale-oracle", 96, None, fault::stale, "both oracles freeze while the price falls"),
        Template::new(
            "keeper-outage",
            96,
            None,
            fault::outage,
            "the keeper is down from the worst minute of a crash on",
        ),
        Template::new("congestion", 96, None, fault::congestion, "few transactions land during a crash"),
        Template::new(
            "compromised-keeper",
            96,
            None,
            fault::compromise,
            "a keeper reports extremes or swings between them",
        ),
        Template::new("basis-break", 96, test, fault::basis, "perpetuals part from the spot while the hedge is needed"),
        Template::new("cascade", 96, None, crash::cascade, "liquidations push the price that triggers the next"),
        Template::new("slow-bleed", 312, None, crash::bleed, "a fall of ten days without a crash"),
        Template::new("whipsaw", 120, None, crash::whipsaw, "false crashes one after the other: punishes halts"),
        Template::new(
            "venue-wick",
            96,
            None,
            manipulation::wick,
            "one venue prints nonsense for a minute: nothing happened",
        ),
        Template::new("calm", 96, None, |_, _| None, "nothing happens"),
        Template::new("novel", 144, test, novel, "two of the others at once, drawn at random"),
    ];
    generic.into_iter().chain(incident::templates()).collect()
}

/// Returns the template called `name`.
pub fn template(name: &str) -> Result<Template, AttackError> {
    let found = templates().into_iter().find(|template| template.name == name);
    found.ok_or_else(|| AttackError::UnknownTemplate(name.to_owned()))
}

/// Draws a scenario from `template`: the same seed gives the same numbers.
pub fn generate(template: &Template, split: Split, seed: u64) -> Result<Scenario, AttackError> {
    if let Some(only) = template.only.filter(|only| *only != split) {
        return Err(AttackError::HeldOut { name: template.name, only });
    }
    let mut dice = Dice::new(template.name, split, seed);
    let steps = (template.hours * 3_600 / STEP_SECS) as usize;
    let mut world = incident::calm(template.name).world(steps, STEP_SECS, &mut dice.rng);
    let onset = (template.play)(&mut world, &mut dice);
    let concentration = incident::concentration(template.name);
    let ticks = world.finish(&mut dice.rng);
    let name = template.name.to_owned();
    let (origin, step_secs, drawn) = (Origin::Synthetic, STEP_SECS, dice.into_drawn());
    Ok(Scenario { name, origin, split, seed, step_secs, concentration, drawn, onset, ticks })
}

/// Draws `seeds` scenarios from every template that belongs to `split`; seeds count up from `first_seed`.
pub fn suite(split: Split, first_seed: u64, seeds: u64) -> impl Iterator<Item = Scenario> {
    let held = templates().into_iter().filter(move |template| template.is_for(split));
    held.flat_map(move |template| {
        (first_seed..first_seed + seeds).filter_map(move |seed| generate(&template, split, seed).ok())
    })
}

/// Two different generic templates on one world.
fn novel(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let others: Vec<Template> = templates()
        .into_iter()
        .filter(|other| other.source.is_empty() && !["novel", "calm"].contains(&other.name))
        .collect();
    let first = dice.rng.random_range(0..others.len());
    let second = (first + dice.rng.random_range(1..others.len())) % others.len();
    let onsets = [first, second].map(|index| {
        dice.prefix(&format!("{}.", others[index].name));
        (others[index].play)(world, dice)
    });
    onsets.into_iter().flatten().min()
}

/// The ordinary market of a generic template.
pub(super) fn ordinary() -> Calm {
    Calm::default()
}
