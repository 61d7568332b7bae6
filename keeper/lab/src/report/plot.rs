//! Plots as SVG. Colours are names that the page's style sheet translates for light and dark.

use super::{Figure, Plot, ReportError, Series};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

const WIDTH: u32 = 900;
/// Width of the legend, a share of what the bars take.
const LEGEND_SHARE: f64 = 0.25;
/// Height of a group of bars with one series, of each further bar, and of axis, legend and margins.
const GROUP: u32 = 26;
const BAR: u32 = 13;
const FRAME: u32 = 84;
const LINES_HEIGHT: u32 = 380;
/// Width of the names beside bars; longer ones are cut, and stand in full in the table.
const NAMES: u32 = 250;
const LONGEST_NAME: usize = 36;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
/// Grid.
pub const GRID: RGBColor = RGBColor(0xd8, 0xdc, 0xe1);
/// Series, in order.
pub const SERIES: [RGBColor; 4] =
    [RGBColor(0x1f, 0x5f, 0xa8), RGBColor(0xb3, 0x47, 0x0b), RGBColor(0x2d, 0x6a, 0x3e), RGBColor(0x7a, 0x3e, 0x8e)];
/// The same in the dark, as the style sheet has it.
pub const DARK: [(RGBColor, &str); 6] = [
    (INK, "#e6e9ee"),
    (GRID, "#3a424c"),
    (SERIES[0], "#7fb4f0"),
    (SERIES[1], "#f29b6b"),
    (SERIES[2], "#86c99a"),
    (SERIES[3], "#ce9bdf"),
];

type Drawn = Result<(), Box<dyn Error>>;

/// Draws a figure.
///
/// # Errors
/// `Plot`.
pub fn svg(figure: &Figure) -> Result<String, ReportError> {
    let mut text = String::new();
    let drawn = match &figure.plot {
        Plot::Bars { unit, labels, series } => bars(&mut text, unit, labels, series),
        Plot::Intervals { unit, labels, values } => intervals(&mut text, unit, labels, values),
        Plot::Lines { x, y, lines } => self::lines(&mut text, x, y, lines),
    };
    drawn.map_err(|error| ReportError::Plot { title: figure.title.clone(), reason: error.to_string() })?;
    Ok(text)
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

fn bars(text: &mut String, unit: &str, labels: &[String], series: &[Series]) -> Drawn {
    let count = series.len().max(1) as u32;
    let height = FRAME + labels.len() as u32 * (GROUP + (count - 1) * BAR);
    let root = SVGBackend::with_string(text, (WIDTH, height)).into_drawing_area();
    let values = || series.iter().flat_map(|series| series.values.iter().copied());
    let (low, high) = range(values().chain([0.0]));
    // the legend stands in the upper right: no bar reaches under it
    let room = if series.len() > 1 { (high - low) * LEGEND_SHARE } else { 0.0 };
    let mut chart = named(&root, labels, (low, high + room), unit)?;
    for (at, one) in series.iter().enumerate() {
        let colour = SERIES[at % SERIES.len()];
        let share = 0.76 / f64::from(count);
        let rows = one.values.iter().enumerate().map(|(row, value)| {
            let top = row as f64 + 0.12 + at as f64 * share;
            Rectangle::new([(0.0, top), (*value, top + share * 0.92)], colour.filled())
        });
        let drawn = chart.draw_series(rows)?;
        if series.len() > 1 {
            drawn
                .label(one.name.clone())
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        }
    }
    if series.len() > 1 {
        legend(&mut chart)?;
    }
    root.present()?;
    Ok(())
}

fn intervals(text: &mut String, unit: &str, labels: &[String], values: &[[f64; 3]]) -> Drawn {
    let root = SVGBackend::with_string(text, (WIDTH, FRAME + labels.len() as u32 * GROUP)).into_drawing_area();
    let mut chart = named(&root, labels, range(values.iter().flatten().copied().chain([0.0])), unit)?;
    let count = labels.len() as f64;
    chart.draw_series([PathElement::new([(0.0, 0.0), (0.0, count)], INK.stroke_width(1))])?;
    for (row, [value, low, high]) in values.iter().enumerate() {
        let middle = row as f64 + 0.5;
        let line = |from: (f64, f64), to: (f64, f64)| PathElement::new([from, to], SERIES[0].stroke_width(2));
        let ends = [*low, *high].map(|end| line((end, middle - 0.16), (end, middle + 0.16)));
        chart.draw_series([line((*low, middle), (*high, middle))].into_iter().chain(ends))?;
        chart.draw_series([Circle::new((*value, middle), 4, SERIES[0].filled())])?;
    }
    root.present()?;
    Ok(())
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// A chart with a name beside each row, from the top down.
fn named<'a, 'b>(
    root: &DrawingArea<SVGBackend<'b>, Shift>,
    labels: &[String],
    (low, high): (f64, f64),
    unit: &str,
) -> Result<Chart<'a, 'b>, Box<dyn Error>> {
    let mut chart = ChartBuilder::on(root)
        .margin(10)
        .margin_right(24)
        .margin_left(NAMES)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d(low..high, labels.len() as f64..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(8)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .x_label_style(font(13))
        .axis_desc_style(font(13))
        .x_desc(unit)
        .draw()?;
    let style = font(13).pos(Pos::new(HPos::Right, VPos::Center));
    for (row, label) in labels.iter().enumerate() {
        let (_, y) = chart.backend_coord(&(low, row as f64 + 0.5));
        root.draw(&Text::new(cut(label), (NAMES as i32 - 8, y), style.clone()))?;
    }
    Ok(chart)
}

fn cut(label: &str) -> String {
    if label.chars().count() <= LONGEST_NAME {
        return label.into();
    }
    label.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

fn lines(text: &mut String, x: &str, y: &str, lines: &[(String, Vec<[f64; 2]>)]) -> Drawn {
    let root = SVGBackend::with_string(text, (WIDTH, LINES_HEIGHT)).into_drawing_area();
    let points = || lines.iter().flat_map(|(_, points)| points.iter());
    let (left, right) = range(points().map(|point| point[0]));
    let (low, high) = range(points().map(|point| point[1]));
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, 84)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d(left..right, low..high)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(font(13))
        .axis_desc_style(font(13))
        .x_desc(x)
        .y_desc(y)
        .draw()?;
    for (at, (name, points)) in lines.iter().enumerate() {
        let colour = SERIES[at % SERIES.len()];
        let path = points.iter().map(|[x, y]| (*x, *y));
        // a dash of its own, so that nobody needs the colour
        let dash: (u32, u32) = [(40, 0), (10, 5), (3, 4), (16, 8)][at % 4];
        let style = colour.stroke_width(2);
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style);
        if dash.1 == 0 {
            chart.draw_series(LineSeries::new(path, style))?.label(name.clone()).legend(legend);
        } else {
            let series = DashedLineSeries::new(path, dash.0, dash.1, style);
            let dashed = move |(x, y)| DashedPathElement::new([(x, y), (x + 28, y)], dash.0, dash.1, style);
            chart.draw_series(series)?.label(name.clone()).legend(dashed);
        }
        if points.len() <= 24 {
            chart.draw_series(points.iter().map(|[x, y]| Circle::new((*x, *y), 3, colour.filled())))?;
        }
    }
    if lines.len() > 1 {
        legend(&mut chart)?;
    }
    root.present()?;
    Ok(())
}

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Drawn {
    let labels = chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(8)
        .legend_area_size(34)
        .label_font(font(13))
        .border_style(GRID)
        .draw();
    Ok(labels?)
}

/// The values' range with a little room; never empty.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if !low.is_finite() {
        return (0.0, 1.0);
    }
    let room = ((high - low) * 0.04).max(high.abs().max(low.abs()) * 1e-3).max(1e-9);
    (if low == 0.0 { 0.0 } else { low - room }, if high == 0.0 && low < 0.0 { 0.0 } else { high + room })
}
