//! Steps from what stands.

use super::*;

const SIGNER: Pubkey = Pubkey::new_from_array([1; 32]);
const MULTISIG: Pubkey = Pubkey::new_from_array([2; 32]);
const OTHER: Pubkey = Pubkey::new_from_array([3; 32]);
const RICH: u64 = 1_000_000_000_000;

fn image() -> Image {
    // three chunks, the middle one of zeros, as new accounts are
    Image::new([vec![7; CHUNK], vec![0; CHUNK], vec![9; 10]].concat())
}

fn wants(authority: Option<Pubkey>) -> Wants {
    Wants { signer: SIGNER, authority }
}

fn standing(place: Place, buffer: Buffer) -> Standing {
    Standing { place, buffer, payer_lamports: RICH, slot: 1 }
}

fn deployed(authority: Option<Pubkey>, code: &[u8]) -> Place {
    Place::Deployed(Deployed { authority, slot: 1, code: code.to_vec() })
}

fn ready(authority: Option<Pubkey>, bytes: &[u8]) -> Buffer {
    Buffer::Ready { authority, bytes: bytes.to_vec() }
}

fn names(steps: Result<Vec<Step>, PlanError>) -> Vec<&'static str> {
    steps.expect("a plan").iter().map(Step::name).collect()
}

#[test]
fn fresh_deployment_writes_what_is_not_zero_and_hands_over() {
    let fresh = standing(Place::Free(0), Buffer::Absent(0));
    let steps = plan(&image(), &fresh, wants(Some(MULTISIG))).expect("a plan");
    let write = Step::Write { offsets: vec![0, 2 * CHUNK] };
    let (create, deploy) = (Step::CreateBuffer { held_lamports: 0 }, Step::Deploy { held_lamports: 0 });
    assert_eq!(steps, [create, write, deploy, Step::HandOver { to: MULTISIG }]);
    assert_eq!(names(plan(&image(), &fresh, wants(None))), ["create_buffer", "write", "deploy"]);
    // the deployer keeps it: nothing to hand over
    assert_eq!(names(plan(&image(), &fresh, wants(Some(SIGNER)))), ["create_buffer", "write", "deploy"]);
}

#[test]
fn what_stands_in_the_buffer_is_not_written_again() {
    let (image, mut bytes) = (image(), image().bytes);
    bytes[2 * CHUNK] = 0;
    let half = standing(Place::Free(0), ready(Some(SIGNER), &bytes));
    let steps = plan(&image, &half, wants(None)).expect("a plan");
    assert_eq!(steps[0], Step::Write { offsets: vec![2 * CHUNK] });
    let whole = standing(Place::Free(3), ready(Some(SIGNER), &image.bytes));
    assert_eq!(plan(&image, &whole, wants(None)).expect("a plan"), [Step::Deploy { held_lamports: 3 }]);
}

#[test]
fn program_that_stands_takes_no_step_whatever_is_in_the_buffer() {
    let image = image();
    let room = [image.bytes.clone(), vec![0; 100]].concat();
    for buffer in [Buffer::Absent(0), ready(Some(OTHER), &[1]), Buffer::Taken("a".into())] {
        for code in [&image.bytes, &room] {
            let stands = standing(deployed(Some(MULTISIG), code), buffer.clone());
            assert_eq!(plan(&image, &stands, wants(Some(MULTISIG))), Ok(vec![]));
            assert_eq!(plan(&image, &stands, wants(None)), Ok(vec![]));
        }
    }
    let ours = standing(deployed(Some(SIGNER), &image.bytes), Buffer::Absent(0));
    assert_eq!(plan(&image, &ours, wants(Some(MULTISIG))), Ok(vec![Step::HandOver { to: MULTISIG }]));
}

#[test]
fn upgrade_makes_room_first_and_is_left_to_who_may() {
    let (image, short) = (image(), vec![5; 20]);
    let ours = standing(deployed(Some(SIGNER), &short), Buffer::Absent(0));
    let steps = plan(&image, &ours, wants(Some(MULTISIG))).expect("a plan");
    assert_eq!(steps[2..], [Step::Extend { bytes: 10_240 }, Step::Upgrade, Step::HandOver { to: MULTISIG }]);
    let long = vec![5; image.bytes.len()];
    let theirs = |buffer| standing(deployed(Some(MULTISIG), &long), buffer);
    let all = ["create_buffer", "write", "hand_buffer", "await"];
    assert_eq!(names(plan(&image, &theirs(Buffer::Absent(0)), wants(Some(MULTISIG)))), all);
    let handed = theirs(ready(Some(MULTISIG), &image.bytes));
    assert_eq!(plan(&image, &handed, wants(None)), Ok(vec![Step::Await { by: MULTISIG }]));
}

#[test]
fn no_way_is_told_by_its_cause() {
    let image = image();
    let refused =
        |place, buffer, authority| plan(&image, &standing(place, buffer), wants(authority)).expect_err("none");
    let free = || Place::Free(0);
    assert_eq!(refused(Place::Taken("x".into()), Buffer::Absent(0), None), PlanError::Taken("x".into()));
    assert_eq!(refused(free(), Buffer::Taken("x".into()), None), PlanError::BufferTaken("x".into()));
    let short = PlanError::BufferTaken("a buffer for 1 bytes".into());
    assert_eq!(refused(free(), ready(Some(SIGNER), &[1]), None), short);
    for authority in [None, Some(OTHER)] {
        let foreign = PlanError::BufferForeign { authority, signer: SIGNER };
        assert_eq!(refused(free(), ready(authority, &image.bytes), None), foreign);
    }
    // a buffer that was handed over and isn't whole is nobody's to fill from here
    let theirs = deployed(Some(MULTISIG), &[1]);
    let half = ready(Some(MULTISIG), &vec![0; image.bytes.len()]);
    let foreign = PlanError::BufferForeign { authority: Some(MULTISIG), signer: SIGNER };
    assert_eq!(refused(theirs, half, None), foreign);
    assert_eq!(refused(deployed(None, &[1]), Buffer::Absent(0), None), PlanError::Final);
    for authority in [None, Some(OTHER)] {
        let not = PlanError::NotAuthority { authority, signer: SIGNER, wanted: MULTISIG };
        assert_eq!(refused(deployed(authority, &image.bytes), Buffer::Absent(0), Some(MULTISIG)), not);
    }
}

#[test]
fn payer_holds_what_the_steps_need_or_nothing_begins() {
    let image = image();
    let fresh = standing(Place::Free(0), Buffer::Absent(0));
    let steps = plan(&image, &fresh, wants(None)).expect("a plan");
    let needs: u64 = steps.iter().map(|step| step.lamports(&image, &fresh)).sum();
    assert_eq!(plan(&image, &Standing { payer_lamports: needs, ..fresh.clone() }, wants(None)), Ok(steps));
    let poor = plan(&image, &Standing { payer_lamports: needs - 1, ..fresh }, wants(None)).expect_err("too little");
    assert_eq!(poor, PlanError::Funds { payer: SIGNER, holds: needs - 1, needs });
    assert!(poor.hint().contains("send 1 lamports"), "{}", poor.hint());
}
