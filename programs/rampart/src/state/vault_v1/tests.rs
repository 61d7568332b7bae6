//! Migration of any bytes that the first layout may have held.

use super::*;
use bytemuck::Zeroable;
use proptest::prelude::*;

/// An account of the first layout: `fields` in the place of all that both layouts have.
fn first(fields: &[u8]) -> Vec<u64> {
    let mut words = vec![0; Vault::SPACE / 8];
    let data: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    data[8..RESERVED].copy_from_slice(fields);
    data[..8].copy_from_slice(&DISCRIMINATOR);
    data[8 + core::mem::offset_of!(Vault, version)] = LAYOUT_VERSION;
    words
}

fn refusal(data: &mut [u8]) -> Error {
    let before = data.to_vec();
    let error = migrate(data).expect_err("a refusal");
    assert!(before == data, "a refused account is as it was");
    error
}

proptest! {
    #[test]
    fn every_byte_of_before_stays_and_what_is_new_takes_nothing_off(
        fields in prop::collection::vec(any::<u8>(), RESERVED - 8),
        ltv_bps in any::<u16>(),
    ) {
        let mut words = first(&fields);
        let data: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let ltv = 8 + core::mem::offset_of!(Vault, risk.ltv_bps);
        data[ltv..ltv + 2].copy_from_slice(&ltv_bps.to_le_bytes());
        let before = data.to_vec();
        let vault = *migrate(data).expect("it is migrated");
        prop_assert_eq!(vault.scale, RiskScale::off(ltv_bps));
        prop_assert_eq!(vault.cover, Switch::Disabled as u8);
        prop_assert!(vault.earlier_halt_mark == Zeroable::zeroed());
        prop_assert!([vault.ltv_cut, vault.cap_cut] == [Zeroable::zeroed(); 2] && vault.reserved == [0; 87]);
        prop_assert!(data[8..RESERVED] == before[8..RESERVED] && data.starts_with(Vault::DISCRIMINATOR));
        prop_assert_eq!(refusal(data), RampartError::LayoutIsPresent.into());
    }

    #[test]
    fn byte_that_was_reserved_and_is_set_is_refused(at in RESERVED..Vault::SPACE, value in 1..=u8::MAX) {
        let mut words = first(&[7; RESERVED - 8]);
        let data: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        data[at] = value;
        prop_assert_eq!(refusal(data), RampartError::UnknownStoredValue.into());
    }

    #[test]
    fn other_discriminator_or_length_is_refused(head in any::<[u8; 8]>(), short in 0..Vault::SPACE) {
        let mut words = first(&[7; RESERVED - 8]);
        let data: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        prop_assert_eq!(refusal(&mut data[..short]), ErrorCode::AccountDiscriminatorMismatch.into());
        data[..8].copy_from_slice(&head);
        prop_assume!(head != DISCRIMINATOR && head != Vault::DISCRIMINATOR);
        prop_assert_eq!(refusal(data), ErrorCode::AccountDiscriminatorMismatch.into());
    }
}
