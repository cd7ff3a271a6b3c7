package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast/internal/trend"
)

// How the system is remembered: an hour, with a number every ten seconds.
const (
	SystemEvery = 10 * time.Second
	SystemKeep  = 360
)

// plot is one plot of the page of the system.
type plot struct {
	ID    string // with the words "system.plot_ID"
	Unit  string // "bytes", "rate" (bytes each second), "number", "often" (each second) or "seconds"
	Lines []plotLine
}

// plotLine is one line of a plot, with the words "system.line_NAME".
type plotLine struct {
	Name   string // of the line within its plot
	Colour string // a variable of console.css
	Series trend.Series
}

func systemPlots() []plot {
	shots := func(name string) trend.Series {
		return trend.Series{Kind: trend.Rate, Metric: "stillcast_capture_" + name + "_total"}
	}
	value := func(metric string) trend.Series { return trend.Series{Kind: trend.Value, Metric: metric} }
	rate := func(metric string) trend.Series { return trend.Series{Kind: trend.Rate, Metric: metric} }
	attempts := func(result string) trend.Series {
		return trend.Series{Kind: trend.Rate, Metric: "stillcast_notify_attempts_total", Where: map[string]string{"result": result}}
	}
	owed := func(in string) trend.Series {
		return trend.Series{Kind: trend.Value, Metric: "stillcast_notify_deliveries", Where: map[string]string{"state": in}}
	}
	lag := func(metric string, q float64, where map[string]string) trend.Series {
		return trend.Series{Kind: trend.Quantile, Metric: metric, Q: q, Where: where}
	}
	const half, most = 0.5, 0.99
	decode := map[string]string{"stage": "decode"}
	return []plot{
		{"ingest", "rate", []plotLine{{"received", "--accent", rate("stillcast_rtmp_received_bytes_total")}}},
		{"pushes", "number", []plotLine{{"live", "--accent", value("stillcast_ingest_streams")}}},
		{"shots", "often", []plotLine{{"taken", "--good", shots("taken")}, {"shed", "--warn", shots("shed")}, {"failed", "--bad", shots("failed")}}},
		{"age", "seconds", []plotLine{
			{"p50", "--accent", lag("stillcast_capture_taken_age_seconds", half, nil)}, {"p99", "--warn", lag("stillcast_capture_taken_age_seconds", most, nil)},
		}},
		{"decode", "seconds", []plotLine{
			{"p50", "--accent", lag("stillcast_codec_seconds", half, decode)}, {"p99", "--warn", lag("stillcast_codec_seconds", most, decode)},
		}},
		{"uploads", "often", []plotLine{{"stored", "--good", rate("stillcast_spool_stored_total")}, {"failed", "--bad", rate("stillcast_spool_failed_total")}}},
		{"upload_time", "seconds", []plotLine{
			{"p50", "--accent", lag("stillcast_spool_store_seconds", half, nil)}, {"p99", "--warn", lag("stillcast_spool_store_seconds", most, nil)},
		}},
		{"spool", "number", []plotLine{{"pictures", "--accent", value("stillcast_spool_pictures")}}},
		{"spool_bytes", "bytes", []plotLine{{"bytes", "--accent", value("stillcast_spool_bytes")}}},
		{"spool_age", "seconds", []plotLine{{"oldest", "--accent", value("stillcast_spool_oldest_seconds")}}},
		{"deliveries", "often", []plotLine{{"delivered", "--good", attempts("delivered")}, {"retry", "--warn", attempts("retry")}, {"parked", "--bad", attempts("parked")}}},
		{"lag", "seconds", []plotLine{
			{"p50", "--accent", lag("stillcast_notify_lag_seconds", half, nil)}, {"p99", "--warn", lag("stillcast_notify_lag_seconds", most, nil)},
		}},
		{"owed", "number", []plotLine{{"waiting", "--faint", owed("waiting")}, {"pending", "--accent", owed("pending")}, {"parked", "--bad", owed("parked")}}},
		{"commits", "often", []plotLine{{"commits", "--accent", rate("stillcast_state_commit_seconds")}, {"failed", "--bad", rate("stillcast_state_failed_commits_total")}}},
		{"commit_time", "seconds", []plotLine{
			{"p50", "--accent", lag("stillcast_state_commit_seconds", half, nil)}, {"p99", "--warn", lag("stillcast_state_commit_seconds", most, nil)},
		}},
	}
}

// SystemSeries are the series that the page of the system plots, to be remembered
// by a [trend.Sampler] of [SystemKeep] numbers, one every [SystemEvery].
func SystemSeries() []trend.Series {
	var all []trend.Series
	for _, p := range systemPlots() {
		for _, l := range p.Lines {
			s := l.Series
			s.Name = p.ID + "." + l.Name
			all = append(all, s)
		}
	}
	return all
}

// shownPlot is a plot with what stands in for it where it cannot be seen.
type shownPlot struct {
	ID, Title string
	Spec      plotSpec // for plot.js
	Heads     []string // of the table, its lines
	Rows      []plotRow
	Now       []string // values of the last look
}

// Class is the class of a line, by its colour.
func (p shownPlot) Class(line int) string { return strings.TrimPrefix(p.Spec.Lines[line].Colour, "--") }

// plotSpec is what plot.js draws.
type plotSpec struct {
	Unit  string     `json:"unit"`
	Lines []lineSpec `json:"lines"`
}

type lineSpec struct {
	Series string `json:"series"`
	Label  string `json:"label"`
	Colour string `json:"colour"`
}

// plotRow is what the lines were on average within a few minutes.
type plotRow struct {
	From   time.Time
	Values []string
}

// rowTime is the time of one row of a table.
const rowTime = 5 * time.Minute

func (v *view) shownPlots(h trend.History) ([]shownPlot, error) {
	var all []shownPlot
	for _, p := range systemPlots() {
		shown := shownPlot{ID: p.ID, Spec: plotSpec{Unit: p.Unit}}
		var err error
		if shown.Title, err = v.words.text("system.plot_" + p.ID); err != nil {
			return nil, err
		}
		for _, l := range p.Lines {
			label, err := v.words.text("system.line_" + l.Name)
			if err != nil {
				return nil, err
			}
			series := p.ID + "." + l.Name
			shown.Spec.Lines = append(shown.Spec.Lines, lineSpec{Series: series, Label: label, Colour: l.Colour})
			shown.Heads = append(shown.Heads, label)
			last := math.NaN()
			if values := h.Values[series]; len(values) > 0 {
				last = values[len(values)-1]
			}
			shown.Now = append(shown.Now, inUnit(p.Unit, last))
		}
		shown.Rows = plotRows(p, h)
		all = append(all, shown)
	}
	return all, nil
}

// plotRows averages the lines of a plot, the newest first.
func plotRows(p plot, h trend.History) (rows []plotRow) {
	for end := len(h.Times); end > 0; {
		from := h.Times[end-1].Truncate(rowTime)
		begin := end
		for begin > 0 && !h.Times[begin-1].Before(from) {
			begin--
		}
		row := plotRow{From: from}
		for _, l := range p.Lines {
			values := h.Values[p.ID+"."+l.Name]
			row.Values = append(row.Values, inUnit(p.Unit, mean(values[min(begin, len(values)):min(end, len(values))])))
		}
		rows = append(rows, row)
		end = begin
	}
	return rows
}

// mean is that of the values which are known, NaN for none.
func mean(values []float64) float64 {
	sum, n := 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / n
}

// inUnit writes a value in the unit of a plot, a dash where it is not known.
func inUnit(unit string, n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return "–"
	}
	switch unit {
	case "bytes":
		return bytesText(n)
	case "rate":
		return bytesText(n) + "/s"
	case "seconds":
		const toMS = 1000
		return milliseconds(n * toMS)
	case "often":
		return strconv.FormatFloat(n, 'f', 2, 64) + "/s"
	}
	return fmt.Sprintf("%.0f", n)
}
