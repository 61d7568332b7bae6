//! Why it acts, or doesn't: what the decision sees of one account, in the order in which it looks.

use crate::assess::{GroupReport, RuleReport};
use crate::config::Mode;
use crate::control::{Explanation, Group};
use crate::decide::bands::band_text;
use crate::decide::liquidations::band_of;
use crate::decide::wanted_about;
use crate::early;
use crate::intent::ActionClass;
use crate::plan::unit_limit;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::score::{Placed, Seen, Spoken};
use crate::submit::fee_lamports;
use crate::view::amounts::{level_name, pair_price};
use crate::view::{RuleView, View};
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::risk::gate::Pass;
use rampart::risk::health::ltv_floor;
use rampart::state::{Cause, Position};
use rampart_score::band::Band;
use rampart_score::input::Input;
use rampart_score::score::Part;

mod reserve;

/// What has to hold when everything else does.
const FREE: &str = "nothing holds it back";

impl<C: Courier> Engine<C> {
    /// Says why it acts on `subject` or doesn't; `None` for an account that it doesn't know.
    pub(in crate::run) fn explain(&self, subject: Pubkey) -> Option<Explanation> {
        let base = Explanation {
            subject: subject.to_string(),
            slot: self.assessment.now.slot,
            name: self.builder.source_name(&self.store, &subject),
            ..Explanation::default()
        };
        if let Some(report) = self.assessment.rules.get(&subject) {
            return Some(self.explain_rule(base, subject, report));
        }
        if let Some(report) = self.assessment.groups.get(&subject) {
            return Some(self.explain_group(base, subject, report));
        }
        if let Some(position) = self.store.position(&subject) {
            return Some(self.explain_position(base, subject, position));
        }
        if self.store.vault(&subject).is_some() {
            return Some(self.explain_vault(base, subject));
        }
        if self.store.asset(&subject).is_some() {
            return Some(self.explain_asset(base, subject));
        }
        if self.store.reserve().is_some_and(|(key, _)| *key == subject) {
            return Some(self.explain_reserve(base, subject));
        }
        (subject == self.store.guard_key()).then(|| self.explain_guard(base))
    }

    fn explain_rule(&self, mut why: Explanation, key: Pubkey, report: &RuleReport) -> Explanation {
        why.kind = "rule".into();
        let view = self.view();
        let Some(rule) = view.rules.iter().find(|rule| rule.address == why.subject) else { return why };
        let value = rule.value.clone().unwrap_or_else(|| "unknown".into());
        why.input("measures", format!("{} of {}", rule.metric, rule.subject_name));
        why.input("value", format!("{value} {}", rule.unit));
        why.input(
            "threshold",
            format!("{} {} {}, clear at {}", rule.comparator, rule.threshold, rule.unit, rule.clear_threshold),
        );
        distance(rule).into_iter().for_each(|text| why.input("distance", text));
        why.input(
            "streak",
            format!(
                "{} of {} observations, {} s needed",
                rule.streak.count, rule.min_observations, rule.min_persist_secs
            ),
        );
        why.input("raises", format!("{} to {}", rule.scope, rule.level_name));
        why.input("fence", format!("trip_epoch {}", rule.trip_epoch));
        let subject = self.store.rule(&key).map(|rule| rule.subject);
        self.explain_early(&mut why, &subject.into_iter().collect::<Vec<_>>());
        why.condition("the rule is switched on", rule.is_enabled, if rule.is_enabled { "on" } else { "off" });
        let verdict = rule.reason.as_ref().map_or(rule.verdict.clone(), |reason| format!("{}: {reason}", rule.verdict));
        why.condition("the rule is true", report.is_true(), format!("{verdict}, {value} {}", rule.unit));
        why.condition(
            "it has held for long enough",
            report.is_persistent,
            format!("{} observations", rule.streak.count),
        );
        let stands = if report.is_alone { "by itself" } else { "only as part of a group" };
        why.condition("it trips by itself", report.is_alone, stands);
        why.condition("its breaker has room", report.has_room, self.cause_text(report.cause));
        self.explain_way(&mut why, key, ActionClass::Trip);
        why.answer = answer_of(&why, "trip", report.cause.map(|cause| self.cause_text(Some(cause))));
        why
    }

    fn explain_group(&self, mut why: Explanation, key: Pubkey, report: &GroupReport) -> Explanation {
        why.kind = "group".into();
        let rules = self.store.group(&key).map_or(&[][..], |group| group.active());
        for rule in rules {
            let is_true = self.assessment.rules.get(rule).is_some_and(RuleReport::is_true);
            let name = self.builder.source_name(&self.store, rule);
            why.condition(&format!("rule {name} is true"), is_true, rule.to_string());
        }
        why.input("fence", format!("trip_epoch {}", self.store.group(&key).map_or(0, |group| group.trip_epoch)));
        let is_provable = report.provable.is_some();
        why.condition("all rules can be proved together", is_provable, if is_provable { "yes" } else { "not now" });
        why.condition("its breaker has room", report.has_room, self.cause_text(report.cause));
        self.explain_way(&mut why, key, ActionClass::Trip);
        why.answer = answer_of(&why, "trip", report.cause.map(|cause| self.cause_text(Some(cause))));
        why
    }

    fn explain_position(&self, mut why: Explanation, key: Pubkey, position: &Position) -> Explanation {
        why.kind = "position".into();
        why.name = format!("position of {}", self.builder.vault_name(&self.store, &position.vault));
        let Some(report) = self.assessment.vaults.get(&position.vault) else {
            why.answer = "its vault is not known yet".into();
            return why;
        };
        let vault = &report.accrued;
        let debt = vault.debt_of(position).unwrap_or(u64::MAX);
        let (soft, line) = (vault.risk.soft_line_bps, vault.risk.liquidation_line_bps);
        why.input("owner", position.owner);
        why.input("debt", format!("{debt} base units of {}", vault.loan_mint));
        why.input("collateral", format!("{} base units of {}", position.collateral_amount, vault.collateral_mint));
        why.input("lines", format!("soft {soft} bps, liquidation {line} bps"));
        why.input("fence", format!("liquidation_seq {}", position.liquidation_seq));
        let pair = report.pair.map(|(pair, _)| pair.hi);
        let price = pair.map_or_else(name_of, |p| pair_price(p, vault.collateral_decimals, vault.loan_decimals));
        why.input("price at the owner's end", &price);
        why.condition("its price is agreed", report.pair.is_ok(), &price);
        let ltv = pair.ok().and_then(|price| ltv_floor(debt, position.collateral_amount, price).ok()).map(|bps| bps.0);
        if let Some(ltv) = ltv {
            why.input("loan-to-value", format!("{ltv} bps"));
            why.input("distance", fall_text(ltv, soft, line));
        }
        let is_reached = debt > 0 && ltv.is_some_and(|ltv| ltv >= u32::from(soft));
        let ltv_text = ltv.map_or_else(|| "unknown".to_owned(), |ltv| format!("{ltv} bps"));
        why.condition("its loan-to-value is at the soft line", is_reached, ltv_text);
        let is_liquidatable = ltv.is_some_and(|ltv| ltv >= u32::from(line));
        let class = if is_liquidatable { ActionClass::Liquidate } else { ActionClass::Deleverage };
        if class == ActionClass::Deleverage {
            self.explain_band(&mut why, band_of(&position.vault, vault, &self.scorer.bands()));
        }
        let pass = report.pass.map_or_else(name_of, |pass| pass_text(pass).to_owned());
        why.condition("the level lets liquidations pass", report.pass.is_ok(), pass);
        let candidate = self.assessment.candidates.iter().find(|candidate| candidate.position == key);
        let is_in_grace = candidate.is_some_and(|candidate| candidate.is_in_grace);
        why.condition(
            "no grace time after a halt protects it",
            !is_in_grace,
            if is_in_grace { "in grace" } else { "none" },
        );
        let held = self.means().tokens.get(&vault.loan_mint).copied().unwrap_or(0);
        let plan = candidate.map(|candidate| candidate.plan(held));
        let plan_text = match plan {
            Some(Ok(plan)) => format!("repays {} and receives {} base units", plan.repay_amount, plan.seize_amount),
            Some(Err(error)) => name_of(error),
            None => "nothing to do".into(),
        };
        let is_planned = matches!(plan, Some(Ok(_)));
        why.condition("the program would take an amount", is_planned, format!("{plan_text}; the signer holds {held}"));
        self.explain_worth(&mut why, key, class);
        self.explain_way(&mut why, key, class);
        why.answer = answer_of(&why, class.as_str(), None);
        why
    }

    /// Whether the band of the own score calls for deleveraging, and how much.
    fn explain_band(&self, why: &mut Explanation, band: Option<Band>) {
        let bands = &self.policy.bands;
        let from = band_text(Some(bands.deleverage_from));
        let eagerness = if bands.is_urgent(band) { "whatever it brings" } else { "if it is worth it" };
        let text = format!("{}, {eagerness}; score.bands.deleverage_from is {from}", band_text(band));
        why.condition("its band calls for deleveraging", bands.deleverages(band), text);
    }

    /// Whether a liquidation was weighed and found to bring too little.
    fn explain_worth(&self, why: &mut Explanation, key: Pubkey, class: ActionClass) {
        let vault = self.store.position(&key).map(|position| position.vault).unwrap_or_default();
        let least = match self.policy.economics.settings.least(&vault) {
            None => {
                "whatever it brings: economics.min_profit_micro_usd is unset, or the vault is in must_do".to_owned()
            }
            Some(least) => format!("at least {least} micro-dollars, economics.min_profit_micro_usd"),
        };
        why.input("has to bring", least);
        let declined = self.history.declined(class, &key);
        let text = declined.map_or_else(|| "not declined".to_owned(), |declined| declined.to_string());
        why.condition("there is a way that is worth it", declined.is_none(), text);
    }

    fn explain_vault(&self, mut why: Explanation, key: Pubkey) -> Explanation {
        why.kind = "vault".into();
        why.name = self.builder.vault_name(&self.store, &key);
        let view = self.view();
        let Some(vault) = view.vaults.iter().find(|vault| vault.address == why.subject) else { return why };
        let price = vault.price.hi.clone().or(vault.price.reason.clone()).unwrap_or_default();
        why.input("level", format!("{}, exits {}", vault.level_name, vault.exit_level));
        for cause in &vault.causes {
            why.input("cause", format!("{}: {} until {}", cause.rule_name, cause.level_name, cause.expires_at_ts));
        }
        why.input("price", format!("{}, {price}", vault.price.state));
        why.input("positions", format!("{} with {} borrowers", vault.positions.count, vault.positions.borrowers));
        why.input("at the soft line", vault.positions.soft);
        why.input("at the liquidation line", vault.positions.liquidatable);
        why.input("declined for what they bring", vault.positions.declined);
        let report = self.assessment.vaults.get(&key);
        let pass = report.map_or(Err(RampartError::PriceIndeterminate), |report| report.pass);
        why.condition("its price is agreed", vault.price.state == "agreed", &vault.price.state);
        why.condition(
            "the level lets liquidations pass",
            pass.is_ok(),
            pass.map_or_else(name_of, |p| pass_text(p).into()),
        );
        let assets = self.store.vault(&key).map(|vault| [vault.collateral_asset, vault.loan_asset]);
        self.explain_early(&mut why, assets.as_ref().map_or(&[], |assets| assets));
        self.explain_score(&mut why, &key);
        self.explain_debt(&mut why, &key);
        self.explain_way(&mut why, key, ActionClass::Liquidate);
        let in_reach = vault.positions.soft + vault.positions.liquidatable;
        why.answer = match why.obstacle() {
            Some(obstacle) => format!("no liquidation here, it waits for \"{}\": {}", obstacle.what, obstacle.detail),
            None if in_reach == 0 => "nothing to do: no position is at its soft line".into(),
            None => format!("{in_reach} positions are in reach; ask about one of them for the detail"),
        };
        why
    }

    fn explain_asset(&self, mut why: Explanation, key: Pubkey) -> Explanation {
        why.kind = "asset".into();
        let view = self.view();
        let Some(asset) = view.assets.iter().find(|asset| asset.address == why.subject) else { return why };
        why.name.clone_from(&asset.symbol);
        why.input("level", &asset.level_name);
        for source in &asset.price.sources {
            let price = source.price.clone().unwrap_or_else(|| "no price".into());
            why.input(&format!("source {} {}", source.kind, source.publisher), format!("{price}, {}", source.state));
        }
        why.input("reference", asset.reference.price.clone().unwrap_or_else(|| "none".into()));
        let agreed = format!("{} of {} sources agree", asset.price.agreeing, asset.price.required);
        why.condition("its price is agreed", asset.price.state == "agreed", agreed);
        self.explain_early(&mut why, &[key]);
        let warm = if asset.reference.is_warm { "warm" } else { "cold" };
        why.condition("its reference is warm", asset.reference.is_warm, warm);
        if let Some(told) = self.scorer.place(&key, &self.assessment) {
            why.input("sold at", told);
        }
        self.explain_score(&mut why, &key);
        self.explain_way(&mut why, key, ActionClass::Observe);
        why.answer = answer_of(&why, "observation", None);
        why
    }

    /// What was heard of the prices of `assets` before it is on chain.
    fn explain_early(&self, why: &mut Explanation, assets: &[Pubkey]) {
        let gaps = early::gaps(&self.shared.early, &self.store, &self.assessment);
        for gap in gaps.iter().filter(|gap| assets.contains(&gap.asset)) {
            why.input(&format!("early price of {}", gap.signal), gap.text());
        }
        for signal in early::view(&self.shared.early).into_iter().filter(|signal| signal.degraded) {
            why.input(&format!("signal {}", signal.name), format!("degraded: {}", signal.reason.unwrap_or_default()));
        }
    }

    /// The risk score with its parts, those first that moved it most within about an hour.
    fn explain_score(&self, why: &mut Explanation, subject: &Pubkey) {
        let Some(Spoken { said, explanation }) = self.scorer.of(subject) else { return };
        let model = match self.scorer.model() {
            Some((version, hash)) if !said.is_demoted => format!("model {version}, {}", &hash[..hash.len().min(12)]),
            _ => "volatility alone".into(),
        };
        let since = explanation.earlier_bps.map_or(String::new(), |earlier| format!(", {earlier} up to an hour ago"));
        why.input("risk score", format!("{} bps{since}; band {:?}; judged by {model}", said.score.bps, said.band));
        let [six_hours, day] = said.falls.map(percent);
        why.input("fall through the buffer within 6 h, 24 h", format!("{six_hours}, {day}"));
        let [usual, rare] = said.value_at_risk.map(percent);
        why.input("value at risk of an hour, 99 %, 99.9 %", format!("{usual}, {rare}"));
        let weights =
            said.score.parts.iter().map(|part| format!("{} {:.0} %", part.hazard.name(), 100.0 * part.weight));
        why.input("risk: weights", weights.collect::<Vec<_>>().join(", "));
        if let Some(told) = self.scorer.shadow_of(subject) {
            why.input("policy", told);
        }
        let is_told = |part: &Part| part.share_bps >= 1.0 || !part.is_applicable;
        for line in explanation.lines.iter().filter(|line| is_told(&line.part)) {
            let missing = line.part.standing();
            let (share, change, percent) = (line.part.share_bps, line.change_bps, 100.0 * line.part.probability);
            why.input(
                &format!("risk: {}", line.part.hazard.name()),
                format!("{share:.0} bps ({change:+.0}), probability {percent:.1} %{missing}"),
            );
        }
    }

    /// How the debt of a vault is placed: what a fall would put up for liquidation, in how many hands.
    fn explain_debt(&self, why: &mut Explanation, vault: &Pubkey) {
        let seen = Seen {
            store: &self.store,
            assessment: &self.assessment,
            index: &self.index,
            early: &self.shared.early,
            signer: &self.signer,
            tip_slot: self.clock.tip_slot(),
        };
        let Some(Placed { composition, is_whole, against_depth }) = self.scorer.placed(vault, seen) else { return };
        if composition.debt() <= 0.0 {
            return;
        }
        let [five, ten, twenty] = composition.near_shares().map(|share| 100.0 * share);
        let part = if is_whole { "" } else { "; of the positions nearest to their line" };
        why.input("debt within 5, 10 and 20 % of its line", format!("{five:.1} %, {ten:.1} %, {twenty:.1} %{part}"));
        let (largest, hands) = (100.0 * composition.largest_share(), 1.0 / composition.concentration());
        why.input("largest debtor", format!("{largest:.1} % of the debt; as concentrated as {hands:.1} equal debtors"));
        let collateral = self.store.vault(vault).map(|vault| vault.collateral_asset);
        let place = collateral.and_then(|asset| self.scorer.place(&asset, &self.assessment));
        let depth = against_depth.map_or_else(
            || place.unwrap_or_else(|| "unknown: the collateral has no `score.market`".to_owned()),
            |times| format!("{times:.2} times what the market takes within 2 %"),
        );
        why.input("debt that a fall of 10 % liquidates", depth);
    }

    fn explain_guard(&self, mut why: Explanation) -> Explanation {
        why.kind = "guard".into();
        let view: View = self.view();
        why.input("level", &view.guard.level_name);
        for cause in &view.guard.causes {
            why.input("cause", format!("{}: {} until {}", cause.rule_name, cause.level_name, cause.expires_at_ts));
        }
        why.input(
            "assets, vaults, rules",
            format!("{}, {}, {}", view.assets.len(), view.vaults.len(), view.rules.len()),
        );
        let library = &view.keeper.score.library;
        for policy in library.policies.iter().filter(|policy| policy.is_chosen) {
            let (name, version, hash) = (&policy.name, policy.version, &policy.hash);
            why.input("policy in shadow", format!("{name} version {version}, {hash}; rules drive"));
        }
        library.reason.iter().for_each(|reason| why.input("library of policies", format!("refused: {reason}")));
        for reason in &view.keeper.not_ready_reasons {
            why.condition("the keeper is ready", false, reason);
        }
        for rule in view.rules.iter().filter(|rule| rule.verdict == "true") {
            why.input("rule that is true", &rule.name);
        }
        let is_raised = view.guard.level > 0;
        why.answer = match (why.obstacle(), is_raised) {
            (Some(obstacle), _) => format!("the keeper is not ready: {}", obstacle.detail),
            (None, true) => format!("the guard is at {}; its causes say why", view.guard.level_name),
            (None, false) => "the guard is at Normal and the keeper is ready".into(),
        };
        why.next = "`rampart explain <rule>` for one rule, `rampart status` for all of them".into();
        why
    }

    /// What every action of a class has to pass, whatever it is about.
    fn explain_way(&self, why: &mut Explanation, target: Pubkey, class: ActionClass) {
        let (means, group, slot) = (self.means(), Group::of(class), self.clock.tip_slot());
        let is_on = self.config.classes.is_enabled(class);
        why.condition("its class is on in the settings", is_on, format!("classes.{} = {is_on}", group.as_str()));
        let paused = self.paused().into_iter().find(|paused| paused.class == group.as_str());
        let paused_text = paused.as_ref().map_or_else(|| "not paused".into(), |p| format!("paused: {}", p.reason));
        why.condition("no operator paused its class", paused.is_none(), paused_text);
        let is_trip = class == ActionClass::Trip;
        let sources = if means.is_gapless { "complete" } else { "a gap is open" };
        why.condition("a source of data is complete", means.is_gapless || is_trip, sources);
        let least = self.config.budget.min_payer_lamports;
        let funds = format!("{} lamports, budget.min_payer_lamports is {least}", self.balance());
        why.condition("the payer is funded", means.is_funded || is_trip, funds);
        self.explain_hour(why, class);
        let room = self.policy.max_in_flight.saturating_sub(self.history.in_flight());
        why.condition(
            "there is room for one more",
            room > 0 || is_trip,
            format!("{} under way", self.history.in_flight()),
        );
        let has_blockhash = self.has_blockhash();
        why.condition("there is a fresh blockhash", has_blockhash, if has_blockhash { "yes" } else { "no" });
        let wanted = wanted_about(&target, &self.assessment, &self.store, (&self.policy, &means), &self.history);
        let held = wanted.filter(|decision| decision.intent.class == class).and_then(|decision| {
            let delay = self.policy.delay_slots(class);
            self.history.hold(&decision.intent, slot, self.store.slot_of(&target), delay)
        });
        let free = held.clone().unwrap_or_else(|| "nothing under way".into());
        why.condition(FREE, held.is_none(), free);
        let is_acting = self.config.keeper.mode == Mode::Act;
        why.condition("the keeper sends", is_acting, self.config.keeper.mode.as_str());
        let price = self.config.tx.compute_price.of(class);
        why.input("fee", format!("{} to {} micro-lamports per compute unit", price.floor, price.cap));
        why.next = "`rampart intents ls` shows what was done before; `rampart status` what holds now".into();
    }

    /// What the class has spent of the hour's fees, and whether that leaves enough for one more.
    fn explain_hour(&self, why: &mut Explanation, class: ActionClass) {
        let hour = self.courier.hour(class);
        let price = self.config.tx.compute_price.of(class);
        let least = fee_lamports(unit_limit(class), price.floor);
        let own = format!("{} lamports by {class}", hour.own_lamports);
        let Some(left) = hour.left_lamports() else {
            why.input("fees of the hour", format!("{own}; trips are never refused"));
            return;
        };
        let whole = hour.allowance_lamports.unwrap_or_default();
        let share = if class == ActionClass::Rebalance {
            "half of budget.lamports_per_hour"
        } else {
            "budget.lamports_per_hour"
        };
        why.input("fees of the hour", format!("{own}, {} by all but trips, of {whole} ({share})", hour.spent_lamports));
        why.input("kept back for trips", format!("{} lamports of the balance", hour.reserved_lamports));
        let text = format!("{left} lamports left, one costs {least} or more");
        why.condition("the hour's fees are not used up", left >= least, text);
    }

    fn cause_text(&self, cause: Option<Cause>) -> String {
        let now = self.assessment.now.unix_ts;
        cause.map_or_else(
            || "not in force".into(),
            |cause| {
                let (level, left) = (level_name(cause.level_at(now)), cause.expires_at_ts.saturating_sub(now));
                format!("in force: {level} for {left} s more")
            },
        )
    }
}

fn answer_of(why: &Explanation, act: &str, in_force: Option<String>) -> String {
    match (in_force, why.obstacle()) {
        (Some(text), _) => text,
        (None, Some(obstacle)) if obstacle.what == FREE => format!("{act}: {}", obstacle.detail),
        (None, Some(obstacle)) => format!("no {act}, it waits for \"{}\": {}", obstacle.what, obstacle.detail),
        (None, None) => format!("{act} is due now"),
    }
}

/// How far the value is from the threshold; nothing where it is unknown.
fn distance(rule: &RuleView) -> Option<String> {
    let value: u64 = rule.value.as_ref()?.parse().ok()?;
    let (far, side) = match rule.comparator.as_str() {
        "above" => (rule.threshold.checked_sub(value), "above"),
        _ => (value.checked_sub(rule.threshold), "below"),
    };
    Some(match far {
        Some(0) => "at the threshold".into(),
        Some(far) => format!("{far} {} left until it is {side} the threshold", rule.unit),
        None => format!("{} {} beyond the threshold", value.abs_diff(rule.threshold), rule.unit),
    })
}

/// How far the price may fall before the lines are reached: loan-to-value moves against the price.
fn fall_text(ltv: u32, soft: u16, line: u16) -> String {
    let fall = |line: u16| 10_000_u32.saturating_sub(ltv.saturating_mul(10_000).div_ceil(u32::from(line).max(1)));
    format!("a fall of {} bps to the soft line, {} bps to the liquidation line", fall(soft), fall(line))
}

fn percent(share: Input) -> String {
    share.known().map_or_else(|| "unknown".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

fn name_of(error: RampartError) -> String {
    format!("{error:?}")
}

const fn pass_text(pass: Pass) -> &'static str {
    match pass {
        Pass::TwoSources => "with two sources",
        _ => "yes",
    }
}
