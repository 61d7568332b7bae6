//! What an operator may ask of a running keeper: pause and resume classes, trip by hand, explain, reload.
//!
//! Acting needs the token of a file; the engine carries commands out between two pieces of news. Nothing here can make
//! the program do what it would not do by itself: a trip by hand is proved on chain like any other.

pub mod explain;
pub mod pauses;
pub mod token;

pub use explain::Explanation;
pub use pauses::{Group, Pause, Pauses};
pub use token::Token;

use crate::config::Config;
use crate::error::Cause;
use crate::events::unix_ts;
use anchor_lang::prelude::Pubkey;
use pauses::PauseFile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

/// Commands that may wait for the engine.
const BACKLOG: usize = 32;

/// Where an answer goes.
pub type Reply<T> = oneshot::Sender<T>;

/// Something for the engine to do between two pieces of news.
pub enum Command {
    /// Which classes are paused from now on.
    Pauses(Pauses),
    /// Settings that are in effect from now on.
    Settings(Arc<Config>),
    /// Trip a rule or a group, or say what that would do.
    Trip {
        /// The rule or group.
        target: Pubkey,
        /// Only say what it would do.
        is_dry: bool,
        /// Where the answer goes.
        reply: Reply<TripAnswer>,
    },
    /// Say why it acts, or doesn't.
    Explain {
        /// The rule, group, position, vault, asset or guard.
        subject: Pubkey,
        /// Where the answer goes; `None` for what the keeper doesn't know.
        reply: Reply<Option<Explanation>>,
    },
}

/// What a trip by hand did or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TripAnswer {
    /// Whether it is handed over to be sent; `false` also where it was only asked what would be done.
    pub is_sent: bool,
    /// Whether it can be sent now.
    pub is_possible: bool,
    /// What is or would be done, or why not.
    pub text: String,
    /// Identity of the intent, where there is one.
    pub intent: Option<String>,
    /// Value of the fence that the trip carries.
    pub fence: Option<u64>,
    /// Priority fee and compute units, where there is a plan.
    pub fee_text: Option<String>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The engine has too much to do, or is gone.
    #[error("the keeper's loop takes no commands now")]
    Busy,
    /// The pauses can't be made durable; nothing changed.
    #[error("failed to write the pauses to the disk")]
    Storage(#[source] std::io::Error),
}

/// The way of commands to the engine.
#[derive(Clone)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    pauses: Arc<Mutex<PauseFile>>,
    /// What was explained lately. Held while the engine is asked, so that it is asked one thing at a time.
    explained: Arc<Mutex<Explained>>,
    /// Places for those who wait for that.
    waiting: Arc<Semaphore>,
}

/// What was explained lately, and when.
type Explained = HashMap<Pubkey, (Instant, Option<Explanation>)>;

/// How long an explanation stands for what is asked again.
const EXPLAINED_FOR: Duration = Duration::from_secs(1);
/// The least time between two explanations: they are made by the task that trips.
const EXPLAIN_PAUSE: Duration = Duration::from_millis(20);
/// How many may wait for an explanation.
const EXPLAIN_WAITING: usize = 16;

impl Control {
    /// The way for a keeper with its state in the directory that the settings name, and its end at the engine.
    ///
    /// # Errors
    /// What the disk refuses, or a file of pauses that can't be read.
    pub fn open(config: &Config) -> Result<(Self, mpsc::Receiver<Command>), Cause> {
        let (commands, receiver) = mpsc::channel(BACKLOG);
        let pauses = PauseFile::open(&config.keeper.state_dir)?;
        let (explained, waiting) = (Arc::default(), Arc::new(Semaphore::new(EXPLAIN_WAITING)));
        Ok((Self { commands, pauses: Arc::new(Mutex::new(pauses)), explained, waiting }, receiver))
    }

    /// Returns what is paused.
    pub async fn pauses(&self) -> Pauses {
        self.pauses.lock().await.pauses().clone()
    }

    /// Pauses groups of classes: durable first, then in effect. Returns what is paused now.
    ///
    /// # Errors
    /// `Storage`, `Busy`.
    pub async fn pause(&self, groups: &[Group], reason: &str) -> Result<Pauses, ControlError> {
        let since_ts = unix_ts();
        let change = |pauses: &mut Pauses| groups.iter().for_each(|group| pauses.add(*group, reason, since_ts));
        self.change(change).await
    }

    /// Resumes groups of classes. Returns what is still paused.
    ///
    /// # Errors
    /// `Storage`, `Busy`.
    pub async fn resume(&self, groups: &[Group]) -> Result<Pauses, ControlError> {
        self.change(|pauses: &mut Pauses| groups.iter().for_each(|group| pauses.remove(*group))).await
    }

    async fn change(&self, change: impl FnOnce(&mut Pauses)) -> Result<Pauses, ControlError> {
        // Held over both steps, so that two changes reach the engine in the order of the disk.
        let mut file = self.pauses.lock().await;
        let pauses = file.change(change).map_err(ControlError::Storage)?;
        self.send(Command::Pauses(pauses.clone())).await?;
        self.explained.lock().await.clear();
        Ok(pauses)
    }

    /// Trips a rule or group, or says what that would do.
    ///
    /// # Errors
    /// `Busy`.
    pub async fn trip(&self, target: Pubkey, is_dry: bool) -> Result<TripAnswer, ControlError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Trip { target, is_dry, reply }).await?;
        self.explained.lock().await.clear();
        answer.await.map_err(|_| ControlError::Busy)
    }

    /// Says why the keeper acts on something, or doesn't; as of a second ago at most.
    ///
    /// Whoever can reach the API may ask, and the engine decides anew for it: one question at a time, with a pause after it.
    ///
    /// # Errors
    /// `Busy`, also where too many wait.
    pub async fn explain(&self, subject: Pubkey) -> Result<Option<Explanation>, ControlError> {
        let _place = self.waiting.try_acquire().map_err(|_| ControlError::Busy)?;
        let mut explained = self.explained.lock().await;
        explained.retain(|_, (at, _)| at.elapsed() < EXPLAINED_FOR);
        if let Some((_, known)) = explained.get(&subject) {
            return Ok(known.clone());
        }
        let (reply, answer) = oneshot::channel();
        self.send(Command::Explain { subject, reply }).await?;
        let answer = answer.await.map_err(|_| ControlError::Busy)?;
        explained.insert(subject, (Instant::now(), answer.clone()));
        tokio::time::sleep(EXPLAIN_PAUSE).await;
        Ok(answer)
    }

    /// Hands settings over.
    ///
    /// # Errors
    /// `Busy`.
    pub async fn settings(&self, config: Arc<Config>) -> Result<(), ControlError> {
        self.send(Command::Settings(config)).await
    }

    async fn send(&self, command: Command) -> Result<(), ControlError> {
        self.commands.send(command).await.map_err(|_| ControlError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Pubkey {
        Pubkey::new_from_array([n; 32])
    }

    async fn answer(commands: &mut mpsc::Receiver<Command>) {
        let Some(Command::Explain { subject, reply }) = commands.recv().await else { panic!("another command") };
        assert!(commands.try_recv().is_err(), "one at a time");
        let why = Explanation { subject: subject.to_string(), ..Explanation::default() };
        reply.send(Some(why)).expect("somebody waits");
    }

    /// Anybody who could reach the API could keep the task busy that trips.
    #[tokio::test]
    async fn explanations_are_made_one_at_a_time_for_a_few_and_stand_for_a_moment() {
        let dir = tempfile::tempdir().expect("a directory");
        let text = format!(
            "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"{}\"\n[keeper]\nname = \"k\"\n\
             state_dir = {:?}\n[keys]\npayer_file = \"p\"\n",
            key(1),
            dir.path()
        );
        let (control, mut commands) = Control::open(&toml::from_str(&text).expect("settings")).expect("a directory");
        let ask = |n: u8| {
            let control = control.clone();
            tokio::spawn(async move { control.explain(key(n)).await })
        };
        let asked: Vec<_> = (0..40).map(ask).collect();
        for _ in 0..EXPLAIN_WAITING {
            answer(&mut commands).await;
        }
        let answers = futures_util::future::join_all(asked).await;
        let busy = answers.iter().filter(|answer| matches!(answer, Ok(Err(ControlError::Busy)))).count();
        assert_eq!(busy, 40 - EXPLAIN_WAITING);
        let again = control.explain(key(EXPLAIN_WAITING as u8 - 1)).await.expect("an answer").expect("an account");
        assert_eq!(again.subject, key(EXPLAIN_WAITING as u8 - 1).to_string());
        assert!(commands.try_recv().is_err(), "what was just explained is not asked again");
        control.pause(&[Group::Trip], "a test").await.expect("a disk");
        assert!(matches!(commands.recv().await, Some(Command::Pauses(_))));
        let fresh = ask(EXPLAIN_WAITING as u8 - 1);
        answer(&mut commands).await;
        assert!(matches!(fresh.await, Ok(Ok(Some(_)))), "what was changed by hand is seen at once");
    }
}
