//! Counting bits.
//!
//! The loops are plain; each is compiled once for the baseline of the target, whose processors may lack an instruction that
//! counts bits, once for AVX2 with `popcnt`, and once for AVX-512 with `vpopcntq`, which counts eight words at a time. All
//! count the same.

#[inline(always)]
fn count(words: impl Iterator<Item = u64>) -> u64 {
    words.map(|word| u64::from(word.count_ones())).sum()
}

/// Defines a count of bits and its twins for wider instruction sets.
macro_rules! counted {
    ($(#[$doc:meta])* $name:ident($($word:ident),+), |$zipped:pat_param| $both:expr, $first:ident $(, $rest:ident)?) => {
        $(#[$doc])*
        pub(crate) fn $name($($word: &[u64]),+) -> usize {
            #[inline(always)]
            fn plain($($word: &[u64]),+) -> u64 {
                count($first.iter()$(.zip($rest))?.map(|$zipped| $both))
            }
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt,bmi1,bmi2")]
                fn widest($($word: &[u64]),+) -> u64 {
                    plain($($word),+)
                }
                #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
                fn wide($($word: &[u64]),+) -> u64 {
                    plain($($word),+)
                }
                if is_x86_feature_detected!("avx512vpopcntdq") && is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has these instructions; every one with AVX-512 has the small ones.
                    return unsafe { widest($($word),+) } as usize;
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
                    && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
                {
                    // SAFETY: the processor has these instructions.
                    return unsafe { wide($($word),+) } as usize;
                }
            }
            plain($($word),+) as usize
        }
    };
}

counted! {
    /// Number of bits that are set.
    ones(words), |word| *word, words
}

counted! {
    /// Number of bits that are set in both; the slices are equally long.
    ones_of_both(one, other), |(a, b)| a & b, one, other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_one_by_one() {
        let word = |at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(at as u32 % 61);
        for n in [0, 1, 7, 8, 9, 31, 64, 100] {
            let one: Vec<u64> = (0..n).map(word).collect();
            let other: Vec<u64> = (0..n).map(|at| word(at + 1000)).collect();
            let slow = |of: &dyn Fn(usize) -> u64| -> usize {
                let bit = |at: usize, bit: usize| (of(at) >> bit & 1) as usize;
                (0..n as usize)
                    .flat_map(|at| (0..64).map(move |b| (at, b)))
                    .map(|(a, b)| bit(a, b))
                    .sum()
            };
            assert_eq!(ones(&one), slow(&|at| one[at]));
            assert_eq!(ones_of_both(&one, &other), slow(&|at| one[at] & other[at]));
        }
    }
}
