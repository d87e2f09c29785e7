//! Repeat buying: how often customers come back, whether they still do, and what they spend.
//!
//! Each model is a likelihood of what is known of a customer (how often, when last, observed for how long) under a
//! mixture of customers: [`BetaGeo`] and its modification and [`Pareto`] for purchases at any time,
//! [`BetaBinomial`] for purchases at fixed occasions, [`GammaGamma`] for the money per purchase and
//! [`ShiftedBetaGeometric`] for contracts that are renewed or not. Equal customers are collapsed ([`Spells`]), and the few
//! parameters found by Newton steps from exact derivatives ([`maximise`]). [`RepeatBuying`] fits any of them to a table, one
//! for all customers or one for each group, and forecasts.
//!
//! What limits the speed: a Newton step reads every distinct customer once, for two logarithms and an exponential (BG/NBD),
//! a logarithm and a quotient (gamma-gamma) or an integral of some fifty points (Pareto/NBD). Where customers are many the
//! search begins with a few per cent of them, which leaves few steps for all. Forecasts work out what depends on
//! frequency and age once for each distinct pair of these, so that mostly reading the columns and P(alive) is left.
//!
//! ```
//! use ilk::economics::buying::ShiftedBetaGeometric;
//!
//! // Of 1,000 customers these were left after 0, 1, .. 7 years.
//! let alive = [1000.0, 869.0, 743.0, 653.0, 593.0, 551.0, 517.0, 491.0];
//! let (model, _) = ShiftedBetaGeometric::fit(&alive)?;
//! assert!((model.alpha - 0.668).abs() < 1e-3);
//! # Ok::<(), ilk::Error>(())
//! ```

mod beta_binomial;
mod beta_geo;
mod dual;
mod fitted;
mod forecast;
mod gamma_gamma;
mod holdout;
mod hypergeometric;
mod optimise;
mod pareto;
mod pooled;
mod shifted;
mod spells;

pub use beta_binomial::BetaBinomial;
pub use beta_geo::BetaGeo;
pub use dual::{Dual, trigamma};
pub use fitted::{Common, Group, Kind, Names, RepeatBuying, Settings};
pub use forecast::Discount;
pub use gamma_gamma::{GammaGamma, Spend};
pub use holdout::{Bins, Days, Holdout, Report};
pub use hypergeometric::hypergeometric;
pub use optimise::{Optimum, Prior, maximise};
pub use pareto::Pareto;
pub use shifted::ShiftedBetaGeometric;
pub use spells::Spells;
