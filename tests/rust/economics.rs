//! Laws and references of the scorecard.

use approx::assert_relative_eq;
use ilk::economics::figures::Figure;
use ilk::economics::input::{Column, Input, Lost, Orders};
use ilk::economics::rank::{Ranking, Weights, rank};
use ilk::economics::scorecard::{Options, Scorecard, scorecard};
use ilk::economics::survival::{EventCounts, EventTable, Outcome};
use ilk::economics::totals::SegmentTotals;
use ilk::parallel::Monitor;
use ilk::rng::{Rng, Stage};
use ilk::table::MISSING;
use ilk::{Error, persist};
use proptest::prelude::*;

use crate::resampling::random_rows;

fn column<'a>(name: &'a str, values: &'a [f64]) -> Option<Column<'a>> {
    Some(Column { name, values })
}

fn compute(input: &Input<'_>, options: Options) -> ilk::Result<Scorecard> {
    scorecard(input, options, serde_json::Map::new(), None, &Monitor::new())
}

fn names(n: usize) -> Vec<String> {
    ["A", "B", "C", "D", "E"][..n].iter().map(ToString::to_string).collect()
}

/// The four segments of the reference.
fn reference() -> Scorecard {
    let input = Input {
        segment_name: "segment",
        segment: &[0, 1, 2, 3],
        segments: &names(4),
        revenue: column("revenue", &[500e3, 300e3, 150e3, 50e3]),
        cost: column("cost", &[200e3, 180e3, 30e3, 40e3]),
        acquisition: column("spend", &[80e3, 60e3, 15e3, 20e3]),
        management: column("manage", &[60e3, 40e3, 15e3, 15e3]),
        churn: column("churn", &[0.2, 0.1, 0.3, 0.5]),
        n_customers: column("n", &[200.0, 60.0, 150.0, 10.0]),
        n_new: column("new", &[40.0, 20.0, 30.0, 4.0]),
        ..Input::default()
    };
    compute(&input, Options::default()).unwrap()
}

#[test]
fn every_figure_of_the_reference_is_met() {
    const NEVER: f64 = f64::INFINITY;
    let card = reference();
    for (figure, expected) in [
        (Figure::RevenueShare, [0.5, 0.3, 0.15, 0.05, 1.0]),
        (Figure::GrossMargin, [0.6, 0.4, 0.8, 0.2, 0.55]),
        (Figure::Cac, [2000.0, 3000.0, 500.0, 5000.0, 175e3 / 94.0]),
        (Figure::CostToManage, [300.0, 2000.0 / 3.0, 100.0, 1500.0, 130e3 / 420.0]),
        (Figure::Contribution, [1200.0, 4000.0 / 3.0, 700.0, -500.0, 1000.0]),
        (Figure::PaybackMonths, [20.0, 27.0, 60.0 / 7.0, NEVER, 175e3 / 94.0 * 12.0 / 1000.0]),
        (Figure::Ltv, [6000.0, 40e3 / 3.0, 7000.0 / 3.0, -1000.0, 1000.0 * 420.0 / 96.0]),
        (Figure::LtvCac, [3.0, 40.0 / 9.0, 14.0 / 3.0, -0.2, 4375.0 * 94.0 / 175e3]),
        (Figure::Profit, [160e3, 20e3, 90e3, -25e3, 245e3]),
        (Figure::Churn, [0.2, 0.1, 0.3, 0.5, 96.0 / 420.0]),
    ] {
        for (segment, expected) in expected.into_iter().enumerate() {
            let value = card.figure(figure).value[segment];
            assert!(
                value == expected || (value - expected).abs() <= 1e-12 * expected.abs(),
                "{} of segment {segment}: {value}, not {expected}",
                figure.name()
            );
        }
    }
    for (figure, expected) in [
        (Figure::LtvAdvance, [4400.0, 22e3 / 3.0, 1925.0]),
        (Figure::LtvArrears, [3200.0, 6000.0, 1225.0]),
    ] {
        for (segment, expected) in expected.into_iter().enumerate() {
            assert_relative_eq!(card.figure(figure).value[segment], expected, max_relative = 1e-12);
        }
    }
    assert_relative_eq!(card.hhi().0, 0.365, max_relative = 1e-12);
    assert_relative_eq!(card.figure(Figure::Cac).value[4], 1861.70, max_relative = 1e-5);
    assert!(card.figure(Figure::Cac).lo.iter().all(|lo| lo.is_nan()));
    assert!(card.manifest.notes[0].contains("customers cannot be resampled from totals"));
}

#[test]
fn the_first_three_depend_on_the_figure() {
    let card = reference();
    let first = |by: &str| {
        let ranking = rank(&card, 3, &[by.to_string()], &Weights::Equal).unwrap();
        ranking.segments[..3].concat()
    };
    assert_eq!(first("revenue"), "ABC");
    assert_eq!(first("profit"), "ACB");
    assert_eq!(first("ltv_cac"), "CBA");
    // Less is better, and never is worse than any number of months.
    assert_eq!(first("payback_months"), "CAB");
}

#[test]
fn incidence_with_ties_meets_the_reference() {
    let times = [1, 5, 3, 6, 1, 3, 2, 5, 2, 3, 6];
    let events = [0, 1, 1, 1, 2, 1, 0, 1, 0, 2, 2];
    let mut counts = EventCounts::default();
    for (time, event) in times.into_iter().zip(events) {
        counts.update(f64::from(time), Outcome::from_event(event).unwrap(), 1.0).unwrap();
    }
    let curve = counts.finish().incidence();
    let at =
        |time: f64, curve_of: &[f64]| curve_of[curve.time.iter().position(|&t| t == time).unwrap()];
    for (time, won) in [(3.0, 0.259740), (5.0, 0.519481), (6.0, 0.649351)] {
        assert!((at(time, &curve.won) - won).abs() < 1e-6);
    }
    for (time, lost) in [(1.0, 0.090909), (3.0, 0.220779), (6.0, 0.350649)] {
        assert!((at(time, &curve.lost) - lost).abs() < 1e-6);
    }
    assert_eq!(counts.finish().median(), 5.0);
}

/// One minus the product over event times, each factor counted anew from all spells.
fn slow_kaplan_meier(spells: &[(u8, bool)], time: u8) -> f64 {
    let mut survival = 1.0;
    for t in 0..=time {
        let at_risk = spells.iter().filter(|spell| spell.0 >= t).count();
        let events = spells.iter().filter(|spell| spell.0 == t && spell.1).count();
        if events > 0 {
            survival *= 1.0 - events as f64 / at_risk as f64;
        }
    }
    1.0 - survival
}

fn table_of(spells: &[(u8, bool)]) -> EventTable {
    let mut counts = EventCounts::default();
    for &(time, won) in spells {
        let outcome = if won { Outcome::Won } else { Outcome::Open };
        counts.update(f64::from(time), outcome, 1.0).unwrap();
    }
    counts.finish()
}

proptest! {
    #[test]
    fn incidence_without_losses_is_kaplan_meier(
        spells in prop::collection::vec((0u8..20, any::<bool>()), 1..60)
    ) {
        let curve = table_of(&spells).incidence();
        for (row, &time) in curve.time.iter().enumerate() {
            let slow = slow_kaplan_meier(&spells, time as u8);
            prop_assert!((curve.won[row] - slow).abs() < 1e-12);
        }
    }

    #[test]
    fn probabilities_of_all_outcomes_add_up(
        spells in prop::collection::vec((0u8..9, 0u8..3, 1u8..4), 1..40)
    ) {
        let mut weighted = EventCounts::default();
        let mut repeated = EventCounts::default();
        for &(time, event, weight) in &spells {
            let outcome = Outcome::from_event(event).unwrap();
            weighted.update(f64::from(time), outcome, f64::from(weight)).unwrap();
            for _ in 0..weight {
                repeated.update(f64::from(time), outcome, 1.0).unwrap();
            }
        }
        prop_assert_eq!(weighted.finish(), repeated.finish());
        let curve = weighted.finish().incidence();
        for row in 0..curve.time.len() {
            let sum = curve.won[row] + curve.lost[row];
            prop_assert!((0.0..=1.0 + 1e-12).contains(&sum));
        }
        let nobody_open = spells.iter().all(|spell| spell.1 != 0);
        if nobody_open {
            let last = curve.time.len() - 1;
            prop_assert!((curve.won[last] + curve.lost[last] - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn totals_of_parts_merge_to_totals_of_the_whole(n in 0usize..9000, cut in 0.0..1.0, seed in 0u64..50) {
        let rows = random_rows(n, 4, seed);
        let mut whole = SegmentTotals::new(4);
        whole.update(&rows);
        let (left, right) = rows.split_at((n as f64 * cut) as usize);
        let mut merged = SegmentTotals::new(4);
        for part in [left, right] {
            let mut totals = SegmentTotals::new(4);
            totals.update(part);
            merged.merge(&totals);
        }
        for (a, b) in whole.finish().iter().flatten().zip(merged.finish().iter().flatten()) {
            prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0));
        }
    }

    #[test]
    fn currency_scales_money_and_leaves_ratios(scale in prop::sample::select(vec![0.25, 4.0, 1024.0])) {
        let data = Customers::draw(300, 11);
        let plain = data.card(1.0, 50);
        let scaled = data.card(scale, 50);
        for figure in Figure::ALL {
            use Figure::*;
            let is_money = matches!(
                figure, Cac | CostToManage | Contribution | Ltv | LtvAdvance | LtvArrears | LtvHorizon | Revenue | Profit
            );
            let factor = if is_money { scale } else { 1.0 };
            let (plain, scaled) = (plain.figure(figure), scaled.figure(figure));
            let pairs = plain.value.iter().zip(&scaled.value).chain(plain.hi.iter().zip(&scaled.hi));
            for (plain, scaled) in pairs {
                // Powers of two, so that every bit must agree.
                prop_assert!(plain * factor == *scaled || (plain.is_nan() && scaled.is_nan()));
            }
        }
    }
}

/// One row per customer, skewed as purchases are.
struct Customers {
    segment: Vec<u32>,
    revenue: Vec<f64>,
    cost: Vec<f64>,
    spend: Vec<f64>,
    contact: Vec<f64>,
    sale: Vec<f64>,
    lost: Vec<f64>,
    churn: Vec<f64>,
}

/// Of the population that [`Customers::draw`] draws from, by segment.
const CHURN: [f64; 2] = [0.2, 0.4];
const MEAN_REVENUE: [f64; 2] = [100.0, 60.0];
const MARGIN: [f64; 2] = [0.5, 0.3];
const SPEND: [f64; 2] = [20.0, 30.0];
const MEAN_DAYS: [f64; 2] = [20.0, 40.0];

impl Customers {
    /// Rows of the first segment with probability 0.6; revenue and spend exponential, days to sale exponential with a
    /// window of 200 days.
    fn draw(n: usize, seed: u64) -> Self {
        let mut rng = Rng::stream(seed, Stage::Reference, 0);
        let mut out = Self {
            segment: vec![],
            revenue: vec![],
            cost: vec![],
            spend: vec![],
            contact: vec![],
            sale: vec![],
            lost: vec![],
            churn: vec![],
        };
        for _ in 0..n {
            let segment = usize::from(rng.uniform() >= 0.6);
            let revenue = rng.exponential() * MEAN_REVENUE[segment];
            let share = 1.0 - MARGIN[segment] + 0.2 * (rng.uniform() - 0.5);
            let contact = rng.uniform() * 150.0;
            let sale = contact + rng.exponential() * MEAN_DAYS[segment];
            let is_won = sale <= 200.0;
            out.segment.push(segment as u32);
            out.revenue.push(if is_won { revenue } else { f64::NAN });
            out.cost.push(if is_won { revenue * share } else { f64::NAN });
            out.spend.push(rng.exponential() * SPEND[segment]);
            out.contact.push(contact);
            out.sale.push(if is_won { sale } else { f64::NAN });
            out.lost.push(0.0);
            out.churn.push(f64::from(rng.uniform() < CHURN[segment]));
        }
        out
    }

    fn card(&self, currency: f64, n_boot: usize) -> Scorecard {
        let scaled = |values: &[f64]| values.iter().map(|v| v * currency).collect::<Vec<_>>();
        let (revenue, cost, spend) =
            (scaled(&self.revenue), scaled(&self.cost), scaled(&self.spend));
        let input = Input {
            segment_name: "segment",
            segment: &self.segment,
            segments: &names(2),
            revenue: column("revenue", &revenue),
            cost: column("cost", &cost),
            acquisition: column("spend", &spend),
            first_contact: column("contact", &self.contact),
            first_sale: column("sale", &self.sale),
            lost: Some(Lost::Flag(Column { name: "lost", values: &self.lost })),
            churn: column("churn", &self.churn),
            ..Input::default()
        };
        compute(&input, Options { n_boot, ..Options::default() }).unwrap()
    }
}

#[test]
fn intervals_cover_the_truth_about_as_often_as_they_say() {
    // 200 samples of 400 customers. A true coverage of 0.95 gives 180 hits or fewer with probability 0.003, and
    // percentile intervals of skewed figures cover a little less than they say: at least 0.90 is asked for.
    let (samples, n) = (200, 400);
    let mut hits = [0; 5];
    for sample in 0..samples {
        let card = Customers::draw(n, 1000 + sample).card(1.0, 300);
        // Of new customers in the second segment, the share whose wait fits into the window.
        let segment = 1;
        let mean = MEAN_DAYS[segment];
        let won = 1.0 - mean / 150.0 * ((-50.0 / mean).exp() - (-200.0 / mean).exp());
        let contribution = MEAN_REVENUE[segment] * MARGIN[segment];
        for (hit, (figure, truth)) in hits.iter_mut().zip([
            (Figure::GrossMargin, MARGIN[segment]),
            (Figure::Cac, SPEND[segment] / won),
            (Figure::Contribution, contribution),
            (Figure::DaysToSale, mean * std::f64::consts::LN_2),
            (Figure::Ltv, contribution / CHURN[segment]),
        ]) {
            let estimates = card.figure(figure);
            *hit += usize::from(estimates.lo[segment] <= truth && truth <= estimates.hi[segment]);
        }
    }
    for hit in hits {
        let coverage = hit as f64 / samples as f64;
        assert!((0.90..=0.99).contains(&coverage), "{hits:?} of {samples}");
    }
}

#[test]
fn order_lines_and_their_sums_give_the_same_scorecard() {
    let mut rng = Rng::stream(8, Stage::Sample, 1);
    let n = 500;
    let segment: Vec<u32> = (0..n).map(|_| rng.below(3) as u32).collect();
    let customer: Vec<u32> = (0..20_000).map(|_| rng.below(n) as u32).collect();
    // Whole numbers, so that sums do not depend on their order.
    let revenue: Vec<f64> = customer.iter().map(|_| rng.below(100) as f64 + 1.0).collect();
    let cost: Vec<f64> = revenue.iter().map(|value| (value / 2.0).floor()).collect();
    let row: Vec<u32> = (0..n as u32).collect();
    let mut sums = [vec![0.0; n], vec![0.0; n]];
    for (line, &code) in customer.iter().enumerate() {
        sums[0][code as usize] += revenue[line];
        sums[1][code as usize] += cost[line];
    }
    let names = names(3);
    let base =
        Input { segment_name: "segment", segment: &segment, segments: &names, ..Input::default() };
    let lines = Input {
        orders: Some(Orders {
            customer_name: "customer",
            customer: &customer,
            row: &row,
            revenue: Column { name: "revenue", values: &revenue },
            cost: column("cost", &cost),
        }),
        ..base.clone()
    };
    let totals =
        Input { revenue: column("revenue", &sums[0]), cost: column("cost", &sums[1]), ..base };
    let options = Options { n_boot: 60, ..Options::default() };
    let (lines, totals) = (compute(&lines, options).unwrap(), compute(&totals, options).unwrap());
    assert_eq!(
        persist::to_json(&lines.estimates_only()),
        persist::to_json(&totals.estimates_only())
    );
}

trait EstimatesOnly {
    fn estimates_only(&self) -> Scorecard;
}

impl EstimatesOnly for Scorecard {
    /// Without the manifest, which names what was read.
    fn estimates_only(&self) -> Scorecard {
        let mut card = self.clone();
        card.manifest.settings = serde_json::Map::new();
        card
    }
}

#[test]
fn lost_leads_never_buy_whether_a_flag_or_a_date_says_so() {
    let contact = [0.0; 7];
    let sale = [10.0, 20.0, f64::NAN, f64::NAN, 30.0, f64::NAN, f64::NAN];
    let flags = [0.0, f64::NAN, 1.0, 1.0, 0.0, 0.0, 0.0];
    let days = [f64::NAN, f64::NAN, 5.0, 25.0, f64::NAN, f64::NAN, f64::NAN];
    let revenue = [1.0, 1.0, f64::NAN, f64::NAN, 1.0, f64::NAN, f64::NAN];
    let median = |lost| {
        let input = Input {
            segment_name: "segment",
            segment: &[0; 7],
            segments: &names(1),
            revenue: column("revenue", &revenue),
            first_contact: column("contact", &contact),
            first_sale: column("sale", &sale),
            lost,
            ..Input::default()
        };
        let card = compute(&input, Options { n_boot: 0, ..Options::default() }).unwrap();
        (card.figure(Figure::DaysToSale).value[0], card.leads[0])
    };
    // Three of seven have bought by day 30, when the observation ends: half is not reached. Censoring the lost leads at
    // their loss, as if they could still buy, would say 30.
    let by_flag = median(Some(Lost::Flag(Column { name: "lost", values: &flags })));
    let by_day = median(Some(Lost::Day(Column { name: "lost", values: &days })));
    assert_eq!((by_flag.0, by_day.0), (f64::INFINITY, f64::INFINITY));
    assert_eq!((by_day.1.lost, by_day.1.open), (2, 2));
    assert_eq!((by_flag.1.lost, by_flag.1.open), (2, 2));
}

#[test]
fn rows_that_contradict_themselves_are_refused_by_name() {
    let good = [1.0, 2.0];
    let base = Input {
        segment_name: "segment",
        segment: &[0, 0],
        segments: &names(1),
        revenue: column("revenue", &good),
        ..Input::default()
    };
    let message = |input: Input<'_>| compute(&input, Options::default()).unwrap_err().to_string();
    let text = message(Input { cost: column("cost", &[1.0, -1.0]), ..base.clone() });
    assert!(
        text.starts_with("column \"cost\", row 1: found -1, but a cost is 0 or more"),
        "{text}"
    );
    let text = message(Input { churn: column("churn", &[0.5, 20.0]), ..base.clone() });
    assert!(text.contains("\"churn\", row 1: found 20, but a churn rate lies between 0 and 1"));
    let text = message(Input {
        first_contact: column("contact", &[19_000.0, 19_001.0]),
        first_sale: column("sale", &[19_000.0, 18_000.0]),
        ..base.clone()
    });
    assert!(text.contains("\"sale\", row 1: found 2019-04-14"), "{text}");
    assert!(text.contains("\"contact\", which is 2022-01-09"), "{text}");
    let text = message(Input { segment: &[], ..base.clone() });
    assert!(text.contains("at least 1 rows, but there are 0"), "{text}");
    let text = message(Input { segment: &[MISSING, MISSING], ..base.clone() });
    assert!(text.contains("2 rows, all left out: \"segment\" is missing"), "{text}");
    let options = Options { period_months: 0.0, ..Options::default() };
    assert!(compute(&base, options).unwrap_err().to_string().starts_with("period_months: found 0"));
}

#[test]
fn never_stays_never_through_a_file() {
    let card = reference();
    let text = persist::to_json(&card).unwrap();
    let back: Scorecard = persist::from_json(&text).unwrap();
    assert_eq!(back.figure(Figure::PaybackMonths).value[3], f64::INFINITY);
    assert_eq!(persist::to_json(&back).unwrap(), text);
    let broken = text.replacen("\"segments\":[\"A\",", "\"segments\":[", 1);
    assert!(matches!(persist::from_json::<Scorecard>(&broken), Err(Error::ModelFile { .. })));
    let ranking = rank(&card, 2, &["profit".into()], &Weights::Dirichlet).unwrap();
    let back: Ranking = persist::from_json(&persist::to_json(&ranking).unwrap()).unwrap();
    assert_eq!(back.segments, ranking.segments);
}

#[test]
fn probabilities_of_the_first_places_add_up_and_follow_the_replicates() {
    let data = Customers::draw(400, 21);
    let card = data.card(1.0, 200);
    let ranking = rank(&card, 1, &["profit".into()], &Weights::Equal).unwrap();
    assert!((ranking.p_top.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(ranking.p_top[0] > 0.9, "the first segment has three times the margin");
    let all = rank(&card, 2, &["profit".into()], &Weights::Equal).unwrap();
    assert_eq!(all.p_top, [1.0, 1.0]);
    let several = ["profit".to_string(), "cac".into()];
    let fixed = rank(&card, 1, &several, &Weights::Fixed(vec![1.0, 0.0])).unwrap();
    assert_eq!(fixed.p_top, ranking.p_top);
    let error = rank(&card, 1, &several, &Weights::Fixed(vec![1.0])).unwrap_err().to_string();
    assert!(error.contains("one number for each of the 2 figures"), "{error}");
    let error = rank(&card, 1, &["profits".into()], &Weights::Equal).unwrap_err().to_string();
    assert!(error.contains("the figures are \"revenue_share\""), "{error}");
}
