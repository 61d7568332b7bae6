//! What is left to do, from what stands. Pure; asked anew after every act.

use super::image::Image;
use super::standing::{Buffer, Deployed, Place, Standing};
use anchor_lang::prelude::Rent;
use solana_loader_v3_interface::state::UpgradeableLoaderState as Loader;
use solana_sdk::pubkey::Pubkey;

/// Bytes that one transaction writes: as many as fit into a packet beside a compute limit and a price.
pub const CHUNK: usize = 952;
/// The fewest bytes by which a program's room grows at once, as later loaders ask.
const LEAST_ROOM: usize = 10_240;
/// What a signature costs, lamports.
const FEE_LAMPORTS: u64 = 5_000;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the account that bytes are gathered in.
    CreateBuffer {
        /// Lamports that it holds already.
        held_lamports: u64,
    },
    /// Write what the buffer lacks.
    Write {
        /// Where the missing chunks begin.
        offsets: Vec<usize>,
    },
    /// Put the program at its address.
    Deploy {
        /// Lamports that the address holds already.
        held_lamports: u64,
    },
    /// Make room for a longer program.
    Extend {
        /// By how many bytes.
        bytes: usize,
    },
    /// Replace the program.
    Upgrade,
    /// Give the buffer to who may replace the program.
    HandBuffer {
        /// To whom.
        to: Pubkey,
    },
    /// Somebody else has to replace the program from the buffer.
    Await {
        /// Who.
        by: Pubkey,
    },
    /// Give the right to replace the program away.
    HandOver {
        /// To whom.
        to: Pubkey,
    },
}

impl Step {
    /// Returns its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateBuffer { .. } => "create_buffer",
            Self::Write { .. } => "write",
            Self::Deploy { .. } => "deploy",
            Self::Extend { .. } => "extend",
            Self::Upgrade => "upgrade",
            Self::HandBuffer { .. } => "hand_buffer",
            Self::Await { .. } => "await",
            Self::HandOver { .. } => "hand_over",
        }
    }

    /// Returns what it does, in words.
    pub fn words(&self, image: &Image) -> String {
        let all = image.bytes.len().div_ceil(CHUNK);
        match self {
            Self::CreateBuffer { .. } => format!("create a buffer for {} bytes", image.bytes.len()),
            Self::Write { offsets } => format!("write {} of {all} chunks to it", offsets.len()),
            Self::Deploy { .. } => "deploy the program from it".to_owned(),
            Self::Extend { bytes } => format!("make room for {bytes} bytes more"),
            Self::Upgrade => "upgrade the program from it".to_owned(),
            Self::HandBuffer { to } => format!("give the buffer to {to}, who may upgrade the program"),
            Self::Await { by } => format!("{by} upgrades the program from it"),
            Self::HandOver { to } => format!("give the right to upgrade to {to}; nobody here can take it back"),
        }
    }

    /// Returns the most that it takes from the payer, lamports, without what is paid for priority.
    pub fn lamports(&self, image: &Image, standing: &Standing) -> u64 {
        let rent = |bytes: usize| Rent::default().minimum_balance(bytes);
        let (buffer, data) =
            (rent(Loader::size_of_buffer(image.bytes.len())), Loader::size_of_programdata(image.bytes.len()));
        let (signatures, rent) = match self {
            Self::CreateBuffer { held_lamports } => (1, buffer.saturating_sub(*held_lamports)),
            Self::Write { offsets } => (offsets.len() as u64, 0),
            // what the buffer holds pays for most of what the code needs
            Self::Deploy { .. } => (2, rent(Loader::size_of_program()) + rent(data).saturating_sub(buffer)),
            Self::Extend { bytes } => {
                let now = Loader::size_of_programdata(standing.deployed().map_or(0, |program| program.code.len()));
                (1, rent(now + bytes).saturating_sub(rent(now)))
            }
            Self::Upgrade | Self::HandBuffer { .. } | Self::HandOver { .. } => (1, 0),
            Self::Await { .. } => (0, 0),
        };
        rent + signatures * FEE_LAMPORTS
    }
}

/// What is wanted, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Whose key signs and pays.
    pub signer: Pubkey,
    /// Who may replace the program in the end; whoever it is now where nobody is named.
    pub authority: Option<Pubkey>,
}

/// Why there is no way from what stands to what is wanted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Something else is at the program's address.
    #[error("at the program's address is {0}")]
    Taken(String),
    /// Something else is at the buffer's address, or it is too short.
    #[error("at the buffer's address is {0}")]
    BufferTaken(String),
    /// The buffer is somebody else's.
    #[error("the buffer belongs to {}, not to {signer}", name(.authority.as_ref()))]
    BufferForeign {
        /// Whose.
        authority: Option<Pubkey>,
        /// Whose key signs.
        signer: Pubkey,
    },
    /// Nobody may replace the program.
    #[error("the program is final, and its code is another")]
    Final,
    /// The right to replace it is somebody else's.
    #[error("{} may upgrade the program, not {signer}: it can't be given to {wanted} from here", name(.authority.as_ref()))]
    NotAuthority {
        /// Whose.
        authority: Option<Pubkey>,
        /// Whose key signs.
        signer: Pubkey,
        /// Who is to have it.
        wanted: Pubkey,
    },
    /// The payer has too little.
    #[error("{payer} holds {holds} lamports, and the steps need {needs}")]
    Funds {
        /// Who pays.
        payer: Pubkey,
        /// What it holds.
        holds: u64,
        /// What the steps need.
        needs: u64,
    },
}

fn name(key: Option<&Pubkey>) -> String {
    key.map_or_else(|| "nobody".to_owned(), Pubkey::to_string)
}

impl PlanError {
    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Taken(_) => {
                "the program needs another address: make a keypair, and build with its `declare_id!`".into()
            }
            Self::BufferTaken(_) => "pay with another key: the buffer's address follows from it".into(),
            Self::BufferForeign { .. } => {
                "sign with its key, or let that key close it: `solana program close BUFFER`".into()
            }
            Self::Final => "nothing can replace it; a new version needs a new address".into(),
            Self::NotAuthority { authority, .. } => {
                format!("{} has to give it away", name(authority.as_ref()))
            }
            Self::Funds { payer, holds, needs } => format!("send {} lamports to {payer}", needs - holds),
        }
    }
}

/// Returns the steps that are left, in order.
///
/// # Errors
/// All of [`PlanError`].
pub fn plan(image: &Image, standing: &Standing, wants: Wants) -> Result<Vec<Step>, PlanError> {
    let (mut steps, holder) = match &standing.place {
        Place::Taken(what) => return Err(PlanError::Taken(what.clone())),
        Place::Deployed(program) if image.is_code(&program.code) => (vec![], program.authority),
        Place::Deployed(program) => (replacement(image, standing, program, wants.signer)?, program.authority),
        Place::Free(held_lamports) => {
            let mut steps = gathering(image, &standing.buffer, wants.signer, None)?;
            steps.push(Step::Deploy { held_lamports: *held_lamports });
            (steps, Some(wants.signer))
        }
    };
    let is_waiting = steps.iter().any(|step| matches!(step, Step::Await { .. }));
    match wants.authority.filter(|wanted| Some(*wanted) != holder) {
        Some(to) if holder == Some(wants.signer) => steps.push(Step::HandOver { to }),
        // who upgrades it can give it away afterwards
        Some(wanted) if !is_waiting => {
            return Err(PlanError::NotAuthority { authority: holder, signer: wants.signer, wanted });
        }
        _ => {}
    }
    let needs = steps.iter().map(|step| step.lamports(image, standing)).sum();
    if standing.payer_lamports < needs {
        return Err(PlanError::Funds { payer: wants.signer, holds: standing.payer_lamports, needs });
    }
    Ok(steps)
}

/// The steps that replace a program which is another one.
fn replacement(image: &Image, standing: &Standing, program: &Deployed, signer: Pubkey) -> Result<Vec<Step>, PlanError> {
    let authority = program.authority.ok_or(PlanError::Final)?;
    let mut steps = gathering(image, &standing.buffer, signer, Some(authority))?;
    if image.bytes.len() > program.code.len() {
        steps.push(Step::Extend { bytes: (image.bytes.len() - program.code.len()).max(LEAST_ROOM) });
    }
    if authority == signer {
        steps.push(Step::Upgrade);
        return Ok(steps);
    }
    let is_handed = matches!(&standing.buffer, Buffer::Ready { authority: Some(key), .. } if *key == authority);
    if !is_handed {
        steps.push(Step::HandBuffer { to: authority });
    }
    steps.push(Step::Await { by: authority });
    Ok(steps)
}

/// The steps until the buffer holds the image. Once it does it may belong to `heir`, too.
fn gathering(image: &Image, buffer: &Buffer, signer: Pubkey, heir: Option<Pubkey>) -> Result<Vec<Step>, PlanError> {
    match buffer {
        Buffer::Taken(what) => Err(PlanError::BufferTaken(what.clone())),
        Buffer::Absent(held_lamports) => {
            let offsets = missing(image, &vec![0; image.bytes.len()]);
            Ok(vec![Step::CreateBuffer { held_lamports: *held_lamports }, Step::Write { offsets }])
        }
        Buffer::Ready { bytes, .. } if bytes.len() != image.bytes.len() => {
            Err(PlanError::BufferTaken(format!("a buffer for {} bytes", bytes.len())))
        }
        Buffer::Ready { authority, bytes } => {
            let offsets = missing(image, bytes);
            let is_ours =
                *authority == Some(signer) || (offsets.is_empty() && authority.is_some() && *authority == heir);
            if !is_ours {
                return Err(PlanError::BufferForeign { authority: *authority, signer });
            }
            Ok(if offsets.is_empty() { vec![] } else { vec![Step::Write { offsets }] })
        }
    }
}

/// Returns where the chunks of `image` begin that `bytes`, which are as many, don't hold.
fn missing(image: &Image, bytes: &[u8]) -> Vec<usize> {
    let chunks = image.bytes.chunks(CHUNK).zip(bytes.chunks(CHUNK)).enumerate();
    chunks.filter(|(_, (wanted, held))| wanted != held).map(|(index, _)| index * CHUNK).collect()
}

#[cfg(test)]
mod tests;
