//! A pause that a sign asks for: wanted until the level is raised, or nothing is left of the sign.

use super::Known;
use super::program::ProgramStanding;
use super::sign::{Sign, signs, signs_of_program};
use super::standing::Standing;
use crate::events::Severity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A pause that a sign asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Kind of the sign that asked first.
    pub sign: String,
    /// What that sign is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// How the guard stood before it.
    standing: Option<Arc<Standing>>,
    /// How the program stood before it.
    program: Option<ProgramStanding>,
}

impl Wanted {
    /// The pause that `sign` asks for, where things stood as `before`; none where it is not critical.
    pub fn by(sign: &Sign, before: &Known) -> Option<Self> {
        (sign.severity == Severity::Critical).then(|| Self {
            sign: sign.kind.to_owned(),
            subject: sign.subject.clone(),
            text: sign.text.clone(),
            standing: before.standing.clone(),
            program: before.program.clone(),
        })
    }

    /// Tells whether nothing critical is left of all that has changed since the sign.
    pub fn is_gone(&self, now: &Known) -> bool {
        let of_guard = self.standing.as_deref().zip(now.standing.as_deref());
        let of_program = self.program.as_ref().zip(now.program.as_ref());
        let of_guard = of_guard.into_iter().flat_map(|(before, now)| signs(before, now));
        let of_program = of_program.into_iter().flat_map(|(before, now)| signs_of_program(before, now));
        of_guard.chain(of_program).all(|sign| sign.severity != Severity::Critical)
    }

    /// Completes what later signs are compared with by what was known before them.
    pub fn completed(self, before: &Known) -> Self {
        let standing = self.standing.or_else(|| before.standing.clone());
        let program = self.program.or_else(|| before.program.clone());
        Self { standing, program, ..self }
    }
}
