//! Fit against activity: which of the two goes with winning.

use serde_json::{Map, json};

use super::logistic::{Design, Fit, N};
use super::normality::mean_sd;
use super::reader::{Groups, Labels, Reader, at, everybody};
use super::sheet::{Estimate, Sheet, report, sheets};
use crate::confidence::{check_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::benjamini_hochberg;
use crate::table::Table;

report!(
    /// Effects of fit and of activity on winning.
    FitAgainstActivity, "fit_against_activity", {
        "table": [
            "segment:t", "factor:t", "n:i", "won:i", "log_odds", "log_odds_lo", "log_odds_hi",
            "odds_ratio", "odds_ratio_lo", "odds_ratio_hi", "effect", "effect_lo", "effect_hi", "p",
            "q",
        ],
        "models": [
            "segment:t", "n:i", "won:i", "method:t", "intercept", "log_likelihood", "difference",
            "difference_lo", "difference_hi", "verdict:t",
        ],
        "scale": ["factor:t", "mean", "sd", "correlation"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// How well the offer fits.
    pub fit: &'a str,
    /// How much was done.
    pub activity: &'a str,
    /// Whether the deal was won.
    pub won: &'a str,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// What is found in one group of deals.
struct Model {
    n: usize,
    won: usize,
    /// Intercept, log-likelihood.
    base: [f64; 2],
    /// For each factor: log-odds, marginal effect, p-value.
    factors: [(Estimate, Estimate, f64); 2],
    difference: Estimate,
    method: &'static str,
}

/// Effects of fit and activity on winning, in each group and in all.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for an outcome that is none; [`Error::Argument`] if a covariate is constant,
/// the two are one, or all deals ended alike.
pub fn fit_against_activity(
    table: &Table,
    by: Option<Labels<'_>>,
    options: Options<'_>,
) -> Result<FitAgainstActivity> {
    check_level(options.confidence)?;
    let mut settings = Map::new();
    settings.insert("fit".into(), json!(options.fit));
    settings.insert("activity".into(), json!(options.activity));
    settings.insert("won".into(), json!(options.won));
    settings.insert("by".into(), json!(by.map(|by| by.name)));
    settings.insert("confidence".into(), json!(options.confidence));
    let mut manifest = Manifest::new("fit_against_activity", settings, None, table.n_rows());
    let mut reader = Reader::new("deals", table);
    let fit = reader.numbers(options.fit)?;
    let activity = reader.numbers(options.activity)?;
    let won = reader.flags(options.won)?;
    let groups = reader.labels_or_all(by, "by")?;
    let kept = reader.finish(&mut manifest)?;
    let (fit, activity, won) = (at(&fit, &kept), at(&activity, &kept), at(&won, &kept));
    let scale = [mean_sd(&fit), mean_sd(&activity)];
    for (name, (mean, sd)) in [options.fit, options.activity].into_iter().zip(scale) {
        if !(sd > mean.abs() * 1e-14 && sd.is_finite()) {
            let found = format!("the same value in all {} rows", kept.len());
            let wanted = "values that differ are needed to see an effect";
            return Err(Error::argument(format!("column {name:?}"), found, wanted));
        }
    }
    let x: Vec<[f64; 2]> = fit
        .iter()
        .zip(&activity)
        .map(|(fit, activity)| {
            [(fit - scale[0].0) / scale[0].1, (activity - scale[1].0) / scale[1].1]
        })
        .collect();
    let correlation = x.iter().map(|x| x[0] * x[1]).sum::<f64>() / (x.len() as f64 - 1.0);
    if correlation.abs() > 1.0 - 1e-10 {
        let found = format!("{:?} and {:?}, which say the same", options.fit, options.activity);
        let wanted = "their effects cannot be told apart";
        return Err(Error::argument("activity", found, wanted));
    }
    if won.iter().all(|&w| w == won[0]) {
        let found = if won[0] == 1.0 { "won deals alone" } else { "lost deals alone" };
        let wanted = "deals that were won and deals that were lost are needed";
        return Err(Error::argument(format!("column {:?}", options.won), found, wanted));
    }
    let groups = Groups { codes: at(&groups.codes, &kept), names: groups.names };
    let mut models = Vec::new();
    if by.is_some() {
        for rows in groups.rows(&(0..kept.len()).collect::<Vec<_>>()) {
            models.push(model(&at(&x, &rows), &at(&won, &rows), options.confidence));
        }
    }
    let mut names = groups.names;
    if by.is_some() {
        names.push(everybody(&names));
    }
    models.push(model(&x, &won, options.confidence));
    for (name, model) in names.iter().zip(&models) {
        let fewer = model.won.min(model.n - model.won);
        if model.method == "Firth" {
            manifest.notes.push(format!(
                "{name}: a line through fit and activity divides won from lost deals, so the likelihood has no \
                 maximum; Firth's penalised likelihood is used"
            ));
        } else if model.method == "none" {
            manifest.notes.push(format!(
                "{name}: {} deals, {} won, tell no effects apart",
                model.n, model.won
            ));
        } else if fewer < 20 {
            manifest.notes.push(format!(
                "{name}: {fewer} deals of the rarer outcome are few for two effects (10 for each are a usual bar)"
            ));
        }
    }
    let sheets = sheets([
        ("table", effects(&names, &models, options)),
        ("models", models_sheet(&names, &models)),
        (
            "scale",
            Sheet::default()
                .text("factor", [options.fit, options.activity])
                .float("mean", scale.map(|(mean, _)| mean))
                .float("sd", scale.map(|(_, sd)| sd))
                .float("correlation", [correlation; 2]),
        ),
    ]);
    Ok(FitAgainstActivity { manifest, sheets })
}

fn model(x: &[[f64; 2]], won: &[f64], confidence: f64) -> Model {
    let design = Design { x, y: won };
    let n_won = won.iter().filter(|&&won| won == 1.0).count();
    let nan = Estimate::new(f64::NAN, (f64::NAN, f64::NAN));
    let none = Model {
        n: won.len(),
        won: n_won,
        base: [f64::NAN; 2],
        factors: [(nan, nan, f64::NAN); 2],
        difference: nan,
        method: "none",
    };
    if n_won == 0 || n_won == won.len() {
        return none;
    }
    let firth = design.is_separated();
    let found = design.fit([0.0; N], [false; N], firth).filter(|fit| fit.converged);
    let Some(fit) = found else { return none };
    let z = z_of(confidence);
    let effects = design.marginal_effects(&fit);
    let factors = [1, 2].map(|index| {
        let (effect, error) = effects[index - 1];
        (
            design.estimate(&fit, index, firth, confidence),
            Estimate::new(effect, (effect - z * error, effect + z * error)),
            design.ratio_test(&fit, index, firth),
        )
    });
    Model {
        base: [fit.beta[0], fit.log_likelihood],
        factors,
        difference: difference(&fit, z),
        method: if firth { "Firth" } else { "maximum likelihood" },
        ..none
    }
}

/// How much larger the effect of fit is than that of activity, both taken without their signs.
fn difference(fit: &Fit, z: f64) -> Estimate {
    let sign = [fit.beta[1].signum(), fit.beta[2].signum()];
    let value = fit.beta[1].abs() - fit.beta[2].abs();
    let c = &fit.covariance;
    let variance = c[1][1] + c[2][2] - 2.0 * sign[0] * sign[1] * c[1][2];
    let half = z * variance.max(0.0).sqrt();
    Estimate::new(value, (value - half, value + half))
}

fn effects(names: &[String], models: &[Model], options: Options<'_>) -> Sheet {
    let rows: Vec<(&String, &Model, usize)> = names
        .iter()
        .zip(models)
        .flat_map(|(name, model)| [(name, model, 0), (name, model, 1)])
        .collect();
    let log_odds: Vec<Estimate> = rows.iter().map(|(_, model, i)| model.factors[*i].0).collect();
    let odds: Vec<Estimate> =
        log_odds.iter().map(|e| Estimate::new(e.value.exp(), (e.lo.exp(), e.hi.exp()))).collect();
    let effect: Vec<Estimate> = rows.iter().map(|(_, model, i)| model.factors[*i].1).collect();
    let p: Vec<f64> = rows.iter().map(|(_, model, i)| model.factors[*i].2).collect();
    // Two families: what is said of segments, and what is said of all deals.
    let (of_segments, of_all) = p.split_at(p.len() - 2);
    let mut q = benjamini_hochberg(of_segments);
    q.extend(benjamini_hochberg(of_all));
    let factor = [options.fit, options.activity];
    Sheet::default()
        .text("segment", rows.iter().map(|row| row.0.clone()))
        .text("factor", rows.iter().map(|row| factor[row.2]))
        .int("n", rows.iter().map(|row| row.1.n as i64))
        .int("won", rows.iter().map(|row| row.1.won as i64))
        .estimate("log_odds", &log_odds)
        .estimate("odds_ratio", &odds)
        .estimate("effect", &effect)
        .float("p", p.iter().copied())
        .float("q", q)
}

fn models_sheet(names: &[String], models: &[Model]) -> Sheet {
    let difference: Vec<Estimate> = models.iter().map(|model| model.difference).collect();
    let verdict = difference.iter().map(|d| match d {
        d if d.value.is_nan() => "no comparison",
        d if d.lo > 0.0 => "fit",
        d if d.hi < 0.0 => "activity",
        _ => "cannot tell",
    });
    Sheet::default()
        .text("segment", names.to_vec())
        .int("n", models.iter().map(|model| model.n as i64))
        .int("won", models.iter().map(|model| model.won as i64))
        .text("method", models.iter().map(|model| model.method))
        .float("intercept", models.iter().map(|model| model.base[0]))
        .float("log_likelihood", models.iter().map(|model| model.base[1]))
        .estimate("difference", &difference)
        .text("verdict", verdict)
}
