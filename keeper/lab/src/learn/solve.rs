//! Solving a small dense system.

/// Solves `a · x = b` by elimination with partial pivots; `a` by rows, both are used up. None if a pivot vanishes.
pub fn solve(a: &mut [Vec<f64>], b: &mut [f64]) -> Option<Vec<f64>> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|x, y| a[*x][column].abs().total_cmp(&a[*y][column].abs()))?;
        if a[pivot][column].abs() < 1e-300 || !a[pivot][column].is_finite() {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        let (above, below) = a.split_at_mut(column + 1);
        let row = &above[column];
        for (offset, other) in below.iter_mut().enumerate() {
            let factor = other[column] / row[column];
            if factor != 0.0 {
                other[column..].iter_mut().zip(&row[column..]).for_each(|(to, from)| *to -= factor * from);
                b[column + 1 + offset] -= factor * b[column];
            }
        }
    }
    let mut x = vec![0.0; n];
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| a[row][column] * x[column]).sum();
        x[row] = (b[row] - known) / a[row][row];
    }
    x.iter().all(|value| value.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solve_finds_the_solution_and_refuses_a_singular_system() {
        let mut a = vec![vec![0.0, 2.0, 1.0], vec![1.0, 1.0, 1.0], vec![2.0, 1.0, 0.0]];
        let x = solve(&mut a, &mut [7.0, 6.0, 4.0]).unwrap();
        assert!(x.iter().zip([1.0, 2.0, 3.0]).all(|(found, known)| (found - known).abs() < 1e-12));
        assert_eq!(solve(&mut [vec![1.0, 2.0], vec![2.0, 4.0]], &mut [1.0, 2.0]), None);
    }
}
