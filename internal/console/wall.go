package console

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// streams is what the wall and the pages of streams need of the server: what the
// control API and the ledger call, and the pictures.
type streams interface {
	Resources() *stillcast.Resources
	Drop(s stillcast.Stream, end stillcast.PushEnd) bool
	Forbid(ctx context.Context, ban stillcast.Ban) error
	Resume(ctx context.Context, s stillcast.Stream) (stillcast.Ban, error)
	Bans(ctx context.Context) ([]stillcast.Ban, error)
	PushPage(ctx context.Context, filter state.PushFilter) ([]state.PushRecord, int64, error)

	Shots(ctx context.Context, f state.ShotFilter) ([]state.ShotStatus, error)
	Shot(ctx context.Context, id int64) (state.ShotStatus, error)
	Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error)

	// Running are the tasks that capture a stream now.
	Running(ctx context.Context, s stillcast.Stream) ([]stillcast.Task, error)
	// Picture opens a picture of a shot, in the store or before it is there: 0 is
	// its own, 1 that of its first rendition, and so on. The caller closes it. The
	// errors are those of package objstore.
	Picture(ctx context.Context, shot state.ShotStatus, index int) (picture io.ReadCloser, size int64, err error)
}

func (c *Console) wallRoutes() []route {
	if c.opts.Wall == nil {
		c.opts.Wall = NewWall() // of a console that shows no streams
	}
	return []route{
		{pattern: "GET {$}", run: (*view).wallPage},
		{pattern: "GET wall/events", run: (*view).events},
		{pattern: "GET wall/session", run: (*view).alive},
		{pattern: "GET thumb/{shot}", run: (*view).thumb},
		{pattern: "GET picture/{shot}/{index}", run: (*view).picture},
		{pattern: "GET stream", run: (*view).streamPage},
		{pattern: "POST stream/drop", run: (*view).dropStream},
		{pattern: "POST stream/forbid", run: (*view).forbidStream},
		{pattern: "POST stream/resume", run: (*view).resumeStream},
	}
}

func (v *view) wall() *Wall { return v.opts.Wall }

// alive tells scripts that the session goes on. Else they are sent to the login
// page.
func (v *view) alive() error {
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}

// The orders of the wall.
const (
	sortName     = "name"
	sortNewest   = "newest"
	sortStalest  = "stalest"
	maxWallQuery = 300 // bytes of what is searched for
)

// wallQuery is which tiles a viewer wants to see, and in which order.
type wallQuery struct {
	Text, Domain, App string // "" for all
	Sort              string
}

func readWallQuery(q url.Values) wallQuery {
	w := wallQuery{Text: strings.TrimSpace(q.Get("q")), Domain: q.Get("domain"), App: q.Get("app"), Sort: q.Get("sort")}
	if len(w.Text) > maxWallQuery {
		w.Text = ""
	}
	if w.Sort != sortNewest && w.Sort != sortStalest {
		w.Sort = sortName
	}
	return w
}

// selects says whether a tile is to be seen. The script of the wall does the same.
func (q wallQuery) selects(t shownTile) bool {
	if q.Domain != "" && q.Domain != t.Domain || q.App != "" && q.App != t.App {
		return false
	}
	text := strings.ToLower(t.Domain + "/" + t.App + "/" + t.Name)
	for word := range strings.FieldsSeq(strings.ToLower(q.Text)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func (q wallQuery) compare(a, b shownTile) int {
	byName := cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	switch q.Sort {
	case sortNewest:
		return cmp.Or(cmp.Compare(b.newest(), a.newest()), byName)
	case sortStalest:
		return cmp.Or(cmp.Compare(a.newest(), b.newest()), byName)
	}
	return byName
}

// choose returns the tiles that are to be seen, in their order.
func (q wallQuery) choose(all []shownTile) []shownTile {
	chosen := slices.DeleteFunc(slices.Clone(all), func(t shownTile) bool { return !q.selects(t) })
	slices.SortFunc(chosen, q.compare)
	return chosen
}

// wallData is what the wall shows.
type wallData struct {
	wallQuery

	Tiles         []shownTile
	Total         int
	Domains, Apps []string
	Sorts         []string
	Blank         shownTile // from which scripts make tiles
}

func (v *view) wallPage() error {
	v.wall().look()
	all := v.wall().all()
	q := readWallQuery(v.r.URL.Query())
	return v.page("wall", wallData{
		wallQuery: q, Tiles: q.choose(all), Total: len(all), Sorts: []string{sortName, sortNewest, sortStalest},
		Domains: namesOf(all, q.Domain, func(t shownTile) string { return t.Domain }),
		Apps:    namesOf(all, q.App, func(t shownTile) string { return t.App }),
	})
}

// namesOf are the domains or apps of tiles, and the one that is chosen.
func namesOf(all []shownTile, chosen string, of func(shownTile) string) []string {
	var names []string
	if chosen != "" {
		names = append(names, chosen)
	}
	for _, t := range all {
		names = append(names, of(t))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
