//! Plain loops that are compiled twice: for the baseline of the target and for AVX2.
//!
//! AVX2 compares and packs narrow integers in fewer steps and adds four numbers at once. Both give the same bits.

/// Defines a function and its twin for AVX2.
macro_rules! widened {
    ($(#[$doc:meta])* fn $name:ident $(<$kind:ident: $bound:path>)? ($($argument:ident: $type:ty),+) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        pub(crate) fn $name $(<$kind: $bound>)? ($($argument: $type),+) $(-> $result)? {
            #[inline(always)]
            fn plain $(<$kind: $bound>)? ($($argument: $type),+) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide $(<$kind: $bound>)? ($($argument: $type),+) $(-> $result)? {
                    plain($($argument),+)
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has these instructions.
                    return unsafe { wide($($argument),+) };
                }
            }
            plain($($argument),+)
        }
    };
}

pub(super) use widened;
