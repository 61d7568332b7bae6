//! Asks a running keeper to act: trip, pause, resume.

use super::ask::Running;
use super::explain::address_of;
use super::output::Output;
use super::{PauseArgs, ResumeArgs, TripArgs};
use crate::config::Config;
use crate::control::{Group, Pauses, Token, TripAnswer};
use crate::error::KeeperError;
use crate::http::{PauseRequest, ResumeRequest, TripRequest};
use std::io::{IsTerminal, Write};

/// Says what a trip would do, and sends it once that is confirmed.
pub(super) async fn trip(args: &TripArgs, out: Output, config: &Config) -> Result<(), KeeperError> {
    let running = Running::of(&args.ask, || Ok(config.clone()))?;
    let token = Token::read(&config.token_file())?;
    let target = address_of(&args.rule, &running.state().await?)?;
    let ask = |is_dry| TripRequest { target: target.clone(), is_dry };
    let plan: TripAnswer = running.post("/api/v1/control/trip", &token, &ask(true)).await?;
    if !plan.is_possible {
        return Err(KeeperError::Refused {
            what: format!("nothing is sent: {}", plan.text),
            hint: format!("`rampart explain {}` shows each condition", args.rule),
        });
    }
    if !(args.yes || (!out.is_json && confirmed(&plan)?)) {
        return out.print(&plan, || format!("{}nothing is sent; `--yes` sends it\n", describe(&plan)));
    }
    let answer: TripAnswer = running.post("/api/v1/control/trip", &token, &ask(false)).await?;
    if !answer.is_sent {
        let hint = format!("`rampart explain {}` shows each condition", args.rule);
        return Err(KeeperError::Refused { what: format!("nothing is sent: {}", answer.text), hint });
    }
    let intent = answer.intent.clone().unwrap_or_default();
    out.print(&answer, || format!("{}\n`rampart intents show {intent}` tells what becomes of it\n", answer.text))
}

fn describe(plan: &TripAnswer) -> String {
    let fee = plan.fee_text.as_deref().unwrap_or("unknown");
    let (intent, fence) = (plan.intent.as_deref().unwrap_or("unknown"), plan.fence.unwrap_or_default());
    format!("{}\nintent {intent}, fence trip_epoch {fence}, {fee}\n", plan.text)
}

/// Asks on a terminal; elsewhere nobody has confirmed.
fn confirmed(plan: &TripAnswer) -> Result<bool, KeeperError> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Ok(false);
    }
    let failed = |source| KeeperError::Chain { what: "ask on the terminal".into(), source: Box::new(source) };
    print!("{}", describe(plan));
    std::io::stdout().flush().map_err(failed)?;
    let asked = dialoguer::Confirm::new().with_prompt("Send it?").default(false).interact();
    asked.map_err(|error| KeeperError::Chain { what: "ask on the terminal".into(), source: Box::new(error) })
}

/// Pauses classes, all but trips if none is named.
pub(super) async fn pause(args: &PauseArgs, out: Output, config: &Config) -> Result<(), KeeperError> {
    let classes = if args.class.is_empty() { Group::WITHOUT_TRIPS.to_vec() } else { args.class.clone() };
    let request = PauseRequest { classes, reason: args.reason.clone() };
    let running = Running::of(&args.ask, || Ok(config.clone()))?;
    let token = Token::read(&config.token_file())?;
    let pauses: Pauses = running.post("/api/v1/control/pause", &token, &request).await?;
    out.print(&pauses, || paused(&pauses))
}

/// Resumes classes, all if none is named.
pub(super) async fn resume(args: &ResumeArgs, out: Output, config: &Config) -> Result<(), KeeperError> {
    let classes = if args.class.is_empty() { Group::ALL.to_vec() } else { args.class.clone() };
    let running = Running::of(&args.ask, || Ok(config.clone()))?;
    let token = Token::read(&config.token_file())?;
    let pauses: Pauses = running.post("/api/v1/control/resume", &token, &ResumeRequest { classes }).await?;
    out.print(&pauses, || paused(&pauses))
}

fn paused(pauses: &Pauses) -> String {
    if pauses.0.is_empty() {
        return "nothing is paused\n".into();
    }
    let names: Vec<&str> = pauses.0.keys().map(|group| group.as_str()).collect();
    let trips = if pauses.holds(Group::Trip) { "TRIPS ARE PAUSED, TOO" } else { "trips go on" };
    format!(
        "paused: {}; {trips}\nwhat is under way goes on to its end; `rampart resume` ends the pause\n",
        names.join(", ")
    )
}
