//! Why this crate refused, before or after it called the guard. What the guard refuses comes through as it is.

use solana_program_error::ProgramError;

/// A refusal of this crate. As a program error it is `Custom(8_200 + n)`, beside the guard's own codes from 6_000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum GuardError {
    /// The account passed as the guard's program is another.
    WrongProgram = 8_200,
    /// The integration is not the one that the caller pinned, or isn't the guard's.
    WrongIntegration = 8_201,
    /// The return data is missing, of another program, of another layout, or about another question.
    VerdictInvalid = 8_202,
    /// The verdict was given for an earlier time.
    VerdictStale = 8_203,
    /// The verdict says no.
    NotAllowed = 8_204,
    /// The account is not the guard's program data.
    WrongProgramData = 8_205,
    /// The guard's program was deployed again since the caller pinned it.
    ProgramChanged = 8_206,
}

impl From<GuardError> for ProgramError {
    fn from(error: GuardError) -> Self {
        Self::Custom(error as u32)
    }
}
