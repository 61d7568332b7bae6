//! Why the keeper acts on something, or doesn't: the shape of the answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why the keeper acts on something, or doesn't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The account.
    pub subject: String,
    /// `rule`, `group`, `position`, `vault`, `asset`, `reserve` or `guard`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Slot of the chain's clock that all of it is about.
    pub slot: u64,
    /// The answer, one plain sentence.
    pub answer: String,
    /// What was measured and what it is held against.
    pub inputs: Vec<Input>,
    /// What has to hold before the keeper acts, in the order in which it is looked at.
    pub conditions: Vec<Condition>,
    /// What to do or to look at next.
    pub next: String,
}

/// One thing that was measured or set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// What.
    pub name: String,
    /// How much, with its unit.
    pub value: String,
}

/// Something that has to hold before the keeper acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// What has to hold.
    pub what: String,
    /// Whether it does.
    pub is_met: bool,
    /// How things stand.
    pub detail: String,
}

impl Explanation {
    /// Adds something that was measured or set.
    pub fn input(&mut self, name: &str, value: impl ToString) {
        self.inputs.push(Input { name: name.to_owned(), value: value.to_string() });
    }

    /// Adds something that has to hold.
    pub fn condition(&mut self, what: &str, is_met: bool, detail: impl Into<String>) {
        self.conditions.push(Condition { what: what.to_owned(), is_met, detail: detail.into() });
    }

    /// Returns the first thing that has to hold and doesn't.
    pub fn obstacle(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| !condition.is_met)
    }
}
