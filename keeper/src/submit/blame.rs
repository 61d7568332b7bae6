//! Which program refused. Pure.
//!
//! Every Anchor program numbers its own errors from 6000 on, so a number alone says nothing. An instruction of ours that
//! hands over to a route's program fails with the route's number where the route fails; only the logs tell the two apart.

use super::sign::called_by;
use anchor_lang::Discriminator;
use rampart::instruction::{LiquidateBySwap, Rebalance};
use solana_sdk::instruction::InstructionError;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::TransactionError;

/// Who raised the error of a failed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raiser {
    /// Our program, with this code.
    Ours(u32),
    /// Our program or one that it called, with this code: the logs tell.
    OursOrRoute(u32),
    /// The runtime, or a program that has nothing to do with ours.
    Other,
}

/// Tells who raised `error`, by the instruction of `bytes` that failed.
pub fn raiser(bytes: &[u8], error: &TransactionError) -> Raiser {
    let TransactionError::InstructionError(index, InstructionError::Custom(code)) = error else {
        return Raiser::Other;
    };
    match called_by(bytes, *index).filter(|(program, _)| *program == rampart::ID) {
        Some((_, data)) if runs_a_route(&data) => Raiser::OursOrRoute(*code),
        // whatever else it calls are the system's and the tokens' programs, and mints with a hook are not admitted
        Some(_) => Raiser::Ours(*code),
        None => Raiser::Other,
    }
}

fn runs_a_route(data: &[u8]) -> bool {
    [LiquidateBySwap::DISCRIMINATOR, Rebalance::DISCRIMINATOR].iter().any(|tag| data.starts_with(tag))
}

/// Returns the program that raised `code`, by the logs of the failed transaction; nothing where they don't say.
///
/// A failure is logged by the program that raised it first, then by each that called it. A program can't write such a
/// line: what it logs is prefixed.
pub fn raised_by<T: AsRef<str>>(logs: &[T], code: u32) -> Option<Pubkey> {
    // lines were left out, perhaps that of the innermost program
    if logs.iter().any(|line| line.as_ref() == "Log truncated") {
        return None;
    }
    let (program, error) = logs.iter().find_map(|line| {
        let (program, rest) = line.as_ref().strip_prefix("Program ")?.split_once(' ')?;
        Some((program, rest.strip_prefix("failed: ")?))
    })?;
    let told = u32::from_str_radix(error.strip_prefix("custom program error: 0x")?, 16).ok()?;
    if told == code { program.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Pubkey = Pubkey::new_from_array([4; 32]);
    const CODE: u32 = 6_055;

    fn logs(lines: &[String]) -> Vec<String> {
        let budget = "ComputeBudget111111111111111111111111111111";
        let start = [format!("Program {budget} invoke [1]"), format!("Program {budget} success")];
        start.into_iter().chain([format!("Program {} invoke [1]", rampart::ID)]).chain(lines.to_vec()).collect()
    }

    fn failed(program: Pubkey, code: u32) -> String {
        format!("Program {program} failed: custom program error: 0x{code:x}")
    }

    #[test]
    fn the_innermost_program_raised_it() {
        let inner = logs(&[format!("Program {ROUTE} invoke [2]"), failed(ROUTE, CODE), failed(rampart::ID, CODE)]);
        assert_eq!(raised_by(&inner, CODE), Some(ROUTE));
        let done =
            [format!("Program {ROUTE} invoke [2]"), format!("Program {ROUTE} success"), failed(rampart::ID, CODE)];
        assert_eq!(raised_by(&logs(&done), CODE), Some(rampart::ID), "the route succeeded, and ours refused");
    }

    #[test]
    fn logs_that_do_not_say_name_nobody() {
        assert_eq!(raised_by::<&str>(&[], CODE), None, "none");
        let other = [failed(rampart::ID, CODE + 1)];
        assert_eq!(raised_by(&logs(&other), CODE), None, "another code");
        let cut = ["Log truncated".to_owned(), failed(rampart::ID, CODE)];
        assert_eq!(raised_by(&logs(&cut), CODE), None, "the inner line may be missing");
        let units = [format!("Program {ROUTE} failed: exceeded CUs meter at BPF instruction")];
        assert_eq!(raised_by(&logs(&units), CODE), None, "no code");
        let forged = [format!("Program log: {}", failed(rampart::ID, CODE)), failed(ROUTE, CODE)];
        assert_eq!(raised_by(&logs(&forged), CODE), Some(ROUTE), "what a program writes is prefixed");
    }
}
