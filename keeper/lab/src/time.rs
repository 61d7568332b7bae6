//! Calendar dates of unix seconds, UTC: what reports print, and how test periods are cut.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// Returns the unix seconds at the start of a day, month and day from 1; none where the calendar has no such day.
pub fn start_of_day(year: i32, month: u32, day: u32) -> Option<i64> {
    Some(NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// Returns the year and the month, from 1, of unix seconds. Beyond the calendar's years it is 1970.
pub fn year_month(ts: i64) -> (i32, u32) {
    let date = date_time(ts);
    (date.year(), date.month())
}

/// Returns date and minute: `2024-08-05 06:20`.
pub fn format(ts: i64) -> String {
    date_time(ts).format("%Y-%m-%d %H:%M").to_string()
}

/// Returns the date: `2024-08-05`.
pub fn format_day(ts: i64) -> String {
    date_time(ts).format("%Y-%m-%d").to_string()
}

fn date_time(ts: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(ts, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar_when_known() {
        assert_eq!(format(1_722_838_800), "2024-08-05 06:20");
        assert_eq!(start_of_day(2022, 10, 1), Some(1_664_582_400));
        assert_eq!(start_of_day(2023, 2, 29), None);
        assert_eq!(year_month(1_664_582_399), (2022, 9));
    }
}
