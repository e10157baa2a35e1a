//! Drawing the receptive fields of a sampling layer.

use std::collections::BTreeSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Draws up to `most` distinct fields of `width` members; a higher weight makes a member more likely. Each of the
/// `dealt` members is in at least one field, as far as there are fields for them. Members are given by their places in
/// `weights`, ascending.
pub(super) fn draw_fields(
    chance: &mut ChaCha8Rng,
    weights: &[f64],
    dealt: &[usize],
    width: usize,
    most: usize,
) -> Vec<Vec<usize>> {
    let width = width.min(weights.len());
    let mut drawn = BTreeSet::new();
    let mut fields = Vec::new();
    // If few fields are possible, random drawing repeats itself: it is bounded, and the remaining fields are enumerated
    // in order.
    let hands = (0..most).map(|hand| dealt.iter().copied().skip(hand).step_by(most).take(width).collect());
    let hands = hands.chain(std::iter::repeat_with(Vec::new)).take(most * 20);
    for hand in hands {
        if fields.len() == most {
            return fields;
        }
        let field = draw_members(chance, weights, hand, width);
        if drawn.insert(field.clone()) {
            fields.push(field);
        }
    }
    let mut next: Option<Vec<usize>> = Some((0..width).collect());
    while let Some(field) = next.filter(|_| fields.len() < most) {
        if drawn.insert(field.clone()) {
            fields.push(field.clone());
        }
        next = next_combination(field, weights.len());
    }
    fields
}

/// Fills up a field.
fn draw_members(chance: &mut ChaCha8Rng, weights: &[f64], mut members: Vec<usize>, width: usize) -> Vec<usize> {
    // Even the worst may be drawn: a candidate with a score of zero can still hold a good suggestion.
    let mut weights: Vec<f64> = weights.iter().map(|weight| weight.max(0.0) + 0.1).collect();
    members.iter().for_each(|member| weights[*member] = 0.0);
    while members.len() < width {
        let mut rest = chance.random::<f64>() * weights.iter().sum::<f64>();
        let heavy = |(_, weight): &(usize, &f64)| **weight > 0.0;
        let last = weights.iter().enumerate().filter(heavy).map(|(i, _)| i).next_back().expect("one is left");
        let member = weights.iter().enumerate().filter(heavy).find_map(|(i, weight)| {
            rest -= weight;
            (rest < 0.0).then_some(i)
        });
        let member = member.unwrap_or(last);
        weights[member] = 0.0;
        members.push(member);
    }
    members.sort_unstable();
    members
}

/// Returns the next combination in lexicographic order; none after the last.
fn next_combination(mut field: Vec<usize>, of: usize) -> Option<Vec<usize>> {
    let width = field.len();
    let place = (0..width).rev().find(|&i| field[i] < of - width + i)?;
    field[place] += 1;
    for i in place + 1..width {
        field[i] = field[i - 1] + 1;
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    proptest! {
        #[test]
        fn fields_are_distinct_and_as_many_as_there_can_be(
            pool in 2usize..9, width in 2usize..5, most in 1usize..15, dealt in 0usize..9, seed: u64,
        ) {
            let weights: Vec<f64> = (0..pool).rev().map(|score| score as f64).collect();
            let dealt: Vec<usize> = (0..dealt.min(pool)).collect();
            let fields = draw_fields(&mut ChaCha8Rng::seed_from_u64(seed), &weights, &dealt, width, most);
            let width = width.min(pool);
            let possible = (0..width).fold(1, |product, i| product * (pool - i) / (i + 1));
            prop_assert_eq!(fields.len(), most.min(possible));
            prop_assert!(fields.iter().all(|field| field.len() == width && field.windows(2).all(|pair| pair[0] < pair[1])));
            prop_assert_eq!(fields.iter().collect::<BTreeSet<_>>().len(), fields.len());
            if dealt.len() <= most.min(possible) {
                let covered = dealt.iter().all(|member| fields.iter().any(|field| field.contains(member)));
                prop_assert!(covered, "{:?} of {:?}", dealt, fields);
            }
        }
    }
}
