package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/ledger/client"
)

// ledgerFlags are those of all commands that ask the ledger.
type ledgerFlags struct {
	JSON bool `name:"json" help:"Print what the server answers, as JSON."`

	apiFlags
}

func (f ledgerFlags) ledger() (*client.Client, error) {
	c, err := f.client()
	if err != nil {
		return nil, err
	}
	return &client.Client{Endpoint: c.Endpoint, SecretID: c.SecretID, SecretKey: c.SecretKey}, nil
}

// explained adds what helps to an error of the ledger.
func explained(err error) error {
	e, ok := errors.AsType[*client.Error](err)
	if ok && e.Status == http.StatusUnauthorized {
		return fmt.Errorf("%w; give it with --secret-id and --secret-key, or name the server's --data-dir", err)
	}
	return err
}

// printJSON prints an answer as it is.
func printJSON(w io.Writer, answer any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(answer)
}

// table prints rows in columns.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, columns ...any) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

// row prints one row; an empty cell is "-".
func (t table) row(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(t.Writer, "\t") //nolint:errcheck // Flush tells
		}
		text := fmt.Sprint(cell)
		if text == "" {
			text = "-"
		}
		fmt.Fprint(t.Writer, text) //nolint:errcheck // likewise
	}
	fmt.Fprintln(t.Writer)
}

// shownTime is a time as tables have it, "" for none.
func shownTime(t ledger.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}

// shownCount is a number as tables have it, "" for none.
func shownCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// since is how long ago a time was, "" for none.
func since(t ledger.Time, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return now.Sub(time.Time(t)).Round(time.Second).String()
}

// listFlags select what is listed by stream and time.
type listFlags struct {
	Stream string `placeholder:"DOMAIN/APP/STREAM" help:"Only of this stream."`
	From   string `placeholder:"TIME" help:"Not before: a time such as 2026-11-26T20:54:26Z, or how long ago, such as 2h."`
	Until  string `placeholder:"TIME" help:"Before, likewise."`
}

// params are the flags as parameters of the API, without those that are not given.
func (f listFlags) params(now time.Time) (map[string]string, error) {
	params := map[string]string{}
	if f.Stream != "" {
		s, err := parseStream(f.Stream)
		if err != nil {
			return nil, err
		}
		params["domain"], params["app"], params["stream"] = s.Domain, s.App, s.Name
	}
	for name, text := range map[string]string{"from": f.From, "until": f.Until} {
		if text == "" {
			continue
		}
		at, err := parseTime(name, text, now)
		if err != nil {
			return nil, err
		}
		params[name] = at.String()
	}
	return params, nil
}

// pageFlags say how much of a listing is printed.
type pageFlags struct {
	Limit       int  `default:"100" placeholder:"ROWS" help:"Print so many at most (${default})."`
	OldestFirst bool `name:"oldest-first" help:"Begin with the oldest, instead of the newest."`
}

// maxPage is the most that the server gives at once.
const maxPage = 500

// query makes params the query of one page.
func (f pageFlags) query(params map[string]string, got int, cursor string) url.Values {
	q := url.Values{}
	for name, text := range params {
		if text != "" {
			q.Set(name, text)
		}
	}
	q.Set("limit", strconv.Itoa(min(maxPage, f.Limit-got)))
	if f.OldestFirst {
		q.Set("order", "asc")
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return q
}

// Validate implements kong's hook for flags that are wrong.
func (f pageFlags) Validate() error {
	if f.Limit < 1 {
		return fmt.Errorf("--limit: is %d; at least 1 is needed", f.Limit)
	}
	return nil
}

// parseStream takes DOMAIN/APP/STREAM apart. An app may hold slashes, as ffmpeg's
// push URLs have them; a name is what stands behind the last one.
func parseStream(text string) (stillcast.Stream, error) {
	domain, rest, _ := strings.Cut(text, "/")
	slash := strings.LastIndexByte(rest, '/')
	if domain == "" || slash < 1 || slash == len(rest)-1 {
		return stillcast.Stream{}, fmt.Errorf("--stream: is %q; expected DOMAIN/APP/STREAM, the parts of its push URL", text)
	}
	return stillcast.Stream{Domain: domain, App: rest[:slash], Name: rest[slash+1:]}, nil
}

// parseTime takes a time, or how long ago it was.
func parseTime(flag, text string, now time.Time) (ledger.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return ledger.Time(now.Add(-ago)), nil
	}
	var at ledger.Time
	if err := at.UnmarshalText([]byte(text)); err != nil {
		return at, fmt.Errorf("--%s: is %q; expected a time such as 2026-11-26T20:54:26Z, or how long ago, such as 90s or 2h", flag, text)
	}
	return at, nil
}
