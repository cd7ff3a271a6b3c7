package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// metrics are the values of a scrape, by name with labels as they were printed:
// stillcast_codec_seconds_sum{stage="decode"}.
type metrics map[string]float64

// maxScrape is the longest answer that is read, in bytes.
const maxScrape = 8 << 20

// scrape reads a server's metrics.
func scrape(ctx context.Context, ops string) (metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ops+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask for the metrics: %w", err)
	}
	q.Close = true
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, fmt.Errorf("read the server's metrics: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxScrape))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the server's metrics: status %s, error %w", resp.Status, err)
	}
	return parseMetrics(string(body)), nil
}

// parseMetrics reads the text format of Prometheus as far as Stillcast's own
// metrics use it: no time stamps, no line breaks in labels. Other lines are
// passed over.
func parseMetrics(text string) metrics {
	m := metrics{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value := line, ""
		if at := strings.LastIndexByte(line, ' '); at > 0 {
			name, value = line[:at], line[at+1:]
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil && line[0] != '#' {
			m[name] = v
		}
	}
	return m
}

// sum adds up a metric over all its labels.
func (m metrics) sum(name string) float64 {
	total := m[name]
	for key, value := range m {
		if strings.HasPrefix(key, name+"{") {
			total += value
		}
	}
	return total
}

// since is what was counted between two scrapes.
func (m metrics) since(before metrics, name string) float64 { return m.sum(name) - before.sum(name) }

// mean is that of a histogram's values between two scrapes; 0 without values.
func (m metrics) mean(before metrics, name, labels string) float64 {
	count := m[name+"_count"+labels] - before[name+"_count"+labels]
	return ratio(m[name+"_sum"+labels]-before[name+"_sum"+labels], count)
}
