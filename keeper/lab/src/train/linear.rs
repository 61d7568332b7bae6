//! The solver of small symmetric systems.

/// Solves `matrix · x = right` in place by Cholesky's method; false where the matrix isn't positive definite.
///
/// # Shape
/// `matrix`: n × n by rows, of which the lower triangle is read; `right`: n, becomes x.
pub fn solve(matrix: &mut [f64], right: &mut [f64]) -> bool {
    let n = right.len();
    for row in 0..n {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| matrix[row * n + k] * matrix[column * n + k]).sum();
            let rest = matrix[row * n + column] - dot;
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return false;
                }
                matrix[row * n + row] = rest.sqrt();
            } else {
                matrix[row * n + column] = rest / matrix[column * n + column];
            }
        }
    }
    for row in 0..n {
        let dot: f64 = (0..row).map(|k| matrix[row * n + k] * right[k]).sum();
        right[row] = (right[row] - dot) / matrix[row * n + row];
    }
    for row in (0..n).rev() {
        let dot: f64 = (row + 1..n).map(|k| matrix[k * n + row] * right[k]).sum();
        right[row] = (right[row] - dot) / matrix[row * n + row];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solve_finds_the_solution_when_the_matrix_is_positive_definite() {
        let matrix = [4.0, 2.0, 1.0, 2.0, 5.0, 3.0, 1.0, 3.0, 6.0];
        let solution = [1.0, -2.0, 0.5];
        let mut right: Vec<f64> =
            matrix.chunks(3).map(|row| row.iter().zip(solution).map(|(a, x)| a * x).sum()).collect();
        assert!(solve(&mut matrix.clone(), &mut right));
        assert!(right.iter().zip(solution).all(|(found, x)| (found - x).abs() < 1e-12), "{right:?}");
    }

    #[test]
    fn solve_refuses_when_the_matrix_is_indefinite_or_not_a_number() {
        assert!(!solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0]));
        assert!(!solve(&mut [f64::NAN, 0.0, 0.0, 1.0], &mut [1.0, 1.0]));
    }
}
