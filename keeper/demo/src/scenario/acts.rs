//! Performs what people do, by transactions of their own.

use crate::accounts;
use crate::error::Outcome;
use crate::network::{Landing, Network};
use crate::scenario::{Act, Loosening, Scheduled};
use crate::world::{Coin, VAULTS, World, params};
use rampart::error::RampartError;
use rampart::state::{Position, Switch, Vault};
use rampart::{LiquidateArgs, TightenVaultArgs, Validity, WithdrawArgs};
use rampart_client::liquidation::Liquidator;
use rampart_client::{Instruction, address, admin, lending, liquidation};
use serde::Serialize;
use solana_sdk::signature::Keypair;

/// The program's refusals that a story can meet.
const REFUSALS: [RampartError; 19] = [
    RampartError::LooseningRefused,
    RampartError::WrongAuthority,
    RampartError::LevelForbids,
    RampartError::ExitFloorUsed,
    RampartError::HourlyLimitReached,
    RampartError::DailyLimitReached,
    RampartError::LtvExceeded,
    RampartError::PriceIndeterminate,
    RampartError::PriceDisagreement,
    RampartError::PositionHealthy,
    RampartError::InsufficientCash,
    RampartError::BorrowCapReached,
    RampartError::LimiterInvalid,
    RampartError::OutsideHardBounds,
    RampartError::LiquidationSeqMoved,
    RampartError::LiquidatedThisSlot,
    RampartError::ZeroAmount,
    RampartError::AmountExceedsPosition,
    RampartError::NoDebt,
];

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// It took effect.
    Landed,
    /// The program refused it.
    Refused {
        /// Name of the program's error, or what else was in the way.
        by: String,
        /// The error's message.
        because: String,
    },
}

/// An act that was performed.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Seconds since the start.
    pub at_secs: i64,
    /// What was tried, in words.
    pub what: String,
    /// Whether the program had to refuse it.
    pub must_be_refused: bool,
    /// What became of it.
    pub answer: Answer,
}

impl Act {
    /// Returns what is tried, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::AttackerBorrows { usd } => format!("the attacker borrows {usd} dollars"),
            Self::AttackerLiquidates => "the attacker liquidates a healthy borrower".to_owned(),
            Self::BorrowsMore { borrower, usd } => format!("borrower {borrower} borrows {usd} dollars more"),
            Self::Withdraws { lender, share_bps } => {
                format!("lender {lender} withdraws {}.{:02} % of its share", share_bps / 100, share_bps % 100)
            }
            Self::Loosens(Loosening::Ltv) => "root raises the loan-to-value limit to 90 %".to_owned(),
            Self::Loosens(Loosening::Outflow) => "root raises the outflow limits".to_owned(),
            Self::Loosens(Loosening::BorrowCap) => "root lifts the borrow cap".to_owned(),
            Self::Loosens(Loosening::DisableRule) => "root disables the drawdown rule".to_owned(),
            Self::Loosens(Loosening::Threshold) => "root raises the drawdown rule's threshold to 99 %".to_owned(),
            Self::StrangerTightens => "a stranger tightens the vault to nothing".to_owned(),
            Self::KillsKeeper(rank) => format!("keeper-{} is killed", rank + 1),
            Self::RestartsKeeper(rank) => format!("keeper-{} is started again", rank + 1),
        }
    }
}

/// Performs an act of a person and waits for what becomes of it.
///
/// # Errors
/// The network's; a refusal is an [`Answer`].
pub async fn perform(network: &Network, world: &World, scheduled: Scheduled, seed_usd: [f64; 3]) -> Outcome<Record> {
    let (instruction, signer) = build(network, world, scheduled.act, seed_usd).await?;
    let (_, landing) = network.send(&[instruction], &[signer]).await?;
    Ok(Record {
        at_secs: scheduled.at_secs,
        what: scheduled.act.describe(),
        must_be_refused: scheduled.must_be_refused,
        answer: answer(landing),
    })
}

fn answer(landing: Landing) -> Answer {
    let Landing::Refused { code, reason } = landing else { return Answer::Landed };
    let known = code.and_then(|code| REFUSALS.iter().find(|error| u32::from(**error) == code));
    match known {
        Some(error) => Answer::Refused { by: error.name(), because: error.to_string() },
        None => Answer::Refused { by: "error".to_owned(), because: reason },
    }
}

async fn build<'a>(
    network: &Network,
    world: &'a World,
    act: Act,
    usd_prices: [f64; 3],
) -> Outcome<(Instruction, &'a Keypair)> {
    let usdc = |usd: u32| Coin::Usdc.amount_of_usd(f64::from(usd), usd_prices[Coin::Usdc.index()]);
    let cast = &world.cast;
    Ok(match act {
        Act::AttackerBorrows { usd } => (borrow(world, 0, &cast.attacker, usdc(usd)), cast.attacker.pair()),
        Act::BorrowsMore { borrower, usd } => {
            let who = &cast.borrowers[borrower];
            (borrow(world, who.vault, &who.key, usdc(usd)), who.key.pair())
        }
        Act::AttackerLiquidates => (liquidate(network, world).await?, cast.attacker.pair()),
        Act::Withdraws { lender, share_bps } => {
            (withdraw(network, world, lender, share_bps).await?, cast.lenders[lender].key.pair())
        }
        Act::Loosens(loosening) => (loosen(network, world, loosening).await?, cast.root.pair()),
        Act::StrangerTightens | Act::KillsKeeper(_) | Act::RestartsKeeper(_) => {
            (stranger(network, world).await?, cast.attacker.pair())
        }
    })
}

fn borrow(world: &World, vault: usize, who: &crate::world::cast::Key, amount: u64) -> Instruction {
    let token = world.token(&who.key(), Coin::Usdc);
    lending::borrow(&world.vaults[vault], who.key(), token, &world.pair_metas(vault), amount)
}

/// Liquidates whoever of the first vault started with the lowest loan-to-value.
async fn liquidate(network: &Network, world: &World) -> Outcome<Instruction> {
    let mine = world.cast.borrowers.iter().filter(|b| b.vault == 0);
    let owner = mine.min_by_key(|b| b.ltv_bps).map(|b| b.key.key()).unwrap_or_default();
    let (keys, attacker) = (&world.vaults[0], world.cast.attacker.key());
    let position = address::position(&keys.vault, &owner);
    let state: Position = accounts::read(network, &position).await?;
    let by = Liquidator {
        authority: attacker,
        loan_token: world.token(&attacker, Coin::Usdc),
        collateral_token: world.token(&attacker, VAULTS[0]),
    };
    let args =
        LiquidateArgs { liquidation_seq: state.liquidation_seq, max_repay_amount: u64::MAX, min_seize_amount: 0 };
    Ok(liquidation::liquidate(keys, position, by, &world.pair_metas(0), args))
}

async fn withdraw(network: &Network, world: &World, lender: usize, share_bps: u16) -> Outcome<Instruction> {
    let who = &world.cast.lenders[lender];
    let (keys, owner) = (&world.vaults[who.vault], who.key.key());
    let state: Position = accounts::read(network, &address::position(&keys.vault, &owner)).await?;
    let shares = state.supply_shares.get() / 10_000 * u128::from(share_bps);
    Ok(lending::withdraw(keys, owner, world.token(&owner, Coin::Usdc), WithdrawArgs { shares, min_amount: 0 }))
}

fn current_limits(vault: &Vault) -> TightenVaultArgs {
    TightenVaultArgs {
        ltv_bps: vault.risk.ltv_bps,
        supply_cap_amount: vault.limits.supply_cap_amount,
        borrow_cap_amount: vault.limits.borrow_cap_amount,
        collateral_cap_amount: vault.limits.collateral_cap_amount,
        loan_flow: vault.limits.loan_flow,
        collateral_flow: vault.limits.collateral_flow,
        inflow: vault.limits.inflow,
        scale: vault.scale,
    }
}

fn validity(network: &Network) -> Validity {
    Validity { authority_epoch: 0, expires_at_ts: network.now().unix_ts + 600 }
}

async fn loosen(network: &Network, world: &World, loosening: Loosening) -> Outcome<Instruction> {
    let (root, guard, keys) = (world.cast.root.key(), world.guard, &world.vaults[0]);
    let vault: Vault = accounts::read(network, &keys.vault).await?;
    let mut args = current_limits(&vault);
    let mut rule = params::rule_params()[0];
    match loosening {
        Loosening::Ltv => args.ltv_bps = 9_000,
        Loosening::Outflow => (args.loan_flow.hourly_bps, args.loan_flow.daily_bps) = (3_000, 6_000),
        Loosening::BorrowCap => args.borrow_cap_amount = u64::MAX,
        Loosening::DisableRule => rule.switch = Switch::Disabled as u8,
        Loosening::Threshold => rule.threshold = 9_900,
    }
    Ok(match loosening {
        Loosening::DisableRule | Loosening::Threshold => {
            admin::tighten_rule(root, guard, world.rules[0].key, rule, validity(network))
        }
        _ => admin::tighten_vault(root, guard, keys.vault, args, validity(network)),
    })
}

async fn stranger(network: &Network, world: &World) -> Outcome<Instruction> {
    let vault: Vault = accounts::read(network, &world.vaults[0].vault).await?;
    let args = TightenVaultArgs { borrow_cap_amount: 0, supply_cap_amount: 0, ..current_limits(&vault) };
    Ok(admin::tighten_vault(world.cast.attacker.key(), world.guard, world.vaults[0].vault, args, validity(network)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_named_by_its_code() {
        let landing = Landing::Refused { code: Some(u32::from(RampartError::LooseningRefused)), reason: String::new() };
        let Answer::Refused { by, because } = answer(landing) else { panic!("refused") };
        assert_eq!(by, "LooseningRefused");
        assert!(because.contains("loosen"), "{because}");
    }

    #[test]
    fn other_failure_keeps_its_reason() {
        let answer = answer(Landing::Refused { code: Some(1), reason: "token program".to_owned() });
        assert_eq!(answer, Answer::Refused { by: "error".to_owned(), because: "token program".to_owned() });
    }
}
