//! Which partition a key belongs to: murmur2, as Java's clients and librdkafka's
//! `murmur2_random` have it.
//!
//! In: keys and partition counts. Out: `embedded/writer.rs` (where Kafka's own partitioner is not
//! asked) and whoever follows one tenant. Invariant: the same answer as every other Kafka tool,
//! or a tenant's records would be looked for in the wrong place. Pure.

/// The partition of a key among `count`.
#[must_use]
pub fn partition_of(key: &[u8], count: i32) -> i32 {
    let positive = murmur2(key) & 0x7fff_ffff;
    match u32::try_from(count) {
        Ok(count) if count > 0 => i32::try_from(positive % count).unwrap_or_default(),
        _ => 0,
    }
}

/// MurmurHash2, 32 bits, with the seed that Kafka uses.
fn murmur2(key: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MIX: u32 = 0x5bd1_e995;
    // The length is mixed in modulo 2^32, as the original does.
    let mut hash = SEED ^ (key.len() & 0xffff_ffff) as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MIX) ^ word.wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(MIX);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashes_are_those_of_kafkas_java_client() {
        let known: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in known {
            assert_eq!(murmur2(key).cast_signed(), hash, "{key:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_partition_is_always_one_of_them(key: Vec<u8>, count in 1..200_i32) {
            let partition = partition_of(&key, count);
            prop_assert!((0..count).contains(&partition));
            prop_assert_eq!(partition, partition_of(&key, count));
        }

        #[test]
        fn keys_of_tenants_spread(salt: u32) {
            let mut seen = [0_u32; 8];
            for number in 0..800 {
                let key = format!("tenant-{salt}-{number}");
                seen[usize::try_from(partition_of(key.as_bytes(), 8)).unwrap_or(0)] += 1;
            }
            prop_assert!(seen.iter().all(|count| (40..200).contains(count)), "{seen:?}");
        }
    }
}
